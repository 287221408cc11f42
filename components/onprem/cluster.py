"""A Kubernetes cluster that exists already, on machines that somebody owns."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.base import SkerryComponent
from components.kubernetes.cluster import PRIVATE_RANGES, Cluster
from components.kubernetes.node_pool import NodePool, placement_of, scaling_of
from skerry.catalog import Catalog
from skerry.config.sides import has_tier, persistent_tier
from skerry.config.spec import DeploymentSpec, ImageAccess, PoolSpec
from skerry.facts import ComponentFacts, NodesFact, TargetFact, Tier
from skerry.images import ImageReference, to_site


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
        own_provider: bool = True,
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
            own_provider: whether it makes the provider that talks to the cluster.
            opts: Pulumi's options.
        """
        super().__init__(
            name, ComponentFacts(tier=Tier.PLATFORM, role="cluster", jurisdiction=target.jurisdiction), opts
        )
        provider = self._connection(spec, kubeconfig) if own_provider else None
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
        lasting = placements[persistent_tier(spec)]
        placements |= dict.fromkeys((Tier.META, Tier.CHANNELS, Tier.PLATFORM), lasting)
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
            api_server=spec.target.api_server_cidrs or PRIVATE_RANGES,
            load_balancer_class=spec.target.load_balancer_class,
            dns=spec.target.dns_cidrs,
        )
        mirrored = target.site_registry if spec.target.image_access is ImageAccess.MIRROR else None
        self.finish(node_files=mirror_files(mirrored, source_registries(spec, catalog)) if mirrored else None)

    def _connection(self, spec: DeploymentSpec, kubeconfig: pulumi.Input[str] | None) -> k8s.Provider:
        return k8s.Provider(
            self.child_name("provider"),
            kubeconfig=kubeconfig,
            context=spec.target.kube_context,
            enable_server_side_apply=True,
            opts=self.child_options(),
        )


def pools_of(spec: DeploymentSpec) -> list[tuple[Tier, PoolSpec]]:
    """Return the pool of each tier that has machines of its own."""
    pools = [(persistent_tier(spec), spec.meta.pool)]
    if has_tier(spec, Tier.EXECUTION):
        pools.insert(0, (Tier.EXECUTION, spec.execution.pool))
    if spec.cognitive.pool is not None:
        pools.insert(0, (Tier.COGNITIVE, spec.cognitive.pool))
    if spec.execution.small_pool is not None:
        pools.append((Tier.SMALL, spec.execution.small_pool))
    return pools


def source_registries(spec: DeploymentSpec, catalog: Catalog) -> list[str]:
    """Return every registry that an image of the deployment can come from, sorted."""
    of_tiers = {
        Tier.COGNITIVE: (spec.cognitive.scout, spec.cognitive.architect),
        Tier.EXECUTION: (spec.execution.worker, spec.execution.validator),
        Tier.META: (spec.meta.learning,),
    }
    agents = [agent for tier, row in of_tiers.items() if has_tier(spec, tier) for agent in row]
    texts = [row.reference for row in catalog.images.values()] + [agent.image for agent in agents]
    return sorted({ImageReference.parse(text).registry for text in texts})


def mirror_files(site_registry: str, registries: Sequence[str]) -> dict[str, str]:
    """Return the files, path -> content, by which containerd on each node asks the site for every source registry.

    The site keeps images of `docker.io` under the path `docker.io/`, so each registry has a file of its own.
    Source: containerd docs/hosts.md, "Registry Host Namespace" and "override_path field", read 2026-11.
    """
    files = {}
    for registry in registries:
        at_site = to_site(ImageReference(registry, "any"), site_registry)
        path = at_site.repository.removesuffix("/any")
        files[f"/etc/containerd/certs.d/{registry}/hosts.toml"] = (
            f'[host."https://{at_site.registry}/v2/{path}"]\n'
            '  capabilities = ["pull", "resolve"]\n'
            "  override_path = true\n"
        )
    return files


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
