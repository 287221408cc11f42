"""A service in several regions: the address by which other regions copy from it, and the ways between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.peers import blocks
from components.kubernetes.workload import NAME_LABEL
from skerry.application import Application
from skerry.config.application import MeshSpec, PortSpec, Protocol
from skerry.facts import ComponentFacts, EndpointFact, Tier

HTTPS: Final = 443


class RegionPeer(SkerryComponent):
    """Another region that holds a copy of what the service keeps: what residency is judged by."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        host: str,
        port: PortSpec,
        jurisdiction: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """State it."""
        endpoint = EndpointFact(
            name="mesh",
            host=host,
            port=port.port,
            protocol=_spoken(port),
            direction="egress",
            scope="site" if port.between_replicas else "internet",
            why="copies between regions",
        )
        facts = ComponentFacts(
            tier=Tier.META,
            role="replica-region",
            data_class=cluster.data_class,
            jurisdiction=jurisdiction,
            # QUIC has no way without TLS, and what is not between replicas is called over HTTPS.
            encrypted_in_transit=port.protocol is Protocol.UDP or not port.between_replicas or None,
            endpoints=(endpoint,),
        )
        super().__init__(name, facts, opts)
        self.finish()


def _spoken(port: PortSpec) -> str:
    if port.protocol is Protocol.UDP:
        return "quic"
    return port.protocol.value if port.between_replicas else "https"


def mesh_port(application: Application) -> tuple[str, PortSpec] | None:
    """Return the port between replicas by which regions copy; None where the service has none."""
    ports = application.definition.ports.items()
    return next(((name, row) for name, row in ports if row.between_replicas), None)


def mesh_environment(application: Application) -> dict[str, str]:
    """Return what a replica is told of other regions."""
    mesh, found = application.spec.mesh, mesh_port(application)
    if mesh is None or found is None:
        return {}
    port = found[1].port
    return {
        "REGION": mesh.name,
        "REGION_HOST": f"{mesh.host}:{port}",
        "REGION_PEERS": ",".join(f"{name}={host}:{port}" for name, host in mesh.peers.items()),
    }


def join_regions(
    parent: SkerryComponent,
    cluster: Cluster,
    application: Application,
    namespace: str,
    private_balancer: Mapping[str, str],
) -> None:
    """Make the address and the openings of a service that copies to other regions; nothing where it does not.

    Args:
        parent: the service.
        cluster: where it runs.
        application: what it is.
        namespace: its own.
        private_balancer: annotations that keep a load balancer inside.
    """
    mesh, found = application.spec.mesh, mesh_port(application)
    if mesh is None or found is None:
        return
    name, port = found
    labels = {NAME_LABEL: application.name}
    described: dict[str, Any] = {"namespace": namespace, "labels": {**dict(cluster.labels), **labels}}
    protocol = "UDP" if port.protocol is Protocol.UDP else "TCP"
    first = {"statefulset.kubernetes.io/pod-name": f"{application.name}-0"} if application.definition.primary else {}
    spec: dict[str, Any] = {
        "type": "LoadBalancer",
        "selector": {**labels, **first},
        "ports": [{"name": name, "port": port.port, "targetPort": name, "protocol": protocol}],
        "loadBalancerSourceRanges": list(mesh.cidrs),
    }
    if cluster.load_balancer_class is not None:
        spec["loadBalancerClass"] = cluster.load_balancer_class
    called = f"{application.name}-mesh"
    Service(
        parent.child_name("mesh"),
        metadata={**described, "name": called, "annotations": dict(private_balancer)},
        spec=spec,
        opts=parent.child_options(),
    )
    opened = [{"port": port.port, "protocol": protocol}]
    NetworkPolicy(
        parent.child_name("regions"),
        metadata={**described, "name": f"allow-{called}"},
        spec=_policy(labels, mesh, opened),
        opts=parent.child_options(),
    )
    for region, host in mesh.peers.items():
        RegionPeer(
            parent.child_name(f"region-{region}"),
            cluster,
            host=host,
            port=port,
            jurisdiction=mesh.jurisdictions[region],
            opts=parent.child_options(),
        )


def state_copies(parent: SkerryComponent, cluster: Cluster, application: Application) -> None:
    """State each other deployment that keeps something of what a service takes."""
    for name, copy in application.spec.copies.items():
        RegionPeer(
            parent.child_name(f"copy-{name}"),
            cluster,
            host=copy.host,
            port=PortSpec(port=HTTPS),
            jurisdiction=copy.jurisdiction,
            opts=parent.child_options(),
        )


def _policy(labels: Mapping[str, str], mesh: MeshSpec, opened: list[dict[str, Any]]) -> dict[str, Any]:
    there = blocks(mesh.cidrs)
    return {
        "podSelector": {"matchLabels": dict(labels)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": there, "ports": opened}],
        "egress": [{"to": there, "ports": opened}],
    }
