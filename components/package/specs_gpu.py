"""GPUs and local inference as every Pulumi language writes them: `skerry.config.gpu` and `.serving`, word for word."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from skerry.config.gpu import DeviceSource, DriverSource, GpuSharingMode, MigStrategy
from skerry.config.serving import Precision, WeightsSource


class GpuSharing(TypedDict):
    """How the GPUs of a pool are shared."""

    mode: NotRequired[GpuSharingMode]
    """The way; left out, pods have whole GPUs."""
    replicas: NotRequired[int]
    """For time-slicing and mps: the pods that share one GPU."""
    shares: NotRequired[Sequence[int]]
    """For mps, in place of `replicas`: percent of one GPU for each pod; on Kubernetes they must be equal."""
    profile: NotRequired[str]
    """For mig: the slice that a model server gets, such as 3g.40gb."""
    layout: NotRequired[Mapping[str, int]]
    """For mig with the strategy mixed: a GPU's slices, size -> number; left out, as many of `profile` as fit."""
    strategy: NotRequired[MigStrategy]
    """For mig: what slices are called."""


class GpuQueue(TypedDict):
    """A queue for GPU work that may wait."""

    tiers: NotRequired[Sequence[str]]
    """The tiers whose jobs may stand in it: cognitive, execution, meta."""


class Gpu(TypedDict):
    """How GPUs come to Kubernetes, and who watches and queues for them."""

    devices: NotRequired[DeviceSource]
    """What makes them known."""
    driver: NotRequired[DriverSource]
    """Who brings the driver; what the cloud's machines bring is taken."""
    driver_image: NotRequired[str]
    """For `driver: operator`: the driver's image for the machines' distribution, by digest."""
    kubernetes_version: NotRequired[str]
    """The version of an existing cluster, which dra depends on; a cloud's is that of its target."""
    metrics: NotRequired[bool]
    """True runs NVIDIA's DCGM exporter on every GPU machine; GKE runs its own, for Google's monitoring."""
    metrics_readers: NotRequired[Sequence[str]]
    """Namespaces whose pods may read the metrics, such as that of Prometheus; left out, or on GKE, none may."""
    queue: NotRequired[GpuQueue]
    """A queue for GPU work that may wait; left out, none and nothing is installed."""


class Weights(TypedDict):
    """Where weights lie and how fast they come."""

    source: NotRequired[WeightsSource]
    """Where servers read them."""
    volume_claim: NotRequired[str]
    """For `volume`: the claim, in the namespace of the tier, of a volume that somebody fills; left out, one is made."""
    storage_class: NotRequired[str]
    """For `volume` without a claim: a StorageClass whose volumes many machines can mount; required then."""
    files: NotRequired[Precision]
    """The format of the files; left out, bf16 for bf16 and for fp8, which is made while loading, and int4 for int4."""
    link_gbit_s: NotRequired[float]
    """What one machine gets from where they lie, in Gbit/s; servers are given time by it to start."""


class SecondModel(TypedDict):
    """A second local model, asked when the first does not answer."""

    model: str
    """The row of images/models.yaml."""
    precision: NotRequired[Precision]
    """The format of the served weights."""
    context_tokens: NotRequired[int]
    """The longest prompt and answer together, in tokens."""
    tensor_parallel: NotRequired[int]
    """GPUs of one server; left out, the fewest that hold it."""
    servers: NotRequired[int]
    """Servers of it, which take their GPUs before those of the first model."""
    files: NotRequired[Precision]
    """The format of the files; left out, as for the first model."""


class Serving(TypedDict):
    """How local inference is served."""

    tensor_parallel: NotRequired[int]
    """GPUs of one server, all in one machine; left out, the fewest that hold model and context."""
    pipeline_parallel: NotRequired[int]
    """Machines of one server; more than 1 is refused, since a server is one pod."""
    servers: NotRequired[int]
    """Servers of the model; left out, as many as the GPUs of the pool's minimum hold."""
    cache_tokens: NotRequired[int]
    """Tokens of KV cache, of all prompts at once, below which a size is of no use; the context is always held."""
    weights: NotRequired[Weights]
    """Where weights lie."""
    second: NotRequired[SecondModel]
    """A second local model, the provider `second-local`; left out, there is none."""
