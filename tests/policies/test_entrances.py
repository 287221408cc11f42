"""Services of a cloud's own runtimes: who needs no identity, and whether all of it is TLS."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules.entrances import ACCESS, ENCRYPTION
from skerry.graph import UNKNOWN
from tests.simulators.policy_graphs import Build, Builder, run, told

(ACC002,), (ENC006,) = ACCESS, ENCRYPTION
Told = list[tuple[str, str, str]]
MEMBER, RUN = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "gcp:cloudrunv2/service:Service"
APP, AUTH = "azure-native:app:ContainerApp", "azure-native:app:ContainerAppsAuthConfig"
PROXY, POLICY = "gcp:compute/targetHttpsProxy:TargetHttpsProxy", "gcp:compute/sSLPolicy:SSLPolicy"
PLAIN, ROUTES = "gcp:compute/targetHttpProxy:TargetHttpProxy", "gcp:compute/uRLMap:URLMap"
GATEWAY = "azure-native:network:ApplicationGateway"
ANYBODY = "whoever reaches the service calls it without an identity"


def one(kind: str, inputs: dict[str, Any]) -> Build:
    def build(b: Builder) -> None:
        b.add(kind, "it", inputs)

    return build


def account(kind: str) -> Build:
    def build(b: Builder) -> None:
        made = b.add(kind, "account", {})
        b.add(MEMBER, "it", {"member": UNKNOWN}, property_dependencies={"member": (made,)})

    return build


def asked(*, guarded: bool) -> Build:
    def build(b: Builder) -> None:
        app = b.add(APP, "app", {"configuration": {"ingress": {"external": True}}})
        if guarded:
            b.add(AUTH, "auth", {"containerAppName": UNKNOWN}, property_dependencies={"containerAppName": (app,)})

    return build


CALLERS: dict[str, tuple[Build, Told]] = {
    "everybody": (one(MEMBER, {"member": "allUsers"}), [("violation", "it", ANYBODY)]),
    "everybody with an account of Google's": (
        one(MEMBER, {"member": "allAuthenticatedUsers"}), [("violation", "it", ANYBODY)]
    ),
    "one account": (one(MEMBER, {"member": "serviceAccount:a@b.iam.gserviceaccount.com"}), [("ok", "it", "")]),
    "an account of the program's own": (account("gcp:serviceaccount/account:Account"), [("ok", "it", "")]),
    "something else that is not known": (
        account("other:index:Thing"),
        [("undetermined", "it", "who may call it is not known before a deployment")],
    ),
    "no check at all": (
        one(RUN, {"invokerIamDisabled": True}), [("violation", "it", ANYBODY)]
    ),
    "a function for everybody": (
        asked(guarded=False), [("violation", "app", "whoever reaches the function calls it without an identity")]
    ),
    "a function that asks": (asked(guarded=True), [("ok", "app", "")]),
    "nothing": (lambda b: None, [("not-applicable", "", "no services of Cloud Run and Azure Functions in the graph")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLERS)
def test_who_calls_has_an_identity(case: str) -> None:
    build, expected = CALLERS[case]
    assert expected == told(run(build, ACC002))


def proxy(policy: dict[str, Any] | None) -> Build:
    def build(b: Builder) -> None:
        if policy is None:
            b.add(PROXY, "proxy", {})
            return
        made = b.add(POLICY, "tls", policy)
        b.add(PROXY, "proxy", {"sslPolicy": UNKNOWN}, property_dependencies={"sslPolicy": (made,)})

    return build


def plain(routes: dict[str, Any]) -> Build:
    def build(b: Builder) -> None:
        made = b.add(ROUTES, "routes", routes)
        b.add(PLAIN, "proxy", {"urlMap": UNKNOWN}, property_dependencies={"urlMap": (made,)})

    return build


def gateway(policy: str, *, redirected: bool) -> dict[str, Any]:
    rule: dict[str, Any] = {"name": "plain", "httpListener": {"id": ".../httpListeners/plain"}}
    if redirected:
        rule["redirectConfiguration"] = {"id": ".../redirectConfigurations/it"}
    return {
        "sslPolicy": {"policyName": policy},
        "httpListeners": [{"name": "plain", "protocol": "Http"}],
        "requestRoutingRules": [rule],
    }


OLD = "it names no policy of TLS, so that versions before 1.2 are taken"
TLS: dict[str, tuple[Build, Told]] = {
    "a load balancer with TLS 1.2": (proxy({"minTlsVersion": "TLS_1_2"}), [("ok", "proxy", "")]),
    "one with TLS 1.0": (proxy({"minTlsVersion": "TLS_1_0"}), [("violation", "tls", "TLS_1_0 is taken")]),
    "one that says nothing": (proxy({}), [("violation", "tls", "TLS_1_0 is taken")]),
    "one without a policy": (proxy(None), [("violation", "proxy", OLD)]),
    "one without TLS that only redirects": (
        plain({"defaultUrlRedirect": {"httpsRedirect": True}}), [("ok", "proxy", "")]
    ),
    "one without TLS": (plain({}), [("violation", "proxy", "it answers without TLS")]),
    "a service past every load balancer": (
        one(RUN, {}),
        [("violation", "it", "it is called from the internet past any load balancer, with TLS as old as Google takes")],
    ),
    "a service behind one": (one(RUN, {"ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}), [("ok", "it", "")]),
    "a function that answers without": (
        one(APP, {"configuration": {"ingress": {"allowInsecure": True}}}),
        [("violation", "it", "it answers without TLS")],
    ),
    "a gateway": (one(GATEWAY, gateway("AppGwSslPolicy20220101", redirected=True)), [("ok", "it", "")]),
    "an old one": (
        one(GATEWAY, gateway("AppGwSslPolicy20150501", redirected=True)),
        [("violation", "it", "it takes versions of TLS before 1.2")],
    ),
    "one that answers without": (
        one(GATEWAY, gateway("AppGwSslPolicy20220101", redirected=False)),
        [("ok", "it", ""), ("violation", "it", "it answers without TLS")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TLS)
def test_what_is_called_from_outside_speaks_tls(case: str) -> None:
    build, expected = TLS[case]
    assert sorted(expected) == sorted(told(run(build, ENC006)))
