"""What every test may ask for: the golden-file flag, and a reason wherever a tool is absent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files from what the code gives now"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with tests/golden/<name>; with --update-golden, write it."""

    def compare(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"no golden file {name}: run `make golden` and read it"
        assert path.read_text(encoding="utf-8") == text

    return compare


@pytest.fixture(scope="session")
def need_tool() -> Callable[[str], str]:
    """Return the path of a program; without it skip, or fail where it is required."""

    def need(name: str) -> str:
        found = shutil.which(name)
        if found is None:
            message = f"{name} is not installed (.ci/tools names its package)"
            if os.environ.get("SKERRY_REQUIRE_TOOLS") or os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        return found

    return need
