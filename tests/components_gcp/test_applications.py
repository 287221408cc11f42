"""Services on Cloud Run: put there by configuration alone, closed but for what they name, each with its own account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from components.gcp.run_stores import machine_of
from skerry.config.application import DatabaseSpec
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, ResourceGraph, Secret, walk
from tests.simulators.provider_graphs import refusals
from tests.simulators.replacements import unanswered
from tests.simulators.serverless_stacks import SECRETS, inputs_of, serverless
from tests.simulators.stack_objects import inputs

RUN, POOL = "gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/workerPool:WorkerPool"
INVOKER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"


@cache
def graph() -> ResourceGraph:
    return serverless("gcp")


def service(name: str = "api", made: ResourceGraph | None = None) -> dict[str, Any]:
    return inputs_of(made or graph(), RUN, f"applications-{name}-service")


def container(name: str = "api") -> dict[str, Any]:
    (found,) = service(name)["template"]["containers"]
    return dict(found)


def names(kind: str, made: ResourceGraph | None = None) -> list[str]:
    return sorted(r.name for r in (made or graph()).resources if r.type == kind)


def test_the_provider_and_googles_own_documents_take_every_input() -> None:
    assert refusals(graph()) == []


def test_every_value_of_a_store_has_an_answer_to_what_a_change_of_it_does() -> None:
    kept = [r for r in graph().resources if r.custom and (r.protect or r.retain_on_delete)]
    assert {r.type for r in kept} == {
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:kms/keyRing:KeyRing",
        "gcp:redis/instance:Instance",
        "gcp:sql/databaseInstance:DatabaseInstance",
        "gcp:storage/bucket:Bucket",
    }
    assert [f"{r.type} {path}" for r in kept for path in unanswered(r.type, r.inputs)] == []


def test_a_service_is_what_its_configuration_says() -> None:
    found = service()
    template = found["template"]
    assert (found["name"], found["location"]) == ("api", "us-central1")
    assert template["scaling"] == {"minInstanceCount": 1, "maxInstanceCount": 7}
    assert (template["maxInstanceRequestConcurrency"], template["timeout"]) == (40, "120s")
    limits = container()["resources"]
    assert limits["limits"] == {"cpu": "1000m", "memory": "2048Mi"}
    assert container()["ports"] == {"containerPort": 9000}
    assert container()["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": 9000}
    assert container()["startupProbe"]["httpGet"] == {"path": "/healthz", "port": 9000}


def test_who_needs_no_port_is_a_worker_pool_of_a_fixed_number() -> None:
    found = inputs_of(graph(), POOL, "applications-worker-workers")
    assert found["scaling"] == {"scalingMode": "MANUAL", "manualInstanceCount": 2}
    assert names(RUN) == ["applications-api-service", "applications-inside-service"]


INGRESS = {
    "public": ("api", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", True),
    "internal": ("inside", "INGRESS_TRAFFIC_INTERNAL_ONLY", False),
}


@pytest.mark.parametrize("exposure", INGRESS)
def test_nobody_comes_past_the_load_balancer(exposure: str) -> None:
    name, ingress, closed = INGRESS[exposure]
    assert (service(name)["ingress"], service(name)["defaultUriDisabled"]) == (ingress, closed)


def test_only_who_is_told_so_is_called_without_an_identity() -> None:
    everybody = [r.name for r in graph().resources if r.type == INVOKER and r.inputs.get("member") == "allUsers"]
    assert everybody == []
    asked = serverless("gcp", {"applications.services.api.anonymous": True})
    open_to_all = [r.name for r in asked.resources if r.type == INVOKER and r.inputs.get("member") == "allUsers"]
    assert open_to_all == ["applications-api-called-by-everybody"]


def test_services_of_the_deployment_may_call_each_other_and_nobody_calls_itself() -> None:
    assert names(INVOKER) == [
        "applications-api-called-by-inside",
        "applications-api-called-by-worker",
        "applications-inside-called-by-api",
        "applications-inside-called-by-worker",
    ]


def rights(name: str) -> dict[str, str]:
    """Return what a service's own account may do: name of the grant -> role."""
    return {
        r.name.removeprefix(f"applications-{name}-"): inputs(r)["role"]
        for r in graph().resources
        if r.name.startswith(f"applications-{name}-") and "role" in r.inputs and r.type != INVOKER
    }


def test_an_account_has_rights_on_single_things_only() -> None:
    assert rights("api") == {
        "reads-api-key": "roles/secretmanager.secretAccessor",
        "reads-cache-password": "roles/secretmanager.secretAccessor",
        "reads-database-password": "roles/secretmanager.secretAccessor",
        "objects": "roles/storage.objectViewer",
        "puts-in": "roles/pubsub.publisher",
    }
    assert rights("worker") == {"takes-out": "roles/pubsub.subscriber"}
    assert [r.name for r in graph().resources if r.type == "gcp:projects/iAMMember:IAMMember"] == []


def test_variables_are_plain_filled_in_or_references_to_secrets() -> None:
    found = {row["name"]: row for row in container()["envs"]}
    assert found["PLAIN"]["value"] == "as-it-is"
    assert {name for name, row in found.items() if "valueSource" in row} == {"PGPASSWORD", "CACHE_PASSWORD", "API_KEY"}
    assert found["DATABASE"]["value"] is UNKNOWN, "the address of the database is Google's to say"
    reference = found["PGPASSWORD"]["valueSource"]["secretKeyRef"]
    assert reference["secret"] == "apps-gcp-database-password"


def test_no_secret_stands_anywhere_but_in_its_own_place() -> None:
    for resource in graph().resources:
        for path, value in walk(resource.inputs):
            if not isinstance(value, Secret):
                assert value not in SECRETS.values(), f"{resource.name} {path}"


def test_a_service_calls_google_its_stores_and_the_hosts_that_it_names() -> None:
    rules = {r.name.removeprefix("applications-network-calls-"): inputs(r) for r in graph().resources if r.type == RULE}
    assert list(rules) == ["google", "inside", "stores", "hosts", "rest"]
    assert rules["hosts"]["match"]["destFqdns"] == ["api.vendor.example"]
    assert rules["stores"]["match"]["destIpRanges"] == ["10.40.64.0/18"]
    assert rules["stores"]["match"]["layer4Configs"] == [{"ipProtocol": "tcp", "ports": ["5432", "6378"]}]
    last = rules["rest"]
    assert (last["action"], last["match"]["destIpRanges"]) == ("deny", ["0.0.0.0/0"])
    assert all(rule["priority"] < last["priority"] for name, rule in rules.items() if name != "rest")
    assert service()["template"]["vpcAccess"]["egress"] == "ALL_TRAFFIC"


def test_without_a_host_to_call_there_is_no_way_out() -> None:
    closed = serverless("gcp", {"applications.services.api.definition.egress": []})
    assert names("gcp:compute/routerNat:RouterNat", closed) == []
    assert "applications-network-calls-hosts" not in names(RULE, closed)


def armor(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    made = serverless("gcp", changes)
    kind = "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy"
    found = [inputs(r) for r in made.resources if r.type == kind]
    return list(found[0]["rules"]) if found else []


def test_callers_from_the_internet_are_bounded_each_by_itself() -> None:
    first, last = armor({})
    assert (first["action"], first["match"]["config"]["srcIpRanges"]) == ("throttle", ["203.0.113.0/24"])
    assert first["rateLimitOptions"]["rateLimitThreshold"] == {"count": 3000, "intervalSec": 60}
    assert (first["rateLimitOptions"]["enforceOnKey"], last["action"]) == ("IP", "deny(403)")
    many = {"applications.services.api.allow_cidrs": [f"203.0.113.{n}/32" for n in range(12)]}
    assert [len(row["match"]["config"]["srcIpRanges"]) for row in armor(many)] == [10, 2, 1]
    open_to_all = {"applications.services.api.allow_cidrs": []}
    assert [row["action"] for row in armor(open_to_all)] == ["throttle", "allow"]
    nothing = {**open_to_all, "applications.services.api.rate_per_second": None}
    assert armor(nothing) == []


SCHEMES = {"public": "EXTERNAL_MANAGED", "internal": "INTERNAL_MANAGED"}
HOSTS = {"public": ("api", "api.vendor.example"), "internal": ("inside", "inside.vendor.example")}


@pytest.mark.parametrize("exposure", SCHEMES)
def test_a_name_leads_by_tls_to_its_service_and_never_leaves_the_region(exposure: str) -> None:
    (name, host), base = HOSTS[exposure], f"applications-{exposure}"
    tls = inputs_of(graph(), "gcp:compute/regionSslPolicy:RegionSslPolicy", f"{base}-tls")
    assert (tls["minTlsVersion"], tls["region"]) == ("TLS_1_2", "us-central1")
    certificate = inputs_of(graph(), "gcp:certificatemanager/certificate:Certificate", f"{base}-names")
    assert (certificate["managed"]["domains"], certificate["location"]) == ([host], "us-central1")
    record = inputs_of(graph(), "gcp:dns/recordSet:RecordSet", f"{base}-{name}")
    assert (record["managedZone"], record["name"], record["type"]) == ("names", f"{host}.", "A")
    rule = inputs_of(graph(), "gcp:compute/forwardingRule:ForwardingRule", f"{base}-tls")
    assert (rule["loadBalancingScheme"], rule["portRange"]) == (SCHEMES[exposure], "443")
    assert service(name)["customAudiences"] == [f"https://{host}"]
    assert names("gcp:compute/globalForwardingRule:GlobalForwardingRule") == []


def test_who_comes_without_tls_is_sent_there_and_nowhere_else() -> None:
    routes = inputs_of(graph(), "gcp:compute/regionUrlMap:RegionUrlMap", "applications-public-to-tls")
    assert routes["defaultUrlRedirect"]["httpsRedirect"] is True and "hostRules" not in routes
    rule = inputs_of(graph(), "gcp:compute/forwardingRule:ForwardingRule", "applications-public-to-tls")
    assert rule["portRange"] == "80"
    assert names("gcp:compute/regionTargetHttpProxy:RegionTargetHttpProxy") == ["applications-public-to-tls"]


def test_a_certificate_that_exists_is_taken() -> None:
    own = "projects/p/locations/us-central1/certificates/own"
    made = serverless("gcp", {"applications.site": {"certificate": own}})
    proxy = "gcp:compute/regionTargetHttpsProxy:RegionTargetHttpsProxy"
    assert inputs_of(made, proxy, "applications-public-tls")["certificateManagerCertificates"] == [own]
    assert names("gcp:certificatemanager/certificate:Certificate", made) == []


def test_jobs_stay_in_the_region_and_what_fails_is_set_aside() -> None:
    jobs = inputs_of(graph(), "gcp:pubsub/subscription:Subscription", "applications-queue-jobs")
    assert (jobs["ackDeadlineSeconds"], jobs["deadLetterPolicy"]["maxDeliveryAttempts"]) == (600, 5)
    assert jobs["messageRetentionDuration"] == f"{4 * 86400}s"
    topic = inputs_of(graph(), "gcp:pubsub/topic:Topic", "applications-queue-jobs")
    assert topic["messageStoragePolicy"]["allowedPersistenceRegions"] == ["us-central1"]
    assert "kmsKeyName" in topic


def test_the_database_is_private_over_zones_and_backed_up() -> None:
    settings = inputs_of(graph(), "gcp:sql/databaseInstance:DatabaseInstance", "applications-postgres-instance")[
        "settings"
    ]
    assert (settings["availabilityType"], settings["tier"], settings["diskSize"]) == (
        "REGIONAL",
        "db-custom-2-4096",
        100,
    )
    assert settings["ipConfiguration"]["ipv4Enabled"] is False
    assert settings["backupConfiguration"]["backupRetentionSettings"]["retainedBackups"] == 7


MACHINES = {
    "as the analysis has it": (2, 4, "db-custom-2-4096"),
    "the least memory": (1, 1, "db-custom-1-3840"),
    "an odd number of CPUs": (3, 8, "db-custom-4-8192"),
    "more memory than so many CPUs can have": (2, 32, "db-custom-6-32768"),
}


@pytest.mark.parametrize("case", MACHINES)
def test_a_database_has_the_smallest_machine_that_fits(case: str) -> None:
    vcpu, gib, expected = MACHINES[case]
    assert machine_of(DatabaseSpec(vcpu=vcpu, memory_gib=gib)) == expected


def test_readers_are_told_of_images_bounds_and_who_calls() -> None:
    (api,) = [r for r in graph().resources if r.name == "applications-api" and not r.custom]
    facts = facts_of(api)
    assert facts is not None and facts.scaling is not None
    assert (facts.scaling.minimum, facts.scaling.maximum, facts.scaling.autoscaler) == (1, 7, "cloud-run")
    assert [image.reference for image in facts.images] == ["us-central1-docker.pkg.dev/skerry-example/apps/api:1.0.0"]
    assert {(one.host, one.direction) for one in facts.endpoints} == {
        ("api.vendor.example", "egress"),
        ("api.vendor.example", "ingress"),
    }
    assert facts.internet_facing


def test_two_runs_give_the_same() -> None:
    first, second = (
        [(r.urn, json.dumps(inputs(r), default=str)) for r in serverless("gcp").resources] for _ in range(2)
    )
    assert first == second
