"""What the platform stacks of all clouds have in common: who talks to the cluster, its volumes, what tiers see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.storage.v1 import StorageClass

from components.base import SkerryComponent
from components.clouds.base_stack import output_of
from components.kubernetes.cluster import Cluster
from skerry.catalog import Catalog
from skerry.config.spec import DeploymentSpec
from skerry.facts import TargetFact


def connection(owner: SkerryComponent, base: pulumi.StackReference) -> k8s.Provider:
    """Make the provider that talks to the cluster of a base stack."""
    return k8s.Provider(
        owner.child_name("provider"),
        kubeconfig=output_of(base, "kubeconfig"),
        enable_server_side_apply=True,
        opts=owner.child_options(),
    )


def makes_class(spec: DeploymentSpec, own: str) -> bool:
    """Return whether volumes are of the platform's own class, whose name is `own`."""
    return spec.target.storage_class in (None, own)


def storage_class(
    owner: SkerryComponent,
    provider: k8s.Provider,
    name: str,
    provisioner: str,
    parameters: Mapping[str, pulumi.Input[str]],
    *,
    labels: Mapping[str, str],
    more: str = "",
) -> StorageClass:
    """Make a class of volumes that stand where their pod does, may grow, and stay when their claim goes.

    Args:
        owner: whose child it is.
        provider: what talks to the cluster.
        name: its name in Kubernetes.
        provisioner: the driver.
        parameters: what the driver is told, the key among them.
        labels: on the object.
        more: tells it from the owner's other classes; empty for the first.
    """
    return StorageClass(
        owner.child_name(f"storage{more}"),
        metadata={"name": f"{name}{more}", "labels": dict(labels)},
        provisioner=provisioner,
        parameters=dict(parameters),
        volume_binding_mode="WaitForFirstConsumer",
        allow_volume_expansion=True,
        reclaim_policy="Retain",
        opts=owner.child_options(provider=provider),
    )


def cluster_of(
    spec: DeploymentSpec,
    target: TargetFact,
    catalog: Catalog,
    provider: k8s.Provider,
    *,
    labels: Mapping[str, str],
    own_class: str,
    **of_the_cloud: Any,
) -> Cluster:
    """Return what the tiers see of a cloud's cluster.

    Args:
        spec: the deployment.
        target: where it stands, as the readers see it.
        catalog: the pins.
        provider: what talks to it.
        labels: on every object.
        own_class: the class of volumes that the platform makes, which encrypts.
        of_the_cloud: the fields that each cloud fills in its own way.
    """
    return Cluster(
        target=target,
        provider=provider,
        catalog=catalog,
        data_class=spec.data_class,
        production=spec.production,
        storage_class=spec.target.storage_class or own_class,
        storage_encrypted=True if spec.target.storage_class is None else spec.target.storage_encrypted,
        labels=labels,
        load_balancer_class=spec.target.load_balancer_class,
        dns=spec.target.dns_cidrs,
        **of_the_cloud,
    )
