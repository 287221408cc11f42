"""Services on Google Cloud without a cluster: Cloud Run, and what they share."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.base import SkerryComponent
from components.blueprints.deployment import target_fact
from components.configuration import FlatConfig, secret_of
from components.gcp.base import gcp_provider, project_number
from components.gcp.key import GcpKey
from components.gcp.run_entrance import GcpRunEntrance
from components.gcp.run_network import GcpRunNetwork
from components.gcp.run_secrets import GcpRunSecrets
from components.gcp.run_service import CloudRunService, Shared
from components.gcp.run_stores import USER, GcpRunCache, GcpRunDatabase, GcpRunQueue
from components.gcp.stores import POSTGRES_PORT, REDIS_PORT, GcpObjectStore
from skerry.application import Application, application_of, places_in
from skerry.application_facts import secret_role
from skerry.catalog import load_catalog
from skerry.config.application import ApplicationsSpec, DatabaseSpec, Exposure
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

OBJECTS_ENDPOINT = "https://storage.googleapis.com"


class GcpApplications(SkerryComponent):
    """Puts services on Cloud Run, each under an account of its own, with the stores that they share beside them."""

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
            config: the flat values and secrets beside it.
            opts: Pulumi's options.

        Raises:
            CatalogError: a pin is missing.
            ConfigError: a secret is named that the stack does not set.
        """
        facts = ComponentFacts(tier=Tier.PLATFORM, role="site", jurisdiction=spec.target.jurisdiction)
        super().__init__(name, facts, opts)
        self._spec, self._plan, self._config = spec, plan, config
        self._outputs: dict[str, pulumi.Input[object]] = {"region": spec.target.region}
        provider = gcp_provider(self, spec)
        self._inside = pulumi.ResourceOptions(parent=self, providers=[provider])
        applications = [application_of(role, row) for role, row in plan.services.items()]
        self._key = GcpKey(
            self.child_name("encryption"),
            spec,
            project_number=project_number(spec, provider),
            users=_users(plan, applications),
            opts=self._inside,
        )
        self._network = GcpRunNetwork(self.child_name("network"), spec, plan, applications, opts=self._inside)
        self._secrets = GcpRunSecrets(self.child_name("secrets"), spec, self._key, opts=self._inside)
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
                value = secret_of(
                    self._config, secret, f"{self._spec.system.value}.services.{one.name}.secrets.{variable}", "value"
                )
                self._secrets.add(secret_role(secret), value)
        if plan.database is not None:
            database = self._database(plan.database)
            places |= {
                "database.host": database.endpoint,
                "database.port": f"{POSTGRES_PORT}",
                "database.name": database.name,
                "database.user": USER,
            }
            secret_places["database.password"] = "database-password"
        if plan.cache is not None:
            cache = GcpRunCache(
                self.child_name("cache"), self._spec, plan.cache, self._network, self._key, opts=self._inside
            )
            places |= {"cache.scheme": "rediss", "cache.host": cache.endpoint, "cache.port": f"{REDIS_PORT}"}
            secret_places["cache.password"] = "cache-password"
            if "cache.password" in asked:
                self._secrets.add("cache-password", cache.instance.auth_string)
        bucket = topic = subscription = None
        if plan.bucket is not None:
            objects = GcpObjectStore(
                self.child_name("objects"), self._spec, self._key, gib=plan.bucket.gib, opts=self._inside
            )
            bucket = objects.bucket.name
            places |= {"bucket.name": bucket, "bucket.endpoint": OBJECTS_ENDPOINT}
            places["bucket.region"] = self._spec.target.region
            self._outputs["bucket"] = bucket
        if plan.queue is not None:
            queue = GcpRunQueue(self.child_name("queue"), self._spec, plan.queue, self._key, opts=self._inside)
            topic, subscription = queue.topic.id, queue.subscription.id
            places |= {"queue.url": topic, "queue.name": subscription}
        self._outputs["shared"] = places
        return Shared(self._network, self._key, self._secrets, places, secret_places, bucket, topic, subscription)

    def _database(self, wanted: DatabaseSpec) -> GcpRunDatabase:
        password = None
        if wanted.password_secret is not None:
            password = secret_of(self._config, wanted.password_secret, "database.password_secret", "password")
            self._secrets.add("database-password", password)
        made = GcpRunDatabase(
            self.child_name("postgres"),
            self._spec,
            wanted,
            self._network,
            self._key,
            password=password,
            opts=self._inside,
        )
        self._outputs["postgresEndpoint"] = made.endpoint
        return made

    def _services(
        self, applications: list[Application], shared: Shared
    ) -> dict[str, tuple[Application, CloudRunService]]:
        lock, target = self._config.get("imagesLock"), target_fact(self._spec)
        catalog = load_catalog(lock=Path(lock) if lock else None)
        found: dict[str, tuple[Application, CloudRunService]] = {}
        for one in applications:
            image = catalog.image(one.name, target, f"service {one.name}", reference=one.spec.image)
            name = self.child_name(one.name)
            found[one.name] = (one, CloudRunService(name, self._spec, one, shared, image, opts=self._inside))
        for called, (_, service) in found.items():
            # What nobody outside can call, the deployment's own services may.
            for caller, (_, other) in found.items():
                if caller != called:
                    service.let_call(caller, other.account.member)
            if service.service is not None:
                self._outputs[f"{called}Url"] = service.endpoint
        return found

    def _enter(self, services: dict[str, tuple[Application, CloudRunService]]) -> None:
        """Make a load balancer for each kind of caller that there is."""
        for exposure in (Exposure.PUBLIC, Exposure.INTERNAL):
            named = {role: one for role, one in services.items() if one[0].spec.exposure is exposure}
            if named:
                made = GcpRunEntrance(
                    self.child_name(exposure.value),
                    self._spec,
                    self._plan,
                    self._network,
                    named,
                    exposure=exposure,
                    opts=self._inside,
                )
                self._outputs[f"{exposure.value}Address"] = made.address


def _users(plan: ApplicationsSpec, applications: list[Application]) -> set[str]:
    """Return which of Google's own accounts use the key."""
    secret = any(one.spec.secrets for one in applications) or plan.cache is not None or plan.database is not None
    wanted = {
        "sql": plan.database is not None,
        "redis": plan.cache is not None,
        "storage": plan.bucket is not None,
        "queue": plan.queue is not None,
        "secrets": secret,
    }
    return {"run"} | {role for role, is_there in wanted.items() if is_there}
