from __future__ import annotations

from typing import Any

import pytest

from policies.rules.network import RULES
from skerry.facts import EndpointFact, ImageFact, Tier
from skerry.graph import UNKNOWN
from tests.simulators.policy_graphs import DIGEST, Build, Builder, run, told

NET001, NET002, NET003, NET004, NET005, NET006, NET007 = RULES
Told = list[tuple[str, str, str]]
OFF = {"kind": "onprem", "connected": False, "region": "", "site_registry": "registry.site:5000"}
CONNECTED: Told = [("not-applicable", "", "the target is connected")]
FOREIGN: Told = [
    ("not-applicable", "", "the graph names no deployment, so nobody says that the target is disconnected")
]


def off(kind: str, inputs: dict[str, Any] | None = None) -> Build:
    return lambda b: b.add(kind, "it", inputs, parent=b.deployment(OFF))


def policy(egress: Any) -> Build:
    return off("kubernetes:networking.k8s.io/v1:NetworkPolicy", {"spec": {"egress": egress}})


WAYS_OUT: dict[str, tuple[Build, Told]] = {
    "an internet gateway": (
        off("aws:ec2/internetGateway:InternetGateway"),
        [("violation", "it", "it is a way to the internet, but the target is disconnected")],
    ),
    "a default route": (
        off("aws:ec2/route:Route", {"destinationCidrBlock": "0.0.0.0/0"}),
        [("violation", "it", "it routes 0.0.0.0/0, but the target is disconnected")],
    ),
    "a route inside": (off("aws:ec2/route:Route", {"destinationCidrBlock": "10.0.0.0/8"}), [("ok", "it", "")]),
    "an unknown route": (
        off("aws:ec2/route:Route", {"destinationCidrBlock": UNKNOWN}),
        [("undetermined", "it", "a route's destination is not known before a deployment")],
    ),
    "unknown routes": (
        off("aws:ec2/routeTable:RouteTable", {"routes": UNKNOWN}),
        [("undetermined", "it", "its routes are not known before a deployment")],
    ),
    "a policy that lets everything out": (
        policy([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]),
        [("violation", "it", "it lets pods reach 0.0.0.0/0, but the target is disconnected")],
    ),
    "a policy that lets pods reach the site": (
        policy([{"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]}]),
        [("ok", "it", "")],
    ),
    "a policy that is not known": (
        policy(UNKNOWN),
        [("undetermined", "it", "its egress rules are not known before a deployment")],
    ),
    "a connected target": (
        lambda b: b.add("aws:ec2/internetGateway:InternetGateway", "it", parent=b.deployment()),
        CONNECTED,
    ),
    "a foreign program": (lambda b: b.add("aws:ec2/internetGateway:InternetGateway", "it"), FOREIGN),
    "nothing that could leave": (
        lambda b: b.deployment(OFF),
        [("not-applicable", "", "no gateways, routes and network policies in the graph")],
    ),
}


@pytest.mark.parametrize("case", WAYS_OUT)
def test_net001_no_way_out(case: str) -> None:
    build, expected = WAYS_OUT[case]
    assert expected == told(run(build, NET001))


def endpoint(scope: str, direction: str = "egress") -> EndpointFact:
    return EndpointFact(
        name="api", host="api.example", port=443, protocol="https", direction=direction, scope=scope, why="prompts"
    )


FILE_STATE = {"state_backend": "file:///srv/state"}
OUTSIDE: dict[str, tuple[Build, Told]] = {
    "nothing outside": (
        lambda b: b.component("c", b.deployment(OFF, **FILE_STATE), endpoints=(endpoint("site"),)),
        [("ok", "platform", ""), ("ok", "c", "")],
    ),
    "a service of its vendor": (
        lambda b: b.component("c", b.deployment(OFF, **FILE_STATE), vendor_hosted="pinecone"),
        [
            ("ok", "platform", ""),
            ("violation", "c", "pinecone is hosted by its vendor, but the target is disconnected"),
        ],
    ),
    "a call to the internet": (
        lambda b: b.component("c", b.deployment(OFF, **FILE_STATE), endpoints=(endpoint("internet"),)),
        [
            ("ok", "platform", ""),
            ("violation", "c", "it calls api.example:443 on the internet, but the target is disconnected"),
        ],
    ),
    "an offer to the internet": (
        lambda b: b.component("c", b.deployment(OFF, **FILE_STATE), endpoints=(endpoint("internet", "ingress"),)),
        [
            ("ok", "platform", ""),
            ("violation", "c", "it offers api.example:443 on the internet, but the target is disconnected"),
        ],
    ),
    "a hosted state backend": (
        lambda b: b.deployment(OFF, state_backend="https://api.pulumi.com"),
        [
            (
                "violation",
                "platform",
                "the state backend https://api.pulumi.com is on the internet, but the target is disconnected",
            )
        ],
    ),
    "a connected target": (lambda b: b.component("c", b.deployment(), vendor_hosted="pinecone"), CONNECTED),
    "a foreign program": (lambda b: None, FOREIGN),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_net002_nothing_outside(case: str) -> None:
    build, expected = OUTSIDE[case]
    assert expected == told(run(build, NET002))


def pod(image: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"image": image}]}}}}


DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def image_fact(deployed_as: str, **more: Any) -> ImageFact:
    return ImageFact(
        name="web", reference="docker.io/library/web:1", digest=None, deployed_as=deployed_as, why="serves", **more
    )


SITE: dict[str, tuple[Build, Told]] = {
    "from the site": (off(DEPLOYMENT, pod("registry.site:5000/docker.io/library/web:1")), [("ok", "it", "")]),
    "from elsewhere": (
        off(DEPLOYMENT, pod("docker.io/library/web:1")),
        [("violation", "it", "image docker.io/library/web:1 does not come from the site registry registry.site:5000")],
    ),
    "short names are of docker.io": (
        off(DEPLOYMENT, pod("web:1")),
        [("violation", "it", "image web:1 does not come from the site registry registry.site:5000")],
    ),
    "an unknown reference": (
        off(DEPLOYMENT, pod(UNKNOWN)),
        [("undetermined", "it", "an image reference is not known before a deployment")],
    ),
    "unknown containers": (
        off(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": UNKNOWN}}}}),
        [("undetermined", "it", "an image reference is not known before a deployment")],
    ),
    "an image inside a custom resource": (
        off("kubernetes:postgresql.cnpg.io/v1:Cluster", {"spec": {"imageName": "ghcr.io/pg:17"}}),
        [("violation", "it", "image ghcr.io/pg:17 does not come from the site registry registry.site:5000")],
    ),
    "a declared image": (
        lambda b: b.component("op", b.deployment(OFF), images=(image_fact("docker.io/library/web:1", declared=True),)),
        [("violation", "op", "image docker.io/library/web:1 does not come from the site registry registry.site:5000")],
    ),
    "a mirror": (
        lambda b: b.add(DEPLOYMENT, "it", pod("web:1"), parent=b.deployment({**OFF, "image_access": "mirror"})),
        [
            (
                "not-applicable",
                "",
                "image_access is mirror: references stay, and the nodes ask the site registry",
            )
        ],
    ),
    "no site registry": (
        lambda b: b.add(DEPLOYMENT, "it", pod("web:1"), parent=b.deployment()),
        [("not-applicable", "", "no deployment of the graph names a site registry")],
    ),
}


@pytest.mark.parametrize("case", SITE)
def test_net003_images_come_from_the_site(case: str) -> None:
    build, expected = SITE[case]
    assert expected == told(run(build, NET003))


GROUP = "aws:ec2/securityGroup:SecurityGroup"


def ingress(start: int, end: int, source: Any = "0.0.0.0/0") -> dict[str, Any]:
    return {"ingress": [{"fromPort": start, "toPort": end, "cidrBlocks": [source]}]}


OPEN: dict[str, tuple[Build, Told]] = {
    "ssh for the world": (
        lambda b: b.add(GROUP, "sg", ingress(22, 22)),
        [("violation", "sg", "the whole world may enter at port 22")],
    ),
    "a range for the world": (
        lambda b: b.add(GROUP, "sg", ingress(0, 65535)),
        [("violation", "sg", "the whole world may enter at ports 0 to 65535")],
    ),
    "https of an internet-facing component": (
        lambda b: b.add(GROUP, "sg", ingress(443, 443), parent=b.component("gateway", internet_facing=True)),
        [("ok", "sg", "")],
    ),
    "https of another": (
        lambda b: b.add(GROUP, "sg", ingress(443, 443), parent=b.component("store")),
        [("violation", "sg", "the whole world may enter at port 443")],
    ),
    "a rule by itself": (
        lambda b: b.add(
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            "rule",
            {"cidrIpv6": "::/0", "fromPort": 5432, "toPort": 5432},
        ),
        [("violation", "rule", "the whole world may enter at port 5432")],
    ),
    "an old rule": (
        lambda b: b.add(
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            "rule",
            {"type": "ingress", "cidrBlocks": ["0.0.0.0/0"], "fromPort": 22, "toPort": 22},
        ),
        [("violation", "rule", "the whole world may enter at port 22")],
    ),
    "from inside": (lambda b: b.add(GROUP, "sg", ingress(22, 22, "10.0.0.0/8")), [("ok", "sg", "")]),
    "from nobody knows where": (
        lambda b: b.add(GROUP, "sg", ingress(22, 22, UNKNOWN)),
        [("undetermined", "sg", "the addresses that may enter are not known before a deployment")],
    ),
    "unknown rules": (
        lambda b: b.add(GROUP, "sg", {"ingress": UNKNOWN}),
        [("undetermined", "sg", "its ingress rules are not known before a deployment")],
    ),
    "no group": (lambda b: None, [("not-applicable", "", "no security groups and firewall rules in the graph")]),
}


@pytest.mark.parametrize("case", OPEN)
def test_net004_the_world_stays_out(case: str) -> None:
    build, expected = OPEN[case]
    assert expected == told(run(build, NET004))


def meta(kind: str, inputs: dict[str, Any] | None = None, tier: Tier = Tier.META) -> Build:
    return lambda b: b.add(kind, "it", inputs, parent=b.component("store", tier=tier))


SERVICE = "kubernetes:core/v1:Service"
INTERNAL = {"service.beta.kubernetes.io/aws-load-balancer-internal": "true"}
META: dict[str, tuple[Build, Told]] = {
    "a cluster service": (meta(SERVICE, {"spec": {}}), [("ok", "store", ""), ("ok", "it", "")]),
    "a load balancer": (
        meta(SERVICE, {"spec": {"type": "LoadBalancer"}}),
        [
            ("ok", "store", ""),
            ("violation", "it", "the LoadBalancer service opens the meta tier, which is internal only"),
        ],
    ),
    "an internal load balancer": (
        meta(SERVICE, {"metadata": {"annotations": INTERNAL}, "spec": {"type": "LoadBalancer"}}),
        [("ok", "store", ""), ("ok", "it", "")],
    ),
    "a load balancer with unknown annotations": (
        meta(SERVICE, {"metadata": {"annotations": UNKNOWN}, "spec": {"type": "LoadBalancer"}}),
        [("ok", "store", ""), ("undetermined", "it", "its annotations are not known before a deployment")],
    ),
    "a service of unknown type": (
        meta(SERVICE, {"spec": {"type": UNKNOWN}}),
        [("ok", "store", ""), ("undetermined", "it", "the type of the service is not known before a deployment")],
    ),
    "an ingress": (
        meta("kubernetes:networking.k8s.io/v1:Ingress"),
        [("ok", "store", ""), ("violation", "it", "the Ingress opens the meta tier, which is internal only")],
    ),
    "an open load balancer of AWS": (
        meta("aws:lb/loadBalancer:LoadBalancer", {"internal": False}),
        [
            ("ok", "store", ""),
            ("violation", "it", "it is a load balancer of the meta tier that is not internal"),
        ],
    ),
    "a component that faces the internet": (
        lambda b: b.component("store", tier=Tier.META, internet_facing=True),
        [("violation", "store", "it faces the internet, but the meta tier is internal only")],
    ),
    "another tier": (
        meta(SERVICE, {"spec": {"type": "LoadBalancer"}}, Tier.COGNITIVE),
        [("not-applicable", "", "no resources of the meta tier in the graph")],
    ),
}


@pytest.mark.parametrize("case", META)
def test_net005_the_meta_tier_is_internal(case: str) -> None:
    build, expected = META[case]
    assert expected == told(run(build, NET005))


RDS = "aws:rds/instance:Instance"
PUBLIC: dict[str, tuple[Build, Told]] = {
    "inside": (lambda b: b.add(RDS, "db", {"publiclyAccessible": False}), [("ok", "db", "")]),
    "left out, which is inside": (lambda b: b.add(RDS, "db"), [("ok", "db", "")]),
    "public": (
        lambda b: b.add(RDS, "db", {"publiclyAccessible": True}),
        [("violation", "db", "the database has a public address")],
    ),
    "unknown": (
        lambda b: b.add(RDS, "db", {"publiclyAccessible": UNKNOWN}),
        [("undetermined", "db", "its input publiclyAccessible is not known before a deployment")],
    ),
    "no database": (lambda b: None, [("not-applicable", "", "no managed databases in the graph")]),
}


@pytest.mark.parametrize("case", PUBLIC)
def test_net006_no_database_is_public(case: str) -> None:
    build, expected = PUBLIC[case]
    assert expected == told(run(build, NET006))


NAMESPACE = "kubernetes:core/v1:Namespace"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def guarded(spec: Any, namespace: Any = "meta", **options: Any) -> Build:
    def build(b: Builder) -> None:
        b.add(NAMESPACE, "ns", {"metadata": {"name": "meta"}})
        b.add(NETWORK_POLICY, "deny", {"metadata": {"namespace": namespace}, "spec": spec}, **options)

    return build


def by_output(b: Builder) -> None:
    namespace = b.add(NAMESPACE, "ns", {"metadata": {"labels": {}}})
    inputs = {"metadata": {"namespace": UNKNOWN}, "spec": DENY}
    b.add(NETWORK_POLICY, "deny", inputs, property_dependencies={"metadata": (namespace,)})


OPEN_NAMESPACE: Told = [("violation", "ns", "no NetworkPolicy denies ingress to its pods by default")]
UNSURE: Told = [("undetermined", "ns", "a NetworkPolicy whose namespace or rules are not known may cover it")]
DENIALS: dict[str, tuple[Build, Told]] = {
    "denied": (guarded(DENY), [("ok", "ns", "")]),
    "denied by the namespace's own output": (by_output, [("ok", "ns", "")]),
    "only some pods": (guarded({**DENY, "podSelector": {"matchLabels": {"a": "b"}}}), OPEN_NAMESPACE),
    "only egress": (guarded({**DENY, "policyTypes": ["Egress"]}), OPEN_NAMESPACE),
    "something may enter": (guarded({**DENY, "ingress": [{"from": []}]}), OPEN_NAMESPACE),
    "another namespace": (guarded(DENY, "other"), OPEN_NAMESPACE),
    "a namespace that is not known": (guarded(DENY, UNKNOWN), UNSURE),
    "rules that are not known": (guarded({**DENY, "ingress": UNKNOWN}), UNSURE),
    "no namespace": (lambda b: None, [("not-applicable", "", "no namespaces in the graph")]),
}


@pytest.mark.parametrize("case", DENIALS)
def test_net007_namespaces_deny_by_default(case: str) -> None:
    build, expected = DENIALS[case]
    assert expected == told(run(build, NET007))


def test_a_digest_does_not_make_a_foreign_image_local() -> None:
    report = run(off(DEPLOYMENT, pod(f"docker.io/library/web@{DIGEST}")), NET003)
    assert told(report)[0][0] == "violation"
