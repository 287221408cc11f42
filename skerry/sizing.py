"""Whether a model fits the GPUs, and how long a server takes to start, with the arithmetic.

(1) weights   = parameters x bytes per parameter of the precision
(2) KV cache  = 2 (key and value) x layers x KV heads x head dimension x 2 bytes, per token
(3) room      = tensor-parallel GPUs x (GPU memory x utilization - 2 GiB) - weights
(4) it fits when the room holds the KV cache of the whole context, and of 32768 tokens of all prompts together: what
    holds less answers, but one prompt after the other, and is of no use to a tier of agents
(5) it starts in the time in which the bytes of the files come over the link, and ten minutes more

Worked example: 70.6e9 parameters in bf16 are 131.5 GiB; two A100 of 40 GiB give 2 x (40 x 0.90 - 2) = 68 GiB: refused.
Two of 80 GiB give 140 GiB: 8.5 are left, and 32768 tokens need 10: refused, and four GPUs are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from skerry.catalog import ModelRow
from skerry.config.serving import Precision
from skerry.gpus import Fp8, GpuModel
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

CACHE_TOKENS: Final = 32768
"""Tokens that must be held for a size to be of use, where nobody says how many: four prompts of 8192.

A choice of ours, between what is called unusable for 70e9 parameters in 16 bits (2 x 80 GB, 27.9 thousand tokens) and
what is used (8 x L4, 35.7 thousand).
"""

LINK_SHARE: Final = 0.7
"""Part of a link that weights really get beside other traffic and retries; an estimate of ours."""

WARM_UP_S: Final = 600
"""Seconds from the last byte to the first answer: copying to the GPU, compiling, capturing graphs; an estimate of ours.

Source: vLLM "torch.compile integration" and "CUDA Graphs" (not opened; check before relying on it).
"""


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


@dataclass(frozen=True, slots=True)
class Start:
    """How long a server takes to start."""

    seconds: int
    arithmetic: str


def weights_gib(parameters: int, precision: Precision) -> float:
    """Return the GiB of weights of `parameters` numbers."""
    return parameters * BYTES_PER_PARAMETER[precision] / GIB


def file_bytes(model: ModelRow, precision: Precision, files: Precision | None = None) -> int:
    """Return the bytes that a server reads: as the source lists them, else reckoned from the parameters.

    FP8 is made of bf16 files while they are loaded; 4-bit weights must lie there as such.
    Source: vLLM docs features/quantization/online, read 2026-11.
    """
    kept = files or (Precision.INT4 if precision is Precision.INT4 else Precision.BF16)
    if kept is Precision.BF16 and model.bytes is not None:
        return model.bytes
    return round(model.parameters * BYTES_PER_PARAMETER[kept])


def start(size_bytes: int, link_gbit_s: float, servers_per_node: int = 1) -> Start:
    """Return how long a server may take to start; servers of one machine share its link."""
    transfer = size_bytes * 8 * servers_per_node / (link_gbit_s * 1e9 * LINK_SHARE)
    seconds = ceil((transfer + WARM_UP_S) / 10) * 10
    shared = f" x {servers_per_node} servers" if servers_per_node > 1 else ""
    text = (
        f"{size_bytes / 1e9:.1f} GB x 8{shared} / ({link_gbit_s:g} Gbit/s x {LINK_SHARE:.2f}) = {transfer:.0f} s, "
        f"and {WARM_UP_S} s to load and warm up: {seconds} s"
    )
    return Start(seconds, text)


def format_fault(gpu: GpuModel | None, precision: Precision) -> str | None:
    """Say why a GPU cannot serve weights of a format; None where it can, or where nothing is known of it."""
    if gpu is None:
        return None
    if precision is Precision.FP8 and gpu.fp8 is Fp8.NONE:
        return f"{gpu.name} has compute capability {gpu.compute_capability:g}, and fp8 needs 7.5 or later"
    if precision is Precision.BF16 and not gpu.bf16:
        return f"{gpu.name} has compute capability {gpu.compute_capability:g}, and bf16 needs 8.0 or later"
    return None


def format_note(gpu: GpuModel | None, precision: Precision) -> str:
    """Say what a GPU does with a format, for people who read the graph."""
    if precision is not Precision.FP8:
        return f"{precision.value} weights"
    if gpu is None:
        return "fp8 weights; whether this GPU computes with fp8 is not known"
    if gpu.fp8 is Fp8.NATIVE:
        return f"fp8 weights, and {gpu.name} computes with them"
    return f"fp8 weights only: {gpu.name} ({gpu.architecture}) widens them to 16 bits, which saves memory and no time"


def fit(
    model: ModelRow,
    precision: Precision,
    context_tokens: int,
    *,
    gpus: int,
    gpu_memory_gib: float,
    utilization: float,
    cache_tokens: int = CACHE_TOKENS,
    tensor_parallel: int | None = None,
) -> Fit:
    """Find the fewest GPUs of one node that serve `model` with the whole context, or say why none does.

    GPUs are tried in powers of two that divide the model's attention heads: tensor parallelism stays inside a node.

    Args:
        model: the row of the catalogue.
        precision: of the weights.
        context_tokens: of one sequence.
        gpus: of one node.
        gpu_memory_gib: of one GPU.
        utilization: the share that the server may take.
        cache_tokens: how many tokens of all prompts must fit at least.
        tensor_parallel: tries this number only.
    """
    need = max(context_tokens, cache_tokens)
    cell = (model, precision, context_tokens, gpus, gpu_memory_gib, utilization)
    if tensor_parallel is not None:
        return _fit_on(*cell, parallel=tensor_parallel, need=need)
    best: Fit | None = None
    parallel = 1
    while parallel <= max(gpus, 1):
        if model.heads % parallel == 0:
            best = _fit_on(*cell, parallel=parallel, need=need)
            if best.fits:
                return best
        parallel *= 2
    assert best is not None  # noqa: S101  one GPU divides any number of heads
    return best


def _fit_on(
    model: ModelRow,
    precision: Precision,
    context: int,
    gpus: int,
    gpu_gib: float,
    utilization: float,
    *,
    parallel: int,
    need: int,
) -> Fit:
    weights = weights_gib(model.parameters, precision)
    token_bytes = 2 * model.layers * model.kv_heads * model.head_dim * KV_BYTES
    room = parallel * (gpu_gib * utilization - RUNTIME_GIB) - weights
    tokens = int(room * GIB / token_bytes) if room > 0 else 0
    fits = gpus >= parallel and tokens >= need and model.heads % parallel == 0
    text = (
        f"{parallel} x ({gpu_gib:g} GiB x {utilization:.2f} - {RUNTIME_GIB:g}) = "
        f"{parallel * (gpu_gib * utilization - RUNTIME_GIB):.1f} GiB for {weights:.1f} GiB of weights "
        f"({model.parameters / 1e9:.1f}e9 x {BYTES_PER_PARAMETER[precision]:g} B) and "
        f"{need * token_bytes / GIB:.1f} GiB of KV cache "
        f"({need} tokens x {token_bytes // 1024} KiB, prompts of {context})"
    )
    if model.heads % parallel:
        text += f"; {parallel} does not divide the {model.heads} attention heads"
    elif gpus < parallel:
        text += f"; {parallel} GPUs are more than the {gpus} of one machine"
    return Fit(fits, parallel, gpus // parallel, weights, room, tokens, text)
