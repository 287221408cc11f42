"""Fixtures of the tests that need a Kubernetes API server: the tools, and rendered stacks."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.simulators.kube_manifests import Rendered, render
from tests.simulators.kube_tools import missing


@pytest.fixture(scope="session", autouse=True)
def cluster_tools() -> None:
    """Skip where the programs and CRDs are not there, or fail where they are required."""
    absent = missing()
    if absent:
        message = f"run `make cluster-tools`: it makes {', '.join(absent)}"
        if os.environ.get("SKERRY_REQUIRE_CLUSTER"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory, cluster_tools: None) -> Callable[[str], Rendered]:
    """Return what `skerry render` gives for a shipped stack, rendered once a session."""

    @cache
    def of(stack: str) -> Rendered:
        return render(stack, tmp_path_factory.mktemp("rendered") / stack)

    return of


@pytest.fixture
def cluster_folder(tmp_path: Path) -> Path:
    """Return the folder of a cluster's keys, data and logs."""
    return tmp_path / "cluster"
