"""Which blueprint a deployment is: the only place where a system is chosen, each imported for its own stacks only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pulumi

from components.base import SkerryComponent
from components.configuration import FlatConfig
from skerry.config.spec import DeploymentSpec, System, TargetKind
from skerry.errors import UsageError

Outputs = dict[str, pulumi.Input[object]]
_Root = TypeVar("_Root", bound=SkerryComponent)


def deploy(spec: DeploymentSpec, config: FlatConfig) -> Outputs:
    """Declare a deployment of any system and return its stack outputs.

    Args:
        spec: the checked configuration.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that the stack does not set.
        SizingError: a model does not fit.
        UsageError: the configuration does not describe the system, or the system is not for such a target.
    """
    if spec.target.kind is TargetKind.HOSTS:
        from components.blueprints import hosts

        return hosts.deploy(spec, config)
    match spec.system:
        case System.SENSEI:
            from components.blueprints import sensei

            return _filled(sensei.Sensei(spec), sensei.fill, spec, config)
        case System.AGENTDB:
            from components.blueprints import agentdb

            return _filled(agentdb.AgentDb(spec), agentdb.fill, spec, config)
        case System.AETHERGRAPH:
            from components.blueprints import aethergraph

            return _filled(aethergraph.AetherGraph(spec), aethergraph.fill, spec, config)
        case System.APPLICATIONS:
            from components.blueprints import applications

            return _filled(applications.Applications(spec), applications.fill, spec, config)
        case System.AGENT_MESH | System.DUAL_HOST:
            raise UsageError(f"{spec.system.value} runs on machines without an orchestrator: use target.kind: hosts")


def _filled(
    root: _Root, fill: Callable[[_Root, DeploymentSpec, FlatConfig], Outputs], spec: DeploymentSpec, config: FlatConfig
) -> Outputs:
    """Declare a deployment under its root, finish the root and return the outputs of the stack."""
    outputs = fill(root, spec, config)
    root.finish()
    return outputs
