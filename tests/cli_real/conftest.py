"""The real command is needed here: skipped where it was not built, a failure where it must be there."""

from __future__ import annotations

import os

import pytest

from tests.simulators.pulumi_cli import find_cli


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "cli_real" in item.path.parts:
            item.add_marker(pytest.mark.toolchain)


@pytest.fixture(scope="session", autouse=True)
def _command() -> None:
    if find_cli() is not None:
        return
    message = "the Pulumi command is not built: run `make toolchain`"
    if os.environ.get("SKERRY_REQUIRE_TOOLCHAIN") or os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
