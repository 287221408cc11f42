"""The last result of `make test-all` in docs/lifecycle.md is what pytest recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulators.lifecycle_report import BEGIN, END, ReportError, main, placed, read_result, render
from tests.simulators.pulumi_cli import ROOT

JUNIT = """<?xml version="1.0"?><testsuites><testsuite name="pytest" time="125.0" timestamp="2026-11-21T11:40:07.5">
<testcase classname="tests.cli_real.test_lifecycle" name="test_a[one]" time="70.5"><properties>
<property name="life" value="one"/><property name="resources" value="97"/><property name="changes" value="7"/>
<property name="seconds" value="69.6"/></properties></testcase>
<testcase classname="tests.skerry.test_units" name="test_b" time="0.5"><failure message="no"/></testcase>
<testcase classname="tests.skerry.test_units" name="test_c" time="0.5"><skipped message="is
  not here"/></testcase>
<testcase classname="tests.skerry.test_units" name="test_e">
<skipped message="programs of o/r are not here: get it"/></testcase>
<testcase classname="tests.skerry.test_units" name="test_f">
<skipped message="programs of o/r are not here: get it"/></testcase>
<testcase classname="tests.test_layers" name="test_d" time="0.1"/></testsuite></testsuites>"""
SECTION = f"""{BEGIN}
2026-11-21 at 11:40, commit abc, a machine: **2 passed, 3 skipped, 1 failed**, in 2 min 05 s.

pulumi 3.

| tests | passed | skipped | failed | time |
|---|---:|---:|---:|---:|
| cli_real | 1 | 0 | 0 | 1 min 10 s |
| skerry | 0 | 3 | 1 | 1 s |
| tests | 1 | 0 | 0 | 0 s |

| the life of | resources | changes | time |
|---|---:|---:|---:|
| one | 97 | 7 | 1 min 09 s |

Two lives are lived at a time, so their times overlap.

Failed:

- tests/skerry/test_units.py::test_b

Skipped:

- 1 x is not here
- 2 x programs of o/r are not here: `make equality` runs them
{END}"""


def test_the_section_is_what_was_recorded() -> None:
    assert render(read_result(JUNIT), {"pulumi": "3"}, "abc", "a machine") == SECTION


def test_the_section_takes_the_place_of_the_one_before() -> None:
    assert placed(f"a\n{BEGIN}\nold\n{END}\nb", SECTION) == f"a\n{SECTION}\nb"


REFUSED = {
    "not XML": ("<a", "the result is not XML"),
    "another document": ("<a/>", "the result holds no test"),
    "a run without tests": ("<testsuites><testsuite/></testsuites>", "the result holds no test"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_file_that_is_no_result_is_refused(sentence: str) -> None:
    text, message = REFUSED[sentence]
    with pytest.raises(ReportError, match=message):
        read_result(text)


def test_a_document_without_a_place_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, document = tmp_path / "result.xml", tmp_path / "document.md"
    source.write_text(JUNIT)
    document.write_text("no place")
    assert main([str(source), str(document)]) == 2
    assert "the document has no place" in capsys.readouterr().err
    assert document.read_text() == "no place"
    assert main([str(tmp_path / "gone.xml"), str(document)]) == 2
    assert main([]) == 2


def test_the_document_has_a_place_for_the_section() -> None:
    document = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    assert SECTION in placed(document, SECTION)
