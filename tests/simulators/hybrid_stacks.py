"""The two shipped sides of mode hybrid without their options, run by the embedded engine, with changes where asked."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from skerry.config.spec import CONFIG_KEY
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.graph import ResourceGraph
from tests.simulators.changed_stacks import shipped, without_options
from tests.simulators.moved_stacks import GCP_TARGET, changed
from tests.simulators.moved_stacks import OUTPUTS as GCP_OUTPUTS
from tests.simulators.stack_objects import GCP_BASE, ROOT

VENDOR, CUSTOMER = "sensei-hybrid-vendor", "sensei-hybrid-customer"
AWS_TARGET: Final[Mapping[str, Any]] = {
    "kind": "aws",
    "jurisdiction": "DE",
    "region": "eu-central-1",
    "failure_domains": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
    "aws": {"vpc_cidr": "10.30.0.0/16", "account_id": "444455556666"},
}
"""A customer's own account."""


def deployment(stack: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the deployment of a side, or of its base, with some fields changed: dotted path -> value or None."""
    side = stack.removesuffix("-base")
    options = without_options(side)
    if side == VENDOR:
        # Its entrance needs certificates.
        del options["services"]
        options |= {"services.secrets": None, "services.monitoring": None}
    found = shipped(side)
    changed(found, {**options, **copy.deepcopy(dict(changes or {}))})
    if side != stack:
        found["layer"] = "base"
        found["target"].pop("base_stack", None)
    return dict(found)


def on_aws(more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the changes by which the customer's side stands in an account of its own on AWS."""
    machine = {"vcpu": 32, "memory_gib": 64, "instance_type": "c6i.8xlarge"}
    return {
        "target": {**copy.deepcopy(dict(AWS_TARGET)), "base_stack": f"{CUSTOMER}-base"},
        "execution.pool.machine": machine,
        "channels.pool.machine": dict(machine),
        **(more or {}),
    }


def on_gcp(more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the changes by which the vendor's side stands on Google Cloud."""
    return {
        "target": {**copy.deepcopy(dict(GCP_TARGET)), "base_stack": f"{VENDOR}-base"},
        "hybrid.annotations": None,
        "cognitive.pool.machine.instance_type": None,
        "meta.pool.machine.instance_type": None,
        **(more or {}),
    }


def run(
    stack: str,
    changes: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
) -> ResourceGraph:
    """Return the graph of a side or of its base."""
    config = StackConfig({CONFIG_KEY: json.dumps(deployment(stack, changes))}, frozenset())
    return run_program(ROOT, stack, config, stack_outputs=outputs or {})


GCP_VENDOR_OUTPUTS: Final = {f"{VENDOR}-base": GCP_OUTPUTS[GCP_BASE]}
"""What the vendor's base on Google Cloud says."""
