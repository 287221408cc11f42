"""The platform layer's view of AWS: the base stack's outputs become a `Cluster`, and Karpenter makes its machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.aws.fabric_devices import FabricDevices
from components.aws.nodes import ROOT_GIB, encrypt_each_other, machine_of, system_pool
from components.aws.stores import CACHE_PORT, POSTGRES_PORT
from components.aws.tags import tags_of
from components.base import SkerryComponent
from components.clouds.base_stack import base_of, output_of
from components.clouds.machines import nodes_fact, purchase_of
from components.clouds.managed import iops_of, managed_stores
from components.clouds.platform import cluster_of, connection, makes_class, storage_class
from components.configuration import FlatConfig
from components.kubernetes.cluster import PRIVATE_RANGES, TIER_LABEL, ManagedService, Placement
from components.kubernetes.gpu_devices import GpuDevices
from components.kubernetes.node_pool import NodePool, placement_of, scaling_of
from components.kubernetes.operator import Operator, image_values
from skerry.catalog import Catalog
from skerry.config.sides import has_tier, persistent_tier
from skerry.config.spec import DeploymentSpec, Purchase, TargetKind
from skerry.facts import ComponentFacts, TargetFact, Tier
from skerry.gpu_sharing import plugin_wanted, sharing_of

STORAGE_CLASS: Final = "encrypted-gp3"
KARPENTER: Final = "karpenter"
PREFIX_PODS: Final = 110
"""Pods of a machine that takes addresses by blocks: Karpenter would reckon with single addresses.

Source: Amazon EKS "Assign more IP addresses to Amazon EKS nodes with prefixes" for the number; the field: its CRD, see
`_node_class`; read 2026-11.
"""
POD_IDENTITY: Final = "169.254.170.23"
"""Where the agent of each node hands out credentials. Source: Amazon EKS "EKS Pod Identity", read 2026-11."""


class AwsPlatform(SkerryComponent):
    """Reads the base stack and holds what the tiers need of it."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        target: TargetFact,
        catalog: Catalog,
        *,
        labels: dict[str, str],
        config: FlatConfig,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Read the base stack.

        Args:
            name: the component's name.
            spec: the deployment; `target.base_stack` names the base.
            target: where it stands, as the readers see it.
            catalog: the pins.
            labels: on every object.
            config: the flat value `organization` where the state backend knows any; `organization` is the default.
            opts: Pulumi's options.

        Raises:
            ConfigError: no base stack is named.
            CatalogError: no instance type has what a pool asks.
        """
        super().__init__(
            name, ComponentFacts(tier=Tier.PLATFORM, role="cluster", jurisdiction=target.jurisdiction), opts
        )
        base = base_of(spec, config)
        provider = self._talks = connection(self, base)
        if makes_class(spec, STORAGE_CLASS):
            self._storage_class(provider, labels, spec, base)
        faster = {one: f"{STORAGE_CLASS}-{one}" for one in iops_of(spec)}
        for one in faster:
            self._storage_class(provider, labels, spec, base, one)
        if has_tier(spec, Tier.EXECUTION):
            NodePool(
                self.child_name(Tier.EXECUTION.value),
                tier=Tier.EXECUTION,
                nodes=nodes_fact(TargetKind.AWS, spec.execution.pool, priced_here=True),
                scaling=scaling_of(spec.execution.pool, KARPENTER),
                opts=self.child_options(),
            )
        self._base_outputs = base
        self._spec = spec
        self.cluster = cluster_of(
            spec,
            target,
            catalog,
            provider,
            labels=labels,
            own_class=STORAGE_CLASS,
            placements=_placements(spec),
            network_encrypted=_network_encrypted(spec),
            **_services(spec, base),
            credentials=ManagedService(POD_IDENTITY, 80, network=f"{POD_IDENTITY}/32"),
            machines=self.make_machines,
            api_server=spec.target.api_server_cidrs or PRIVATE_RANGES,
            classes_by_iops=faster,
        )
        self.finish()

    def _storage_class(
        self,
        provider: k8s.Provider,
        labels: dict[str, str],
        spec: DeploymentSpec,
        base: pulumi.StackReference,
        iops: int | None = None,
    ) -> None:
        """Make the class of all volumes, or that of volumes which do more operations a second than gp3 by itself.

        Source: kubernetes-sigs/aws-ebs-csi-driver docs/parameters.md and docs/tagging.md of 2026-08, read 2026-11.
        """
        tags = tags_of(spec, Tier.PLATFORM)
        # Whose volume it is, is not known to its class: the driver writes the namespace, of which there is one a tier.
        del tags["skerry:tier"]
        tags["skerry:namespace"] = "{{ .PVCNamespace }}"
        more = "" if iops is None else f"-{iops}"
        parameters: dict[str, pulumi.Input[str]] = {
            "type": "gp3",
            **({} if iops is None else {"iops": str(iops)}),
            "encrypted": "true",
            "kmsKeyId": output_of(base, "keyArn"),
            **{f"tagSpecification_{n}": f"{key}={value}" for n, (key, value) in enumerate(tags.items(), 1)},
        }
        storage_class(self, provider, STORAGE_CLASS, "ebs.csi.aws.com", parameters, labels=labels, more=more)

    def make_machines(self, namespace: str, depends_on: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Install Karpenter into `namespace` for the machines of the execution tier, and make GPUs known."""
        cluster, base, spec = self.cluster, self._base_outputs, self._spec
        why = "machines of the execution tier"
        repository, tag, digest = image_values(cluster, KARPENTER, why)
        meta = cluster.placements[Tier.PLATFORM]
        options = pulumi.ResourceOptions(parent=self, providers=[self._talks])
        if spec.cognitive.pool is not None and machine_of(spec.cognitive.pool).gpus:
            # The machines' image brings the driver and the container toolkit, not the plugin.
            if plugin_wanted(spec):
                GpuDevices(self.child_name("gpus"), cluster, sharing_of(spec.cognitive.pool), opts=options)
            if spec.target.aws.eks.efa and machine_of(spec.cognitive.pool).fabric_interfaces:
                FabricDevices(self.child_name("fabric"), cluster, opts=options)
        if not has_tier(spec, Tier.EXECUTION):
            return []
        operator = Operator(
            KARPENTER,
            cluster,
            chart=KARPENTER,
            namespace=namespace,
            values={
                "controller": {
                    # Said even where empty: the chart's own digest is of another version and would win over the tag.
                    # Source: aws/karpenter-provider-aws v1.14.1 charts/karpenter/templates/_helpers.tpl, read 2026-11
                    "image": {"repository": repository, "tag": tag, "digest": digest}
                },
                "settings": {
                    "clusterName": output_of(base, "clusterName"),
                    "interruptionQueue": output_of(base, "interruptionQueue"),
                    # All that it calls has an endpoint inside the network; it asks IAM and the price list for nothing.
                    # Source: Karpenter v1.14.1 "Getting started", Private Clusters, read 2026-11
                    "isolatedVPC": True,
                },
                "nodeSelector": dict(meta.node_selector),
                "tolerations": [dict(item) for item in meta.tolerations],
            },
            why=why,
            depends_on=depends_on,
            opts=options,
        )
        self._open_interfaces(namespace, depends_on)
        after = pulumi.ResourceOptions(parent=self, provider=cluster.provider, depends_on=[operator])
        node_class = CustomResource(
            self.child_name("node-class"),
            api_version="karpenter.k8s.aws/v1",
            kind="EC2NodeClass",
            metadata={"name": "execution", "labels": dict(cluster.labels)},
            spec=_node_class(base, spec),
            opts=after,
        )
        CustomResource(
            self.child_name("node-pool"),
            api_version="karpenter.sh/v1",
            kind="NodePool",
            metadata={"name": "execution", "labels": dict(cluster.labels)},
            spec=_node_pool(spec),
            opts=pulumi.ResourceOptions(parent=self, provider=cluster.provider, depends_on=[node_class]),
        )
        return [operator]

    def _open_interfaces(self, namespace: str, depends_on: Sequence[pulumi.Resource]) -> None:
        """Let Karpenter reach the endpoints of AWS inside the network, and nothing beyond it."""
        NetworkPolicy(
            self.child_name("interfaces"),
            metadata={
                "name": "allow-interfaces-karpenter",
                "namespace": namespace,
                "labels": dict(self.cluster.labels),
            },
            spec={
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": KARPENTER}},
                "policyTypes": ["Egress"],
                "egress": [
                    {
                        "to": [{"ipBlock": {"cidr": output_of(self._base_outputs, "network")}}],
                        "ports": [{"port": 443, "protocol": "TCP"}],
                    }
                ],
            },
            opts=pulumi.ResourceOptions(parent=self, provider=self._talks, depends_on=list(depends_on)),
        )


def _placements(spec: DeploymentSpec) -> dict[Tier, Placement]:
    """Return how pods of each tier find their machines; the cluster's own go to the meta tier's unless they have some.

    Raises:
        CatalogError: no instance type has what a pool asks.
    """
    found = {Tier.META: placement_of(persistent_tier(spec), spec.meta.pool, None)}
    if has_tier(spec, Tier.EXECUTION):
        found[Tier.EXECUTION] = placement_of(Tier.EXECUTION, spec.execution.pool, KARPENTER)
    if spec.cognitive.pool is not None:
        found[Tier.COGNITIVE] = placement_of(Tier.COGNITIVE, spec.cognitive.pool, None)
    if spec.execution.small_pool is not None:
        found[Tier.SMALL] = placement_of(Tier.SMALL, spec.execution.small_pool, None)
    found[Tier.CHANNELS] = found[Tier.PLATFORM] = found[Tier.META]
    system = system_pool(spec)
    if system is not None:
        found[Tier.PLATFORM] = placement_of(Tier.PLATFORM, system, None)
    return found


def _network_encrypted(spec: DeploymentSpec) -> bool | None:
    """Return what the configuration says, else what the machines do: all of them stand in one VPC."""
    if spec.target.network_encrypted is not None:
        return spec.target.network_encrypted
    execution = spec.execution.pool if has_tier(spec, Tier.EXECUTION) else None
    pools = (spec.cognitive.pool, execution, spec.meta.pool)
    return encrypt_each_other(pool for pool in pools if pool is not None)


def _services(spec: DeploymentSpec, base: pulumi.StackReference) -> dict[str, Any]:
    """Return the stores that AWS runs, as the cluster's fields."""
    wanted, network = managed_stores(spec), output_of(base, "network")
    found: dict[str, Any] = {}
    if wanted.relational:
        found["relational"] = ManagedService(output_of(base, "postgresEndpoint"), POSTGRES_PORT, network=network)
    if wanted.pubsub:
        found["pubsub"] = ManagedService(output_of(base, "pubsubEndpoint"), CACHE_PORT, network=network)
    if wanted.object_store:
        where = {"region": spec.target.region}
        found["object_store"] = ManagedService(output_of(base, "bucket"), 443, network=network, attributes=where)
    return found


def _node_class(base: pulumi.StackReference, spec: DeploymentSpec) -> dict[str, Any]:
    """Source: aws/karpenter-provider-aws v1.14.1 pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml, read 2026-11."""
    discovery = {"tags": {"karpenter.sh/discovery": output_of(base, "clusterName")}}
    more = {"kubelet": {"maxPods": PREFIX_PODS}} if spec.target.aws.eks.prefix_delegation else {}
    return {
        **more,
        "instanceProfile": output_of(base, "nodeProfile"),
        "amiSelectorTerms": [{"alias": spec.target.aws.node_image}],
        "subnetSelectorTerms": [discovery],
        "securityGroupSelectorTerms": [discovery],
        "tags": tags_of(spec, Tier.EXECUTION),
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [
            {
                "deviceName": "/dev/xvda",
                "ebs": {
                    "volumeSize": f"{ROOT_GIB}Gi",
                    "volumeType": "gp3",
                    "encrypted": True,
                    "kmsKeyID": output_of(base, "keyArn"),
                    "deleteOnTermination": True,
                },
            }
        ],
    }


def _node_pool(spec: DeploymentSpec) -> dict[str, Any]:
    """Source: sigs.k8s.io/karpenter v1.13.0 pkg/apis/crds/karpenter.sh_nodepools.yaml, read 2026-11."""
    pool = spec.execution.pool
    machine = machine_of(pool)
    capacity = ["spot", "on-demand"] if purchase_of(pool) is Purchase.SPOT else ["on-demand"]
    return {
        "template": {
            "metadata": {"labels": {TIER_LABEL: Tier.EXECUTION.value}},
            "spec": {
                "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "execution"},
                "taints": [{"key": TIER_LABEL, "value": Tier.EXECUTION.value, "effect": "NoSchedule"}],
                "requirements": [
                    {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [machine.name]},
                    {"key": "karpenter.sh/capacity-type", "operator": "In", "values": capacity},
                ],
                "expireAfter": "720h",
            },
        },
        "limits": {"cpu": str(pool.maximum * machine.vcpu)},
        "disruption": {
            "consolidationPolicy": "WhenEmpty",
            "consolidateAfter": "5m",
            "budgets": [{"nodes": "10%"}],
        },
    }
