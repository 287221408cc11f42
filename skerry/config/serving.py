"""What a user can say about local inference: number format, GPUs of one server, where weights lie, a second model."""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from skerry.config.words import CatalogName, DnsLabel, Spec


class Precision(str, Enum):
    """The number format of model weights."""

    BF16 = "bf16"
    FP8 = "fp8"
    INT4 = "int4"


class WeightsSource(str, Enum):
    """Where a server reads weights from."""

    OBJECT_STORE = "object-store"
    """The bucket of the object store, under `models/<model>`."""
    VOLUME = "volume"
    """A volume that all servers mount read-only, with `models/<model>` in it."""


class WeightsSpec(Spec):
    """Where weights lie and how fast they come."""

    source: WeightsSource = WeightsSource.OBJECT_STORE
    """Where servers read them."""
    volume_claim: DnsLabel | None = None
    """For `volume`: the claim, in the namespace of the tier, of a volume that somebody fills; left out, one is made."""
    storage_class: DnsLabel | None = None
    """For `volume` without a claim: a StorageClass whose volumes many machines can mount; required then."""
    files: Precision | None = None
    """The format of the files; left out, bf16 for bf16 and for fp8, which is made while loading, and int4 for int4."""
    link_gbit_s: float = Field(default=1.0, gt=0, le=6400)
    """What one machine gets from where they lie, in Gbit/s; servers are given time by it to start."""


class SecondModelSpec(Spec):
    """A second local model, asked when the first does not answer."""

    model: CatalogName
    """The row of images/models.yaml."""
    precision: Precision = Precision.BF16
    """The format of the served weights."""
    context_tokens: int = Field(default=8192, ge=512, le=1_048_576)
    """The longest prompt and answer together, in tokens."""
    tensor_parallel: int | None = Field(default=None, ge=1, le=16)
    """GPUs of one server; left out, the fewest that hold it."""
    servers: int = Field(default=1, ge=1, le=64)
    """Servers of it, which take their GPUs before those of the first model."""
    files: Precision | None = None
    """The format of the files; left out, as for the first model."""


class ServingSpec(Spec):
    """How local inference is served."""

    tensor_parallel: int | None = Field(default=None, ge=1, le=16)
    """GPUs of one server, all in one machine; left out, the fewest that hold model and context."""
    pipeline_parallel: int = Field(default=1, ge=1, le=16)
    """Machines of one server; more than 1 is refused, since a server is one pod."""
    servers: int | None = Field(default=None, ge=1, le=64)
    """Servers of the model; left out, as many as the GPUs of the pool's minimum hold."""
    cache_tokens: int = Field(default=32768, ge=512, le=100_000_000)
    """Tokens of KV cache, of all prompts at once, below which a size is of no use; the context is always held."""
    weights: WeightsSpec = WeightsSpec()
    """Where weights lie."""
    second: SecondModelSpec | None = None
    """A second local model, the provider `second-local`; left out, there is none."""
