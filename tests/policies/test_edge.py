"""EDG and RES006: devices that fit, come back, come in with a certificate and stay inside; and what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from policies.rules.edge import RESIDENCY, RULES
from policies.runner import check
from policies.verdict import Rule, Verdict
from skerry.graph import UNKNOWN, ResourceGraph, plain
from tests.simulators.changed_stacks import run_changed
from tests.simulators.edge_stacks import edge
from tests.simulators.policy_graphs import TODAY

EDG001, EDG002, EDG003, EDG004, EDG005 = RULES
(RES006,) = RESIDENCY


@cache
def clean() -> ResourceGraph:
    return run_changed("sensei-airgapped", {"edge": edge(), "services": {}})


def changed(name: str, path: str, value: Any) -> ResourceGraph:
    """Return the graph with one input of one resource changed; None takes it away."""
    graph = clean()
    found = []
    for resource in graph.resources:
        if resource.name == name:
            body: dict[str, Any] = _copy(plain(resource.inputs))
            *above, last = path.split(".")
            where: Any = body
            for part in above:
                where = where[int(part)] if part.isdigit() else where[part]
            if value is None:
                del where[last]
            else:
                where[last] = value
            resource = replace(resource, inputs=body)
        found.append(resource)
    return ResourceGraph(graph.project, graph.stacks, tuple(found), producer="test")


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list | tuple) else value


def without(name: str) -> ResourceGraph:
    graph = clean()
    kept = tuple(one for one in graph.resources if one.name != name)
    assert len(kept) == len(graph.resources) - 1
    return ResourceGraph(graph.project, graph.stacks, kept, producer="test")


def judged(rule: Rule, graph: ResourceGraph) -> list[tuple[Verdict, str, str]]:
    return [(one.verdict, one.property_path, one.message) for one in check(graph, today=TODAY, rules=[rule]).findings]


@pytest.mark.parametrize("rule", [RES006, *RULES], ids=lambda rule: rule.id)
def test_the_rule_is_kept_as_the_stack_is_made(rule: Rule) -> None:
    assert {verdict for verdict, _, _ in judged(rule, clean())} == {Verdict.OK}


@pytest.mark.parametrize("rule", [RES006, *RULES], ids=lambda rule: rule.id)
def test_the_rule_has_nothing_to_say_where_no_device_calls(rule: Rule) -> None:
    graph = run_changed("sensei-airgapped", {})
    assert {verdict for verdict, _, _ in judged(rule, graph)} == {Verdict.NOT_APPLICABLE}


BROKEN: Mapping[str, tuple[Rule, tuple[str, str, Any], str, str]] = {
    "a device of more than 1 GB": (
        EDG001,
        ("sync", "edge.modelBytes", 900_000_000),
        "edge.storageBytes",
        "= 1,110,000,000 bytes, more than the 1,000,000,000 of a device",
    ),
    "a device that says it has more than 1 GB is held to 1 GB": (
        EDG001,
        ("sync", "edge", {"modelBytes": 1_500_000_000, "storageBytes": 2_000_000_000}),
        "edge.storageBytes",
        "more than the 1,000,000,000 of a device",
    ),
    "40 days alone": (EDG001, ("sync", "edge.daysOffline", 40), "edge.daysOffline", "40 days, more than the 30"),
    "a store that does not take what all send": (
        EDG002,
        ("sync", "edge.objectStoreBytes", 100_000_000_000),
        "edge.objectStoreBytes",
        "2,000 devices x 30 days x 2,000,000 bytes a day = 120,000,000,000 bytes, more than the 100,000,000,000",
    ),
    "a listener without TLS": (
        EDG003,
        ("edge-gateway", "spec.listeners.0.protocol", "HTTP"),
        "spec.listeners[0].protocol",
        "devices may call without TLS",
    ),
    "a certificate that need not be good": (
        EDG003,
        ("edge-clients", "spec.tls.clientValidation.mode", "RequireAny"),
        "spec.tls.clientValidation.mode",
        "a device without a certificate that is good is let in",
    ),
    "a certificate that need not be shown": (
        EDG003,
        ("edge-clients", "spec.tls.clientValidation.optional", True),
        "spec.tls.clientValidation.mode",
        "a device without a certificate that is good is let in",
    ),
    "no authority": (
        EDG003,
        ("edge-clients", "spec.tls.clientValidation.caCertificateRefs", None),
        "spec.tls.clientValidation.caCertificateRefs",
        "no authority vouches for devices",
    ),
    "certificates that have ended": (
        EDG003,
        ("edge-clients", "spec.tls.clientValidation.allowExpiredCertificate", True),
        "spec.tls.clientValidation.allowExpiredCertificate",
        "certificates that have ended are let in",
    ),
    "a header that a device writes itself": (
        EDG003,
        ("edge-clients", "spec.headers.xForwardedClientCert.mode", "AppendForward"),
        "spec.headers.xForwardedClientCert.mode",
        "a device may say in x-forwarded-client-cert that it is another",
    ),
    "no limit of requests": (
        EDG004,
        ("edge-limits", "spec.rateLimit", None),
        "spec.rateLimit",
        "requests are not limited",
    ),
    "no bound of a request": (
        EDG004,
        ("edge-limits", "spec.requestBuffer", None),
        "spec.requestBuffer.limit",
        "the size of a request has no bound",
    ),
    "no bound of requests at a time": (
        EDG004,
        ("edge-limits", "spec.circuitBreaker", None),
        "spec.circuitBreaker.maxParallelRequests",
        "requests at a time have no bound",
    ),
    "a certificate that ends while a device is alone": (
        EDG005,
        ("sync", "edge.certificateDays", 20),
        "edge.certificateDays",
        "a certificate of 20 days has ended when a device comes back after 30",
    ),
    "devices abroad": (
        RES006,
        ("sync", "edge.jurisdictions", ["DE", "BR"]),
        "edge.jurisdictions[1]",
        "devices hold restricted data in BR, but it must stay in DE",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_is_a_violation(case: str) -> None:
    rule, (name, path, value), where, text = BROKEN[case]
    if path == "edge":
        (one,) = [resource for resource in clean().resources if resource.name == name]
        value = {**plain(one.inputs)["edge"], **value}
    found = [row for row in judged(rule, changed(name, path, value)) if row[0] is Verdict.VIOLATION]
    assert [row[1] for row in found] == [where]
    assert text in found[0][2]


UNTOLD: Mapping[str, tuple[Rule, tuple[str, str, Any], str, str]] = {
    "nobody measured the model": (
        EDG001,
        ("sync", "edge.modelBytes", None),
        "edge.modelBytes",
        "nobody said the bytes of model",
    ),
    "nobody knows how fast the log grows": (EDG001, ("sync", "edge.bytesPerDay", None), "edge.bytesPerDay", "changes"),
    "nobody knows what devices send": (EDG002, ("sync", "edge.bytesPerDay", None), "edge.bytesPerDay", "not known"),
    "listeners of another program's output": (
        EDG003,
        ("edge-gateway", "spec.listeners", UNKNOWN),
        "spec.listeners",
        "not known before a deployment",
    ),
    "neither a list nor how long certificates are good": (
        EDG005,
        ("sync", "edge.revocation", False),
        "edge.certificateDays",
        "could not be told",
    ),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_what_could_not_be_told_is_no_pass(case: str) -> None:
    rule, (name, path, value), where, text = UNTOLD[case]
    found = [row for row in judged(rule, changed(name, path, value)) if row[0] is not Verdict.OK]
    assert [(verdict, path) for verdict, path, _ in found] == [(Verdict.UNDETERMINED, where)]
    assert text in found[0][2]


@pytest.mark.parametrize(
    ("rule", "name"), [(EDG003, "edge-clients"), (EDG004, "edge-limits")], ids=["certificates", "limits"]
)
def test_an_entrance_without_the_policy_at_all_is_a_violation(rule: Rule, name: str) -> None:
    assert Verdict.VIOLATION in {verdict for verdict, _, _ in judged(rule, without(name))}


def test_devices_of_a_lower_class_may_go_further() -> None:
    boundaries = [
        {"data_class": "internal", "jurisdictions": ["EU"]},
        {"data_class": "restricted", "jurisdictions": ["DE"]},
    ]
    abroad = {"jurisdictions": ["DE", "FR"]}
    changes = {"services": {}, "residency.boundaries": boundaries}
    same = run_changed("sensei-airgapped", {"edge": edge(**abroad), **changes})
    lower = run_changed("sensei-airgapped", {"edge": edge(**abroad, data_class="internal"), **changes})
    assert Verdict.VIOLATION in {verdict for verdict, _, _ in judged(RES006, same)}
    assert {verdict for verdict, _, _ in judged(RES006, lower)} == {Verdict.OK}
