"""What Google Cloud runs, for every Pulumi language; its SDK is imported only when a program uses one of these."""

from typing import TypedDict

import pulumi

from components.base import SkerryComponent
from components.package.deployment import deployment_of
from components.package.remote import Remote, python_name, with_outputs
from components.package.specs import Deployment


class GcpBaseArgs(TypedDict):
    """What a GcpBase takes."""

    deployment: Deployment
    """The deployment, with `layer: base`."""


class GcpBase(Remote):
    """Makes everything of a deployment that lies outside Kubernetes: network, key, cluster, machines, managed stores.

    Its outputs are what the platform layer reads from the stack: export each under its own name.
    """

    cluster_name: pulumi.Output[str]
    """The GKE cluster."""
    kubeconfig: pulumi.Output[str]
    """Calls Google's plugin for kubectl; holds no credential."""
    region: pulumi.Output[str]
    """The region."""
    network: pulumi.Output[str]
    """The address range of the network."""
    managed_network: pulumi.Output[str]
    """The address range that managed stores answer from."""
    key_id: pulumi.Output[str]
    """The key of everything at rest."""
    postgres_endpoint: pulumi.Output[str] | None
    """Host name or address of PostgreSQL, where Google runs it."""
    postgres_instance: pulumi.Output[str] | None
    """The instance of Cloud SQL, where Google runs PostgreSQL."""
    pubsub_endpoint: pulumi.Output[str] | None
    """Host name or address of Valkey, where Google runs it."""
    pubsub_instance: pulumi.Output[str] | None
    """The instance of Memorystore, where Google runs Valkey."""
    bucket: pulumi.Output[str] | None
    """The bucket, where Cloud Storage is used."""
    agents_account: pulumi.Output[str] | None
    """The service account by which pods reach the bucket."""

    def __init__(self, name: str, args: GcpBaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: GcpBaseArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the base."""
        from components.gcp import base

        made = base.GcpBase(name, deployment_of(args["deployment"]), opts)
        return with_outputs(made, **{python_name(key): value for key, value in made.stack_outputs().items()})
