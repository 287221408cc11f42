"""An Azure Function from a container image: its identity, its rights, how many run, and who may call it.

Azure runs functions from an image on Premium and Dedicated plans and on Container Apps; Flex Consumption takes none.
Container Apps it is: alone of them it goes down to zero and up to the 200 of the analysis (Premium ends at 100 and
always bills one), has an address in the network, reads secrets from a vault, and runs the very image. What comes in by
Functions' own triggers decides how many run: rules of one's own are blocked there.

Source: Azure "Azure Functions hosting options", "Azure Functions on Azure Container Apps overview" and "Override
auto-generated KEDA scale rules", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_azure_native import app

from components.azure.objects import AzureObjectStore
from components.azure.rights import (
    BLOB_CONTRIBUTOR,
    BLOB_OWNER,
    BLOB_READER,
    BUS_RECEIVER,
    BUS_SENDER,
    REGISTRY_PULL,
    SECRETS_USER,
    Place,
    grant,
    identity,
)
from components.azure.run_secrets import AzureRunSecrets
from components.base import SkerryComponent
from skerry.application import SECRET_PLACES, Application, hosts_of, parts_of
from skerry.application_facts import instance_facts, secret_role
from skerry.config.application import Access, Exposure, Need, ProbeSpec
from skerry.config.delivery import DeliverySpec, Strategy
from skerry.facts import ImageFact, Tier
from skerry.images import ImageReference

KIND: Final = "functionapp"
AUTOSCALER: Final = "functions"
HOST_PORT: Final = "ASPNETCORE_URLS"
"""The variable by which the host of functions is told where to listen.

Source: Azure/azure-functions-docker host images (not opened; check before relying on it).
"""

CONCURRENT: Final = "AzureFunctionsJobHost__extensions__http__maxConcurrentRequests"
WAITING: Final = "AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls"
"""Variables that stand for fields of host.json: how many at once an instance takes, by which more are started.

Source: Azure "host.json reference", overriding values, and "Target-based scaling" (not opened; check).
"""

BLOB_ROLES: Final[Mapping[Access | None, str]] = {
    Access.READ: BLOB_READER,
    Access.WRITE: BLOB_CONTRIBUTOR,
    None: BLOB_CONTRIBUTOR,
}


@dataclass(frozen=True, slots=True)
class Shared:
    """What the services of a deployment share, as each of them needs it."""

    environment: app.ManagedEnvironment
    host: AzureObjectStore
    """Where the host of functions keeps its locks."""
    secrets: AzureRunSecrets
    places: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Place of skerry.application -> what stands there."""
    secret_places: Mapping[str, str] = field(default_factory=dict)
    """Place that is a secret -> the role by which the secrets have it."""
    container: pulumi.Input[str] | None = None
    queue: pulumi.Input[str] | None = None
    registry: str | None = None
    """The id of the registry of the images; None where somebody else lets pull."""
    client_id: str | None = None
    """What callers ask Entra for."""


class AzureFunctionService(SkerryComponent):
    """A function app of Container Apps: stateless, in the network, under an identity of its own."""

    def __init__(
        self,
        name: str,
        place: Place,
        application: Application,
        shared: Shared,
        image: ImageFact,
        *,
        certificate: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make identity, rights and app.

        Args:
            name: the component's name.
            place: where it is made.
            application: the service.
            shared: what it may use.
            image: what it runs.
            certificate: of the environment, for the name by which the network calls it.
            opts: Pulumi's options.

        Raises:
            UsageError: its environment names what is nowhere.
        """
        scale = application.spec.scale
        minimum = max(scale.minimum, scale.prepared or 0)
        facts = instance_facts(place.spec, application, image, minimum=minimum, autoscaler=AUTOSCALER)
        super().__init__(name, facts, opts)
        self._place, self._application, self._shared = place, application, shared
        self.identity = identity(self, "identity", place, Tier.EXECUTION)
        rights = self._rights()
        bearing: Any = {"type": "UserAssigned", "user_assigned_identities": [self.identity.id]}
        template: Any = {
            "containers": [self._container(image)],
            "scale": {
                # What is always ready is not stopped.
                "min_replicas": minimum,
                "max_replicas": scale.maximum,
            },
            "termination_grace_period_seconds": min(application.definition.drain_s, 600),
        }
        self.app = app.ContainerApp(
            self.child_name("app"),
            container_app_name=application.name,
            kind=KIND,
            resource_group_name=place.group,
            location=place.region,
            environment_id=shared.environment.id,
            workload_profile_name="Consumption",
            identity=bearing,
            configuration=self._configuration(image, certificate),
            template=template,
            tags=place.tags(Tier.EXECUTION),
            opts=self.child_options(depends_on=rights),
        )
        if application.main_port is not None and not application.spec.anonymous and shared.client_id is not None:
            self._ask_who(shared.client_id)
        self.host = pulumi.Output.concat(application.name, ".", shared.environment.default_domain)
        self.finish(endpoint=self.host, port=443, secret_ref=None, metrics_endpoint=None)

    def _configuration(self, image: ImageFact, certificate: pulumi.Input[str] | None) -> Any:
        application = self._application
        traffic = shared_out(application.spec.delivery)
        found: dict[str, Any] = {
            "active_revisions_mode": "Single" if traffic is None else "Multiple",
            "secrets": [
                {"name": role, "key_vault_url": self._shared.secrets.url(role), "identity": self.identity.id}
                for role in self._secret_roles()
            ],
            "registries": [{"server": ImageReference.parse(image.deployed_as).registry, "identity": self.identity.id}],
        }
        port = application.main_port
        if port is not None:
            ingress: dict[str, Any] = {
                # Within the network: the environment has no other address.
                "external": application.spec.exposure is not Exposure.NONE,
                "target_port": port.port,
                "transport": "auto",
                "allow_insecure": False,
                "client_certificate_mode": "ignore",
            }
            if traffic is not None:
                ingress["traffic"] = traffic
            if application.definition.sticky:
                ingress["sticky_sessions"] = {"affinity": "sticky"}
            if application.spec.exposure is Exposure.INTERNAL:
                ingress["ip_security_restrictions"] = [
                    {"name": f"callers-{index}", "action": "Allow", "ip_address_range": block}
                    for index, block in enumerate(application.spec.allow_cidrs)
                ]
                if certificate is not None:
                    ingress["custom_domains"] = [
                        {"name": host, "binding_type": "SniEnabled", "certificate_id": certificate}
                        for host in hosts_of(application)
                    ]
            found["ingress"] = ingress
        return found

    def _container(self, image: ImageFact) -> dict[str, Any]:
        application = self._application
        container: dict[str, Any] = {
            "name": application.name,
            "image": image.deployed_as,
            "env": self._variables(),
            "resources": {"cpu": application.vcpu, "memory": f"{application.memory_mib / 1024:g}Gi"},
        }
        port = application.main_port
        if port is not None:
            health, ready = application.definition.health, application.definition.ready
            probes = [("Liveness", health), ("Readiness", ready or health), ("Startup", ready or health)]
            container["probes"] = [_probe(kind, probe, port.port) for kind, probe in probes if probe is not None]
        return container

    def _secret_roles(self) -> list[str]:
        application = self._application
        asked = {text.strip("{}") for text in application.environment.values()} & SECRET_PLACES
        roles = {self._shared.secret_places[place] for place in asked}
        return sorted(roles | {secret_role(key) for key in application.spec.secrets.values()})

    def _variables(self) -> list[dict[str, Any]]:
        """Return the environment: what the host asks for, plain values with their places filled, secrets by name."""
        application, shared = self._application, self._shared
        client = self.identity.client_id
        found: list[dict[str, Any]] = [
            {"name": "AzureWebJobsStorage__accountName", "value": shared.host.account.name},
            {"name": "AzureWebJobsStorage__credential", "value": "managedidentity"},
            {"name": "AzureWebJobsStorage__clientId", "value": client},
            {"name": "AZURE_CLIENT_ID", "value": client},
        ]
        if application.main_port is not None:
            found.append({"name": HOST_PORT, "value": f"http://+:{application.main_port.port}"})
        if application.spec.scale.concurrency is not None:
            found.append({"name": CONCURRENT, "value": f"{application.spec.scale.concurrency}"})
        if application.spec.scale.queue_depth is not None:
            found.append({"name": WAITING, "value": f"{application.spec.scale.queue_depth}"})
        for variable, text in application.environment.items():
            place = text.strip("{}")
            if place in SECRET_PLACES and text == f"{{{place}}}":
                found.append({"name": variable, "secret_ref": shared.secret_places[place]})
            else:
                found.append({"name": variable, "value": _joined(parts_of(text, shared.places))})
        for variable, key in application.spec.secrets.items():
            found.append({"name": variable, "secret_ref": secret_role(key)})
        return found

    def _rights(self) -> list[pulumi.Resource]:
        """Give its identity what it needs, on the one thing that each right is for."""
        application, shared, place, who = self._application, self._shared, self._place, self.identity
        found: list[pulumi.Resource] = [grant(self, "host", place, who, BLOB_OWNER, shared.host.account.id)]
        for role in self._secret_roles():
            found.append(grant(self, f"reads-{role}", place, who, SECRETS_USER, shared.secrets.id_of(role)))
        needs, access = application.definition.needs, application.definition.access
        if Need.BUCKET in needs and shared.container is not None:
            found.append(grant(self, "objects", place, who, BLOB_ROLES[access.get(Need.BUCKET)], shared.container))
        if Need.QUEUE in needs and shared.queue is not None:
            if access.get(Need.QUEUE) is not Access.READ:
                found.append(grant(self, "puts-in", place, who, BUS_SENDER, shared.queue))
            if access.get(Need.QUEUE) is not Access.WRITE:
                found.append(grant(self, "takes-out", place, who, BUS_RECEIVER, shared.queue))
        if shared.registry is not None:
            found.append(grant(self, "images", place, who, REGISTRY_PULL, shared.registry))
        return found

    def _ask_who(self, client_id: str) -> None:
        """Turn away who has no token of the tenant for this application, before it reaches the function."""
        tenant = self._place.spec.target.azure.tenant_id
        providers: Any = {
            "azure_active_directory": {
                "enabled": True,
                "registration": {
                    "client_id": client_id,
                    "open_id_issuer": f"https://login.microsoftonline.com/{tenant}/v2.0",
                },
                "validation": {"allowed_audiences": [client_id, f"api://{client_id}"]},
            }
        }
        health = self._application.definition.health
        validation: Any = {
            "unauthenticated_client_action": "Return401",
            "excluded_paths": [health.path] if health else [],
        }
        app.ContainerAppsAuthConfig(
            self.child_name("callers"),
            auth_config_name="current",
            container_app_name=self.app.name,
            resource_group_name=self._place.group,
            platform={"enabled": True},
            global_validation=validation,
            identity_providers=providers,
            http_settings={"require_https": True},
            opts=self.child_options(),
        )


def shared_out(delivery: DeliverySpec) -> list[dict[str, Any]] | None:
    """Return which revisions callers meet: the newest alone, or the stable one and a share of them the newest.

    Source: Azure "Traffic splitting in Azure Container Apps" (not opened; check before relying on it).
    """
    if delivery.strategy is Strategy.ROLLING or delivery.stable is None:
        return None
    share = delivery.percent or 0
    return [
        {"revision_name": delivery.stable, "weight": 100 - share},
        {"latest_revision": True, "weight": share, "label": "next"},
    ]


def _probe(kind: str, probe: ProbeSpec, port: int) -> dict[str, Any]:
    """Return a probe; one at the start waits for four minutes at most."""
    found: dict[str, Any] = {
        "type": kind,
        "http_get": {"path": probe.path, "port": port, "scheme": "HTTP"},
        "initial_delay_seconds": min(probe.initial_delay_s, 60),
        "period_seconds": min(probe.period_s, 240),
        "timeout_seconds": min(probe.period_s, 5),
        "failure_threshold": 3,
    }
    if kind == "Startup":
        found["failure_threshold"] = min(max(240 // probe.period_s, 1), 10)
    return found


def _joined(parts: Sequence[str | pulumi.Input[str]]) -> pulumi.Input[str]:
    known = [part for part in parts if isinstance(part, str)]
    return "".join(known) if len(known) == len(parts) else pulumi.Output.concat(*parts)
