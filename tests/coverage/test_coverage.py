"""Each requirement of the seeds is in the state that docs/coverage.md says: every check of every row is made."""

from __future__ import annotations

import pytest

from tests.simulators.coverage_report import PAGE, page
from tests.simulators.coverage_rows import Row, all_rows, problems, told

NUMBERS = {"S000": 63, "S001": 80, "S002": 69, "S003": 277, "S004": 74}
"""System -> how many rows its requirements have."""


@pytest.mark.parametrize("row", [row for row in all_rows() if row.checks], ids=lambda row: row.id)
def test_each_check_of_the_row_holds(row: Row) -> None:
    assert [f"{told(one)}: {problem}" for one in row.checks for problem in problems(one)] == []


@pytest.mark.parametrize("system", NUMBERS)
def test_no_row_is_without_a_state(system: str) -> None:
    expected = [f"{system}-{number:02}" for number in range(1, NUMBERS[system] + 1)]
    assert expected == [row.id for row in all_rows() if row.id.startswith(system)]


def test_met_rows_have_checks_and_the_others_a_text() -> None:
    assert [row.id for row in all_rows() if (row.state in ("met", "finding")) != bool(row.checks)] == []
    assert [row.id for row in all_rows() if not row.checks and len(row.text) < 15] == []


def test_the_page_is_what_the_rows_say() -> None:
    assert page(all_rows()) == PAGE.read_text(encoding="utf-8")
