"""The base stack on Google Cloud: private, under one key, each right named, each pool with what makes it grow."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from typing import Any

import pytest

from components.gcp.nodes import ACCELERATORS, HYPERDISK_ONLY, family_of
from skerry.errors import CatalogError
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, ResourceGraph, Secret
from skerry.instances import instance_types
from tests.simulators.moved_stacks import NUMBER, base, gcp_base, of_type, one
from tests.simulators.provider_gcp_values import document
from tests.simulators.provider_graphs import refusals
from tests.simulators.replacements import Effect, effect
from tests.simulators.stack_objects import inputs

CLUSTER, POOL = "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"
SQL, REDIS, BUCKET = (
    "gcp:sql/databaseInstance:DatabaseInstance", "gcp:redis/instance:Instance", "gcp:storage/bucket:Bucket",
)  # fmt: skip


def pools(graph: ResourceGraph | None = None) -> dict[str, dict[str, Any]]:
    return {r.name.rsplit("-", 1)[-1]: inputs(r) for r in of_type(POOL, graph)}


def enum(name: str, schema: str, field: str) -> list[str]:
    found = document(name)
    assert found is not None
    return list(found[schema]["properties"][field]["enum"])


EVERYTHING: dict[str, Any] = {
    "execution.pool.purchase": "spot",
    "execution.interruptible": True,
    "target.gcp.encrypt_pods": True,
    "target.gcp.gpu_zones": ["us-central1-a", "us-central1-c"],
    "target.gcp.gpu_reservation": "llm",
    "target.gcp.gpu_driver": "latest",
    "target.gcp.release_channel": "stable",
    "target.gcp.administrators": ["group:platform@example.com", "serviceAccount:runner@p.iam.gserviceaccount.com"],
    "target.gcp.api_cidrs": ["10.99.0.0/24"],
    "production": True,
    "channels.pubsub_replicas": 1,
}


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["as shipped", "with every option"])
def test_the_provider_and_googles_own_documents_take_every_input(changes: Mapping[str, Any]) -> None:
    assert refusals(gcp_base(changes)) == []


@pytest.mark.parametrize("metrics", [False, True])
def test_figures_of_gpus_are_googles_own(metrics: bool) -> None:
    graph = gcp_base({"gpu": {"metrics": metrics, "metrics_readers": ["sensei-monitoring"] if metrics else []}})
    (cluster,) = of_type(CLUSTER, graph)
    monitoring = inputs(cluster)["monitoringConfig"]
    assert metrics == ("DCGM" in monitoring["enableComponents"])
    assert {"enabled": metrics} == monitoring["managedPrometheus"]


def test_values_that_no_document_lists_as_constraints_are_of_their_enumerations() -> None:
    cluster = one(CLUSTER)
    assert cluster["databaseEncryption"]["state"] in enum("container.v1", "DatabaseEncryption", "state")
    assert cluster["datapathProvider"] in enum("container.v1", "NetworkConfig", "datapathProvider")
    encryption = enum("container.v1", "NetworkConfig", "inTransitEncryptionConfig")
    assert cluster["inTransitEncryptionConfig"] in encryption
    assert one(CLUSTER, gcp_base(EVERYTHING))["inTransitEncryptionConfig"] in encryption
    for pool in pools().values():
        assert pool["autoscaling"]["locationPolicy"] in enum("container.v1", "NodePoolAutoscaling", "locationPolicy")
        assert pool["upgradeSettings"]["strategy"] in enum("container.v1", "UpgradeSettings", "strategy")
    redis = one(REDIS)
    for field in ("tier", "connectMode", "transitEncryptionMode", "readReplicasMode"):
        assert redis[field] in enum("redis.v1", "Instance", field)
    assert one(SQL)["databaseVersion"] in enum("sqladmin.v1", "DatabaseInstance", "databaseVersion")


def test_the_control_plane_is_private_and_its_secrets_are_under_the_key() -> None:
    cluster = one(CLUSTER)
    private = cluster["privateClusterConfig"]
    assert (private["enablePrivateNodes"], private["enablePrivateEndpoint"]) == (True, True)
    assert private["masterGlobalAccessConfig"] == {"enabled": False}
    assert cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["allowExternalTraffic"] is False
    allowed = cluster["masterAuthorizedNetworksConfig"]
    assert allowed["gcpPublicCidrsAccessEnabled"] is False
    assert [row["cidrBlock"] for row in allowed["cidrBlocks"]] == ["10.20.0.0/16"]
    named = one(CLUSTER, gcp_base(EVERYTHING))["masterAuthorizedNetworksConfig"]["cidrBlocks"]
    assert [row["cidrBlock"] for row in named] == ["10.20.0.0/16", "10.99.0.0/24"]
    assert cluster["databaseEncryption"]["state"] == "ENCRYPTED"
    assert cluster["location"] == "us-central1", "regional: a zone that is lost takes no control plane with it"
    assert len(cluster["nodeLocations"]) == 3


def test_network_policies_are_enforced_and_identities_are_of_the_project() -> None:
    cluster = one(CLUSTER)
    assert cluster["datapathProvider"] == "ADVANCED_DATAPATH"
    assert cluster["workloadIdentityConfig"] == {"workloadPool": "skerry-example.svc.id.goog"}
    assert {pool["nodeConfig"]["workloadMetadataConfig"]["mode"] for pool in pools().values()} == {"GKE_METADATA"}


# What a platform team changes in the life of a cluster -> what it does to it.
UPGRADES = {
    "minMasterVersion": Effect.UPDATES,
    "releaseChannel.channel": Effect.UPDATES,
    "maintenancePolicy.dailyMaintenanceWindow.startTime": Effect.UPDATES,
    "masterAuthorizedNetworksConfig.cidrBlocks[0].cidrBlock": Effect.UPDATES,
    "databaseEncryption.keyName": Effect.UPDATES,
    "inTransitEncryptionConfig": Effect.UPDATES,
    "deletionProtection": Effect.UPDATES,
    "nodeLocations[0]": Effect.UPDATES,
    "privateClusterConfig.masterIpv4CidrBlock": Effect.REPLACES,
    "ipAllocationPolicy": Effect.REPLACES,
}


@pytest.mark.parametrize("path", UPGRADES)
def test_a_version_bump_updates_the_cluster_in_its_place(path: str) -> None:
    assert UPGRADES[path] == effect(CLUSTER, path)


def test_another_version_or_another_pool_changes_nothing_that_replaces_the_cluster() -> None:
    changes = {
        "target.gcp.kubernetes_version": "1.36",
        "target.gcp.release_channel": "stable",
        "execution.pool": {"minimum": 8, "maximum": 64, "machine": {"vcpu": 32, "memory_gib": 64}},
    }
    before, after = one(CLUSTER), one(CLUSTER, gcp_base(changes))
    assert {key for key in before if before[key] != after[key]} == {"minMasterVersion", "releaseChannel"}
    assert [r.ignore_changes for r in of_type(POOL)] == [("initialNodeCount",)] * 4


def test_pools_are_of_the_catalogues_smallest_machines() -> None:
    found = {name: pool["nodeConfig"]["machineType"] for name, pool in pools().items()}
    assert found == {
        "system": "e2-standard-4",
        "meta": "c2d-highcpu-32",
        "execution": "c2d-highcpu-32",
        # 8 x A100 of 40 GiB beside 1,152 GiB: a2-highgpu-8g has 680, so the next is the one with 80 GiB each
        "cognitive": "a2-ultragpu-8g",
    }


def test_each_pool_has_bounds_over_all_zones_and_what_makes_it_grow() -> None:
    bounds = {
        name: (pool["autoscaling"]["totalMinNodeCount"], pool["autoscaling"]["totalMaxNodeCount"])
        for name, pool in pools().items()
    }
    assert bounds == {"system": (3, 6), "meta": (3, 3), "execution": (4, 128), "cognitive": (2, 2)}
    scaled = [facts.scaling for facts in map(facts_of, base().resources) if facts and facts.scaling]
    assert [row.autoscaler for row in scaled] == ["gke"] * 4


def test_pools_bear_the_label_and_the_taint_of_their_tier_and_googles_own_pods_have_a_pool_without() -> None:
    for name, pool in pools().items():
        taints = [(row["key"], row["value"], row["effect"]) for row in pool["nodeConfig"].get("taints", [])]
        tier = "platform" if name == "system" else name
        assert pool["nodeConfig"]["labels"] == {"skerry.dev/tier": tier}
        assert taints == ([] if name == "system" else [("skerry.dev/tier", name, "NO_SCHEDULE")])


def test_disks_of_machines_are_under_the_key_and_their_metadata_guarded() -> None:
    (key,) = of_type("gcp:kms/cryptoKey:CryptoKey")
    for resource in of_type(POOL):
        assert key.urn in resource.property_dependencies["nodeConfig"], resource.name
        node = inputs(resource)["nodeConfig"]
        assert node["bootDiskKmsKey"] is UNKNOWN and node["metadata"] == {"disable-legacy-endpoints": "true"}
        gpu = "guestAccelerators" in node
        assert node["shieldedInstanceConfig"] == {"enableSecureBoot": not gpu, "enableIntegrityMonitoring": True}
        assert inputs(resource)["networkConfig"] == {"enablePrivateNodes": True}


def test_gpu_machines_get_googles_driver_and_their_reservation() -> None:
    (plain_one,) = pools()["cognitive"]["nodeConfig"]["guestAccelerators"]
    assert plain_one == {
        "type": "nvidia-a100-80gb",
        "count": 8,
        "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
    }
    assert "reservationAffinity" not in pools()["cognitive"]["nodeConfig"]
    reserved = pools(gcp_base(EVERYTHING))["cognitive"]
    assert reserved["nodeLocations"] == ["us-central1-a", "us-central1-c"]
    assert reserved["nodeConfig"]["guestAccelerators"][0]["gpuDriverInstallationConfig"]["gpuDriverVersion"] == "LATEST"
    assert reserved["nodeConfig"]["reservationAffinity"] == {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": ["llm"],
    }
    # GPU machines are scarce: a surge would wait for one that nobody has.
    assert (reserved["upgradeSettings"]["maxSurge"], reserved["upgradeSettings"]["maxUnavailable"]) == (0, 1)


# What one asks for -> machine, GPUs and GKE's name of them. Source: the catalogue; S000-53 of the seed for the sizes.
GRANULARITY: dict[str, tuple[tuple[str, int, int], tuple[str, str]]] = {
    "one A100 of 40 GiB": (("A100", 1, 40), ("a2-highgpu-1g", "nvidia-tesla-a100")),
    "one A100 of 80 GiB": (("A100", 1, 80), ("a2-ultragpu-1g", "nvidia-a100-80gb")),
    "four A100 of 80 GiB": (("A100", 4, 80), ("a2-ultragpu-4g", "nvidia-a100-80gb")),
    "eight H100": (("H100", 8, 80), ("a3-highgpu-8g", "nvidia-h100-80gb")),
    "four L4": (("L4", 4, 24), ("g2-standard-48", "nvidia-l4")),
}


@pytest.mark.parametrize("case", GRANULARITY)
def test_gpus_come_in_the_machines_that_google_sells(case: str) -> None:
    (model, gpus, gib), expected = GRANULARITY[case]
    asked = {"vcpu": 4, "memory_gib": 16, "gpu_model": model, "gpus": gpus, "gpu_memory_gib": gib}
    changes: dict[str, Any] = {
        "cognitive.pool.machine": asked,
        "cognitive.precision": "int4",
        "cognitive.context_tokens": 8192,
    }
    if gpus * gib < 80:
        changes["cognitive.providers"] = ["openai"]
        changes["cognitive.api_key_secret"] = "key"
    node = pools(gcp_base(changes))["cognitive"]["nodeConfig"]
    (accelerator,) = node["guestAccelerators"]
    assert (gpus, expected) == (accelerator["count"], (node["machineType"], accelerator["type"]))


def test_every_gpu_machine_of_the_catalogue_has_googles_name_of_its_gpus() -> None:
    families = {family_of(row.name) for row in instance_types() if row.cloud == "gcp" and row.gpus}
    assert families == set(ACCELERATORS)
    assert set(HYPERDISK_ONLY) <= {family_of(row.name) for row in instance_types() if row.cloud == "gcp"}


def test_a_family_whose_gpus_nobody_named_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.gcp.nodes.ACCELERATORS", {"g2-standard": "nvidia-l4"})
    with pytest.raises(CatalogError, match="what GKE calls the GPUs of a2-ultragpu-8g is not known"):
        gcp_base()


def test_spot_is_bought_only_where_work_may_be_interrupted() -> None:
    assert [name for name, pool in pools().items() if pool["nodeConfig"].get("spot")] == []
    spot = pools(gcp_base(EVERYTHING))
    assert [name for name, pool in spot.items() if pool["nodeConfig"].get("spot")] == ["execution"]
    assert spot["execution"]["autoscaling"]["locationPolicy"] == "ANY"


def test_machines_have_no_more_rights_than_to_log_and_to_pull() -> None:
    rights = sorted(inputs(r)["role"] for r in of_type("gcp:projects/iAMMember:IAMMember"))
    assert rights == ["roles/artifactregistry.reader", "roles/container.defaultNodeServiceAccount"]
    admins = [inputs(r) for r in of_type("gcp:projects/iAMMember:IAMMember", gcp_base(EVERYTHING))]
    assert sorted(row["member"] for row in admins if row["role"] == "roles/container.admin") == [
        "group:platform@example.com", "serviceAccount:runner@p.iam.gserviceaccount.com",
    ]  # fmt: skip
    assert not any(row["role"] in ("roles/owner", "roles/editor") for row in admins)


def test_the_network_has_no_public_subnet_and_leaves_through_nat() -> None:
    assert one("gcp:compute/network:Network")["autoCreateSubnetworks"] is False
    subnet = one("gcp:compute/subnetwork:Subnetwork")
    assert subnet["privateIpGoogleAccess"] is True and subnet["logConfig"]["metadata"] == "INCLUDE_ALL_METADATA"
    whole = ipaddress.IPv4Network("10.20.0.0/16")
    ranges = [subnet["ipCidrRange"], *(row["ipCidrRange"] for row in subnet["secondaryIpRanges"])]
    assert all(ipaddress.IPv4Network(text).subnet_of(whole) for text in ranges)
    nat = one("gcp:compute/routerNat:RouterNat")
    assert [row["sourceIpRangesToNats"] for row in nat["subnetworks"]] == [["ALL_IP_RANGES"]]
    assert (nat["enableDynamicPortAllocation"], nat["enableEndpointIndependentMapping"]) == (True, False)


def test_only_the_control_plane_may_call_webhooks() -> None:
    rule = one("gcp:compute/firewall:Firewall")
    assert rule["sourceRanges"] == [one(CLUSTER)["privateClusterConfig"]["masterIpv4CidrBlock"]]
    assert rule["targetTags"] == ["sensei-saas-gcp"] == pools()["meta"]["nodeConfig"]["tags"]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["8443", "9443"]}]


def test_googles_services_answer_inside_the_network() -> None:
    zones = {inputs(r)["dnsName"]: inputs(r) for r in of_type("gcp:dns/managedZone:ManagedZone")}
    assert set(zones) == {"googleapis.com.", "pkg.dev.", "gcr.io."}
    assert {zone["visibility"] for zone in zones.values()} == {"private"}
    records = [inputs(r) for r in of_type("gcp:dns/recordSet:RecordSet")]
    addresses = {address for row in records if row["type"] == "A" for address in row["rrdatas"]}
    assert {ipaddress.IPv4Address(text) for text in addresses} == set(ipaddress.IPv4Network("199.36.153.8/30"))
    holders = {row["name"] for row in records if row["type"] == "A"}
    assert {target for row in records if row["type"] == "CNAME" for target in row["rrdatas"]} == holders


def secrets_in(value: Any) -> bool:
    if isinstance(value, Secret):
        return True
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(secrets_in(item) for item in items)


def test_the_graph_holds_no_credential_and_the_kubeconfig_asks_for_a_token() -> None:
    assert [r.urn for r in base().resources if secrets_in(r.inputs)] == []
    from components.gcp.cluster import AUTH_PLUGIN

    assert AUTH_PLUGIN == "gke-gcloud-auth-plugin"


def test_everything_is_of_one_project_and_bears_the_labels_of_finance() -> None:
    (provider,) = (r for r in base().resources if r.type == "pulumi:providers:gcp")
    given = {
        key: json.loads(v) if isinstance(v, str) and v.startswith("{") else v for key, v in inputs(provider).items()
    }
    assert (given["project"], given["region"]) == ("skerry-example", "us-central1")
    labels = given["defaultLabels"]
    assert labels == {
        "skerry-system": "sensei", "skerry-stack": "sensei-saas-gcp-base", "skerry-tier": "platform",
        "skerry-data-class": "confidential", "cost-center": "saas",
    }  # fmt: skip
    assert pools()["execution"]["nodeConfig"]["resourceLabels"]["skerry-tier"] == "execution"


def test_without_the_projects_number_google_is_asked_and_nothing_is_made_up() -> None:
    graph = gcp_base({"target.gcp.project_number": None})
    members = [inputs(r)["member"] for r in of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", graph)]
    assert NUMBER not in f"{members}"
    assert refusals(graph) == []
