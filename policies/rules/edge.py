"""EDG: devices that work alone fit, come back, and come in with a certificate; RES006: what they hold stays inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.context import Context, boundary
from policies.reading import read, rows
from policies.verdict import Judgement, Rule, Severity, not_applicable, ok, undetermined, violation
from skerry.config.edge import DEVICE_BYTES, LONGEST_OFFLINE_DAYS, LONGEST_UNREVOKED_DAYS
from skerry.edge_sizing import device_sum, reconnection_sum
from skerry.facts import ComponentFacts, EdgeFact
from skerry.graph import UNKNOWN, Resource, ResourceGraph
from skerry.jurisdictions import inside

ENTRANCE: Final = "edge-entrance"
"""What components say of themselves that let devices in."""

_ASKED: Final = "spec.tls.clientValidation"
_PARTS: Final = {"model": "edge.modelBytes", "knowledge": "edge.knowledgeBytes", "changes": "edge.bytesPerDay"}
_HEADER: Final = "x-forwarded-client-cert"


def _edges(context: Context) -> Iterator[tuple[Resource, ComponentFacts, EdgeFact]]:
    for resource, facts in context.components():
        found = context.own[resource.urn].edge
        if found is not None:
            yield resource, facts, found


def _room(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, _, edge in _edges(context):
        if edge.days_offline > LONGEST_OFFLINE_DAYS:
            text = f"devices work alone for {edge.days_offline} days, more than the {LONGEST_OFFLINE_DAYS} planned for"
            yield violation(resource, text, "edge.daysOffline")
        held = device_sum(edge.model_bytes, edge.knowledge_bytes, edge.bytes_per_day, edge.days_offline)
        room = min(edge.storage_bytes, DEVICE_BYTES)
        if held.known > room:
            yield violation(resource, f"{held.text}, more than the {room:,} of a device", "edge.storageBytes")
        elif held.missing:
            missing = " and ".join(held.missing)
            text = f"whether a device has room could not be told, since nobody said the bytes of {missing}: {held.text}"
            yield undetermined(resource, text, _PARTS[held.missing[0]])
        else:
            yield ok(resource, f"{held.text} of {room:,}")


def _back(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, _, edge in _edges(context):
        sent = reconnection_sum(edge.devices, edge.days_offline, edge.bytes_per_day)
        if sent.missing:
            text = f"what devices send when they come back could not be told: {sent.text}"
            yield undetermined(resource, text, "edge.bytesPerDay")
        elif edge.object_store_bytes is not None and sent.known > edge.object_store_bytes:
            text = f"{sent.text}, more than the {edge.object_store_bytes:,} of the object store"
            yield violation(resource, text, "edge.objectStoreBytes")
        else:
            yield ok(resource, f"{sent.text}; {edge.reconnection_time}")


def _entrances(context: Context) -> list[Resource]:
    return [resource for resource, facts in context.components() if facts.role == ENTRANCE]


def _below(graph: ResourceGraph, entrance: Resource, kind: str) -> list[Resource]:
    return [
        one
        for one in graph.resources
        if one.type.endswith(f":{kind}") and entrance.urn in {above.urn for above in graph.ancestors(one)}
    ]


def _certified(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for entrance in _entrances(context):
        for gateway in _below(graph, entrance, "Gateway"):
            yield from _encrypted(gateway)
        asked = _below(graph, entrance, "ClientTrafficPolicy")
        if not asked:
            yield violation(entrance, "nothing asks devices for a certificate", _ASKED)
        for policy in asked:
            yield from _asks(policy)


def _encrypted(gateway: Resource) -> Iterator[Judgement]:
    listeners = rows(gateway.inputs, "spec.listeners")
    if listeners is UNKNOWN:
        yield undetermined(gateway, "its listeners are not known before a deployment", "spec.listeners")
        return
    clear = [at for at, one in enumerate(listeners) if read(one, "protocol") != "HTTPS"]
    for at in clear:
        yield violation(gateway, "devices may call without TLS", f"spec.listeners[{at}].protocol")
    if not clear:
        yield ok(gateway)


def _asks(policy: Resource) -> Iterator[Judgement]:
    found: Any = read(policy.inputs, _ASKED)
    if found is UNKNOWN:
        yield undetermined(policy, "what it asks of devices is not known before a deployment", _ASKED)
        return
    problems = []
    if read(found, "mode") not in (None, "RequireAndVerify") or read(found, "optional") is True:
        problems.append((f"{_ASKED}.mode", "a device without a certificate that is good is let in"))
    if not read(found, "caCertificateRefs"):
        problems.append((f"{_ASKED}.caCertificateRefs", "no authority vouches for devices"))
    if read(found, "allowExpiredCertificate") is True:
        problems.append((f"{_ASKED}.allowExpiredCertificate", "certificates that have ended are let in"))
    if read(policy.inputs, "spec.headers.xForwardedClientCert.mode") != "SanitizeSet":
        text = f"a device may say in {_HEADER} that it is another"
        problems.append(("spec.headers.xForwardedClientCert.mode", text))
    yield from (violation(policy, text, path) for path, text in problems)
    if not problems:
        yield ok(policy)


def _bounded(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for entrance in _entrances(context):
        limits = _below(graph, entrance, "BackendTrafficPolicy")
        if not limits:
            yield violation(entrance, "nothing bounds what devices send when all come back at once")
        for policy in limits:
            lacking = [
                (path, text)
                for path, text in (
                    ("spec.rateLimit", "requests are not limited"),
                    ("spec.requestBuffer.limit", "the size of a request has no bound"),
                    ("spec.circuitBreaker.maxParallelRequests", "requests at a time have no bound"),
                )
                if read(policy.inputs, path) in (None, {})
            ]
            yield from (violation(policy, text, path) for path, text in lacking)
            if not lacking:
                yield ok(policy)


def _shut_out(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, _, edge in _edges(context):
        days, path = edge.certificate_days, "edge.certificateDays"
        if days is not None and days <= edge.days_offline:
            text = f"a certificate of {days} days has ended when a device comes back after {edge.days_offline}"
            yield violation(resource, text, path)
        elif edge.revocation:
            yield ok(resource)
        elif days is None:
            yield undetermined(resource, "for how long a lost device is let in could not be told", path)
        elif days > LONGEST_UNREVOKED_DAYS:
            yield violation(resource, f"a lost device is let in for up to {days} days", path)
        else:
            yield ok(resource, f"a lost device is let in for up to {days} days")


def _inside(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, facts, edge in _edges(context):
        deployment = context.deployment(resource)
        row = boundary(deployment, facts.data_class) if deployment is not None else None
        if row is None:
            yield not_applicable("no boundary reaches the data of devices", resource)
            continue
        outside = [at for at, code in enumerate(edge.jurisdictions) if not inside(code, row.jurisdictions)]
        word = facts.data_class.value if facts.data_class is not None else "unnamed"
        for at in outside:
            allowed = ", ".join(row.jurisdictions)
            text = f"devices hold {word} data in {edge.jurisdictions[at]}, but it must stay in {allowed}"
            yield violation(resource, text, f"edge.jurisdictions[{at}]")
        if not outside:
            yield ok(resource)


RESIDENCY: Final = (
    Rule(
        id="RES006",
        title="devices hold data inside the boundary of its class",
        severity=Severity.CRITICAL,
        rationale="a device that works alone keeps a copy of what it works on, wherever it is carried",
        remedy="give devices a lower edge.data_class, keep them inside, or widen residency.boundaries if that is meant",
        controls=("NIST SP 800-53 SA-9(5)", "NIST SP 800-53 AC-19", "GDPR Art. 44"),
        subject="services that reconcile devices",
        check=_inside,
    ),
)
RULES: Final = (
    Rule(
        id="EDG001",
        title="a device has room for its model, its knowledge and the changes of its longest time alone",
        severity=Severity.HIGH,
        rationale="a device that is full while it is alone loses what it was to bring back",
        remedy="use a smaller model, less knowledge or fewer days, and say all three sizes under edge.device",
        controls=("NIST SP 800-53 AU-4",),
        subject="services that reconcile devices",
        check=_room,
    ),
    Rule(
        id="EDG002",
        title="what all devices send when they come back at once has room",
        severity=Severity.HIGH,
        rationale="after a long cut every device comes back in the same hours",
        remedy="raise channels.object_store_gib, or say edge.device.bytes_per_day",
        controls=("NIST SP 800-53 CP-2(2)", "NIST SP 800-53 SC-5(2)"),
        subject="services that reconcile devices",
        check=_back,
    ),
    Rule(
        id="EDG003",
        title="devices come in over TLS with a certificate that is verified",
        severity=Severity.CRITICAL,
        rationale="whoever may write changes writes into everybody's knowledge",
        remedy="keep the entrance's ClientTrafficPolicy as made: RequireAndVerify, an authority, a header of its own",
        controls=("NIST SP 800-53 IA-3", "NIST SP 800-53 SC-8(1)"),
        subject="entrances of devices",
        check=_certified,
    ),
    Rule(
        id="EDG004",
        title="what devices send at a time is bounded",
        severity=Severity.HIGH,
        rationale="devices that come back at once would take all memory and every other service with it",
        remedy="keep the entrance's BackendTrafficPolicy with limits of rate, size and number (edge.limits)",
        controls=("NIST SP 800-53 SC-5", "NIST SP 800-53 SC-6"),
        subject="entrances of devices",
        check=_bounded,
    ),
    Rule(
        id="EDG005",
        title="a lost device can be shut out, and one that was long alone can come back",
        severity=Severity.HIGH,
        rationale="devices are lost and stolen, and their certificates end while they are alone",
        remedy="name edge.revocation_secret, and certificates that last longer than a device is alone",
        controls=("NIST SP 800-53 IA-5(2)", "NIST SP 800-53 AC-19"),
        subject="services that reconcile devices",
        check=_shut_out,
    ),
)
