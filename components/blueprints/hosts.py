"""Any system on machines without an orchestrator: its plan as one component a machine."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.base import SkerryComponent
from components.blueprints.deployment import deployment_fact
from components.configuration import FlatConfig
from components.host.host import Host
from skerry.catalog import load_catalog
from skerry.config.spec import DeploymentSpec
from skerry.errors import UsageError
from skerry.facts import ComponentFacts
from skerry.hosts.plan import HostsPlan
from skerry.hosts.plans import hosts_plan

Outputs = dict[str, pulumi.Input[object]]


class Hosts(SkerryComponent):
    """The root of a deployment on machines: carries what the whole of it is under, and the files of no machine."""

    def __init__(
        self,
        spec: DeploymentSpec,
        plan: HostsPlan,
        opts: pulumi.ResourceOptions | None = None,
        name: str | None = None,
    ) -> None:
        """Register the root."""
        self.plan = plan
        facts = ComponentFacts(deployment=deployment_fact(spec))
        props = {"files": dict(plan.artifacts)} if plan.artifacts else None
        super().__init__(name or spec.system.value, facts, opts, props=props)


def deploy(spec: DeploymentSpec, config: FlatConfig) -> Outputs:
    """Declare a deployment on machines and return its stack outputs.

    Args:
        spec: the checked configuration.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that the stack does not set.
        UsageError: the system has no form for machines, or a file cannot be written for its program.
    """
    root = Hosts(spec, plan_for(spec, config))
    outputs = fill(root, spec, config)
    root.finish()
    return outputs


def plan_for(spec: DeploymentSpec, config: FlatConfig) -> HostsPlan:
    """Return what stands on each machine, by the pins that the program names.

    Args:
        spec: the checked configuration.
        config: the flat values beside it.

    Raises:
        CatalogError: a pin is missing.
        UsageError: the system has no form for machines.
    """
    lock = config.get("imagesLock")
    plan = hosts_plan(spec, load_catalog(lock=Path(lock) if lock else None))
    if plan is None:
        raise UsageError(f"{spec.system.value} has no form for machines without an orchestrator: use another target")
    return plan


def fill(root: Hosts, spec: DeploymentSpec, config: FlatConfig) -> Outputs:
    """Declare the machines under their root and return the outputs.

    Args:
        root: the root; it is not finished here.
        spec: the checked configuration.
        config: the flat values and secrets beside it.

    Raises:
        ConfigError: a key is named that `config` does not have.
        UsageError: a file cannot be written for its program, or no machine is described.
    """
    hosts = spec.hosts
    if hosts is None:
        raise UsageError("the deployment has no machines: describe them in `hosts`")
    options = pulumi.ResourceOptions(parent=root)
    made = {row.name: Host(row.name, row, root.plan, spec, hosts, options, config) for row in root.plan.machines}
    return {"machines": {name: host.machine.spec.address for name, host in made.items()}}
