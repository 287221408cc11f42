"""Objects on Azure: an account without a key, under the deployment's own, in the network alone; who may use it."""

from __future__ import annotations

import pytest

from skerry.graph import UNKNOWN
from tests.simulators.azure_stacks import azure_base, base, of_type, one
from tests.simulators.replacements import Effect, effect, unanswered
from tests.simulators.stack_objects import inputs

ACCOUNT, CONTAINER = "azure-native:storage:StorageAccount", "azure-native:storage:BlobContainer"
SERVICE, LIFECYCLE = "azure-native:storage:BlobServiceProperties", "azure-native:storage:ManagementPolicy"
TRUST = "azure-native:managedidentity:FederatedIdentityCredential"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"


def dependencies(kind: str, name: str, path: str) -> list[str]:
    (found,) = (r for r in of_type(kind) if r.name == name)
    return sorted(urn.rpartition("::")[2] for urn in found.property_dependencies[path])


def test_nobody_reaches_the_account_with_a_key_or_over_the_internet() -> None:
    account = one(ACCOUNT)
    assert (account["publicNetworkAccess"], account["allowBlobPublicAccess"]) == ("Disabled", False)
    assert account["networkRuleSet"] == {"defaultAction": "Deny", "bypass": "None"}
    assert (account["allowSharedKeyAccess"], account["defaultToOAuthAuthentication"]) == (False, True)
    assert (account["isLocalUserEnabled"], account["isSftpEnabled"]) == (False, False)
    assert (account["minimumTlsVersion"], account["enableHttpsTrafficOnly"]) == ("TLS1_2", True)
    assert one(CONTAINER)["publicAccess"] == "None"


def test_it_answers_inside_the_network_alone() -> None:
    (endpoint,) = (
        inputs(r) for r in of_type("azure-native:network:PrivateEndpoint") if r.name.endswith("objects-blob-endpoint")
    )
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["blob"]
    zones = {inputs(r)["privateZoneName"] for r in of_type("azure-native:privatedns:PrivateZone")}
    assert "privatelink.blob.core.windows.net" in zones


def test_copies_stay_in_three_zones_of_the_region() -> None:
    account = one(ACCOUNT)
    assert (account["kind"], account["sku"], account["location"]) == ("StorageV2", {"name": "Standard_ZRS"}, "eastus")
    assert account["allowCrossTenantReplication"] is False


def test_it_is_under_the_deployments_key_by_an_identity_that_has_no_other_right() -> None:
    encryption = one(ACCOUNT)["encryption"]
    assert (encryption["keySource"], encryption["requireInfrastructureEncryption"]) == ("Microsoft.Keyvault", True)
    assert encryption["keyVaultProperties"] == {"keyName": UNKNOWN, "keyVaultUri": UNKNOWN}, "no version: it follows"
    found = dependencies(ACCOUNT, "senseiobjects", "encryption")
    assert found == ["sensei-base-encryption-key", "sensei-base-encryption-stores"]
    assert dependencies(ACCOUNT, "senseiobjects", "identity") == ["sensei-base-encryption-stores"]


def test_what_is_overwritten_or_deleted_is_kept_for_a_time() -> None:
    service = one(SERVICE)
    assert service["isVersioningEnabled"] is True
    assert service["deleteRetentionPolicy"] == service["containerDeleteRetentionPolicy"]
    assert service["deleteRetentionPolicy"] == {"enabled": True, "days": 30}
    (rule,) = one(LIFECYCLE)["policy"]["rules"]
    assert rule["definition"]["actions"] == {"version": {"delete": {"daysAfterCreationGreaterThan": 90}}}
    made = {kind: of_type(kind)[0] for kind in (ACCOUNT, CONTAINER)}
    assert {kind: (r.protect, r.retain_on_delete) for kind, r in made.items()} == {
        ACCOUNT: (True, True), CONTAINER: (True, True),
    }  # fmt: skip


def test_the_issuer_of_the_cluster_vouches_for_one_service_account_each() -> None:
    rows = {r.name: inputs(r) for r in of_type(TRUST)}
    assert {row["subject"] for row in rows.values()} == {
        f"system:serviceaccount:sensei-{tier}:agents" for tier in ("cognitive", "execution", "meta")
    }
    assert {tuple(row["audiences"]) for row in rows.values()} == {("api://AzureADTokenExchange",)}
    for name in rows:
        assert dependencies(TRUST, name, "issuer") == ["sensei-base-cluster-aks"]
        assert dependencies(TRUST, name, "resourceName") == [name], "each identity trusts one account"


def test_a_store_of_the_clusters_own_needs_no_account_and_no_identity() -> None:
    graph = azure_base({"channels.object_store": "seaweedfs"})
    kinds = {r.type for r in graph.resources}
    assert kinds & {ACCOUNT, CONTAINER, TRUST} == set()
    names = {r.name for r in graph.resources if r.type == IDENTITY}
    assert names == {"sensei-base-cluster-control", "sensei-base-encryption-disks", "sensei-base-encryption-stores"}


# What a platform team changes in the life of the account -> what it does to it.
CHANGES = {
    (ACCOUNT, "accountName"): Effect.REPLACES,
    (ACCOUNT, "location"): Effect.REPLACES,
    (ACCOUNT, "isHnsEnabled"): Effect.REPLACES,
    (ACCOUNT, "encryption.requireInfrastructureEncryption"): Effect.REFUSED,
    (ACCOUNT, "encryption.keyVaultProperties.keyName"): Effect.UPDATES,
    (ACCOUNT, "minimumTlsVersion"): Effect.UPDATES,
    (ACCOUNT, "tags"): Effect.UPDATES,
    (CONTAINER, "containerName"): Effect.REPLACES,
    (CONTAINER, "accountName"): Effect.REPLACES,
    (CONTAINER, "publicAccess"): Effect.UPDATES,
    (SERVICE, "deleteRetentionPolicy.days"): Effect.UPDATES,
}


@pytest.mark.parametrize(("kind", "path"), CHANGES)
def test_what_a_change_does_is_known(kind: str, path: str) -> None:
    assert CHANGES[kind, path] == effect(kind, path)


@pytest.mark.parametrize("kind", [ACCOUNT, CONTAINER, SERVICE])
def test_of_every_input_a_source_says_what_a_change_does(kind: str) -> None:
    assert [path for r in base().resources if r.type == kind for path in unanswered(kind, inputs(r))] == []
