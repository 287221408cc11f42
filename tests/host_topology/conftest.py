"""What rehearsals of a topology need beside simulated machines."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="module")
def need_tool_module(request: pytest.FixtureRequest) -> None:
    """Skip a module whose `TOOLS` are not all there; fail it where they must be."""
    missing = [name for name in request.module.TOOLS if shutil.which(name) is None]
    if missing:
        message = f"not installed: {', '.join(missing)} (.ci/tools names their packages)"
        if os.environ.get("SKERRY_REQUIRE_TOOLS") or os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
