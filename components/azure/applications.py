"""Services on Azure without a cluster: functions from container images, and what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi_azure_native import app, monitor, operationalinsights, privatedns, resources

from components.azure.base import azure_provider
from components.azure.key import AzureKey
from components.azure.objects import AzureObjectStore
from components.azure.rights import Place, identity
from components.azure.run_entrance import AzureRunEntrance
from components.azure.run_network import AzureRunNetwork
from components.azure.run_secrets import AzureRunSecrets
from components.azure.run_service import AzureFunctionService, Shared, secret_role
from components.azure.run_stores import JOBS, AzureRunCache, AzureRunDatabase, AzureRunQueue
from components.azure.stores import ADMINISTRATOR, POSTGRES_PORT, REDIS_PORT
from components.azure.tags import tags_of
from components.base import SkerryComponent
from components.blueprints.deployment import target_fact
from components.configuration import FlatConfig, secret_of
from skerry.application import Application, application_of, places_in
from skerry.catalog import load_catalog
from skerry.config.application import ApplicationsSpec, DatabaseSpec, Exposure
from skerry.config.spec import DeploymentSpec
from skerry.errors import ConfigError, Problem
from skerry.facts import ComponentFacts, Tier

LOG_DAYS: Final = 30
HOST_CONTAINER: Final = "azure-webjobs-hosts"
"""Where the host of functions keeps its locks. Source: Azure "Storage considerations for Functions" (not opened)."""

CLIENT_ID: Final = "entraClientId"
REGISTRY_ID: Final = "registryId"


class AzureApplications(SkerryComponent):
    """Puts services on Azure Functions, each under an identity of its own, with the stores that they share."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        plan: ApplicationsSpec,
        config: FlatConfig,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make services and what they share.

        Args:
            name: the component's name.
            spec: the deployment.
            plan: the services.
            config: the flat values and secrets beside it: `entraClientId` where callers are asked who they are, and
                `registryId` where the deployment is to let its functions pull images.
            opts: Pulumi's options.

        Raises:
            CatalogError: a pin is missing, or no machine has what a store asks.
            ConfigError: a key is named that the stack does not set.
        """
        facts = ComponentFacts(tier=Tier.PLATFORM, role="site", jurisdiction=spec.target.jurisdiction)
        super().__init__(name, facts, opts)
        self._spec, self._plan, self._config = spec, plan, config
        self._outputs: dict[str, pulumi.Input[object]] = {"region": spec.target.region}
        provider = azure_provider(self, spec)
        self._inside = pulumi.ResourceOptions(parent=self, providers=[provider])
        group = resources.ResourceGroup(
            self.child_name("group"),
            location=spec.target.region,
            tags=tags_of(spec, Tier.PLATFORM),
            opts=pulumi.ResourceOptions(parent=self, provider=provider, protect=True),
        )
        self._place = Place(spec, group.name)
        applications = [application_of(role, row) for role, row in plan.services.items()]
        self._network = AzureRunNetwork(self.child_name("network"), self._place, plan, applications, opts=self._inside)
        self._key = AzureKey(
            self.child_name("encryption"), self._place, self._network, machines=False, opts=self._inside
        )
        self._secrets = AzureRunSecrets(self.child_name("secrets"), self._place, self._key, opts=self._inside)
        self._floor = AzureRunEnvironment(
            self.child_name("environment"), self._place, self._network, plan, applications, opts=self._inside
        )
        shared = self._share(applications)
        self._secrets.finish()
        services = self._services(applications, shared)
        self._enter(services)
        self.finish()

    def stack_outputs(self) -> dict[str, pulumi.Input[object]]:
        """Return where everything is."""
        return self._outputs

    def _share(self, applications: list[Application]) -> Shared:
        """Make the stores, and say where each of them is."""
        plan, places, secret_places = self._plan, dict[str, pulumi.Input[str]](), dict[str, str]()
        asked = {place for one in applications for text in one.environment.values() for place in places_in(text)}
        for one in applications:
            for variable, secret in one.spec.secrets.items():
                value = secret_of(self._config, secret, f"services.{one.name}.secrets.{variable}", "value")
                self._secrets.add(secret_role(secret), value)
        host = AzureObjectStore(
            self.child_name("host"),
            self._place,
            self._network,
            self._key,
            account="functionshost",
            container=HOST_CONTAINER,
            opts=self._inside,
        )
        if plan.database is not None:
            database = self._database(plan.database)
            places |= {
                "database.host": database.endpoint,
                "database.port": f"{POSTGRES_PORT}",
                "database.name": database.name,
                "database.user": ADMINISTRATOR,
            }
            secret_places["database.password"] = "database-password"
        if plan.cache is not None:
            name = self.child_name("cache")
            cache = AzureRunCache(name, self._place, plan.cache, self._network, self._key, opts=self._inside)
            places |= {"cache.scheme": "rediss", "cache.host": cache.endpoint, "cache.port": f"{REDIS_PORT}"}
            secret_places["cache.password"] = "cache-password"
            if "cache.password" in asked:
                self._secrets.add("cache-password", cache.password)
        container = queue_id = None
        if plan.bucket is not None:
            objects = AzureObjectStore(
                self.child_name("objects"),
                self._place,
                self._network,
                self._key,
                container="objects",
                opts=self._inside,
            )
            container = objects.container.id
            account = objects.account.name
            places["bucket.name"] = objects.container.name
            places["bucket.endpoint"] = account.apply(lambda found: f"https://{found}.blob.core.windows.net")
            places["bucket.region"] = self._spec.target.region
            self._outputs |= {"storageAccount": account, "container": objects.container.name}
        if plan.queue is not None:
            name = self.child_name("queue")
            queue = AzureRunQueue(name, self._place, plan.queue, self._network, self._key, opts=self._inside)
            queue_id = queue.queue.id
            places |= {"queue.url": queue.host, "queue.name": JOBS}
        self._outputs["shared"] = places
        return Shared(
            environment=self._floor.environment,
            host=host,
            secrets=self._secrets,
            places=places,
            secret_places=secret_places,
            container=container,
            queue=queue_id,
            registry=self._config.get(REGISTRY_ID),
            client_id=self._client_id(applications),
        )

    def _database(self, wanted: DatabaseSpec) -> AzureRunDatabase:
        key = wanted.password_secret or ""
        password = secret_of(self._config, key, "database.password_secret", "password")
        self._secrets.add("database-password", password)
        name = self.child_name("postgres")
        made = AzureRunDatabase(
            name, self._place, wanted, self._network, self._key, password=password, opts=self._inside
        )
        self._outputs["postgresEndpoint"] = made.endpoint
        return made

    def _client_id(self, applications: list[Application]) -> str | None:
        """Return what callers ask Entra for; needed where one that is called from outside is not open to everybody."""
        asked = [one.name for one in applications if one.spec.exposure is not Exposure.NONE and not one.spec.anonymous]
        found = self._config.get(CLIENT_ID)
        if asked and found is None:
            key = f"{self._config.name}:{CLIENT_ID}"
            text = f"is not set, and callers of {', '.join(asked)} are to be asked who they are"
            remedy = f"run `pulumi config set {key} <the application's id in Entra>`, or set `anonymous: true`"
            raise ConfigError(f"config of stack {pulumi.get_stack()}", [Problem(key, text, remedy)])
        return found

    def _services(
        self, applications: list[Application], shared: Shared
    ) -> list[tuple[Application, AzureFunctionService]]:
        lock, target = self._config.get("imagesLock"), target_fact(self._spec)
        catalog = load_catalog(lock=Path(lock) if lock else None)
        found = []
        for one in applications:
            image = catalog.image(one.name, target, f"{one.name} runs it", reference=one.spec.image)
            service = AzureFunctionService(
                self.child_name(one.name),
                self._place,
                one,
                shared,
                image,
                certificate=self._floor.certificate,
                opts=self._inside,
            )
            found.append((one, service))
            self._outputs[f"{one.name}Host"] = service.host
            self._outputs[f"{one.name}PrincipalId"] = service.identity.principal_id
        return found

    def _enter(self, services: list[tuple[Application, AzureFunctionService]]) -> None:
        """Make the gateway for callers on the internet, and names for those in the network."""
        public = [one for one in services if one[0].spec.exposure is Exposure.PUBLIC]
        if public:
            made = AzureRunEntrance(
                self.child_name("public"),
                self._place,
                self._plan,
                self._network,
                public,
                certificate=self._plan.site.certificate or "",
                opts=self._inside,
            )
            self._outputs["publicAddress"] = made.address
            # Whoever keeps the vault with the certificate lets this identity read it.
            self._outputs["gatewayPrincipalId"] = made.identity.principal_id


class AzureRunEnvironment(SkerryComponent):
    """Makes what functions run in: an environment without a public address, over zones, encrypted between them."""

    def __init__(
        self,
        name: str,
        place: Place,
        network: AzureRunNetwork,
        plan: ApplicationsSpec,
        applications: list[Application],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the environment.

        Args:
            name: the component's name.
            place: where it is made.
            network: in which it stands.
            plan: the certificate of its names.
            applications: names of those that the network calls are answered in it.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="environment"), opts)
        self._place = place
        who = identity(self, "identity", place, Tier.PLATFORM)
        zoned: Any = {"infrastructure_subnet_id": network.environment.id, "internal": True}
        logs: Any = {"destination": "azure-monitor"}
        bearing: Any = {"type": "UserAssigned", "user_assigned_identities": [who.id]}
        profiles: Any = [{"name": "Consumption", "workload_profile_type": "Consumption"}]
        self.environment = app.ManagedEnvironment(
            self.child_name("environment"),
            resource_group_name=place.group,
            location=place.region,
            vnet_configuration=zoned,
            public_network_access="Disabled",
            zone_redundant=True,
            workload_profiles=profiles,
            identity=bearing,
            app_logs_configuration=logs,
            peer_authentication={"mtls": {"enabled": True}},
            peer_traffic_configuration={"encryption": {"enabled": True}},
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        self._keep_logs()
        inside = [one for one in applications if one.spec.exposure is Exposure.INTERNAL]
        self.certificate = self._certificate(plan, who.id) if inside and plan.site.certificate else None
        for one in inside:
            self._answer(network, f"{one.spec.host}", one.name)
        if any(one.spec.exposure is not Exposure.NONE for one in applications):
            self._answer_all(network)
        self.finish()

    def _keep_logs(self) -> None:
        place = self._place
        workspace = operationalinsights.Workspace(
            self.child_name("logs"),
            resource_group_name=place.group,
            location=place.region,
            sku={"name": "PerGB2018"},
            retention_in_days=LOG_DAYS,
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        kept: Any = [{"category_group": "allLogs", "enabled": True}]
        monitor.DiagnosticSetting(
            self.child_name("logs"),
            name="logs",
            resource_uri=self.environment.id,
            workspace_id=workspace.id,
            logs=kept,
            opts=self.child_options(),
        )

    def _certificate(self, plan: ApplicationsSpec, who: pulumi.Input[str]) -> pulumi.Output[str]:
        properties: Any = {
            "certificate_key_vault_properties": {"identity": who, "key_vault_url": plan.site.certificate}
        }
        made = app.Certificate(
            self.child_name("names"),
            resource_group_name=self._place.group,
            location=self._place.region,
            environment_name=self.environment.name,
            properties=properties,
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        found: pulumi.Output[str] = made.id
        return found

    def _answer(self, network: AzureRunNetwork, host: str, role: str) -> None:
        """Answer a name inside the network with the environment's address."""
        self._record(network.zone(f"{role}-own", host).name, f"{role}-own", "@")

    def _answer_all(self, network: AzureRunNetwork) -> None:
        """Answer the environment's own names, by which the gateway calls the functions."""
        zone = privatedns.PrivateZone(
            self.child_name("names"),
            resource_group_name=self._place.group,
            private_zone_name=self.environment.default_domain,
            location="Global",
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        privatedns.VirtualNetworkLink(
            self.child_name("names"),
            resource_group_name=self._place.group,
            private_zone_name=zone.name,
            location="Global",
            virtual_network={"id": network.vnet.id},
            registration_enabled=False,
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        self._record(zone.name, "names", "*")

    def _record(self, zone: pulumi.Input[str], role: str, name: str) -> None:
        address: Any = [{"ipv4_address": self.environment.static_ip}]
        privatedns.PrivateRecordSet(
            self.child_name(role),
            resource_group_name=self._place.group,
            private_zone_name=zone,
            relative_record_set_name=name,
            record_type="A",
            ttl=300,
            a_records=address,
            opts=self.child_options(),
        )
