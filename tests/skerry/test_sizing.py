"""Whether a model fits, against figures that others published."""

from __future__ import annotations

import pytest

from skerry.catalog import ModelRow
from skerry.config.serving import Precision
from skerry.sizing import fit, weights_gib

LLAMA_70B = ModelRow(
    name="llama-3.3-70b-instruct",
    licence="Llama 3.3 Community",
    redistribute="ask",
    read="model card",
    read_on="2026-11",
    source="hf://x",
    parameters=70_600_000_000,
    layers=80,
    heads=64,
    kv_heads=8,
    head_dim=128,
)

CASES = {
    # sentence: (GPUs, GiB each, precision, context, fits, tensor parallel)
    "bf16 on two A100-40 is refused: 80 GiB for 131 GiB": (2, 40, Precision.BF16, 8192, False, 2),
    "bf16 on two A100-80 holds a short context": (2, 80, Precision.BF16, 8192, True, 2),
    "bf16 on two A100-80 cannot hold 32k": (2, 80, Precision.BF16, 32768, False, 2),
    "bf16 on four A100-80 holds 128k": (4, 80, Precision.BF16, 131072, True, 4),
    "bf16 on eight A100-40 takes all eight for 32k": (8, 40, Precision.BF16, 32768, True, 8),
    "fp8 on one H100-80 cannot hold 16k": (1, 80, Precision.FP8, 16384, False, 1),
    "fp8 on one H100-80 holds 4k": (1, 80, Precision.FP8, 4096, True, 1),
    "int4 on one A100-80 holds 32k": (1, 80, Precision.INT4, 32768, True, 1),
    "no GPU holds nothing": (0, 0, Precision.INT4, 512, False, 1),
}


@pytest.mark.parametrize(("gpus", "gib", "precision", "context", "fits", "parallel"), CASES.values(), ids=CASES.keys())
def test_fit(gpus: int, gib: float, precision: Precision, context: int, fits: bool, parallel: int) -> None:
    found = fit(LLAMA_70B, precision, context, gpus=gpus, gpu_memory_gib=gib, utilization=0.90)
    assert (found.fits, found.tensor_parallel) == (fits, parallel)


def test_weights_of_70b_in_bf16_are_131_gib() -> None:
    assert round(weights_gib(LLAMA_70B.parameters, Precision.BF16), 1) == 131.5


def test_the_message_shows_the_whole_sum() -> None:
    found = fit(LLAMA_70B, Precision.BF16, 8192, gpus=2, gpu_memory_gib=40, utilization=0.90)
    assert found.arithmetic == (
        "2 x (40 GiB x 0.90 - 2) = 68.0 GiB for 131.5 GiB of weights (70.6e9 x 2 B) "
        "and 2.5 GiB of KV cache (8192 tokens x 320 KiB)"
    )


def test_leftover_gpus_make_a_second_server() -> None:
    found = fit(LLAMA_70B, Precision.BF16, 8192, gpus=8, gpu_memory_gib=80, utilization=0.90)
    assert (found.tensor_parallel, found.servers_per_node) == (2, 4)
