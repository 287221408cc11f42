"""The customer's databases as the execution tier sees them: exactly the openings that each needs, and its login.

A NetworkPolicy knows addresses and ports, never names: each database says the ranges that it answers from, and those
alone are opened, to the workers of Ray and to the Worker and Validator agents. What joins the networks (a peering, a
private link) is made by the base stack of the cloud.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import Secret
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import NAME_LABEL, EnvValue, SecretKey, config_map
from skerry.config.data_access import DataEndpointSpec, DataRoute
from skerry.errors import UsageError
from skerry.facts import ComponentFacts, EndpointFact, Tier

MAP: Final = "data-endpoints"
"""The ConfigMap with `endpoints.json`: every database, its side, engine and address; never a password."""

CLIENTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "agents": {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": ["validator", "worker"]}]},
    "ray": {"matchLabels": {"ray.io/cluster": "ray", "ray.io/group": "workers"}},
}
"""Who may call a database: role -> selector of pods.

Source: ray-project/kuberay v1.7.0 ray-operator/controllers/ray/utils/constant.go for Ray's labels, read 2026-11.
"""

TENANT_LABEL: Final = "skerry.dev/tenant"


def endpoint_fact(spec: DataEndpointSpec) -> EndpointFact:
    """Return the address of a database as the readers see it."""
    return EndpointFact(
        name=spec.name,
        host=spec.host,
        port=spec.tcp_port,
        protocol=spec.engine.value,
        direction="egress",
        scope="internet" if spec.route is DataRoute.INTERNET else "site",
        why=f"{spec.side.value} of migrations, by {spec.route.value}",
    )


def data_environment(endpoints: Sequence[DataEndpointSpec]) -> dict[str, EnvValue]:
    """Return the logins as variables of whoever calls the databases: `DATA_<NAME>_USERNAME` and `..._PASSWORD`."""
    found: dict[str, EnvValue] = {}
    for spec in endpoints:
        if spec.secret_name is not None:
            stem = "DATA_" + spec.name.upper().replace("-", "_")
            found[f"{stem}_USERNAME"] = SecretKey(spec.secret_name, "username")
            found[f"{stem}_PASSWORD"] = SecretKey(spec.secret_name, "password")
    return found


class DataEndpoint(SkerryComponent):
    """One database of a customer: where it stands, the way to it, and its login."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: DataEndpointSpec,
        password: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Open the way.

        Args:
            name: the component's name.
            cluster: where its clients run.
            namespace: the namespace of the execution tier.
            spec: where the database is and how it is reached.
            password: of its login, secret; required where `spec.password_secret` is set.
            opts: Pulumi's options.

        Raises:
            UsageError: the password is missing.
        """
        facts = ComponentFacts(
            tier=Tier.EXECUTION,
            role="data-endpoint",
            data_class=cluster.data_class,
            jurisdiction=spec.jurisdiction,
            # Whether the database itself asks for TLS is its owner's to say.
            encrypted_in_transit=True if spec.route is DataRoute.INTERNET else None,
            endpoints=(endpoint_fact(spec),),
        )
        super().__init__(name, facts, opts)
        labels = {**cluster.labels, **({TENANT_LABEL: spec.tenant} if spec.tenant else {})}
        rule = {
            "to": [{"ipBlock": {"cidr": block}} for block in spec.cidrs],
            "ports": [{"port": spec.tcp_port, "protocol": "TCP"}],
        }
        for role, selector in CLIENTS.items():
            NetworkPolicy(
                self.child_name(role),
                metadata={"name": f"allow-data-{spec.name}-{role}", "namespace": namespace, "labels": labels},
                spec={"podSelector": selector, "policyTypes": ["Egress"], "egress": [rule]},
                opts=self.child_options(),
            )
        if spec.password_secret is not None:
            if password is None:
                raise UsageError(f"the database {spec.name} has no password: pass the value of {spec.password_secret}")
            Secret(
                self.child_name("login"),
                metadata={"name": f"data-{spec.name}", "namespace": namespace, "labels": labels},
                string_data={"username": f"{spec.username}", "password": password},
                opts=self.child_options(),
            )
        self.finish(endpoint=spec.host, port=spec.tcp_port, secret_ref=spec.secret_name, metrics_endpoint=None)


def data_endpoints(
    owner: SkerryComponent,
    cluster: Cluster,
    *,
    namespace: str,
    endpoints: Sequence[DataEndpointSpec],
    passwords: Mapping[str, pulumi.Input[str]],
) -> list[pulumi.Resource]:
    """Make every database of a tier and the list of them that its pods read; nothing where there is none.

    Args:
        owner: the tier.
        cluster: where its clients run.
        namespace: the namespace of the execution tier.
        endpoints: the databases.
        passwords: name of a database -> password, secret.

    Raises:
        UsageError: a password is missing.
    """
    if not endpoints:
        return []
    made: list[pulumi.Resource] = [
        DataEndpoint(
            owner.child_name(f"data-{spec.name}"),
            cluster,
            namespace=namespace,
            spec=spec,
            password=passwords.get(spec.name),
            opts=owner.child_options(),
        )
        for spec in endpoints
    ]
    rows = [
        {
            "name": spec.name,
            "side": spec.side.value,
            "engine": spec.engine.value,
            "host": spec.host,
            "port": spec.tcp_port,
            "tls": spec.route is DataRoute.INTERNET,
            **({"tenant": spec.tenant} if spec.tenant else {}),
            **({"secret": spec.secret_name} if spec.secret_name else {}),
        }
        for spec in endpoints
    ]
    text = json.dumps({"endpoints": rows}, indent=2) + "\n"
    made.append(config_map(owner, "data-endpoints", cluster, namespace, MAP, {"endpoints.json": text}))
    return made
