"""NET: a disconnected site has no way out, and nothing internal can be reached from the world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.context import Context
from policies.reading import mapping, read, rows
from policies.rules import azure
from policies.rules.google import firewall, public_databases
from policies.verdict import Judgement, Rule, Severity, not_applicable, ok, undetermined, violation
from policies.workloads import images, kind_of, names_of, namespace_of, of_kind
from skerry.errors import CatalogError
from skerry.facts import DeploymentFact, Tier
from skerry.graph import UNKNOWN, Resource, ResourceGraph, is_known, plain
from skerry.images import ImageReference, from_site

_WORLD: Final = ("0.0.0.0/0", "::/0")
_WAYS_OUT: Final = frozenset({
    "aws:ec2/internetGateway:InternetGateway", "aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip",
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", "gcp:compute/routerNat:RouterNat",
    "azure-native:network:NatGateway", "azure-native:network:PublicIPAddress",
})  # fmt: skip
_ROUTE_KEYS: Final = ("destinationCidrBlock", "destinationIpv6CidrBlock", "cidrBlock", "ipv6CidrBlock", "destRange")
_HOSTED_BACKENDS: Final = ("https://api.pulumi.com", "https://app.pulumi.com")


def _disconnected(context: Context) -> tuple[DeploymentFact, ...]:
    return tuple(fact for _, fact in context.roots if not fact.target.connected)


def _why_not(context: Context) -> Judgement:
    if not context.roots:
        return not_applicable("the graph names no deployment, so nobody says that the target is disconnected")
    return not_applicable("the target is connected")


def _is_off(context: Context, resource: Resource) -> bool:
    deployment = context.deployment(resource)
    return deployment is not None and not deployment.target.connected


def _way_out(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    if not _disconnected(context):
        yield _why_not(context)
        return
    for resource in graph.resources:
        if not _is_off(context, resource):
            continue
        if resource.type in _WAYS_OUT:
            yield violation(resource, "it is a way to the internet, but the target is disconnected")
        elif resource.type.endswith((":Route", ":RouteTable")):
            yield from _routes(resource)
        elif kind_of(resource) == "NetworkPolicy":
            yield from _policy_egress(resource)


def _routes(resource: Resource) -> Iterator[Judgement]:
    found = rows(resource.inputs, "routes") if "routes" in resource.inputs else [resource.inputs]
    if found is UNKNOWN:
        yield undetermined(resource, "its routes are not known before a deployment", "routes")
        return
    for row in found:
        for key in _ROUTE_KEYS:
            value = read(row, key)
            if value is UNKNOWN:
                yield undetermined(resource, "a route's destination is not known before a deployment", key)
            elif value in _WORLD:
                yield violation(resource, f"it routes {value}, but the target is disconnected", key)
            elif value is not None:
                yield ok(resource)


def _policy_egress(resource: Resource) -> Iterator[Judgement]:
    rules = rows(resource.inputs, "spec.egress")
    if not is_known(rules):
        yield undetermined(resource, "its egress rules are not known before a deployment", "spec.egress")
        return
    for index, rule in enumerate(rules):
        for peer in rows(rule, "to"):
            cidr = read(peer, "ipBlock.cidr")
            if cidr in _WORLD:
                path = f"spec.egress[{index}]"
                yield violation(resource, f"it lets pods reach {cidr}, but the target is disconnected", path)
                return
    yield ok(resource)


def _outside(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    if not _disconnected(context):
        yield _why_not(context)
        return
    for root, deployment in context.roots:
        if deployment.target.connected:
            continue
        if deployment.state_backend.startswith(_HOSTED_BACKENDS):
            text = f"the state backend {deployment.state_backend} is on the internet, but the target is disconnected"
            yield violation(root, text, "deployment.stateBackend")
        else:
            yield ok(root)
    for resource, facts in context.components():
        if not _is_off(context, resource):
            continue
        if facts.vendor_hosted:
            text = f"{facts.vendor_hosted} is hosted by its vendor, but the target is disconnected"
            yield violation(resource, text, "vendorHosted")
        for endpoint in facts.endpoints:
            path = f"endpoints.{endpoint.name}"
            if endpoint.scope == "internet":
                text = f"it {_verb(endpoint.direction)} {endpoint.host}:{endpoint.port} on the internet"
                yield violation(resource, f"{text}, but the target is disconnected", path)
            else:
                yield ok(resource)


def _verb(direction: str) -> str:
    return "calls" if direction == "egress" else "offers"


def _site_images(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    sites = [fact.target for _, fact in context.roots if fact.target.site_registry]
    if not sites:
        yield not_applicable("no deployment of the graph names a site registry")
        return
    if all(target.image_access != "rewrite" for target in sites):
        yield not_applicable("image_access is mirror: references stay, and the nodes ask the site registry")
        return
    for resource in graph.resources:
        deployment = context.deployment(resource)
        if deployment is None or not deployment.target.site_registry or deployment.target.image_access != "rewrite":
            continue
        site = deployment.target.site_registry
        for use in images(resource):
            if use.reference is UNKNOWN:
                yield undetermined(resource, "an image reference is not known before a deployment", use.path)
            else:
                yield _at_site(resource, str(use.reference), site, use.path)
        own = context.own.get(resource.urn)
        for image in own.images if own else ():
            yield _at_site(resource, image.deployed_as, site, f"images.{image.name}")


def _at_site(resource: Resource, reference: str, site: str, path: str) -> Judgement:
    try:
        from_site(ImageReference.parse(reference), site)
    except CatalogError:
        return violation(resource, f"image {reference} does not come from the site registry {site}", path)
    return ok(resource)


_OPEN_WEB: Final = (80, 443)
"""Ports that a component which says it is internet-facing may open to the world."""


def _open_ingress(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.resources:
        kind = resource.type
        if kind in ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"):
            yield from _ingress_rows(context, resource, rows(resource.inputs, "ingress"), "ingress")
        elif kind == "aws:ec2/securityGroupRule:SecurityGroupRule":
            if resource.inputs.get("type") in ("ingress", UNKNOWN):
                yield from _ingress_rows(context, resource, [resource.inputs], "")
        elif kind == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
            yield from _ingress_rows(context, resource, [resource.inputs], "")
        elif kind == "gcp:compute/firewall:Firewall":
            yield from firewall(resource, facing=_facing(context, resource))
        elif kind in azure.RULES:
            yield from azure.open_rules(resource, facing=_facing(context, resource))


def _ingress_rows(context: Context, resource: Resource, found: Any, path: str) -> Iterator[Judgement]:
    if found is UNKNOWN:
        yield undetermined(resource, "its ingress rules are not known before a deployment", path)
        return
    clean = True
    for index, row in enumerate(found):
        where = f"{path}[{index}]" if path else ""
        sources = [read(row, key) for key in ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")]
        flat = [item for entry in sources for item in (entry if isinstance(entry, list | tuple) else [entry])]
        if any(item is UNKNOWN for item in flat):
            clean = False
            yield undetermined(resource, "the addresses that may enter are not known before a deployment", where)
        elif any(item in _WORLD for item in flat):
            ports = (read(row, "fromPort"), read(row, "toPort"))
            if _facing(context, resource) and ports[0] == ports[1] and ports[0] in _OPEN_WEB:
                continue
            clean = False
            span = f"port {ports[0]}" if ports[0] == ports[1] else f"ports {ports[0]} to {ports[1]}"
            yield violation(resource, f"the whole world may enter at {span}", where)
    if clean:
        yield ok(resource)


def _facing(context: Context, resource: Resource) -> bool:
    """Say whether a component around a resource is there for the internet."""
    above = (context.own.get(ancestor.urn) for ancestor in context.graph.ancestors(resource))
    return context.facts(resource).internet_facing or any(
        facts is not None and facts.internet_facing for facts in above
    )


_INTERNAL_NOTES: Final = {
    "service.beta.kubernetes.io/aws-load-balancer-internal": ("true",),
    "service.beta.kubernetes.io/aws-load-balancer-scheme": ("internal",),
    "networking.gke.io/load-balancer-type": ("Internal",),
    "service.beta.kubernetes.io/azure-load-balancer-internal": ("true",),
}
"""Source: GKE on Azure "Network load balancing" (azure), read 2026-11; of AWS and GKE the references were not opened:
check before relying on them."""


def _meta_internal(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.resources:
        facts = context.facts(resource)
        if facts.tier is not Tier.META:
            continue
        kind = kind_of(resource)
        if resource.urn in context.own:
            if context.own[resource.urn].internet_facing:
                yield violation(resource, "it faces the internet, but the meta tier is internal only", "internetFacing")
            else:
                yield ok(resource)
        elif kind == "Service":
            yield _service(resource)
        elif kind in ("Ingress", "Gateway", "HTTPRoute"):
            yield violation(resource, f"the {kind} opens the meta tier, which is internal only")
        elif resource.type in ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer"):
            yield _known_true(resource, "internal", "it is a load balancer of the meta tier that is not internal")


def _service(resource: Resource) -> Judgement:
    kind = read(resource.inputs, "spec.type", "ClusterIP")
    if kind is UNKNOWN:
        return undetermined(resource, "the type of the service is not known before a deployment", "spec.type")
    if kind not in ("LoadBalancer", "NodePort"):
        return ok(resource)
    notes = mapping(resource.inputs, "metadata.annotations")
    if kind == "LoadBalancer" and notes is UNKNOWN:
        return undetermined(resource, "its annotations are not known before a deployment", "metadata.annotations")
    if kind == "LoadBalancer" and any(notes.get(key) in values for key, values in _INTERNAL_NOTES.items()):
        return ok(resource)
    return violation(resource, f"the {kind} service opens the meta tier, which is internal only", "spec.type")


def _known_true(resource: Resource, key: str, message: str) -> Judgement:
    value = plain(resource.inputs.get(key))
    if value is UNKNOWN:
        return undetermined(resource, f"its input {key} is not known before a deployment", key)
    return ok(resource) if value is True else violation(resource, message, key)


_NEVER_PUBLIC: Final = {
    "aws:rds/instance:Instance": "publiclyAccessible",
    "aws:rds/clusterInstance:ClusterInstance": "publiclyAccessible",
    "aws:redshift/cluster:Cluster": "publiclyAccessible",
}


def _public_data(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type(*_NEVER_PUBLIC):
        key = _NEVER_PUBLIC[resource.type]
        value = plain(resource.inputs.get(key))
        if value is UNKNOWN:
            yield undetermined(resource, f"its input {key} is not known before a deployment", key)
        elif value is True:
            yield violation(resource, "the database has a public address", key)
        else:
            yield ok(resource)
    yield from public_databases(graph)
    yield from azure.public_data(graph)


def _default_deny(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    denied: set[Any] = set()
    unsure = False
    for policy in of_kind(graph, "NetworkPolicy"):
        denies = _denies_all(policy)
        if denies is False:
            continue
        namespace = namespace_of(graph, policy)
        if namespace is UNKNOWN or denies is None:
            unsure = True
        else:
            denied.add(namespace)
    for namespace in of_kind(graph, "Namespace"):
        if denied.intersection(names_of(namespace)):
            yield ok(namespace)
        elif unsure:
            yield undetermined(namespace, "a NetworkPolicy whose namespace or rules are not known may cover it")
        else:
            yield violation(namespace, "no NetworkPolicy denies ingress to its pods by default")


def _denies_all(policy: Resource) -> bool | None:
    """Say whether a policy takes every pod and lets nothing in; None where it cannot be told."""
    spec = mapping(policy.inputs, "spec")
    if spec is UNKNOWN or not is_known({key: spec.get(key) for key in ("podSelector", "policyTypes", "ingress")}):
        return None
    selector = mapping(spec, "podSelector")
    if selector.get("matchLabels") or selector.get("matchExpressions"):
        return False
    types = spec.get("policyTypes") or ["Ingress"]
    return "Ingress" in types and not spec.get("ingress")


RULES: Final = (
    Rule(
        id="NET001",
        title="a disconnected target has no way to the internet",
        severity=Severity.CRITICAL,
        rationale="an air gap with a route through it is none",
        remedy="remove the gateway, the route or the egress rule",
        controls=("NIST SP 800-53 SC-7", "AWS-GR_DISALLOW_VPC_INTERNET_ACCESS"),
        subject="gateways, routes and network policies",
        check=_way_out,
    ),
    Rule(
        id="NET002",
        title="nothing in a disconnected target depends on a service outside",
        severity=Severity.CRITICAL,
        rationale="a service that cannot be reached stops what needs it, or tempts people to open the gap",
        remedy="use a service that runs at the site, for example qdrant in place of pinecone",
        controls=("NIST SP 800-53 SC-7", "NIST SP 800-53 SR-3"),
        subject="components",
        check=_outside,
    ),
    Rule(
        id="NET003",
        title="every image comes from the site registry",
        severity=Severity.HIGH,
        rationale="a reference that the site cannot resolve is a pod that never starts",
        remedy="name the image through the catalogue, which maps it to target.site_registry",
        controls=("NIST SP 800-53 CM-7(5)", "CIS Kubernetes Benchmark 5.5.1"),
        subject="image references",
        check=_site_images,
    ),
    Rule(
        id="NET004",
        title="no security group or firewall rule lets the whole world in",
        severity=Severity.HIGH,
        rationale="an open port is found within minutes",
        remedy="name the ranges that must enter; only ports 80 and 443 of an internet-facing component may be open",
        controls=("CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260", "NIST SP 800-53 SC-7"),
        subject="security groups and firewall rules",
        check=_open_ingress,
    ),
    Rule(
        id="NET005",
        title="the meta tier is reachable only from inside",
        severity=Severity.HIGH,
        rationale="it keeps what every migration has taught",
        remedy="use a ClusterIP service, or an internal load balancer",
        controls=("NIST SP 800-53 AC-4", "NIST SP 800-53 SC-7"),
        subject="resources of the meta tier",
        check=_meta_internal,
    ),
    Rule(
        id="NET006",
        title="no database has a public address",
        severity=Severity.CRITICAL,
        rationale="a password is then all that stands before the data",
        remedy="set publiclyAccessible (RDS) or ipv4Enabled (Cloud SQL) to false, publicNetworkAccess (Azure) to "
        "Disabled, and reach it from inside the network",
        controls=("CKV_AWS_17", "NIST SP 800-53 AC-4"),
        subject="managed databases",
        check=_public_data,
    ),
    Rule(
        id="NET007",
        title="every namespace denies ingress by default",
        severity=Severity.MEDIUM,
        rationale="without it every pod of the cluster may call every other",
        remedy="add a NetworkPolicy with an empty podSelector, policyTypes Ingress and no ingress rules",
        controls=("CIS Kubernetes Benchmark 5.3.2", "NIST SP 800-53 AC-4"),
        subject="namespaces",
        check=_default_deny,
    ),
)
