"""The base stack on Azure: private, under one key, each right named, each pool with what makes it grow."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from components.azure.cluster import kubeconfig_of
from skerry.errors import ConfigError
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, ResourceGraph, Secret
from tests.simulators.azure_stacks import (
    GROUP,
    MANAGED_POSTGRES,
    PASSWORD,
    SUBSCRIPTION,
    TENANT,
    azure_base,
    base,
    of_type,
    one,
)
from tests.simulators.provider_graphs import refusals
from tests.simulators.replacements import Effect, effect
from tests.simulators.stack_objects import graph_of, inputs

CLUSTER, POOL = "azure-native:containerservice:ManagedCluster", "azure-native:containerservice:AgentPool"
POSTGRES, REDIS = "azure-native:dbforpostgresql:Server", "azure-native:redisenterprise:RedisEnterprise"
VAULT, KEY, ROLE = (
    "azure-native:keyvault:Vault", "azure-native:keyvault:Key", "azure-native:authorization:RoleAssignment",
)  # fmt: skip
EVERYTHING: dict[str, Any] = {
    **MANAGED_POSTGRES,
    "execution.pool.purchase": "spot",
    "execution.interruptible": True,
    "target.azure.gpu_zones": ["eastus-1"],
    "target.azure.gpu_reservation": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/r/providers/Microsoft.Compute/"
    "capacityReservationGroups/llm",
    "target.azure.pods_per_node": 110,
    "target.azure.kubernetes_version": "1.35.2",
    "production": True,
}


def pools(graph: ResourceGraph | None = None) -> dict[str, dict[str, Any]]:
    first = one(CLUSTER, graph)["agentPoolProfiles"]
    rows = {profile["name"]: profile for profile in first}
    # The name of GPU machines changes with them.
    return rows | {inputs(r)["nodeLabels"]["skerry.dev/tier"]: inputs(r) for r in of_type(POOL, graph)}


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["as shipped", "with every option"])
def test_the_provider_takes_every_input(changes: Mapping[str, Any]) -> None:
    assert refusals(azure_base(changes)) == []


def test_the_api_is_private_and_answers_from_a_subnet_of_its_own() -> None:
    access = one(CLUSTER)["apiServerAccessProfile"]
    assert (access["enablePrivateCluster"], access["enablePrivateClusterPublicFQDN"]) == (True, False)
    assert (access["enableVnetIntegration"], access["disableRunCommand"]) == (True, True)
    (api,) = (inputs(r) for r in of_type("azure-native:network:Subnet") if r.name.endswith("-api"))
    assert [row["serviceName"] for row in api["delegations"]] == ["Microsoft.ContainerService/managedClusters"]
    assert api["addressPrefix"].endswith("/28")


def test_nobody_enters_but_by_entra() -> None:
    cluster = one(CLUSTER)
    assert cluster["disableLocalAccounts"] is True
    assert cluster["aadProfile"] == {
        "managed": True, "enableAzureRBAC": True, "adminGroupObjectIDs": [GROUP], "tenantID": TENANT,
    }  # fmt: skip
    assert cluster["oidcIssuerProfile"] == {"enabled": True}
    assert cluster["securityProfile"]["workloadIdentity"] == {"enabled": True}


def test_secrets_and_disks_are_under_the_key() -> None:
    cluster = one(CLUSTER)
    kms = cluster["securityProfile"]["azureKeyVaultKms"]
    assert (kms["enabled"], kms["keyVaultNetworkAccess"]) == (True, "Private")
    assert kms["keyId"] is UNKNOWN and cluster["diskEncryptionSetID"] is UNKNOWN
    made = of_type(CLUSTER)[0]
    assert [urn.rpartition("::")[2] for urn in made.property_dependencies["diskEncryptionSetID"]] == [
        "sensei-base-encryption-set"
    ]
    assert all(pool["enableEncryptionAtHost"] for pool in pools().values())


def test_the_vault_is_private_and_keeps_what_is_deleted() -> None:
    properties = one(VAULT)["properties"]
    assert (properties["publicNetworkAccess"], properties["networkAcls"]["defaultAction"]) == ("Disabled", "Deny")
    assert (properties["enablePurgeProtection"], properties["enableRbacAuthorization"]) == (True, True)
    assert one(KEY)["properties"]["kty"] == "RSA"
    assert [r.name for kind in (VAULT, KEY) for r in of_type(kind) if not r.protect] == []


def test_each_identity_has_the_rights_it_needs_on_one_resource_and_no_other() -> None:
    """Name of the assignment -> role and what its scope comes from."""
    found = {
        r.name.removeprefix("sensei-base-"): (
            inputs(r)["roleDefinitionId"].rpartition("/")[2][:8],
            sorted(urn.rpartition("::")[2] for urn in r.property_dependencies["scope"]),
        )
        for r in of_type(ROLE)
    }
    assert found == {
        "encryption-stores-may": ("e147488a", ["sensei-base-encryption-key"]),
        "encryption-disks-may": ("e147488a", ["sensei-base-encryption-key"]),
        "agents-cognitive-objects": ("ba92f5b4", ["sensei-base-objects-container"]),
        "agents-execution-objects": ("ba92f5b4", ["sensei-base-objects-container"]),
        "agents-meta-objects": ("ba92f5b4", ["sensei-base-objects-container"]),
        "cluster-nodes-may": ("4d97b98b", ["sensei-base-network-nodes"]),
        "cluster-api-may": ("4d97b98b", ["sensei-base-network-api"]),
        "cluster-secrets-may": ("12338af0", ["sensei-base-encryption-key"]),
        "cluster-vault-may": ("f25e0fa2", ["sensei-vault"]),
        "cluster-disks-may": ("acdd72a7", ["sensei-base-encryption-set"]),
    }
    assert {inputs(r)["principalType"] for r in of_type(ROLE)} == {"ServicePrincipal"}


def test_pools_are_of_the_catalogues_smallest_machines() -> None:
    assert {name: pool["vmSize"] for name, pool in pools().items()} == {
        "system": "Standard_D4s_v5",
        "meta": "Standard_F32s_v2",
        "execution": "Standard_F32s_v2",
        # 8 x A100 of 40 GiB beside 1,152 GiB: ND96asr_v4 has 900, so the next is the one with 80 GiB each
        "cognitive": "Standard_ND96amsr_A100_v4",
    }


def test_each_pool_has_bounds_zones_and_what_makes_it_grow() -> None:
    for pool in pools().values():
        assert pool["enableAutoScaling"] is True and pool["enableNodePublicIP"] is False
        assert pool["availabilityZones"] == ["1", "2", "3"]
    bounds = {name: (pool["minCount"], pool["maxCount"]) for name, pool in pools().items()}
    assert bounds == {"system": (3, 6), "meta": (3, 3), "execution": (4, 128), "cognitive": (2, 2)}
    stated = [facts for facts in map(facts_of, base().resources) if facts is not None and facts.scaling is not None]
    assert {(facts.scaling.maximum, facts.scaling.autoscaler) for facts in stated if facts.scaling} == {
        (6, "aks"), (3, "aks"), (128, "aks"), (2, "aks"),
    }  # fmt: skip


def test_pools_bear_their_tiers_taint_and_spot_machines_azures_own_as_well() -> None:
    taints = {name: pool["nodeTaints"] for name, pool in pools(azure_base(EVERYTHING)).items()}
    assert taints == {
        "system": ["CriticalAddonsOnly=true:NoSchedule"],
        "meta": ["skerry.dev/tier=meta:NoSchedule"],
        "execution": [
            "skerry.dev/tier=execution:NoSchedule", "kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
        ],
        "cognitive": ["skerry.dev/tier=cognitive:NoSchedule"],
    }  # fmt: skip
    found = pools(azure_base(EVERYTHING))
    spot = {name for name, pool in found.items() if pool.get("scaleSetPriority") == "Spot"}
    assert spot == {"execution"}
    unsaid = {name for name, pool in found.items() if "upgradeSettings" not in pool}
    assert unsaid == spot, "Azure refuses to be told how spot machines are renewed"


def test_gpu_machines_get_a_driver_a_reservation_and_no_secure_boot() -> None:
    found = pools(azure_base(EVERYTHING))
    gpu = found["cognitive"]
    assert gpu["gpuProfile"] == {"driver": "Install"}
    assert gpu["capacityReservationGroupID"].endswith("/llm")
    assert gpu["availabilityZones"] == ["1"]
    roles = {r.name: inputs(r) for r in of_type(ROLE, azure_base(EVERYTHING))}
    may = roles["sensei-base-cluster-reservation-may"]
    assert may["scope"] == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/r", "AKS asks for the group that holds it"
    assert may["roleDefinitionId"].endswith("/b24988ac-6180-42a0-ab88-20f7382dd24c")
    secure = {name: pool["securityProfile"]["enableSecureBoot"] for name, pool in found.items()}
    assert secure == {"system": True, "meta": True, "execution": True, "cognitive": False}


@pytest.mark.parametrize(
    ("memory", "size", "vtpm"),
    [
        (40, "Standard_ND96asr_v4", False),
        (80, "Standard_ND96amsr_A100_v4", False),
        (80, "Standard_NC96ads_A100_v4", True),
    ],
)
def test_machines_that_cannot_have_a_virtual_tpm_are_asked_for_none(memory: int, size: str, vtpm: bool) -> None:
    machine = {"vcpu": 24, "memory_gib": 200, "gpu_model": "A100", "gpu_memory_gib": memory, "instance_type": size}
    machine["gpus"] = 4 if vtpm else 8
    pool = pools(azure_base({"cognitive.pool.machine": machine}))["cognitive"]
    assert (pool["vmSize"], pool["securityProfile"]["enableVTPM"]) == (size, vtpm)


def test_another_version_changes_the_version_alone() -> None:
    before, after = one(CLUSTER), one(CLUSTER, azure_base({"target.azure.kubernetes_version": "1.36"}))
    assert {key for key in before if before[key] != after[key]} == {"kubernetesVersion", "agentPoolProfiles"}
    old, new = pools(), pools(azure_base({"target.azure.kubernetes_version": "1.36"}))
    differing = {key for name in old for key in old[name] if old[name][key] != new[name][key]}
    assert differing == {"orchestratorVersion"}
    assert [r.ignore_changes for r in of_type(POOL)] == [("count",)] * 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("Sunday", "01:00", 6)),
        ({"target.azure.aks": {"upgrade_day": "Wednesday", "upgrade_hour_utc": 22, "upgrade_hours": 4}},
         ("Wednesday", "22:00", 4)),
    ],
    ids=["left out", "said"],
)  # fmt: skip
def test_azure_changes_the_cluster_in_its_window_alone(changes: dict[str, Any], expected: tuple[str, str, int]) -> None:
    rows = [inputs(r) for r in of_type("azure-native:containerservice:MaintenanceConfiguration", azure_base(changes))]
    assert {row["configName"] for row in rows} == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
    for row in rows:
        window = row["maintenanceWindow"]
        weekly = window["schedule"]["weekly"]
        assert (weekly["dayOfWeek"], window["startTime"], window["durationHours"]) == expected
        assert (weekly["intervalWeeks"], window["utcOffset"]) == (1, "+00:00")


def test_who_asks_the_vault_is_written_down() -> None:
    rows = {r.name: inputs(r) for r in of_type("azure-native:monitor:DiagnosticSetting")}
    assert [row["category"] for row in rows["sensei-base-cluster-vault-logs"]["logs"]] == ["AuditEvent"]
    assert {row["category"] for row in rows["sensei-base-cluster-logs"]["logs"]} >= {"kube-audit-admin", "guard"}


def test_machines_leave_by_the_gateway_only() -> None:
    assert one(CLUSTER)["networkProfile"]["outboundType"] == "userAssignedNATGateway"
    subnets = {r.name.rpartition("-")[2]: inputs(r) for r in of_type("azure-native:network:Subnet")}
    assert {name for name, row in subnets.items() if "natGateway" in row} == {"nodes"}
    assert [name for name, row in subnets.items() if row["defaultOutboundAccess"] is not False] == []


def test_network_policies_are_enforced() -> None:
    profile = one(CLUSTER)["networkProfile"]
    assert (profile["networkDataplane"], profile["networkPolicy"]) == ("cilium", "cilium")
    assert (profile["podCidr"], profile["dnsServiceIP"]) == ("10.244.0.0/16", "10.20.0.10")
    assert profile["serviceCidr"] == "10.20.0.0/22"
    prefixes = one("azure-native:network:VirtualNetwork")["addressSpace"]["addressPrefixes"]
    assert "10.20.0.0/22" not in prefixes, "no machine may have an address of a Service"


def test_redis_speaks_tls_only_inside_the_network_under_the_key() -> None:
    redis = one(REDIS)
    assert (redis["minimumTlsVersion"], redis["publicNetworkAccess"]) == ("1.2", "Disabled")
    assert redis["highAvailability"] == "Enabled"
    assert redis["encryption"]["customerManagedKeyEncryption"]["keyEncryptionKeyUrl"] is UNKNOWN
    database = one("azure-native:redisenterprise:Database")
    assert (database["clientProtocol"], database["clusteringPolicy"]) == ("Encrypted", "NoCluster")
    assert database["evictionPolicy"] == "NoEviction"


def test_postgres_is_made_where_a_password_is_named_and_nowhere_else() -> None:
    assert [r for r in base().resources if r.type == POSTGRES] == []
    graph = azure_base(MANAGED_POSTGRES)
    server = one(POSTGRES, graph)
    assert server["highAvailability"] == {"mode": "ZoneRedundant", "standbyAvailabilityZone": "2"}
    assert server["backup"] == {"backupRetentionDays": 14, "geoRedundantBackup": "Disabled"}
    assert server["network"]["publicNetworkAccess"] == "Disabled"
    assert server["dataEncryption"]["type"] == "AzureKeyVault"
    assert server["storage"]["storageSizeGB"] == 64
    (made,) = of_type(POSTGRES, graph)
    password = made.inputs["administratorLoginPassword"]
    assert isinstance(password, Secret) and password.value == PASSWORD
    assert (made.protect, made.retain_on_delete) == (True, True)
    links = {r.name: r.urn for r in of_type("azure-native:privatedns:VirtualNetworkLink", graph)}
    assert links["sensei-base-network-postgres-names"] in made.dependencies, "its name answers before it is made"


def test_a_key_that_the_stack_does_not_set_is_named() -> None:
    with pytest.raises(ConfigError, match=r"target.azure.postgres_admin_secret: names 'skerry:other'"):
        azure_base({"target.azure.postgres_admin_secret": "other"})


def test_everything_with_a_place_is_in_the_region_and_bears_the_tags() -> None:
    wrong = [
        r.name
        for r in base().resources
        if r.type.startswith("azure-native:") and inputs(r).get("location", "eastus") not in ("eastus", "Global")
    ]
    assert wrong == []
    tags = inputs(of_type(POOL)[0])["tags"]
    assert (tags["skerry:system"], tags["cost-center"], tags["skerry:tier"]) == ("sensei", "saas", "meta")


TOLD = {
    "clusters": [{"name": "c", "cluster": {"server": "https://c.example:443", "certificate-authority-data": "Q0E="}}],
    "users": [{"name": "u", "user": {"token": "t0p"}}],
}


def test_a_kubeconfig_holds_address_and_authority_and_no_credential() -> None:
    text = kubeconfig_of("c", base64.b64encode(yaml.safe_dump(TOLD).encode()).decode(), TENANT)
    found = json.loads(text)
    assert found["clusters"] == [{"name": "c", "cluster": TOLD["clusters"][0]["cluster"]}]
    assert found["users"][0]["user"]["exec"]["command"] == "kubelogin"
    assert "t0p" not in text and TENANT in text


HOSTILE = {
    "no base64": "%%%",
    "no YAML": base64.b64encode(b"{").decode(),
    "no kubeconfig": base64.b64encode(b"[]").decode(),
    "two clusters": base64.b64encode(b"clusters: [{}, {}]").decode(),
    "a cluster without an authority": base64.b64encode(b"clusters: [{cluster: {server: x}}]").decode(),
    "no text": base64.b64encode(b"\xff\xfe\x00").decode(),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_kubeconfig_is_refused(case: str) -> None:
    with pytest.raises(ConfigError, match="what Azure tells is no kubeconfig with one cluster"):
        kubeconfig_of("c", HOSTILE[case], TENANT)


# What a platform team changes in the life of a store -> what it does to it.
CHANGES = {
    (POSTGRES, "version"): Effect.UPDATES,
    (POSTGRES, "administratorLoginPassword"): Effect.UPDATES,
    (POSTGRES, "backup.backupRetentionDays"): Effect.UPDATES,
    (POSTGRES, "backup.geoRedundantBackup"): Effect.REPLACES,
    (POSTGRES, "administratorLogin"): Effect.REPLACES,
    (POSTGRES, "availabilityZone"): Effect.REPLACES,
    (REDIS, "encryption.customerManagedKeyEncryption.keyEncryptionKeyUrl"): Effect.UPDATES,
    (REDIS, "minimumTlsVersion"): Effect.UPDATES,
    ("azure-native:redisenterprise:Database", "port"): Effect.REPLACES,
    (CLUSTER, "networkProfile.podCidr"): Effect.REPLACES,
    (CLUSTER, "diskEncryptionSetID"): Effect.REPLACES,
    (POOL, "vmSize"): Effect.REPLACES,
}


@pytest.mark.parametrize(("kind", "path"), CHANGES)
def test_what_a_change_does_is_known_from_the_provider_and_azures_own_documents(kind: str, path: str) -> None:
    assert CHANGES[kind, path] == effect(kind, path)


def test_a_failover_of_postgres_is_no_change_of_the_program() -> None:
    (made,) = of_type(POSTGRES, azure_base(MANAGED_POSTGRES))
    assert made.ignore_changes == ("availabilityZone", "highAvailability.standbyAvailabilityZone")


@pytest.mark.parametrize("stack", ["sensei-saas-azure-base", "agentdb-aks-base", "agentdb-functions-azure"])
def test_a_group_stays_with_the_stores_in_it_for_azure_deletes_what_a_group_holds(stack: str) -> None:
    graph = graph_of(stack)
    kept = [r for r in graph.resources if r.retain_on_delete and "resourceGroupName" in r.inputs]
    groups = [r for r in graph.resources if r.type == "azure-native:resources:ResourceGroup"]
    assert kept
    assert [(r.protect, r.retain_on_delete) for r in groups] == [(True, True)]
