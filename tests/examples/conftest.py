"""The public examples need the real command, their own checkouts and packages from PyPI; each absence is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.examples_report import Measured, write_report
from tests.simulators.pulumi_cli import find_cli


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--equality-report", default="", help="write the tables of docs/equality.md into this file")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.examples)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def _command() -> None:
    if find_cli() is None:
        pytest.skip("the Pulumi command is not built: run `make toolchain`")


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Iterator[list[Measured]]:
    """Collect what each program came to; written out at the end when a report is asked for."""
    found: list[Measured] = []
    yield found
    path = pytestconfig.getoption("--equality-report", default="")
    if path and found:
        write_report(Path(path), found)
