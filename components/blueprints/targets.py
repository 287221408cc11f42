"""Which component makes the cluster of each kind of target: the only place where a cloud is chosen.

Lists are written out: a cloud's module is imported only for its own stacks, so that no stack pays for another's SDK.
A further cloud is one more case in each of the two functions.
"""

from __future__ import annotations

from typing import Final, Protocol

import pulumi

from components.configuration import FlatConfig, secret_of
from components.kubernetes.cluster import Cluster
from skerry.catalog import Catalog
from skerry.config.spec import DeploymentSpec, System, TargetKind
from skerry.errors import ConfigError, Problem
from skerry.facts import TargetFact

_SHORT: Final = {System.AETHERGRAPH: "aether", System.APPLICATIONS: "services"}
"""Systems whose own name would make a name below longer than a label: of EKS's role of machines, the longest."""


def _name(spec: DeploymentSpec, part: str) -> str:
    """Return the name of a component in every stack of a system: part of URNs, so it never changes."""
    return f"{_SHORT.get(spec.system, spec.system.value)}-{part}"


class BaseLayer(Protocol):
    """What a cloud's base makes: network, cluster, machines and stores outside Kubernetes."""

    def stack_outputs(self) -> dict[str, pulumi.Input[object]]:
        """Return what the platform stack needs."""


def base_layer(spec: DeploymentSpec, config: FlatConfig, opts: pulumi.ResourceOptions) -> BaseLayer:
    """Make the base of a deployment on a cloud.

    Args:
        spec: the checked configuration; its layer is the base.
        config: the flat values and secrets beside the configuration.
        opts: Pulumi's options.

    Raises:
        CatalogError: no instance type has what a pool asks.
        ConfigError: the target has no base, or a key is named that the stack does not set.
    """
    match spec.target.kind:
        case TargetKind.AWS:
            from components.aws.base import AwsBase

            return AwsBase(_name(spec, "base"), spec, opts=opts)
        case TargetKind.GCP:
            from components.gcp.base import GcpBase

            return GcpBase(_name(spec, "base"), spec, opts=opts)
        case TargetKind.AZURE:
            from components.azure.base import AzureBase

            key, path = spec.target.azure.postgres_admin_secret, "target.azure.postgres_admin_secret"
            password = secret_of(config, key, path, "password") if key else None
            return AzureBase(_name(spec, "base"), spec, postgres_password=password, opts=opts)
        case TargetKind.ONPREM | TargetKind.HOSTS:
            problem = Problem("layer", "base has no meaning on own machines", "remove it")
            raise ConfigError(f"config of stack {pulumi.get_stack()}", [problem])


def cluster_of(
    spec: DeploymentSpec,
    target: TargetFact,
    catalog: Catalog,
    *,
    labels: dict[str, str],
    config: FlatConfig,
    opts: pulumi.ResourceOptions,
) -> Cluster:
    """Return the cluster of a deployment as the tiers see it.

    Args:
        spec: the checked configuration.
        target: where it stands, as the readers see it.
        catalog: the pins.
        labels: on every object.
        config: the flat values and secrets beside the configuration.
        opts: Pulumi's options.

    Raises:
        CatalogError: no instance type has what a pool asks.
        ConfigError: no base stack is named, or a key that the stack does not set.
    """
    match spec.target.kind:
        case TargetKind.AWS:
            from components.aws.platform import AwsPlatform

            return AwsPlatform(
                _name(spec, "cluster"), spec, target, catalog, labels=labels, config=config, opts=opts
            ).cluster
        case TargetKind.GCP:
            from components.gcp.platform import GcpPlatform

            return GcpPlatform(
                _name(spec, "cluster"), spec, target, catalog, labels=labels, config=config, opts=opts
            ).cluster
        case TargetKind.AZURE:
            from components.azure.platform import AzurePlatform

            return AzurePlatform(
                _name(spec, "cluster"), spec, target, catalog, labels=labels, config=config, opts=opts
            ).cluster
        case TargetKind.ONPREM:
            from components.onprem.cluster import OnPremCluster

            key = spec.target.kubeconfig_secret
            return OnPremCluster(
                _name(spec, "cluster"),
                spec,
                target,
                catalog,
                labels=labels,
                kubeconfig=secret_of(config, key, "target.kubeconfig_secret", "kubeconfig") if key else None,
                opts=opts,
            ).cluster
        case TargetKind.HOSTS:
            problem = Problem("target.kind", "hosts have no cluster", "use onprem where Kubernetes runs on them")
            raise ConfigError(f"config of stack {pulumi.get_stack()}", [problem])
