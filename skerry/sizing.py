"""Whether a model fits the GPUs, with the arithmetic.

(1) weights   = parameters x bytes per parameter of the precision
(2) KV cache  = 2 (key and value) x layers x KV heads x head dimension x 2 bytes, per token
(3) room      = tensor-parallel GPUs x (GPU memory x utilization - 2 GiB) - weights
(4) it fits when the room holds the KV cache of one sequence of the whole context

Worked example: 70.6e9 parameters in bf16 are 131.5 GiB; two A100 of 40 GiB give 2 x (40 x 0.90 - 2) = 68 GiB: refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from skerry.catalog import ModelRow
from skerry.config.serving import Precision
from skerry.units import GIB

BYTES_PER_PARAMETER: Final = {Precision.BF16: 2.0, Precision.FP8: 1.0, Precision.INT4: 0.55}
"""AWQ keeps a scale and a zero point beside each group of 4-bit weights: with groups of 128 about 4.16 bits a weight.
Some layers stay in 16 bits, so 0.55 bytes are an estimate of ours.

Source: multigrid.ai "Group Size in GPTQ and AWQ Quantization", read 2026-11.
"""

RUNTIME_GIB: Final = 2.0
"""GiB of one GPU that CUDA context, activations and graphs take beside weights and cache; an estimate of ours."""

KV_BYTES: Final = 2
"""Bytes of one cached number: vLLM keeps the cache in bf16 unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer for one model on one machine."""

    fits: bool
    tensor_parallel: int
    """GPUs that one server takes; a power of two that divides the attention heads."""
    servers_per_node: int
    weights_gib: float
    room_gib: float
    """GiB left for the KV cache; negative when the weights alone do not fit."""
    cache_tokens: int
    """Tokens that the room holds; 0 when the weights do not fit."""
    arithmetic: str
    """The sum in one line, for messages and reports."""


def weights_gib(parameters: int, precision: Precision) -> float:
    """Return the GiB of weights of `parameters` numbers."""
    return parameters * BYTES_PER_PARAMETER[precision] / GIB


def fit(
    model: ModelRow,
    precision: Precision,
    context_tokens: int,
    *,
    gpus: int,
    gpu_memory_gib: float,
    utilization: float,
) -> Fit:
    """Find the fewest GPUs of one node that serve `model` with the whole context, or say why none does.

    GPUs are tried in powers of two that divide the model's attention heads: tensor parallelism stays inside a node.
    """
    best: Fit | None = None
    parallel = 1
    while parallel <= max(gpus, 1):
        if model.heads % parallel == 0:
            best = _fit_on(model, precision, context_tokens, gpus, parallel, gpu_memory_gib, utilization)
            if best.fits:
                return best
        parallel *= 2
    assert best is not None  # noqa: S101  one GPU divides any number of heads
    return best


def _fit_on(
    model: ModelRow, precision: Precision, context: int, gpus: int, parallel: int, gpu_gib: float, utilization: float
) -> Fit:
    weights = weights_gib(model.parameters, precision)
    token_bytes = 2 * model.layers * model.kv_heads * model.head_dim * KV_BYTES
    room = parallel * (gpu_gib * utilization - RUNTIME_GIB) - weights
    tokens = int(room * GIB / token_bytes) if room > 0 else 0
    need = context * token_bytes / GIB
    fits = gpus >= parallel and tokens >= context
    text = (
        f"{parallel} x ({gpu_gib:g} GiB x {utilization:.2f} - {RUNTIME_GIB:g}) = "
        f"{parallel * (gpu_gib * utilization - RUNTIME_GIB):.1f} GiB for {weights:.1f} GiB of weights "
        f"({model.parameters / 1e9:.1f}e9 x {BYTES_PER_PARAMETER[precision]:g} B) and {need:.1f} GiB of KV cache "
        f"({context} tokens x {token_bytes // 1024} KiB)"
    )
    return Fit(fits, parallel, gpus // parallel, weights, room, tokens, text)
