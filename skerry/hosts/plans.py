"""What stands on the machines of a deployment, whatever its system, for blueprints, checks and commands."""

from __future__ import annotations

from skerry.catalog import Catalog
from skerry.config.spec import DeploymentSpec, System
from skerry.facts import TargetFact
from skerry.hosts.plan import HostsPlan


def hosts_plan(spec: DeploymentSpec, catalog: Catalog) -> HostsPlan | None:
    """Return what stands on each machine; None where the deployment has no machines of this kind.

    Args:
        spec: the configuration.
        catalog: the pins.

    Raises:
        CatalogError: a pin is missing.
        UsageError: the system has no form for machines without an orchestrator.
    """
    if spec.hosts is None:
        return None
    match spec.system:
        case System.AGENT_MESH:
            from skerry.systems.agent_mesh import agent_mesh_plan

            return agent_mesh_plan(spec, catalog)
        case System.DUAL_HOST:
            from skerry.systems.dual_host import dual_host_plan

            return dual_host_plan(spec, catalog)
        case System.AGENTDB:
            from skerry.systems.agentdb_hosts import agentdb_hosts_plan

            return agentdb_hosts_plan(spec, catalog)
        case _:
            return None


def hosts_target(spec: DeploymentSpec) -> TargetFact:
    """Return where a deployment on machines stands, as the catalogue needs it for images."""
    target = spec.target
    return TargetFact(
        kind=target.kind.value,
        connected=target.connected,
        jurisdiction=target.jurisdiction,
        zones=target.failure_domains,
        image_access=target.image_access.value,
        site_registry=target.site_registry,
    )
