"""HYB: in mode hybrid rows stay with the customer, and what leaves goes to the vendor's entrance alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from policies.context import Context
from policies.reading import read, rows
from policies.verdict import Judgement, Rule, Severity, not_applicable, ok, undetermined, violation
from policies.workloads import REPLICATED, containers, kind_of, names_of, namespace_of, of_kind
from skerry.config.hybrid import ADVISED_ROUND_TRIP_MS
from skerry.facts import ComponentFacts, DeploymentFact, HybridFact, Tier
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret

_HOLD_ROWS: Final = frozenset({
    "object-store", "object-store-client", "workflow-engine", "relational-store", "relational-client", "pubsub",
    "pubsub-client",
})  # fmt: skip
"""Roles of what rows pass through: snapshots, payloads of workflows and their database, broadcasts."""

_NOT_HERE: Final = {"customer": (Tier.COGNITIVE, Tier.META), "vendor": (Tier.EXECUTION,)}
"""Side -> tiers of the other one."""

_HOST: Final = re.compile(r"(?:^|[/@,=])(?P<host>[a-z0-9](?:[a-z0-9-]*\.)+[a-z0-9-]+)(?::(?P<port>\d{1,5}))?")
"""Host names within an address or a list of them."""


def _sides(context: Context) -> list[tuple[Resource, DeploymentFact, HybridFact]]:
    return [(root, fact, fact.hybrid) for root, fact in context.roots if fact.hybrid is not None]


def _of(context: Context, side: str) -> Iterator[tuple[Resource, DeploymentFact, HybridFact]]:
    return (row for row in _sides(context) if row[2].side == side)


def _no_side(side: str) -> Judgement:
    return not_applicable(f"no stack of the graph is the {side}'s side of mode hybrid")


def _parts(context: Context, root: Resource) -> Iterator[tuple[Resource, ComponentFacts]]:
    """Yield the components of one deployment with the facts around them."""
    for resource, facts in context.components():
        found = context.deployment_root(resource)
        if found is not None and found[0].urn == root.urn and resource.urn != root.urn:
            yield resource, facts


def _at_customer(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    found = list(_of(context, "customer"))
    if not found:
        yield _no_side("customer")
    for root, deployment, hybrid in found:
        country = deployment.target.jurisdiction
        yield from _base(context, root, hybrid)
        for resource, facts in _parts(context, root):
            own = context.own[resource.urn]
            if own.backup is not None and own.backup.jurisdiction != country:
                text = f"its backups lie in {own.backup.jurisdiction}, and rows stay in {country}"
                yield violation(resource, text, "backup.jurisdiction")
            if facts.role not in _HOLD_ROWS:
                continue
            if facts.vendor_hosted:
                text = f"it is hosted by {facts.vendor_hosted}, and rows pass through it"
                yield violation(resource, text, "vendorHosted")
            elif facts.jurisdiction is not None and facts.jurisdiction != country:
                text = f"it stands in {facts.jurisdiction}, and rows stay in {country}"
                yield violation(resource, text, "jurisdiction")
            else:
                yield ok(resource)


def _base(context: Context, root: Resource, hybrid: HybridFact) -> Iterator[Judgement]:
    """Judge whose the stack is that made the cluster with its bucket, its database and its pub/sub."""
    if hybrid.base_stack is None:
        return
    path = "deployment.hybrid.baseStack"
    sides = [fact.side for other, _, fact in _sides(context) if other.stack == hybrid.base_stack]
    if not sides:
        text = f"the stack {hybrid.base_stack}, which made bucket and database, is not in the graph"
        yield undetermined(root, text, path)
    elif sides[0] != "customer":
        text = f"the stack {hybrid.base_stack}, which made bucket and database, is of the {sides[0]}'s side"
        yield violation(root, text, path)
    else:
        yield ok(root)


def _egress(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    found = list(_of(context, "customer"))
    if not found:
        yield _no_side("customer")
    for root, deployment, hybrid in found:
        cloud = _CLOUD.get(deployment.target.kind, ())
        entrance = hybrid.ranges or _of_vendor(context, hybrid)
        for resource, facts in _parts(context, root):
            if facts.tier is Tier.EXECUTION:
                yield from _endpoints(resource, facts, hybrid)
        spaces = _namespaces(graph, context, root)
        for policy in of_kind(graph, "NetworkPolicy"):
            if policy.stack == root.stack and namespace_of(graph, policy) in spaces:
                yield from _policy(context, policy, (*entrance, *cloud, *_OWN), told=bool(entrance))
        for resource in graph.resources:
            runs = resource.stack == root.stack and kind_of(resource) in REPLICATED
            if runs and namespace_of(graph, resource) in spaces:
                yield from _told(resource, hybrid)


def _namespaces(graph: ResourceGraph, context: Context, root: Resource) -> frozenset[Any]:
    """Return every name of the namespaces of the execution tier."""
    return frozenset(
        name
        for space in of_kind(graph, "Namespace")
        if space.stack == root.stack and context.facts(space).tier is Tier.EXECUTION
        for name in names_of(space)
    )


def _endpoints(resource: Resource, facts: ComponentFacts, hybrid: HybridFact) -> Iterator[Judgement]:
    for endpoint in facts.endpoints:
        path = f"endpoints.{endpoint.name}"
        if endpoint.direction != "egress" or endpoint.scope in ("cluster", "site"):
            continue
        where = f"{endpoint.host}:{endpoint.port}"
        if endpoint.scope == "vendor" and endpoint.host in hybrid.hosts and endpoint.port == hybrid.port:
            yield ok(resource)
        else:
            yield violation(resource, f"it calls {where}, which is not the vendor's entrance", path)


def _of_vendor(context: Context, hybrid: HybridFact) -> tuple[str, ...]:
    """Return the addresses of the entrance as the vendor's own stack says them, where that is in the graph."""
    found = [other for _, _, other in _of(context, "vendor") if other.hosts == hybrid.hosts]
    return found[0].ranges if found else ()


def _policy(context: Context, policy: Resource, allowed: Sequence[str], *, told: bool) -> Iterator[Judgement]:
    around = [context.facts(policy), *(context.facts(one) for one in context.graph.ancestors(policy))]
    if any(facts.role == "data-endpoint" for facts in around):
        # The customer's own databases, whose way in is judged by their endpoints.
        yield ok(policy)
        return
    found = rows(policy.inputs, "spec.egress")
    if found is UNKNOWN:
        yield undetermined(policy, "its egress rules are not known before a deployment", "spec.egress")
        return
    clean = True
    # A stack that reads the vendor's has the addresses from there, and its own facts do not say them.
    unsaid = not told and any(facts.role == "vendor-link" for facts in around)
    for index, rule in enumerate(found):
        path = f"spec.egress[{index}]"
        for judged in _rule(policy, rule, path, allowed, unsaid=unsaid):
            clean = False
            yield judged
    if clean:
        yield ok(policy)


def _rule(policy: Resource, rule: Any, path: str, allowed: Sequence[str], *, unsaid: bool) -> Iterator[Judgement]:
    peers = rows(rule, "to")
    if peers is UNKNOWN:
        yield undetermined(policy, "the addresses that it opens are not known before a deployment", f"{path}.to")
        return
    if not peers:
        yield violation(policy, "it lets pods of the execution tier call anywhere", path)
    for at, peer in enumerate(peers):
        block = read(peer, "ipBlock.cidr")
        where = f"{path}.to[{at}].ipBlock.cidr"
        if block is UNKNOWN:
            yield undetermined(policy, "an address that it opens is not known before a deployment", where)
        elif block is None or any(_within(str(block), text) for text in allowed):
            continue
        elif unsaid:
            text = f"it opens {block}, and the vendor's stack, which says where its entrance is, is not in the graph"
            yield undetermined(policy, text, where)
        else:
            text = f"it lets pods of the execution tier reach {block}, which is not the vendor's entrance"
            yield violation(policy, text, where)


def _within(block: str, text: str) -> bool:
    try:
        if ":" in block or ":" in text:
            return ipaddress.IPv6Network(block).subnet_of(ipaddress.IPv6Network(text))
        return ipaddress.IPv4Network(block).subnet_of(ipaddress.IPv4Network(text))
    except ValueError:
        return False


_OWN: Final = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7",
)  # fmt: skip
"""Addresses that the internet does not route: RFC 1918, 6598, 3927, 4193 (not opened; check before relying on it)."""


_CLOUD: Final = {
    "gcp": ("199.36.153.4/30", "199.36.153.8/30"),
    "azure": ("20.20.32.0/19", "20.190.128.0/18", "20.231.128.0/19", "40.126.0.0/18"),
}
"""What pods need of the customer's own cloud: Google's addresses for its storage, routed within its network alone, and
those where Entra hands out identities. What is behind them is bounded by VPC Service Controls, not by a policy.

Source: as components/gcp/platform.py and components/azure/platform.py say it.
"""


def _told(resource: Resource, hybrid: HybridFact) -> Iterator[Judgement]:
    """Judge the addresses of the vendor that pods are told: a store, a bucket or a Redis there is none of theirs."""
    domains = {host.partition(".")[2] for host in hybrid.hosts}
    clean = True
    for path, container in containers(resource):
        for at, row in enumerate(rows(container, "env") if container is not UNKNOWN else []):
            value = read(row, "value")
            if not isinstance(value, str) or isinstance(value, Secret):
                continue
            for match in _HOST.finditer(value):
                host, port = match["host"], match["port"]
                if not any(f".{host}".endswith(f".{domain}") for domain in domains):
                    continue
                if host in hybrid.hosts and port in (None, str(hybrid.port)):
                    continue
                clean = False
                text = f"{read(row, 'name')} names {host}, which is at the vendor and not its entrance"
                yield violation(resource, text, f"{path}.env[{at}]")
    if clean:
        yield ok(resource)


def _closed(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    found = list(_of(context, "customer"))
    if not found:
        yield _no_side("customer")
    for root, _, _ in found:
        for resource, facts in _parts(context, root):
            inward = [
                one for one in facts.endpoints if one.direction == "ingress" and one.scope in ("internet", "vendor")
            ]
            if context.own[resource.urn].internet_facing:
                yield violation(
                    resource, "it faces the internet, and nothing calls a customer's side", "internetFacing"
                )
            elif inward:
                text = f"it offers {inward[0].host}:{inward[0].port} to the {inward[0].scope}"
                yield violation(resource, f"{text}, and nothing calls a customer's side", f"endpoints.{inward[0].name}")
            else:
                yield ok(resource)


def _own_tiers(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    found = _sides(context)
    if not found:
        yield not_applicable("no stack of the graph is a side of mode hybrid")
    for root, _, hybrid in found:
        parts = list(_parts(context, root))
        for resource, facts in parts:
            own = context.own[resource.urn]
            if facts.tier in _NOT_HERE[hybrid.side] and own.tier is not None:
                text = f"it is of the {own.tier.value} tier, which is not on the {hybrid.side}'s side"
                yield violation(resource, text, "tier")
            elif hybrid.side == "vendor" and facts.role == "workflow-engine":
                yield violation(resource, "it runs workflows, whose payloads hold rows, at the vendor", "role")
            elif hybrid.side == "customer" and facts.nodes is not None and facts.nodes.gpus:
                yield violation(resource, f"{facts.nodes.gpus} GPUs a machine on a side that has none", "nodes.gpus")
            else:
                yield ok(resource)
        roles = {facts.role for _, facts in parts}
        if "namespace" not in roles:
            continue
        wanted = {"pubsub": "pub/sub", **({"workflow-engine": "Temporal"} if hybrid.side == "customer" else {})}
        for role, word in wanted.items():
            if not roles & {role, f"{role}-client"}:
                text = f"the {hybrid.side}'s side has no {word} of its own, and none is shared over a WAN"
                yield violation(root, text, "deployment.hybrid.side")


def _round_trip(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    found = list(_of(context, "customer"))
    if not found:
        yield _no_side("customer")
    for root, _, hybrid in found:
        path, known = "deployment.hybrid.roundTripMs", hybrid.round_trip_ms
        if known is None:
            yield undetermined(root, "the round trip to the vendor is not known: nobody measured it", path)
        elif known > ADVISED_ROUND_TRIP_MS:
            text = f"{known:g} ms to the vendor and back are more than {ADVISED_ROUND_TRIP_MS:g} ms"
            yield violation(root, text, path)
        else:
            yield ok(root, f"{known:g} ms to the vendor and back")


RULES: Final = (
    Rule(
        id="HYB001",
        title="what holds rows stands with the customer",
        severity=Severity.CRITICAL,
        rationale="snapshots, payloads of workflows and their backups can hold raw rows",
        remedy="keep bucket, Temporal, its database and their backups in the customer's own stack and country",
        controls=("NIST SP 800-53 AC-4", "NIST SP 800-53 SA-9(5)"),
        subject="parts of a customer's side that hold rows",
        check=_at_customer,
    ),
    Rule(
        id="HYB002",
        title="a customer's execution tier calls the vendor's entrance and nothing else outside",
        severity=Severity.CRITICAL,
        rationale="whatever else it may call, rows may leave by",
        remedy="take the endpoint or the egress rule away; data goes by data_endpoints inside the customer's network",
        controls=("NIST SP 800-53 SC-7(5)", "NIST SP 800-53 AC-4"),
        subject="endpoints and network policies of a customer's execution tier",
        check=_egress,
    ),
    Rule(
        id="HYB003",
        title="nothing outside calls a customer's side",
        severity=Severity.HIGH,
        rationale="plan updates come back on streams that the customer opened, so no way in is needed",
        remedy="keep gateways and load balancers of a customer's side internal",
        controls=("NIST SP 800-53 SC-7",),
        subject="components of a customer's side",
        check=_closed,
    ),
    Rule(
        id="HYB004",
        title="each side of mode hybrid has its own tiers and channels, and no others",
        severity=Severity.HIGH,
        rationale="a channel made for one cluster keeps no promise over a WAN, and rows must not reach the vendor",
        remedy="move the part to the other side's stack, or give the side a channel of its own",
        controls=("NIST SP 800-53 SC-7(21)",),
        subject="components of a side",
        check=_own_tiers,
    ),
    Rule(
        id="HYB005",
        title="the round trip from a customer's side to the vendor is known and short",
        severity=Severity.LOW,
        rationale="an escalation repeats over it, and nobody promises what nobody measured",
        remedy="measure it from an execution machine, set hybrid.round_trip_ms, or choose a nearer region",
        controls=("NIST SP 800-53 CP-8",),
        subject="customers' sides of mode hybrid",
        check=_round_trip,
    ),
)
