"""Debian's docker-registry (CNCF distribution) on loopback, for tests against a registry that is not ours."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

CONFIG = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: 127.0.0.1:{port}}}
"""


def need(*tools: str) -> None:
    """Skip the test where a tool is absent; fail where tools are required."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if not missing:
        return
    reason = f"{', '.join(missing)} not installed (Debian: docker-registry skopeo openssh-client)"
    if os.environ.get("CI") or os.environ.get("SKERRY_REQUIRE_TOOLS"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def debian_registry(root: Path) -> Iterator[str]:
    """Run a registry that stores in `root`; yield its address."""
    need("docker-registry")
    root.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = root / "config.yml"
    config.write_text(CONFIG.format(root=root / "store", port=port))
    environment = {"PATH": os.environ.get("PATH", ""), "OTEL_TRACES_EXPORTER": "none"}
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)], stdout=log, stderr=subprocess.STDOUT, env=environment
        )
        try:
            _wait(port, process, root / "log")
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait(timeout=10)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"docker-registry ended: {log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"docker-registry does not answer: {log.read_text()}")
