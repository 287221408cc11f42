"""Services as Azure Functions: put there by configuration alone, without keys, without addresses of their own."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from components.azure.run_stores import cache_of, machine_of
from skerry.config.application import CacheSpec, DatabaseSpec
from skerry.errors import CatalogError, ConfigError
from skerry.facts import facts_of
from skerry.graph import ResourceGraph, Secret, walk
from tests.simulators.provider_graphs import refusals
from tests.simulators.serverless_stacks import CERTIFICATE, CLIENT, SECRETS, deployment, inputs_of, serverless
from tests.simulators.stack_objects import inputs

APP, AUTH = "azure-native:app:ContainerApp", "azure-native:app:ContainerAppsAuthConfig"
GRANT, GATEWAY = "azure-native:authorization:RoleAssignment", "azure-native:network:ApplicationGateway"
RULES = "azure-native:network:NetworkSecurityGroup"


@cache
def graph() -> ResourceGraph:
    return serverless("azure")


def app(name: str = "api", made: ResourceGraph | None = None) -> dict[str, Any]:
    return inputs_of(made or graph(), APP, f"applications-{name}-app")


def container(name: str = "api") -> dict[str, Any]:
    (found,) = app(name)["template"]["containers"]
    return dict(found)


def names(kind: str, made: ResourceGraph | None = None) -> list[str]:
    return sorted(r.name for r in (made or graph()).resources if r.type == kind)


def test_the_provider_takes_every_input() -> None:
    assert refusals(graph()) == []


def test_a_service_is_a_function_app_as_its_configuration_says() -> None:
    found = app()
    assert (found["kind"], found["containerAppName"], found["workloadProfileName"]) == (
        "functionapp",
        "api",
        "Consumption",
    )
    assert found["template"]["scale"] == {"minReplicas": 1, "maxReplicas": 7}
    assert "rules" not in found["template"]["scale"], (
        "Azure makes them of the function's own triggers, and blocks others"
    )
    assert container()["resources"] == {"cpu": 1.0, "memory": "2Gi"}
    ingress = found["configuration"]["ingress"]
    assert (ingress["targetPort"], ingress["allowInsecure"], ingress["external"]) == (9000, False, True)
    assert {row["type"]: row["httpGet"]["path"] for row in container()["probes"]} == {
        "Liveness": "/healthz",
        "Readiness": "/healthz",
        "Startup": "/healthz",
    }


def test_what_is_always_ready_is_the_least_that_runs() -> None:
    made = serverless(
        "azure", {"applications.services.api.scale": {"minimum": 0, "maximum": 200, "concurrency": 1, "prepared": 3}}
    )
    assert app("api", made)["template"]["scale"] == {"minReplicas": 3, "maxReplicas": 200}
    facts = facts_of(next(r for r in made.resources if r.name == "applications-api" and not r.custom))
    assert facts is not None and facts.scaling is not None
    assert (facts.scaling.minimum, facts.scaling.maximum, facts.scaling.autoscaler) == (3, 200, "functions")


def test_who_needs_no_port_has_no_way_in() -> None:
    assert "ingress" not in app("worker")["configuration"]
    assert "probes" not in container("worker")


def variables(name: str = "api") -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in container(name)["env"]}


def test_the_host_of_functions_has_an_identity_and_no_key() -> None:
    found = variables()
    assert found["AzureWebJobsStorage__credential"]["value"] == "managedidentity"
    assert "AzureWebJobsStorage" not in found
    assert found["ASPNETCORE_URLS"]["value"] == "http://+:9000"
    assert found["AzureFunctionsJobHost__extensions__http__maxConcurrentRequests"]["value"] == "40"
    account = inputs_of(graph(), "azure-native:storage:StorageAccount", "functionshost")
    assert (account["allowSharedKeyAccess"], account["publicNetworkAccess"]) == (False, "Disabled")


def test_secrets_are_references_to_the_vault() -> None:
    found = app()["configuration"]["secrets"]
    assert [row["name"] for row in found] == ["api-key", "cache-password", "database-password"]
    assert all(set(row) == {"name", "keyVaultUrl", "identity"} for row in found)
    held = {name for name, row in variables().items() if "secretRef" in row}
    assert held == {"PGPASSWORD", "CACHE_PASSWORD", "API_KEY"}


def test_no_secret_stands_anywhere_but_in_its_own_place() -> None:
    for resource in graph().resources:
        for path, value in walk(resource.inputs):
            if not isinstance(value, Secret):
                assert value not in SECRETS.values(), f"{resource.name} {path}"


def rights(name: str) -> list[str]:
    start = f"applications-{name}-"
    return sorted(r.name.removeprefix(start) for r in graph().resources if r.type == GRANT and r.name.startswith(start))


def test_an_identity_has_rights_on_single_things_only() -> None:
    assert rights("api") == [
        "host",
        "objects",
        "puts-in",
        "reads-api-key",
        "reads-cache-password",
        "reads-database-password",
    ]
    assert rights("worker") == ["host", "takes-out"]
    assert rights("inside") == ["host"]


def test_callers_are_asked_who_they_are_unless_everybody_may_call() -> None:
    found = inputs_of(graph(), AUTH, "applications-api-callers")
    assert found["globalValidation"]["unauthenticatedClientAction"] == "Return401"
    entra = found["identityProviders"]["azureActiveDirectory"]
    assert entra["registration"]["clientId"] == CLIENT
    assert entra["registration"]["openIdIssuer"].endswith("00000000000b/v2.0")
    asked = serverless("azure", {"applications.services.api.anonymous": True})
    assert names(AUTH, asked) == ["applications-inside-callers"]


def test_the_environment_is_private_over_zones_and_encrypted_between_them() -> None:
    found = inputs_of(graph(), "azure-native:app:ManagedEnvironment", "applications-environment-environment")
    assert (found["zoneRedundant"], found["publicNetworkAccess"]) == (True, "Disabled")
    assert found["vnetConfiguration"]["internal"] is True
    assert found["peerTrafficConfiguration"] == {"encryption": {"enabled": True}}


def outward(made: ResourceGraph | None = None) -> dict[str, dict[str, Any]]:
    rows = inputs_of(made or graph(), RULES, "applications-network-services-rules")["securityRules"]
    return {row["name"]: row for row in rows}


def test_the_internet_is_closed_but_for_tls_where_a_host_is_named() -> None:
    rules = outward()
    assert (rules["hosts"]["destinationPortRange"], rules["hosts"]["access"]) == ("443", "Allow")
    assert (rules["rest"]["destinationAddressPrefix"], rules["rest"]["access"]) == ("Internet", "Deny")
    closed = serverless("azure", {"applications.services.api.definition.egress": []})
    assert "hosts" not in outward(closed) and "rest" in outward(closed)


def test_the_gateway_speaks_tls_and_sends_who_comes_without_it() -> None:
    found = inputs_of(graph(), GATEWAY, "applications-public-gateway")
    assert found["sslPolicy"] == {"policyType": "Predefined", "policyName": "AppGwSslPolicy20220101"}
    assert found["sslCertificates"] == [{"name": "names", "keyVaultSecretId": CERTIFICATE}]
    assert [row["protocol"] for row in found["httpListeners"]] == ["Https", "Http"]
    assert {row["hostName"] for row in found["httpListeners"]} == {"api.vendor.example"}
    (settings,) = found["backendHttpSettingsCollection"]
    assert (settings["protocol"], settings["requestTimeout"]) == ("Https", 120)
    plain = [row for row in found["requestRoutingRules"] if row["name"].endswith("-plain")]
    assert all("redirectConfiguration" in row and "backendAddressPool" not in row for row in plain)


def test_callers_from_the_internet_are_bounded_each_by_itself() -> None:
    kind = "azure-native:network:WebApplicationFirewallPolicy"
    others, often = inputs_of(graph(), kind, "applications-public-api-callers")["customRules"]
    assert (others["action"], others["matchConditions"][0]["negationConditon"]) == ("Block", True)
    assert others["matchConditions"][0]["matchValues"] == ["203.0.113.0/24"]
    assert (often["ruleType"], often["rateLimitThreshold"], often["rateLimitDuration"]) == (
        "RateLimitRule",
        3000,
        "OneMin",
    )


BODIES: dict[str, tuple[int | None, dict[str, Any]]] = {
    "nothing is said of them": (None, {}),
    "one megabyte": (
        1, {"maxRequestBodySizeInKb": 1024, "fileUploadLimitInMb": 1, "requestBodyEnforcement": True}
    ),
    "more than a firewall can bound": (
        64, {"maxRequestBodySizeInKb": 2000, "fileUploadLimitInMb": 64, "requestBodyEnforcement": False}
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BODIES)
def test_the_firewall_takes_bodies_as_large_as_the_service_does(case: str) -> None:
    largest, expected = BODIES[case]
    made = serverless("azure", {"applications.services.api.definition.largest_body_mib": largest})
    kind = "azure-native:network:WebApplicationFirewallPolicy"
    found = inputs_of(made, kind, "applications-public-api-callers")["policySettings"]
    assert found == {"state": "Enabled", "mode": "Prevention", "requestBodyCheck": True, **expected}


def test_jobs_are_locked_tried_and_set_aside() -> None:
    queue = inputs_of(graph(), "azure-native:servicebus:Queue", "applications-queue-jobs")
    assert (queue["lockDuration"], queue["maxDeliveryCount"], queue["deadLetteringOnMessageExpiration"]) == (
        "PT300S",
        5,
        True,
    )
    bus = inputs_of(graph(), "azure-native:servicebus:Namespace", "applications-queue-bus")
    assert (bus["disableLocalAuth"], bus["publicNetworkAccess"], bus["minimumTlsVersion"]) == (True, "Disabled", "1.2")
    assert bus["encryption"]["keySource"] == "Microsoft.KeyVault"


def test_the_database_has_a_standby_in_another_zone() -> None:
    found = inputs_of(graph(), "azure-native:dbforpostgresql:Server", "applications-postgres-server")
    assert found["highAvailability"] == {"mode": "ZoneRedundant", "standbyAvailabilityZone": "2"}
    assert (found["sku"]["name"], found["storage"]["storageSizeGB"]) == ("Standard_D2ds_v5", 128)
    assert found["network"]["publicNetworkAccess"] == "Disabled"
    alone = serverless("azure", {"applications.database.zones": 1})
    server = inputs_of(alone, "azure-native:dbforpostgresql:Server", "applications-postgres-server")
    assert server["highAvailability"] == {"mode": "Disabled"}


FITS = {
    "the least": (2, 4, "Standard_D2ds_v5"),
    "much memory": (2, 20, "Standard_E4ds_v5"),
    "many CPUs": (33, 100, "Standard_D64ds_v5"),
}


@pytest.mark.parametrize("case", FITS)
def test_a_database_has_the_smallest_machine_that_fits(case: str) -> None:
    vcpu, gib, expected = FITS[case]
    assert machine_of(DatabaseSpec(vcpu=vcpu, memory_gib=gib)) == expected


def test_what_no_machine_has_is_refused() -> None:
    with pytest.raises(CatalogError, match="no machine of Azure's PostgreSQL has 128 vCPU and 4096 GiB"):
        machine_of(DatabaseSpec(vcpu=128, memory_gib=4096))
    with pytest.raises(CatalogError, match="no Azure Managed Redis keeps 500 GiB"):
        cache_of(CacheSpec(memory_gib=500))
    assert cache_of(CacheSpec(memory_gib=1.5)) == "Balanced_B3"


def test_callers_to_be_asked_need_something_to_ask_for() -> None:
    found = deployment("azure")
    assert found["applications"]["services"]["api"].get("anonymous") is None
    with pytest.raises(ConfigError, match=r"skerry:entraClientId.* is not set, and callers of api, inside"):
        serverless("azure", client=None)


def test_images_are_pulled_by_identity() -> None:
    assert app()["configuration"]["registries"][0]["server"] == "skerryexample.azurecr.io"
    assert "passwordSecretRef" not in app()["configuration"]["registries"][0]
    assert [inputs(r)["principalType"] for r in graph().resources if r.type == GRANT] == ["ServicePrincipal"] * len(
        names(GRANT)
    )
