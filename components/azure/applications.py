"""Services on Azure without a cluster: functions from container images, and what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pulumi
from pulumi_azure_native import resources

from components.azure.base import azure_provider
from components.azure.key import AzureKey
from components.azure.objects import AzureObjectStore
from components.azure.postgres import ADMINISTRATOR
from components.azure.rights import Place
from components.azure.run_entrance import AzureRunEntrance
from components.azure.run_environment import AzureRunEnvironment
from components.azure.run_network import AzureRunNetwork
from components.azure.run_queue import JOBS, AzureRunQueue
from components.azure.run_secrets import AzureRunSecrets
from components.azure.run_service import AzureFunctionService, Shared
from components.azure.run_stores import AzureRunCache, AzureRunDatabase
from components.azure.stores import POSTGRES_PORT, REDIS_PORT
from components.azure.tags import tags_of
from components.base import SkerryComponent
from components.blueprints.deployment import target_fact
from components.configuration import FlatConfig, secret_of
from skerry.application import Application, application_of, places_in
from skerry.application_facts import secret_role
from skerry.catalog import load_catalog
from skerry.config.application import ApplicationsSpec, CacheSpec, DatabaseSpec, Exposure
from skerry.config.spec import DeploymentSpec
from skerry.errors import ConfigError, Problem
from skerry.facts import ComponentFacts, Tier

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
            # What is in a group is deleted with it, and stores are to stay.
            # Source: learn.microsoft.com/rest/api/resources/resourcegroups/delete, read 2026-11.
            opts=pulumi.ResourceOptions(parent=self, provider=provider, protect=True, retain_on_delete=True),
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
        for one in applications:
            for variable, secret in one.spec.secrets.items():
                value = secret_of(
                    self._config, secret, f"{self._spec.system.value}.services.{one.name}.secrets.{variable}", "value"
                )
                self._secrets.add(secret_role(secret), value)
        host = self._objects("host", HOST_CONTAINER, account="functionshost")
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
            places |= self._cache(plan.cache, applications)
            secret_places["cache.password"] = "cache-password"
        container = queue_id = None
        if plan.bucket is not None:
            objects = self._objects("objects", "objects", gib=plan.bucket.gib)
            container, account = objects.container.id, objects.account.name
            places["bucket.name"] = objects.container.name
            places["bucket.endpoint"] = account.apply(lambda found: f"https://{found}.blob.core.windows.net")
            places["bucket.region"] = self._spec.target.region
            self._outputs |= {"storageAccount": account, "container": objects.container.name}
        if plan.queue is not None:
            name = self.child_name("queue")
            queue = AzureRunQueue(name, self._place, plan.queue, self._network, self._key, opts=self._inside)
            queue_id = queue.queue.id
            places |= {"queue.url": queue.host, "queue.name": JOBS}
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

    def _objects(
        self, role: str, container: str, account: str | None = None, gib: int | None = None
    ) -> AzureObjectStore:
        return AzureObjectStore(
            self.child_name(role),
            self._place,
            self._network,
            self._key,
            account=account,
            container=container,
            gib=gib,
            opts=self._inside,
        )

    def _cache(self, wanted: CacheSpec, applications: list[Application]) -> dict[str, pulumi.Input[str]]:
        made = AzureRunCache(self.child_name("cache"), self._place, wanted, self._network, self._key, opts=self._inside)
        asked = {place for one in applications for text in one.environment.values() for place in places_in(text)}
        if "cache.password" in asked:
            self._secrets.add("cache-password", made.password)
        return {"cache.scheme": "rediss", "cache.host": made.endpoint, "cache.port": f"{REDIS_PORT}"}

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
            image = catalog.image(one.name, target, f"service {one.name}", reference=one.spec.image)
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
