"""AgentDB: its configuration as services, on the runtime that it names."""

from __future__ import annotations

import pulumi

from components.base import SkerryComponent
from components.blueprints.applications import make_applications
from components.blueprints.deployment import deployment_fact
from components.configuration import FlatConfig
from skerry.config.agentdb import AgentDbSpec
from skerry.config.spec import DeploymentSpec, Layer
from skerry.errors import UsageError
from skerry.facts import ComponentFacts
from skerry.systems.agentdb import at_the_edge, plan_of

Outputs = dict[str, pulumi.Input[object]]


class AgentDb(SkerryComponent):
    """The root of a deployment of AgentDB: carries what the whole of it is under."""

    def __init__(self, spec: DeploymentSpec, opts: pulumi.ResourceOptions | None = None, name: str = "agentdb") -> None:
        """Register the root."""
        super().__init__(name, ComponentFacts(deployment=deployment_fact(spec)), opts)


def fill(root: AgentDb, spec: DeploymentSpec, config: FlatConfig) -> Outputs:
    """Declare a deployment of AgentDB under its root and return its outputs.

    Args:
        root: the root; it is not finished here.
        spec: the checked configuration.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that `config` does not have.
        UsageError: the configuration does not describe it.
    """
    if spec.agentdb is None:
        raise UsageError("the deployment has no AgentDB: describe it in `agentdb`")
    if at_the_edge(spec.agentdb):
        from components.blueprints.agentdb_edge import make_edge

        return {**make_edge(root, spec, spec.agentdb, config), **promises(spec.agentdb)}
    if spec.layer is Layer.GLOBAL:
        return join_regions(root, spec, spec.agentdb, config)
    return {**make_applications(root, spec, plan_of(spec.agentdb), config), **promises(spec.agentdb)}


def join_regions(root: AgentDb, spec: DeploymentSpec, agentdb: AgentDbSpec, config: FlatConfig) -> Outputs:
    """Declare what joins the regions of mode geo, and return its stack outputs.

    Raises:
        UsageError: the configuration names no region.
    """
    if agentdb.geo is None:
        raise UsageError("the deployment has no regions: describe them in `agentdb.geo`")
    # Imported by need: only AWS joins regions.
    from components.aws.regions import AwsRegions

    options = pulumi.ResourceOptions(parent=root)
    return AwsRegions("regions", spec, agentdb.geo, config, opts=options).stack_outputs()


def promises(agentdb: AgentDbSpec) -> Outputs:
    """Return, of mode hybrid-edge, how old an answer may be and what a loss may take: two different things."""
    layers = agentdb.hybrid_edge
    if layers is None:
        return {}
    found: Outputs = {"stalenessS": layers.oldest_s, "edgeCacheS": layers.edge_cache_s}
    return found if layers.recovery_point_s is None else {**found, "recoveryPointS": layers.recovery_point_s}
