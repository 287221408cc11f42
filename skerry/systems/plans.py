"""What services a deployment has, whatever its system: one question for targets, checks and reports."""

from __future__ import annotations

from skerry.config.application import ApplicationsSpec
from skerry.config.spec import DeploymentSpec, System, TargetKind
from skerry.systems import aethergraph, agentdb


def plan_of(spec: DeploymentSpec) -> ApplicationsSpec | None:
    """Return the services of a deployment and what they share; None where it has tiers instead, or says nothing.

    Raises:
        CatalogError: images/services.yaml has no row of the system.
    """
    if spec.target.kind is TargetKind.HOSTS:
        return None
    match spec.system:
        case System.APPLICATIONS:
            return spec.applications
        case System.AGENTDB:
            if spec.agentdb is None or agentdb.at_the_edge(spec.agentdb):
                return None
            return agentdb.plan_of(spec.agentdb)
        case System.AETHERGRAPH:
            if spec.aethergraph is None or spec.mode in aethergraph.ON_ONE_MACHINE:
                return None
            return aethergraph.plan_of(spec)
        case System.SENSEI | System.AGENT_MESH | System.DUAL_HOST:
            return None
