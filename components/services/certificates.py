"""Certificates by cert-manager: who signs them, and each one that somebody asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.operator import Operator, image_values
from components.kubernetes.peers import ports
from components.kubernetes.workload import Priority
from components.services.openings import egress
from skerry.config.services import AcmeSpec, CertificatesSpec, IssuerKind
from skerry.facts import ComponentFacts, EndpointFact, TargetFact, Tier

API_VERSION: Final = "cert-manager.io/v1"
ISSUER: Final = "sensei"
"""What the issuer, and what belongs to it, is called where the cluster's labels name no system."""
ROOT_HOURS: Final = 10 * 365 * 24
WEBHOOK_PORT: Final = 10250
"""Source: cert-manager v1.21.2 deploy/charts/cert-manager/values.yaml `webhook.securePort`, read 2026-11."""

AGENTS_SECRET: Final = "agents-tls"
_PARTS: Final = ("", "webhook", "cainjector", "startupapicheck")
"""Parts of the chart's values, each with an image; the first is the controller."""

CONTROLLER_PODS: Final[Mapping[str, Any]] = {"matchLabels": {"app.kubernetes.io/name": "cert-manager"}}


class CertificateIssuer(SkerryComponent):
    """Runs cert-manager and names who signs; or takes a ClusterIssuer that the cluster has."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: CertificatesSpec,
        project: str | None = None,
        subscription: str | None = None,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make operator and issuer.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: of the operators, which exists and whose pods call the Kubernetes API.
            spec: who signs, and for how long.
            project: the project on Google Cloud whose DNS gives proof; None elsewhere.
            subscription: the subscription on Azure; None elsewhere.
            depends_on: the namespaces.
            opts: Pulumi's options.

        Raises:
            CatalogError: a chart or an image has no row.
        """
        self._cluster, self._namespace, self._spec = cluster, namespace, spec
        super().__init__(name, _facts(spec), opts)
        self._made: list[pulumi.Resource] = []
        self._called = cluster.labels.get("app.kubernetes.io/part-of", ISSUER)
        self.issuer_name = spec.name if spec.issuer is IssuerKind.EXISTING and spec.name else self._called
        if spec.issuer is not IssuerKind.EXISTING:
            operator = self._operator(depends_on)
            self._made = [self._issuer(operator, project, subscription)]
        if spec.acme is not None:
            rules = [{"ports": ports((443,))}]
            egress(self, cluster, "acme", namespace, CONTROLLER_PODS, rules, depends_on=depends_on)
        self.finish(issuer=self.issuer_name)

    def certificate(
        self, parent: SkerryComponent, role: str, namespace: str, secret: str, hosts: tuple[str, ...]
    ) -> CustomResource:
        """Make a certificate for some host names, kept in a Secret of `namespace`, as a child of `parent`."""
        spec = {
            "secretName": secret,
            "dnsNames": list(hosts),
            "duration": f"{self._spec.days * 24}h",
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "usages": ["server auth", "client auth"],
            "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": self.issuer_name},
        }
        return CustomResource(
            parent.child_name(role),
            api_version=API_VERSION,
            kind="Certificate",
            metadata={"name": secret, "namespace": namespace, "labels": dict(self._cluster.labels)},
            spec=spec,
            opts=parent.child_options(depends_on=list(self._made)),
        )

    def agents(self, namespaces: Sequence[str]) -> None:
        """Make one certificate for the agents of each namespace, by the names that others call them."""
        for namespace in namespaces:
            inside = f"{namespace}.svc.cluster.local"
            self.certificate(self, namespace, namespace, AGENTS_SECRET, (f"*.{inside}", f"*.{namespace}.svc"))

    def _operator(self, depends_on: Sequence[pulumi.Resource]) -> Operator:
        return Operator(
            self.child_name("manager"),
            self._cluster,
            chart="cert-manager",
            namespace=self._namespace,
            values=_values(self._cluster, self._namespace, self._spec.acme),
            why="certificates",
            webhook_port=WEBHOOK_PORT,
            webhook_pods="webhook",
            depends_on=depends_on,
            opts=self.child_options(),
        )

    def _cluster_issuer(self, role: str, name: str, spec: Mapping[str, Any], after: pulumi.Resource) -> CustomResource:
        return CustomResource(
            self.child_name(role),
            api_version=API_VERSION,
            kind="ClusterIssuer",
            metadata={"name": name, "labels": dict(self._cluster.labels)},
            spec=dict(spec),
            opts=self.child_options(depends_on=[after]),
        )

    def _issuer(self, operator: Operator, project: str | None, subscription: str | None) -> CustomResource:
        spec = self._spec
        if spec.acme is not None:
            solver = {"dns01": _dns(self._cluster.target, spec.acme, project, subscription)}
            acme = {
                "email": spec.acme.email,
                "server": spec.acme.server,
                "privateKeySecretRef": {"name": f"{self._called}-acme-account"},
                "solvers": [{**solver, "selector": {"dnsZones": [spec.acme.dns_zone]}}],
            }
            return self._cluster_issuer("issuer", self._called, {"acme": acme}, operator)
        if spec.issuer is IssuerKind.CA_SECRET:
            return self._cluster_issuer("issuer", self._called, {"ca": {"secretName": spec.name}}, operator)
        root_secret = f"{self._called}-ca"
        first = self._cluster_issuer("first", f"{self._called}-self-signed", {"selfSigned": {}}, operator)
        root = CustomResource(
            self.child_name("root"),
            api_version=API_VERSION,
            kind="Certificate",
            metadata={"name": root_secret, "namespace": self._namespace, "labels": dict(self._cluster.labels)},
            spec={
                "isCA": True,
                "commonName": f"{self._called.capitalize()} site authority",
                "secretName": root_secret,
                "duration": f"{ROOT_HOURS}h",
                # A new key would be a new authority: everybody would have to be told to trust it.
                "privateKey": {"algorithm": "ECDSA", "size": 384, "rotationPolicy": "Never"},
                "issuerRef": {
                    "group": "cert-manager.io",
                    "kind": "ClusterIssuer",
                    "name": f"{self._called}-self-signed",
                },
            },
            opts=self.store_options(depends_on=[first]),
        )
        return self._cluster_issuer("issuer", self._called, {"ca": {"secretName": root_secret}}, root)


def _values(cluster: Cluster, namespace: str, acme: AcmeSpec | None) -> dict[str, Any]:
    """Return the chart's values. Source: cert-manager v1.21.2 deploy/charts/cert-manager, read 2026-11."""
    placement = cluster.placements[Tier.PLATFORM]
    tolerations = [dict(item) for item in placement.tolerations]
    resources = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    values: dict[str, Any] = {
        "global": {
            "priorityClassName": Priority.SERVING.value,
            "nodeSelector": dict(placement.node_selector),
            # The chart's own choice is kube-system, where it would need rights.
            "leaderElection": {"namespace": namespace},
        },
        "crds": {"enabled": True, "keep": True},
        "replicaCount": 2,
        "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
        "acmesolver": {"image": _image(cluster, "acmesolver")},
    }
    for part in _PARTS:
        own = {"image": _image(cluster, part or "controller"), "tolerations": tolerations, "resources": resources}
        if part:
            values[part] = own
        else:
            values |= own
    values["webhook"] |= {"replicaCount": 2, "podDisruptionBudget": {"enabled": True, "minAvailable": 1}}
    if acme is not None and acme.azure_client_id is not None:
        # Source: cert-manager/website acme/dns01/azuredns.md at 0f85690a, workload identity, read 2026-11
        values["podLabels"] = {"azure.workload.identity/use": "true"}
        values["serviceAccount"] = {"annotations": {"azure.workload.identity/client-id": acme.azure_client_id}}
    return values


def _image(cluster: Cluster, part: str) -> dict[str, str]:
    repository, tag, digest = image_values(cluster, f"cert-manager-{part}", "certificates")
    return {"repository": repository, "tag": tag, **({"digest": digest} if digest else {})}


def _dns(target: TargetFact, acme: AcmeSpec, project: str | None, subscription: str | None) -> dict[str, Any]:
    """Return how proof is given at the cloud's DNS, by the identity of the controller.

    Source: cert-manager v1.21.2 deploy/crds (fields), read 2026-11.
    """
    if target.kind == "aws":
        found = {"region": target.region}
        return {"route53": {**found, **({"hostedZoneID": acme.dns_zone_id} if acme.dns_zone_id else {})}}
    if target.kind == "gcp":
        return {"cloudDNS": {"project": project}}
    return {
        "azureDNS": {
            "subscriptionID": subscription,
            "resourceGroupName": acme.azure_resource_group,
            "hostedZoneName": acme.dns_zone,
            "environment": "AzurePublicCloud",
            "managedIdentity": {"clientID": acme.azure_client_id},
        }
    }


def _facts(spec: CertificatesSpec) -> ComponentFacts:
    endpoints: tuple[EndpointFact, ...] = ()
    if spec.acme is not None:
        host = spec.acme.server.removeprefix("https://").partition("/")[0]
        endpoints = (
            EndpointFact(
                name="acme",
                host=host,
                port=443,
                protocol="https",
                direction="egress",
                scope="internet",
                why="a public authority signs the certificates",
            ),
        )
    return ComponentFacts(tier=Tier.PLATFORM, role="certificates", endpoints=endpoints)
