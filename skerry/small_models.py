"""Whether a small model fits where it is to run, with the arithmetic: memory of a CPU machine, or of a GPU.

(1) weights = parameters x bytes per parameter of the quantisation
(2) cache   = prompts at a time x context x bytes of a token
(3) memory  = weights + cache + what the server itself takes, rounded up to whole GiB
(4) it fits when the machine has as much, and the vCPU, beside what stands there already (`skerry.node_room`)

Worked example: Llama 3.1 8B at 0.61 bytes is 4.6 GiB; two prompts of 8192 tokens take 2 x 1 GiB; with 1 GiB for the
server that makes 8 GiB: a machine of 32 GiB has room for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from skerry.catalog import ModelRow
from skerry.config.serving import Precision
from skerry.config.small_models import SmallServerSpec
from skerry.config.spec import ExecutionSpec
from skerry.node_room import Room
from skerry.sizing import KV_BYTES, Fit, fit
from skerry.units import GIB

GGUF_BYTES: Final = 0.61
"""Bytes of a parameter in Q4_K_M: files of 7.2 and 8 billion parameters have 4.37 and about 5 GB in public lists.

Source: public scripts that name file and size, found by search, 2026-11.
"""

SERVER_GIB: Final = 1.0
"""GiB of llama.cpp's server beside weights and cache; an estimate of ours."""

GGUF: Final = ".gguf"


@dataclass(frozen=True, slots=True)
class GgufFit:
    """The answer for one quantised model on one CPU machine."""

    fits: bool
    weights_gib: float
    memory_gib: int
    """What one server asks for."""
    arithmetic: str


def is_gguf(model: ModelRow) -> bool:
    """Say whether a row is a quantised file that a CPU server reads."""
    return model.source.endswith(GGUF)


def gguf_fit(model: ModelRow, server: SmallServerSpec, free: Room) -> GgufFit:
    """Say whether one server of a quantised model fits what is free of a machine."""
    weights = model.parameters * GGUF_BYTES / GIB
    token = 2 * model.layers * model.kv_heads * model.head_dim * KV_BYTES
    cache = server.parallel * server.context_tokens * token / GIB
    memory = math.ceil(weights + cache + SERVER_GIB)
    text = (
        f"{weights:.1f} GiB of weights ({model.parameters / 1e9:.1f}e9 x {GGUF_BYTES:g} B) + {cache:.1f} GiB of KV "
        f"cache ({server.parallel} x {server.context_tokens} tokens x {token // 1024} KiB) + {SERVER_GIB:g} GiB = "
        f"{memory} GiB and {server.vcpu} vCPU, of {free.memory_gib} GiB and {free.vcpu} vCPU that a machine has free "
        f"({free.arithmetic})"
    )
    return GgufFit(memory <= free.memory_gib and server.vcpu <= free.vcpu, weights, memory, text)


def gpu_fit(model: ModelRow, spec: ExecutionSpec) -> Fit:
    """Say whether the model fits the GPUs of one machine of `small_pool`, in bf16."""
    machine = spec.small_pool.machine if spec.small_pool is not None else None
    return fit(
        model,
        Precision.BF16,
        spec.small_server.context_tokens,
        gpus=machine.gpus if machine else 0,
        gpu_memory_gib=machine.gpu_memory_gib if machine else 0,
        utilization=spec.small_server.gpu_memory_utilization,
    )
