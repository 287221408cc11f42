"""What Azure runs, for every Pulumi language; its SDK is imported only when a program uses one of these."""

from typing import NotRequired, TypedDict

import pulumi

from components.base import SkerryComponent
from components.package.deployment import deployment_of
from components.package.remote import Remote, python_name, with_outputs
from components.package.specs import Deployment


class AzureBaseArgs(TypedDict):
    """What an AzureBase takes."""

    deployment: Deployment
    """The deployment, with `layer: base`."""
    postgres_password: NotRequired[pulumi.Input[str]]
    """The password of PostgreSQL's administrator; left out, the deployment names no `postgresAdminSecret`."""


class AzureBase(Remote):
    """Makes everything of a deployment that lies outside Kubernetes: network, key, cluster, machines, managed stores.

    Its outputs are what the platform layer reads from the stack: export each under its own name.
    """

    cluster_name: pulumi.Output[str]
    """The AKS cluster."""
    resource_group: pulumi.Output[str]
    """The resource group that holds everything."""
    kubeconfig: pulumi.Output[str]
    """Calls Azure's plugin for kubectl; holds no credential."""
    region: pulumi.Output[str]
    """The region."""
    network: pulumi.Output[str]
    """The address range of the network."""
    endpoints_network: pulumi.Output[str]
    """The address range that Redis answers from."""
    postgres_network: pulumi.Output[str]
    """The address range that PostgreSQL answers from, where Azure runs it."""
    disk_encryption_set_id: pulumi.Output[str]
    """By which disks use the key of everything at rest."""
    postgres_endpoint: pulumi.Output[str] | None
    """Host name of PostgreSQL, where Azure runs it."""
    pubsub_endpoint: pulumi.Output[str] | None
    """Host name of Redis, where Azure runs it."""
    storage_account: pulumi.Output[str] | None
    """The storage account of objects, where Azure runs the store."""
    container: pulumi.Output[str] | None
    """Its container."""
    cognitive_client_id: pulumi.Output[str] | None
    """The identity of the cognitive tier's agents, which the container obeys."""
    execution_client_id: pulumi.Output[str] | None
    """The identity of the execution tier's agents."""
    meta_client_id: pulumi.Output[str] | None
    """The identity of the meta tier's agents and of MLflow."""

    def __init__(self, name: str, args: AzureBaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AzureBaseArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the base."""
        from components.azure import base

        spec, password = deployment_of(args["deployment"]), args.get("postgres_password")
        made = base.AzureBase(name, spec, postgres_password=password, opts=opts)
        return with_outputs(made, **{python_name(key): value for key, value in made.stack_outputs().items()})
