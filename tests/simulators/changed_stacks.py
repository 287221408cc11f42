"""The shipped stacks with changes to their configuration, run by the embedded engine."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from skerry.config.spec import CONFIG_KEY
from skerry.engine.answers import Answers
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.graph import ResourceGraph
from tests.simulators.stack_objects import ROOT

_OPTIONS: Final = (
    "services", "gpu", "backup", "channels.pubsub_failover", "target.load_balancer_class", "target.aws.eks",
)  # fmt: skip


def shipped(stack: str) -> dict[str, Any]:
    """Return the deployment that a shipped stack file describes."""
    return dict(_file(stack)["config"][CONFIG_KEY])


def without_options(stack: str) -> dict[str, Any]:
    """Return the changes by which a shipped stack loses what a smaller deployment leaves out.

    No services, metrics of GPUs, copies, Sentinels, fabric or class of load balancers, and agents of a fixed number.
    """
    deployment = shipped(stack)
    found: dict[str, Any] = {path: None for path in _OPTIONS if _holds(deployment, path)}
    for kind in ("worker", "validator"):
        path = f"execution.{kind}.autoscale"
        if _holds(deployment, path):
            found[path] = None
            found[f"execution.{kind}.replicas"] = deployment["execution"][kind]["autoscale"]["minimum"]
    return found


def _holds(tree: Mapping[str, Any], path: str) -> bool:
    first, _, rest = path.partition(".")
    return first in tree and (not rest or _holds(tree[first], rest))


def run_changed(
    stack: str,
    changes: Mapping[str, Any],
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
    secrets: Sequence[str] = (),
    answers: Answers | None = None,
) -> ResourceGraph:
    """Run a stack with some fields changed: dotted path -> value, where None takes the field away.

    Keys are in the order of the alphabet, as both engines hand them to a program.

    Args:
        stack: a shipped stack.
        changes: what is other than in its file.
        outputs: of the stacks that it refers to; those of any other are unknown.
        secrets: full keys of secrets that it has, whose values stay withheld.
        answers: to provider functions; None means the built-in table.
    """
    config = StackConfig(
        {CONFIG_KEY: json.dumps(_changed(shipped(stack), changes), sort_keys=True)}, frozenset(secrets)
    )
    return run_program(ROOT, stack, config, stack_outputs=outputs or {}, answers=answers)


def run_core(
    stack: str,
    changes: Mapping[str, Any],
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
    secrets: Sequence[str] = (),
    answers: Answers | None = None,
) -> ResourceGraph:
    """Run a stack without its options (`without_options`), with some fields changed as in `run_changed`."""
    return run_changed(stack, {**without_options(stack), **changes}, outputs, secrets, answers)


def changed_deployment(stack: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the deployment of a shipped stack with some fields changed, as in `run_changed`."""
    return _changed(shipped(stack), changes)


def changed_file(stack: str, changes: Mapping[str, Any]) -> str:
    """Return the text of a shipped stack's file with some fields changed, as in `run_changed`."""
    whole = _file(stack)
    whole["config"][CONFIG_KEY] = _changed(whole["config"][CONFIG_KEY], changes)
    return yaml.safe_dump(whole, sort_keys=False)


def _file(stack: str) -> dict[str, Any]:
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _changed(deployment: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for path, value in changes.items():
        *parents, last = path.split(".")
        tree = deployment
        for part in parents:
            tree = tree.setdefault(part, {})
        if value is None:
            tree.pop(last, None)
        else:
            tree[last] = copy.deepcopy(value)
    return deployment
