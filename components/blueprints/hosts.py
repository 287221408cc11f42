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
    lock = config.get("imagesLock")
    plan = hosts_plan(spec, load_catalog(lock=Path(lock) if lock else None))
    if plan is None or spec.hosts is None:
        raise UsageError(f"{spec.system.value} has no form for machines without an orchestrator: use another target")
    root = Hosts(spec, plan)
    options = pulumi.ResourceOptions(parent=root)
    made = {row.name: Host(row.name, row, plan, spec, spec.hosts, options, config) for row in plan.machines}
    root.finish()
    return {"machines": {name: host.machine.spec.address for name, host in made.items()}}
