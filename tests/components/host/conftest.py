"""What tests of rendered files ask for: the Compose loader, and one simulated machine a module."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.hosts import SimulatedHost, SimulatedNetwork, need_hosts

TOOLCHAIN = Path(__file__).resolve().parents[2] / "toolchain"


def _loader() -> Path:
    parts = [TOOLCHAIN / "compose" / name for name in ("go.mod", "go.sum", "main.go")]
    text = b"".join(path.read_bytes() for path in (*parts, TOOLCHAIN / "build_compose.sh"))
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "skerry" / "toolchain"
    folder = Path(os.environ.get("SKERRY_TOOLCHAIN", base)) / f"compose-{hashlib.sha256(text).hexdigest()[:16]}"
    return folder / "compose-check"


@pytest.fixture(scope="session")
def load_project() -> Callable[[Path], tuple[dict[str, Any], list[str], str]]:
    """Return what loads a project: its document, the order of starts, and the loader's refusal."""
    loader = _loader()
    if not loader.exists():
        message = "the Compose specification's loader is not built: make host-tools"
        if os.environ.get("SKERRY_REQUIRE_TOOLS") or os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)

    def load(file: Path) -> tuple[dict[str, Any], list[str], str]:
        done = subprocess.run([loader, file], capture_output=True, text=True, check=False, env={"HOME": "/"})
        if done.returncode:
            return {}, [], done.stderr
        return json.loads(done.stdout), done.stderr.split(), ""

    return load


@pytest.fixture(scope="module")
def machine() -> Iterator[SimulatedHost]:
    """Return a machine with systemd, on a network of its own."""
    need_hosts()
    with SimulatedNetwork() as lan, SimulatedHost("odd-1", lan) as host:
        yield host
