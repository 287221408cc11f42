"""The base stack of a deployment on Google Cloud: network, cluster, machines and managed stores, under one key."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp import projects, serviceaccount, storage

from components.base import SkerryComponent, checked_name
from components.clouds.managed import managed_stores, service_namespaces
from components.gcp.cluster import GcpCluster
from components.gcp.data_access import GcpDataAccess
from components.gcp.key import GcpKey
from components.gcp.labels import labels_of
from components.gcp.network import GcpNetwork
from components.gcp.services import GcpServiceIdentities, asks_google
from components.gcp.stores import GcpObjectStore, GcpPostgres, GcpPubSub
from skerry.config.data_access import crosses
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

CLUSTER_NAME_LENGTH: Final = 40
"""Source: GKE API, Cluster.name in the discovery document container.v1, read 2026-11."""

ACCOUNT_NAME_LENGTH: Final = 22
"""Names of service accounts have at most 30 characters, of which the provider adds 8.

Source: terraform-provider-google at e03b7622, google_service_account, account_id, read 2026-11.
"""

NODE_ROLES: Final = ("roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader")
"""What machines themselves may do: write logs and metrics, and pull images.

Source: Google Cloud's list of default service accounts and their replacements, Kubernetes Engine, read 2026-11.
"""

AGENT_NAMESPACES: Final = ("sensei-cognitive", "sensei-execution", "sensei-meta")
OBJECT_ROLE: Final = "roles/storage.objectUser"
IDENTITY_ROLE: Final = "roles/iam.workloadIdentityUser"


class GcpBase(SkerryComponent):
    """Makes everything of a deployment that lies outside Kubernetes."""

    def __init__(self, name: str, spec: DeploymentSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the base.

        Args:
            name: the component's name.
            spec: the deployment.
            opts: Pulumi's options.

        Raises:
            CatalogError: no machine type has what a pool asks.
            ConfigError: the network is too small for the plan.
        """
        super().__init__(
            name,
            ComponentFacts(tier=Tier.PLATFORM, role="base", jurisdiction=spec.target.jurisdiction),
            opts,
        )
        self._spec, self._project = spec, spec.target.gcp.project
        cluster_name = checked_name(pulumi.get_stack().removesuffix("-base"), CLUSTER_NAME_LENGTH)
        provider = gcp_provider(self, spec)
        self._options = pulumi.ResourceOptions(parent=self, provider=provider)
        inside = pulumi.ResourceOptions(parent=self, providers=[provider])
        stores = managed_stores(spec)
        self._key = GcpKey(
            self.child_name("encryption"), spec, stores, project_number=project_number(spec, provider), opts=inside
        )
        self._network = GcpNetwork(self.child_name("network"), spec, cluster_name=cluster_name, opts=inside)
        self._cluster = GcpCluster(
            self.child_name("cluster"),
            spec,
            self._network,
            self._key,
            cluster_name=cluster_name,
            service_account=self._nodes_account(),
            opts=inside,
        )
        if crosses(spec.execution.data_endpoints):
            GcpDataAccess(self.child_name("data"), spec, self._network, opts=inside)
        self._stores = self._managed_stores(inside)
        if asks_google(spec):
            name, number, gke = self.child_name("services"), project_number(spec, provider), self._cluster.gke
            GcpServiceIdentities(name, spec, number=number, cluster=gke, opts=inside)
        self.finish()

    def stack_outputs(self) -> dict[str, pulumi.Input[object]]:
        """Return what the platform stack needs."""
        return {
            "clusterName": self._cluster.gke.name,
            "kubeconfig": self._cluster.kubeconfig,
            "region": self._spec.target.region,
            "network": self._spec.target.gcp.network_cidr,
            "managedNetwork": str(self._network.ranges.managed),
            "keyId": self._key.key.id,
            **self._stores,
        }

    def _nodes_account(self) -> pulumi.Output[str]:
        """Make the identity of the machines: not the project's default one, which may edit everything."""
        account = serviceaccount.Account(
            self.child_name("nodes", ACCOUNT_NAME_LENGTH),
            display_name=f"Machines of {pulumi.get_stack()}",
            opts=self._options,
        )
        for role in NODE_ROLES:
            projects.IAMMember(
                self.child_name("nodes-" + role.removeprefix("roles/").replace(".", "-").lower()),
                project=self._project,
                role=role,
                member=account.member,
                opts=self._options,
            )
        return account.email

    def _managed_stores(self, inside: pulumi.ResourceOptions) -> dict[str, pulumi.Input[object]]:
        """Make the stores that Google is to run, and return where they are; the others run in the cluster."""
        spec, wanted = self._spec, managed_stores(self._spec)
        found: dict[str, pulumi.Input[object]] = {}
        if wanted.relational:
            postgres = GcpPostgres(self.child_name("postgres"), spec, self._network, self._key, opts=inside)
            found["postgresEndpoint"] = postgres.endpoint
            found["postgresInstance"] = postgres.instance.name
        if wanted.object_store:
            objects = GcpObjectStore(self.child_name("objects"), spec, self._key, opts=inside)
            found["bucket"] = objects.endpoint
            found["agentsAccount"] = self._agents_account(objects)
        if wanted.pubsub:
            pubsub = GcpPubSub(self.child_name("pubsub"), spec, self._network, self._key, opts=inside)
            found["pubsubEndpoint"] = pubsub.endpoint
            found["pubsubInstance"] = pubsub.instance.name
        return found

    def _agents_account(self, objects: GcpObjectStore) -> pulumi.Output[str]:
        """Make the identity by which pods reach the bucket, and nothing else."""
        account = serviceaccount.Account(
            self.child_name("agents", ACCOUNT_NAME_LENGTH),
            display_name=f"Agents of {pulumi.get_stack()}",
            opts=self._options,
        )
        storage.BucketIAMMember(
            self.child_name("agents-objects"),
            bucket=objects.bucket.name,
            role=OBJECT_ROLE,
            member=account.member,
            opts=self._options,
        )
        pool = f"{self._project}.svc.id.goog"
        for namespace in agent_namespaces(self._spec):
            serviceaccount.IAMMember(
                self.child_name(f"identity-{namespace}"),
                service_account_id=account.name,
                role=IDENTITY_ROLE,
                member=f"serviceAccount:{pool}[{namespace}/agents]",
                # The pool of identities comes with the first cluster of the project.
                opts=pulumi.ResourceOptions.merge(
                    self._options, pulumi.ResourceOptions(depends_on=[self._cluster.gke])
                ),
            )
        return account.email


def agent_namespaces(spec: DeploymentSpec) -> tuple[str, ...]:
    """Return the namespaces with pods that reach objects: the tiers', or that of the services."""
    return service_namespaces(spec) or AGENT_NAMESPACES


def gcp_provider(parent: SkerryComponent, spec: DeploymentSpec) -> gcp.Provider:
    """Make the one provider of a stack: its project, its region, and the labels by which finance and policy group."""
    return gcp.Provider(
        parent.child_name("gcp"),
        project=spec.target.gcp.project,
        region=spec.target.region,
        impersonate_service_account=spec.target.gcp.deployment_account,
        default_labels=labels_of(spec, Tier.PLATFORM),
        add_pulumi_attribution_label=False,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def project_number(spec: DeploymentSpec, provider: gcp.Provider) -> pulumi.Output[str]:
    """Return the project's number: the one that the stack names, else the one that Google says, at deployment."""
    if spec.target.gcp.project_number:
        return pulumi.Output.from_input(spec.target.gcp.project_number)
    found = gcp.organizations.get_project_output(
        project_id=spec.target.gcp.project, opts=pulumi.InvokeOptions(provider=provider)
    )
    number: pulumi.Output[str] = found.apply(lambda project: str(project.number))
    return number
