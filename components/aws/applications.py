"""Services on AWS without a cluster: ECS on Fargate and Lambda, and what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pulumi
import pulumi_aws as aws
from pulumi_aws import ecr, kms, servicediscovery

from components.aws.application_access import AwsAccess
from components.aws.application_site import Site
from components.aws.base import account_of, aws_provider
from components.aws.ecs_cluster import AwsContainerCluster
from components.aws.ecs_service import AwsContainerService
from components.aws.entrance import AwsEntrance, behind, certificate_of
from components.aws.lambda_service import AwsFunctionService
from components.aws.network import AwsNetwork, NetworkShape
from components.aws.password import AwsPassword
from components.aws.permissions import key_policy
from components.aws.queue import AwsQueue
from components.aws.stores import CACHE_PORT, POSTGRES_PORT, AwsObjectStore, AwsPostgres, AwsPubSub, database_name
from components.base import SkerryComponent
from components.blueprints.deployment import target_fact
from components.configuration import FlatConfig, secret_of
from skerry.application import Application, application_of, hosts_of
from skerry.application_queue import fed_by_queue
from skerry.aws_stores import cache_class
from skerry.catalog import load_catalog
from skerry.config.application import ApplicationsSpec, DatabaseSpec, Exposure, Need, Runtime
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, ImageFact, Tier
from skerry.images import ImageReference

DATABASE_USER: Final = "skerry"
PORTS: Final = {Need.DATABASE: POSTGRES_PORT, Need.CACHE: CACHE_PORT}


class AwsApplications(SkerryComponent):
    """Puts services on ECS and Lambda, in a network of their own, with the stores that they share beside them."""

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
            SizingError: Fargate has no such size.
        """
        facts = ComponentFacts(tier=Tier.PLATFORM, role="site", jurisdiction=spec.target.jurisdiction)
        super().__init__(name, facts, opts)
        self._spec, self._plan, self._config = spec, plan, config
        self._outputs: dict[str, pulumi.Input[object]] = {"region": spec.target.region}
        self._repositories: dict[str, pulumi.Resource] = {}
        self._applications = [application_of(role, row) for role, row in plan.services.items()]
        provider = aws_provider(self, spec)
        self._cloud = provider
        self._inside = pulumi.ResourceOptions(parent=self, providers=[provider])
        self._account = account_of(spec, provider)
        self._key = kms.Key(
            self.child_name("key"),
            description=f"Everything of {pulumi.get_stack()} at rest",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=self._account.apply(lambda account: key_policy(account, spec.target.region)),
            opts=pulumi.ResourceOptions(parent=self, provider=provider, protect=True, retain_on_delete=True),
        )
        self._network = AwsNetwork(
            self.child_name("network"),
            spec,
            cluster_name=self._site_name,
            key_arn=self._key.arn,
            shape=network_shape(spec, plan, self._applications),
            opts=self._inside,
        )
        self._access = AwsAccess(
            self.child_name("access"),
            self._network,
            self._applications,
            store_ports={need: port for need, port in PORTS.items() if _shared(plan, need)},
            outbound=calls_out(spec, self._applications),
            opts=self._inside,
        )
        self._services(self._stores())
        self.finish()

    @property
    def _site_name(self) -> str:
        return self._plan.site.name or pulumi.get_stack()

    def stack_outputs(self) -> dict[str, pulumi.Input[object]]:
        """Return where everything is."""
        return self._outputs

    def _stores(self) -> Site:
        """Make the stores, and say where each of them is."""
        spec, plan = self._spec, self._plan
        places: dict[str, pulumi.Input[str]] = {}
        secrets = self._stack_secrets()
        if plan.database is not None:
            self._database(plan.database, places, secrets)
        if plan.cache is not None:
            self._cache(places, secrets)
        bucket = queue = None
        if plan.bucket is not None:
            bucket = AwsObjectStore(
                self.child_name("objects"), spec, key_arn=self._key.arn, gib=plan.bucket.gib, opts=self._inside
            )
            places |= {
                "bucket.name": bucket.bucket.bucket,
                "bucket.endpoint": f"https://s3.{spec.target.region}.amazonaws.com",
                "bucket.region": spec.target.region,
            }
            self._outputs["bucket"] = bucket.endpoint
        if plan.queue is not None:
            takers = [
                one.definition.longest_request_s
                for one in self._applications
                if one.spec.runtime is Runtime.LAMBDA and fed_by_queue(one)
            ]
            queue = AwsQueue(
                self.child_name("queue"),
                spec,
                plan.queue,
                key_arn=self._key.arn,
                function_timeout_s=max(takers, default=0),
                opts=self._inside,
            )
            places |= {"queue.url": queue.queue.url, "queue.name": queue.queue.name}
            self._outputs["queue"] = queue.endpoint
        self._outputs["shared"] = places
        return Site(
            name=self._site_name,
            spec=spec,
            network=self._network,
            access=self._access,
            key_arn=self._key.arn,
            account=self._account,
            places=places,
            secrets=secrets,
            bucket_arn=bucket.bucket.arn if bucket is not None else None,
            queue_arn=queue.queue.arn if queue is not None else None,
            queue_name=queue.queue.name if queue is not None else None,
        )

    def _stack_secrets(self) -> dict[str, pulumi.Input[str]]:
        """Return the values of the secret keys that services name."""
        return {
            key: secret_of(
                self._config, key, f"{self._spec.system.value}.services.{one.name}.secrets.{variable}", "value"
            )
            for one in self._applications
            for variable, key in one.spec.secrets.items()
        }

    def _database(
        self, wanted: DatabaseSpec, places: dict[str, pulumi.Input[str]], secrets: dict[str, pulumi.Input[str]]
    ) -> None:
        password = self._password("database", wanted.password_secret)
        secrets["database.password"] = password
        made = AwsPostgres(
            self.child_name("postgres"),
            self._spec,
            vpc_id=self._network.vpc_id,
            subnet_ids=self._network.subnet_ids,
            clients=self._access.callers[Need.DATABASE].id,
            key_arn=self._key.arn,
            database=wanted,
            password=password,
            opts=self._inside,
        )
        places |= {
            "database.host": made.endpoint,
            "database.port": f"{POSTGRES_PORT}",
            "database.name": database_name(wanted),
            "database.user": DATABASE_USER,
        }
        self._outputs["postgresEndpoint"] = made.endpoint

    def _password(self, store: str, key: str | None) -> pulumi.Output[str]:
        """Return the password of a store: the stack's, or one that AWS makes."""
        given = secret_of(self._config, key, f"{store}.password_secret", "password") if key is not None else None
        made = AwsPassword(
            self.child_name(f"{store}-password"), self._cloud, key_arn=self._key.arn, given=given, opts=self._inside
        )
        return made.value

    def _cache(self, places: dict[str, pulumi.Input[str]], secrets: dict[str, pulumi.Input[str]]) -> None:
        cache = self._plan.cache
        if cache is None:
            return
        asked = any("{cache.password}" in one.environment.values() for one in self._applications)
        password = None
        if asked or cache.password_secret is not None:
            password = secrets["cache.password"] = self._password("cache", cache.password_secret)
        made = AwsPubSub(
            self.child_name("cache"),
            self._spec,
            vpc_id=self._network.vpc_id,
            subnet_ids=self._network.subnet_ids,
            clients=self._access.callers[Need.CACHE].id,
            key_arn=self._key.arn,
            node_type=cache_class(cache.memory_gib).name,
            password=password,
            opts=self._inside,
        )
        places |= {"cache.scheme": "rediss", "cache.host": made.endpoint, "cache.port": f"{CACHE_PORT}"}
        self._outputs["cacheEndpoint"] = made.endpoint

    def _services(self, site: Site) -> None:
        lock, target = self._config.get("imagesLock"), target_fact(self._spec)
        catalog = load_catalog(lock=Path(lock) if lock else None)
        entrances = self._entrances()
        containers = [one for one in self._applications if one.spec.runtime is Runtime.ECS]
        cluster = AwsContainerCluster(self.child_name("ecs"), site.name, opts=self._inside) if containers else None
        namespace = self._namespace(containers)
        for one in self._applications:
            image = catalog.image(one.name, target, f"service {one.name}", reference=one.spec.image)
            repository = self._repository(image)
            entrance = entrances.get(one.spec.exposure)
            options = pulumi.ResourceOptions(parent=self, providers=[self._cloud], depends_on=repository)
            if cluster is not None and one.spec.runtime is Runtime.ECS:
                made = AwsContainerService(
                    one.name,
                    site,
                    one,
                    image,
                    cluster.cluster,
                    after=[cluster.capacity],
                    entrance=entrance,
                    namespace=namespace if one.definition.ports else None,
                    opts=options,
                )
                self._outputs[f"{one.name}Size"] = made.size.arithmetic
            else:
                AwsFunctionService(one.name, site, one, image, entrance=entrance, opts=options)
            if one.spec.host is not None:
                self._outputs[f"{one.name}Url"] = f"https://{one.spec.host}"

    def _entrances(self) -> dict[Exposure, AwsEntrance]:
        """Make an entrance for each exposure that services have, open it to them, and write their names."""
        outside = [one for one in self._applications if one.spec.exposure is not Exposure.NONE]
        if not outside:
            return {}
        dns, zone_id = self._plan.dns, self._zone_id()
        hosts = sorted({host for one in outside for host in hosts_of(one)})
        certificate: pulumi.Input[str] = self._plan.site.certificate or ""
        if not certificate and dns is not None and zone_id is not None:
            options = pulumi.ResourceOptions(parent=self, provider=self._cloud)
            certificate = certificate_of(self.child_name("certificate"), hosts, zone_id, dns, options)
        found = {}
        for exposure in (Exposure.PUBLIC, Exposure.INTERNAL):
            callers = behind(self._applications, exposure)
            if not callers:
                continue
            made = AwsEntrance(
                f"entrance-{exposure.value}",
                self._network,
                callers,
                public=exposure is Exposure.PUBLIC,
                certificate=certificate,
                opts=self._inside,
            )
            for one in callers:
                if one.spec.runtime is Runtime.ECS:
                    self._access.let_in(one, made.group, exposure.value)
                for index, host in enumerate(hosts_of(one) if zone_id is not None else []):
                    made.name_it(zone_id or "", host, f"{one.name}-{index}" if index else one.name)
            self._outputs[f"{exposure.value}Entrance"] = made.balancer.dns_name
            found[exposure] = made
        return found

    def _zone_id(self) -> pulumi.Output[str] | None:
        """Return the id of the zone that names are written to; it exists already."""
        if self._plan.dns is None:
            return None
        options = pulumi.InvokeOptions(provider=self._cloud)
        zone = aws.route53.get_zone_output(name=self._plan.dns.zone, private_zone=False, opts=options)
        found: pulumi.Output[str] = zone.apply(lambda one: f"{one.zone_id}")
        return found

    def _namespace(self, containers: list[Application]) -> servicediscovery.PrivateDnsNamespace | None:
        """Make the names by which services find each other inside the network."""
        if not any(one.definition.ports for one in containers):
            return None
        return servicediscovery.PrivateDnsNamespace(
            self.child_name("names"),
            name=f"{self._site_name}.internal",
            vpc=self._network.vpc_id,
            opts=pulumi.ResourceOptions(parent=self, provider=self._cloud),
        )

    def _repository(self, image: ImageFact) -> list[pulumi.Resource]:
        """Make the repository of an image that is to lie in the deployment's own registry, where that is wished."""
        reference = ImageReference.parse(image.deployed_as)
        if not self._plan.site.repositories or not own_registry(self._spec, reference):
            return []
        if reference.repository in self._repositories:
            return [self._repositories[reference.repository]]
        repository = ecr.Repository(
            self.child_name(f"images-{image.name}"),
            name=reference.repository,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": self._key.arn}],
            opts=pulumi.ResourceOptions(parent=self, provider=self._cloud, protect=True, retain_on_delete=True),
        )
        self._outputs[f"{image.name}Repository"] = repository.repository_url
        self._repositories[reference.repository] = repository
        return [repository]


def own_registry(spec: DeploymentSpec, reference: ImageReference) -> bool:
    """Say whether an image lies in Amazon ECR in the region of the stack."""
    return reference.registry.endswith(f".dkr.ecr.{spec.target.region}.amazonaws.com")


def calls_out(spec: DeploymentSpec, applications: list[Application]) -> bool:
    """Say whether services need a way to the internet: for hosts that they call, or for images from elsewhere.

    Lambda itself takes images; tasks of ECS take theirs through the network.
    """
    return any(
        one.definition.egress
        or (one.spec.runtime is Runtime.ECS and not own_registry(spec, ImageReference.parse(one.spec.image)))
        for one in applications
    )


def network_shape(spec: DeploymentSpec, plan: ApplicationsSpec, applications: list[Application]) -> NetworkShape:
    """Return what the network has: a way out, or an interface of each service of AWS that is called inside it."""
    outbound = calls_out(spec, applications)
    inside = []
    if not outbound:
        if any(one.spec.runtime is Runtime.ECS for one in applications):
            inside += ["ecr.api", "ecr.dkr", "logs"]
        inside += ["ssm"] if _fetches(applications) else []
        inside += ["sqs"] if plan.queue is not None else []
    public = any(one.spec.exposure is Exposure.PUBLIC for one in applications)
    return NetworkShape(plan.site.network_cidr, inside, outbound=outbound, entrance=outbound or public)


def _fetches(applications: list[Application]) -> bool:
    return any(one.spec.secrets or "{" in "".join(one.environment.values()) for one in applications)


def _shared(plan: ApplicationsSpec, need: Need) -> bool:
    return {Need.DATABASE: plan.database, Need.CACHE: plan.cache}[need] is not None
