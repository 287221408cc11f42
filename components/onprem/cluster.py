"""A Kubernetes cluster that exists already, on machines that somebody owns."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.node_pool import NodePool, placement_of, scaling_of
from skerry.catalog import Catalog
from skerry.config.spec import DeploymentSpec, ImageAccess, PoolSpec
from skerry.facts import ComponentFacts, NodesFact, TargetFact, Tier


class OnPremCluster(SkerryComponent):
    """States the machines of an existing cluster and holds the provider that talks to it."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        target: TargetFact,
        catalog: Catalog,
        *,
        labels: dict[str, str],
        kubeconfig: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Take the cluster as it is.

        Args:
            name: the component's name.
            spec: the deployment.
            target: where it stands, as the readers see it.
            catalog: the pins.
            labels: on every object.
            kubeconfig: the content of a kubeconfig, secret; None takes the ambient one.
            opts: Pulumi's options.
        """
        super().__init__(
            name, ComponentFacts(tier=Tier.PLATFORM, role="cluster", jurisdiction=target.jurisdiction), opts
        )
        provider = k8s.Provider(
            self.child_name("provider"),
            kubeconfig=kubeconfig,
            context=spec.target.kube_context,
            enable_server_side_apply=True,
            opts=self.child_options(),
        )
        placements = {}
        for tier, pool in pools_of(spec):
            NodePool(
                self.child_name(tier.value),
                tier=tier,
                nodes=_own_machines(pool),
                scaling=scaling_of(pool, None),
                opts=self.child_options(),
            )
            placements[tier] = placement_of(tier, pool, None)
        placements[Tier.CHANNELS] = placements[Tier.META]
        placements[Tier.PLATFORM] = placements[Tier.META]
        if spec.target.image_access is ImageAccess.MIRROR and target.site_registry:
            self.hosts_toml = hosts_toml(target.site_registry)
        self.cluster = Cluster(
            target=target,
            provider=provider,
            catalog=catalog,
            data_class=spec.data_class,
            production=spec.production,
            placements=placements,
            storage_class=spec.target.storage_class,
            storage_encrypted=spec.target.storage_encrypted,
            network_encrypted=spec.target.network_encrypted,
            labels=labels,
        )
        self.finish()


def pools_of(spec: DeploymentSpec) -> list[tuple[Tier, PoolSpec]]:
    """Return the pool of each tier that has machines of its own."""
    pools = [(Tier.EXECUTION, spec.execution.pool), (Tier.META, spec.meta.pool)]
    if spec.cognitive.pool is not None:
        pools.insert(0, (Tier.COGNITIVE, spec.cognitive.pool))
    return pools


def hosts_toml(site_registry: str) -> str:
    """Return containerd's hosts.toml that asks the site registry first, for every source registry.

    Source: containerd docs/hosts.md "Setup Default Mirror", read 2026-11.
    """
    return f'[host."https://{site_registry}/v2"]\n  capabilities = ["pull", "resolve"]\n  override_path = true\n'


def _own_machines(pool: PoolSpec) -> NodesFact:
    machine = pool.machine
    return NodesFact(
        vcpu=machine.vcpu,
        memory_gib=machine.memory_gib,
        gpu_model=machine.gpu_model,
        gpus=machine.gpus,
        gpu_memory_gib=machine.gpu_memory_gib,
        purchase="existing",
        priced_here=True,
        comparable_instance=machine.comparable_instance,
    )
