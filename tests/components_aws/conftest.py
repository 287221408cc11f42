"""The shipped AWS stacks with a change to their configuration, run by the embedded engine."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from skerry.config.spec import CONFIG_KEY
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.graph import ResourceGraph
from tests.simulators.stack_objects import ROOT

Run = Callable[..., ResourceGraph]


def shipped(stack: str) -> dict[str, Any]:
    """Return the deployment that a shipped stack file describes."""
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    return copy.deepcopy(yaml.safe_load(text)["config"][CONFIG_KEY])


@pytest.fixture
def run_changed() -> Run:
    """Run a stack with some fields changed: dotted path -> value; `None` takes the field away."""

    def run(
        stack: str, changes: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]] | None = None
    ) -> ResourceGraph:
        deployment = shipped(stack)
        for path, value in changes.items():
            *parents, last = path.split(".")
            tree = deployment
            for part in parents:
                tree = tree.setdefault(part, {})
            if value is None:
                tree.pop(last, None)
            else:
                tree[last] = value
        config = StackConfig({CONFIG_KEY: json.dumps(deployment)}, frozenset())
        return run_program(ROOT, stack, config, stack_outputs=outputs or {})

    return run
