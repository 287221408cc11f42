"""Which blueprint a deployment is: the only place where a system is chosen, each imported for its own stacks only."""

from __future__ import annotations

import pulumi

from components.configuration import FlatConfig
from skerry.config.spec import DeploymentSpec, System, TargetKind
from skerry.errors import UsageError


def deploy(spec: DeploymentSpec, config: FlatConfig) -> dict[str, pulumi.Input[object]]:
    """Declare a deployment of any system and return its stack outputs.

    Args:
        spec: the checked configuration.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that the stack does not set.
        SizingError: a model does not fit.
    """
    if spec.target.kind is TargetKind.HOSTS:
        from components.blueprints import hosts

        return hosts.deploy(spec, config)
    match spec.system:
        case System.SENSEI:
            from components.blueprints import sensei

            return sensei.deploy(spec, config)
        case System.AGENTDB:
            from components.blueprints import agentdb

            return agentdb.deploy(spec, config)
        case System.AETHERGRAPH:
            from components.blueprints import aethergraph

            return aethergraph.deploy(spec, config)
        case System.APPLICATIONS:
            from components.blueprints import applications

            return applications.deploy(spec, config)
        case System.AGENT_MESH | System.DUAL_HOST:
            raise UsageError(f"{spec.system.value} runs on machines without an orchestrator: use target.kind: hosts")
