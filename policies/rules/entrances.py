"""How services without a cluster are called: who needs no identity, and whether all of it is TLS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.context import Context
from policies.reading import read, rows
from policies.rules import aws_services
from policies.verdict import Judgement, Rule, Severity, ok, undetermined, violation
from skerry.graph import UNKNOWN, Resource, ResourceGraph, is_known

_EVERYBODY: Final = ("allUsers", "allAuthenticatedUsers")
_INVOKERS: Final = {
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": "member",
    "gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding": "members",
    "gcp:cloudrun/iamMember:IamMember": "member",
    "gcp:cloudrun/iamBinding:IamBinding": "members",
}
_RUN: Final = "gcp:cloudrunv2/service:Service"
_APP: Final = "azure-native:app:ContainerApp"
_AUTH: Final = "azure-native:app:ContainerAppsAuthConfig"

_HTTPS_PROXIES: Final = {
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": "gcp:compute/sSLPolicy:SSLPolicy",
    "gcp:compute/regionTargetHttpsProxy:RegionTargetHttpsProxy": "gcp:compute/regionSslPolicy:RegionSslPolicy",
}
_HTTP_PROXIES: Final = (
    "gcp:compute/targetHttpProxy:TargetHttpProxy",
    "gcp:compute/regionTargetHttpProxy:RegionTargetHttpProxy",
)
_GATEWAY: Final = "azure-native:network:ApplicationGateway"
_NEW_TLS: Final = ("TLS_1_2", "TLS_1_3")
_GATEWAY_TLS: Final = ("AppGwSslPolicy20170401S", "AppGwSslPolicy20220101", "AppGwSslPolicy20220101S")
"""Azure's own policies that take TLS 1.2 and newer only.

Source: Azure "Application Gateway TLS policy overview" (not opened; check before relying on it).
"""


def _callers(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type(*_INVOKERS):
        path = _INVOKERS[resource.type]
        value = read(resource.inputs, path)
        members = value if isinstance(value, list | tuple) else [value]
        if any(one in _EVERYBODY for one in members):
            yield violation(resource, "whoever reaches the service calls it without an identity", path)
        elif is_known(value) or _made_here(graph, resource, path):
            yield ok(resource)
        else:
            yield undetermined(resource, "who may call it is not known before a deployment", path)
    asked = {graph[urn].name for one in graph.of_type(_AUTH) for urn in _app_of(graph, one)}
    for resource in graph.of_type(_RUN):
        if read(resource.inputs, "invokerIamDisabled", False) is True:
            text = "whoever reaches the service calls it without an identity"
            yield violation(resource, text, "invokerIamDisabled")
    for resource in graph.of_type(_APP):
        if read(resource.inputs, "configuration.ingress.external", False) is not True:
            continue
        if resource.name in asked:
            yield ok(resource)
        else:
            text = "whoever reaches the function calls it without an identity"
            yield violation(resource, text, "configuration.ingress")


def _made_here(graph: ResourceGraph, resource: Resource, path: str) -> bool:
    """Say whether an unknown member is an account that the program itself makes."""
    found = [graph.get(urn) for urn in resource.property_dependencies.get(path, ())]
    return bool(found) and all(one is not None and one.type == "gcp:serviceaccount/account:Account" for one in found)


def _app_of(graph: ResourceGraph, auth: Resource) -> list[str]:
    found = auth.property_dependencies.get("containerAppName", ())
    return [urn for urn in found if (one := graph.get(urn)) is not None and one.type == _APP]


def _tls(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type(*_HTTPS_PROXIES):
        yield _proxy(graph, resource)
    for resource in graph.of_type(*_HTTP_PROXIES):
        yield _plain(graph, resource)
    for resource in graph.of_type(_RUN):
        ingress = read(resource.inputs, "ingress", "INGRESS_TRAFFIC_ALL")
        if ingress is UNKNOWN:
            yield undetermined(resource, "from where it is called is not known before a deployment", "ingress")
        elif ingress == "INGRESS_TRAFFIC_ALL":
            text = "it is called from the internet past any load balancer, with TLS as old as Google takes"
            yield violation(resource, text, "ingress")
        else:
            yield ok(resource)
    for resource in graph.of_type(_APP):
        ingress = read(resource.inputs, "configuration.ingress")
        if ingress is None:
            continue
        insecure = read(resource.inputs, "configuration.ingress.allowInsecure", False)
        if insecure is True:
            yield violation(resource, "it answers without TLS", "configuration.ingress.allowInsecure")
        elif insecure is UNKNOWN or ingress is UNKNOWN:
            yield undetermined(resource, "whether it answers without TLS is not known", "configuration.ingress")
        else:
            yield ok(resource)
    for resource in graph.of_type(_GATEWAY):
        yield from _gateway(resource)
    yield from aws_services.listeners(graph)


def _proxy(graph: ResourceGraph, proxy: Resource) -> Judgement:
    """Judge a load balancer by its policy of TLS, which is Google's oldest where it names none."""
    if read(proxy.inputs, "sslPolicy") is None:
        return violation(proxy, "it names no policy of TLS, so that versions before 1.2 are taken", "sslPolicy")
    made = [graph[urn] for urn in proxy.property_dependencies.get("sslPolicy", ()) if graph.get(urn) is not None]
    policies = [one for one in made if one.type == _HTTPS_PROXIES[proxy.type]]
    if not policies:
        return undetermined(proxy, "its policy of TLS stands outside the graph", "sslPolicy")
    least = read(policies[0].inputs, "minTlsVersion", "TLS_1_0")
    if least is UNKNOWN:
        return undetermined(proxy, "its least version of TLS is not known before a deployment", "sslPolicy")
    if least in _NEW_TLS:
        return ok(proxy)
    return violation(policies[0], f"{least} is taken", "minTlsVersion")


def _plain(graph: ResourceGraph, proxy: Resource) -> Judgement:
    """Judge a load balancer without TLS: one that only sends callers to the same name with it is well."""
    maps = [graph[urn] for urn in proxy.property_dependencies.get("urlMap", ()) if graph.get(urn) is not None]
    if not maps:
        return undetermined(proxy, "where it leads stands outside the graph", "urlMap")
    if read(maps[0].inputs, "defaultUrlRedirect.httpsRedirect", False) is True and not rows(
        maps[0].inputs, "hostRules"
    ):
        return ok(proxy)
    return violation(proxy, "it answers without TLS", "urlMap")


def _gateway(gateway: Resource) -> Iterator[Judgement]:
    policy, least = (read(gateway.inputs, f"sslPolicy.{one}") for one in ("policyName", "minProtocolVersion"))
    if UNKNOWN in (policy, least):
        yield undetermined(gateway, "its policy of TLS is not known before a deployment", "sslPolicy")
    elif policy in _GATEWAY_TLS or least in ("TLSv1_2", "TLSv1_3"):
        yield ok(gateway)
    else:
        yield violation(gateway, "it takes versions of TLS before 1.2", "sslPolicy")
    listeners, rules = rows(gateway.inputs, "httpListeners"), rows(gateway.inputs, "requestRoutingRules")
    if UNKNOWN in (listeners, rules):
        yield undetermined(gateway, "its listeners are not known before a deployment", "httpListeners")
        return
    plain = {f"{one.get('name')}" for one in listeners if read(one, "protocol") == "Http"}
    for index, rule in enumerate(rules):
        if _called(rule) in plain and read(rule, "redirectConfiguration") is None:
            yield violation(gateway, "it answers without TLS", f"requestRoutingRules[{index}]")


def _called(rule: Any) -> str:
    """Return the listener that a rule is for; empty where its id is not known."""
    found = read(rule, "httpListener.id", "")
    return found.rpartition("/")[2] if isinstance(found, str) else f"{rule.get('name')}"


ACCESS: Final = (
    Rule(
        id="ACC002",
        title="who calls a service of a cloud's own runtimes has an identity",
        severity=Severity.LOW,
        rationale="a service that everybody may call is found and called by everybody; some are there for that",
        remedy="take `anonymous` away and let callers in by name; where it is meant, bound them by rate_per_second",
        controls=("CKV_GCP_102", "NIST SP 800-53 AC-3"),
        subject="services of Cloud Run and Azure Functions",
        check=_callers,
    ),
)
"""The rule of access."""

ENCRYPTION: Final = (
    Rule(
        id="ENC006",
        title="what is called from outside speaks TLS 1.2 or newer, and nothing else",
        severity=Severity.HIGH,
        rationale="what comes without it is read and changed on the way, and older versions can be broken",
        remedy="let the load balancer alone be called, name a policy with TLS 1.2, and redirect port 80",
        controls=("CKV_GCP_4", "CKV_AZURE_218", "NIST SP 800-53 SC-8"),
        subject="load balancers and services that are called from outside",
        check=_tls,
    ),
)
"""The rule of encryption."""
