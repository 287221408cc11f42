"""The parts of a deployment as every Pulumi language writes them: the fields of `skerry.config.spec`, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from components.package.specs_aks import Aks
from components.package.specs_eks import Eks
from skerry.config.spec import (
    GkeChannel,
    GpuDriver,
    ImageAccess,
    TargetKind,
)


class AwsTarget(TypedDict):
    """What only AWS needs."""

    vpc_cidr: NotRequired[str]
    """The address range of the VPC; three zones of /19 pods-and-nodes subnets must fit."""
    kubernetes_version: NotRequired[str]
    """The minor version of the EKS control plane."""
    account_id: NotRequired[str]
    """The only account that the provider may touch; left out, any account of the credentials is taken."""
    deployment_role: NotRequired[str]
    """The role of that account by which the provider does everything; left out, the credentials act themselves."""
    node_image: NotRequired[str]
    """The image of machines that come and go; left out, AWS's latest, so that a new one replaces running machines."""
    administrators: NotRequired[Sequence[str]]
    """IAM roles or users that administer the cluster beside the one that made it, such as the role of the runner."""
    api_cidrs: NotRequired[Sequence[str]]
    """Private address ranges beyond the VPC that reach the cluster's API, over a VPN or a peering."""
    eks: NotRequired[Eks]
    """Machines of the cluster's own pods, GPU machines and add-ons."""


class GcpTarget(TypedDict):
    """What only Google Cloud needs."""

    project: NotRequired[str]
    """The id of the project that holds everything; required on gcp."""
    project_number: NotRequired[str]
    """Its number, which is part of the names of Google's own accounts; left out, it is asked for at deployment."""
    deployment_account: NotRequired[str]
    """The service account by which the provider does everything; left out, the credentials act themselves."""
    network_cidr: NotRequired[str]
    """The private address range that machines, pods and managed stores are cut from, by what the plan needs."""
    pods_per_node: NotRequired[int]
    """The most pods of one machine; each machine takes at least twice as many addresses."""
    kubernetes_version: NotRequired[str]
    """The least version of the control plane; Google moves it on within the release channel."""
    release_channel: NotRequired[GkeChannel]
    """How soon Google brings versions to the control plane and the machines."""
    administrators: NotRequired[Sequence[str]]
    """Users, groups or service accounts that administer the cluster beside the one that made it."""
    api_cidrs: NotRequired[Sequence[str]]
    """Private address ranges beyond the network that reach the cluster's API, over a VPN or a peering."""
    gpu_zones: NotRequired[Sequence[str]]
    """The zones that sell the GPU machines; left out, all of `target.failure_domains`."""
    gpu_reservation: NotRequired[str]
    """The reservation that GPU machines are taken from, by name; left out, none but those open to any machine."""
    gpu_driver: NotRequired[GpuDriver]
    """Which NVIDIA driver Google installs on GPU machines."""
    encrypt_pods: NotRequired[bool]
    """True also encrypts traffic between machines with WireGuard, at the price of throughput."""


class AzureTarget(TypedDict):
    """What only Azure needs."""

    subscription_id: NotRequired[str]
    """The subscription that holds everything; required on azure."""
    tenant_id: NotRequired[str]
    """The tenant of Entra that the subscription trusts; required on azure."""
    administrators: NotRequired[Sequence[str]]
    """Object ids of Entra groups that administer the cluster, the runner's among them; one is required on azure."""
    network_cidr: NotRequired[str]
    """The private address range that machines, stores and Services are cut from, by what the plan needs."""
    pod_cidr: NotRequired[str]
    """The private address range of pods, an overlay beside the network; each machine takes a /24 of it."""
    pods_per_node: NotRequired[int]
    """The most pods of one machine."""
    kubernetes_version: NotRequired[str]
    """The version of the control plane and of the machines; Azure brings the patches of a minor version by itself."""
    gpu_zones: NotRequired[Sequence[str]]
    """The zones that sell the GPU machines; left out, all of `target.failure_domains`."""
    gpu_reservation: NotRequired[str]
    """The id of the capacity reservation group that GPU machines are taken from; left out, none."""
    postgres_admin_secret: NotRequired[str]
    """The secret key with the administrator's password of Azure's PostgreSQL; left out, the cluster runs one."""
    aks: NotRequired[Aks]
    """When Azure changes the cluster, and where pods get their identity."""


class Target(TypedDict):
    """Where the deployment stands."""

    kind: TargetKind
    """The kind of substrate."""
    connected: NotRequired[bool]
    """False for a site without a route to the internet."""
    jurisdiction: str
    """ISO 3166 code of the country whose law holds where the machines stand."""
    region: NotRequired[str]
    """The cloud's region; empty on own machines."""
    failure_domains: NotRequired[Sequence[str]]
    """Zones, racks or hosts that fail apart; the nodes carry them as topology.kubernetes.io/zone."""
    base_stack: NotRequired[str]
    """The stack that made the cluster; needed for the platform layer on a cloud."""
    kubeconfig_secret: NotRequired[str]
    """The secret key that holds the kubeconfig of an existing cluster; left out, the ambient kubeconfig is used."""
    kube_context: NotRequired[str]
    """The context within the kubeconfig; left out, its current one."""
    storage_class: NotRequired[str]
    """The StorageClass for volumes; left out, the target's own encrypted one (clouds) or the cluster's default."""
    storage_encrypted: NotRequired[bool]
    """Whether that StorageClass encrypts at rest; left out, reports say that it is not known (on own machines)."""
    network_encrypted: NotRequired[bool]
    """Whether the network encrypts traffic between nodes; left out: what the cloud does, else not known."""
    api_server_cidrs: NotRequired[Sequence[str]]
    """Address ranges of the Kubernetes API server, as pods reach it; left out, the private ranges of IPv4."""
    dns_cidrs: NotRequired[Sequence[str]]
    """Where names are answered beside pods of kube-system, such as a cache on each machine, 169.254.20.10/32."""
    load_balancer_class: NotRequired[str]
    """The class of the load balancers that Services get, such as `metallb.io/metallb`; left out, the cluster's own."""
    image_access: NotRequired[ImageAccess]
    """How nodes reach images where a site registry is named."""
    site_registry: NotRequired[str]
    """The registry of the site, `host[:port][/prefix]`; required where `connected` is false."""
    aws: NotRequired[AwsTarget]
    """What only AWS needs; ignored elsewhere."""
    gcp: NotRequired[GcpTarget]
    """What only Google Cloud needs; ignored elsewhere."""
    azure: NotRequired[AzureTarget]
    """What only Azure needs; ignored elsewhere."""
