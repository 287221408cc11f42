"""The machines of a deployment of this system, from its configuration."""

from __future__ import annotations

from skerry.catalog import Catalog
from skerry.config.spec import DeploymentSpec
from skerry.hosts.plan import HostsPlan, Machine


def dual_host_plan(spec: DeploymentSpec, catalog: Catalog) -> HostsPlan:
    """Return what stands on each machine.

    Args:
        spec: the configuration.
        catalog: the pins.

    Raises:
        CatalogError: a pin is missing.
    """
    hosts = spec.hosts
    machines = () if hosts is None else tuple(Machine(name=name, spec=row) for name, row in hosts.machines.items())
    return HostsPlan(machines=machines, overlay=hosts.overlay if hosts else None)
