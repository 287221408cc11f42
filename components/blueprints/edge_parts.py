"""What the server side of edge mode adds to the services beside the tiers: where it is, and which Secrets it needs."""

from __future__ import annotations

from typing import Final

from components.blueprints.operators import runs_postgres
from components.channels.object_store import CREDENTIALS_SECRET
from components.kubernetes.cluster import Cluster
from components.services.edge_sync import DATABASE_NAME
from components.services.external_secrets import SecretRow
from components.services.scrapes import EdgeParts
from skerry.config.edge import SYNC_NAMESPACE
from skerry.config.services import GatewayController
from skerry.config.spec import DeploymentSpec, ObjectStoreKind

EDGE_NAMESPACE: Final = "sensei-edge"
"""Where the proxies of devices run, unless an Envoy Gateway of the deployment runs elsewhere."""


def own_objects(spec: DeploymentSpec, cluster: Cluster) -> bool:
    """Return whether the object store runs in the cluster."""
    return cluster.object_store is None or spec.channels.object_store is ObjectStoreKind.SEAWEEDFS


def proxies_namespace(spec: DeploymentSpec, gateway: str) -> str:
    """Return where the proxies of devices run: beside those of the user interfaces, where Envoy Gateway runs them.

    Args:
        spec: the checked configuration.
        gateway: the namespace of those.
    """
    found = spec.services.gateway
    return gateway if found is not None and found.controller is GatewayController.ENVOY else EDGE_NAMESPACE


def watched_edge(spec: DeploymentSpec, cluster: Cluster, gateway: str) -> EdgeParts | None:
    """Return what of it is watched; None where there is none."""
    if spec.edge is None:
        return None
    here = proxies_namespace(spec, gateway)
    return EdgeParts(SYNC_NAMESPACE, None if here == gateway else here, runs_postgres(spec, cluster))


def secret_rows_of_edge(spec: DeploymentSpec, cluster: Cluster, gateway: str) -> list[SecretRow]:
    """Return the Secrets that a site would make by hand for it, as docs/edge.md names them."""
    edge = spec.edge
    if edge is None:
        return []
    proxies = (proxies_namespace(spec, gateway),)
    rows = [SecretRow(edge.authority_secret, ("ca.crt",), proxies)]
    if edge.revocation_secret is not None:
        rows.append(SecretRow(edge.revocation_secret, ("ca.crl",), proxies))
    if edge.tls_secret is not None:
        rows.append(SecretRow(edge.tls_secret, ("tls.crt", "tls.key"), proxies))
    if not runs_postgres(spec, cluster):
        more = ("ca.crt",) if spec.meta.relational_authority else ()
        rows.append(SecretRow(f"{DATABASE_NAME}-app", ("username", "password", "uri", *more), (SYNC_NAMESPACE,)))
    keys = ("access-key", "secret-key")
    if own_objects(spec, cluster):
        rows.append(SecretRow(CREDENTIALS_SECRET, keys, (SYNC_NAMESPACE,)))
    elif cluster.object_store is not None and isinstance(cluster.object_store.secret_ref, str):
        more = (cluster.object_store.authority,) if cluster.object_store.authority is not None else ()
        rows.append(SecretRow(cluster.object_store.secret_ref, (*keys, *more), (SYNC_NAMESPACE,)))
    return rows
