"""Whether a model fits, against figures that others published."""

from __future__ import annotations

import pytest

from skerry.catalog import ModelRow
from skerry.config.serving import Precision
from skerry.gpus import gpu_model
from skerry.sizing import CACHE_TOKENS, Start, file_bytes, fit, format_fault, format_note, start, weights_gib

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
    "bf16 on two A100-80 holds the weights and too little beside them": (2, 80, Precision.BF16, 8192, False, 2),
    "bf16 on two A100-80 cannot hold 32k": (2, 80, Precision.BF16, 32768, False, 2),
    "bf16 on four A100-40 leaves 14 thousand tokens": (4, 40, Precision.BF16, 8192, False, 4),
    "bf16 on four A100-80 holds 128k": (4, 80, Precision.BF16, 131072, True, 4),
    "bf16 on eight A100-40 takes all eight for 32k": (8, 40, Precision.BF16, 32768, True, 8),
    "fp8 on one H100-80 cannot hold 16k": (1, 80, Precision.FP8, 16384, False, 1),
    "8-bit weights on two A100-80 are fine": (2, 80, Precision.FP8, 32768, True, 2),
    "int4 on one A100-80 holds 32k": (1, 80, Precision.INT4, 32768, True, 1),
    "int4 on two A100-40 holds 32k": (2, 40, Precision.INT4, 32768, True, 2),
    "no GPU holds nothing": (0, 0, Precision.INT4, 512, False, 1),
}


@pytest.mark.parametrize(("gpus", "gib", "precision", "context", "fits", "parallel"), CASES.values(), ids=CASES.keys())
def test_fit(gpus: int, gib: float, precision: Precision, context: int, fits: bool, parallel: int) -> None:
    found = fit(LLAMA_70B, precision, context, gpus=gpus, gpu_memory_gib=gib, utilization=0.90)
    assert (found.fits, found.tensor_parallel) == (fits, parallel)


CACHE = {
    # (GPUs, GiB each): thousand tokens of cache in bf16, fp8 and int4; None where the weights do not fit
    "1 x 80": (1, 80, None, 13.8, 110),
    "2 x 80": (2, 80, 27.9, 243, 340),
    "4 x 80": (4, 80, 487, 702, 799),
    "4 x 40": (4, 40, 14.7, 230, 327),
    "8 x 40": (8, 40, 460, 676, 773),
    "8 x 80": (8, 80, 1400, 1620, 1720),
    "2 x 94": (2, 94, 110, 326, 423),
    "4 x 45, L40S": (4, 45, 74, 289, 386),
    "8 x 22, L4 and A10G": (8, 22, 35.7, 251, 348),
}
"""What the facts on components reckon for Llama 70B at 0.90 utilization, cell by cell."""


@pytest.mark.parametrize(("gpus", "gib", "bf16", "fp8", "int4"), CACHE.values(), ids=CACHE.keys())
def test_the_cache_of_each_cell_is_the_published_one(
    gpus: int, gib: float, bf16: float | None, fp8: float, int4: float
) -> None:
    wanted = {Precision.BF16: bf16, Precision.FP8: fp8, Precision.INT4: int4}
    for precision, thousands in wanted.items():
        found = fit(LLAMA_70B, precision, 512, gpus=gpus, gpu_memory_gib=gib, utilization=0.90, tensor_parallel=gpus)
        assert (thousands or 0) * 1000 == pytest.approx(found.cache_tokens, rel=0.015), precision
        assert found.fits == (thousands is not None and thousands * 1000 > 32768), "below that it is of no use"


def test_who_wants_one_prompt_at_a_time_can_have_it() -> None:
    def fits(context: int, cache_tokens: int) -> bool:
        cell = fit(
            LLAMA_70B,
            Precision.BF16,
            context,
            gpus=2,
            gpu_memory_gib=80,
            utilization=0.90,
            cache_tokens=cache_tokens,
        )
        return cell.fits

    assert not fits(8192, CACHE_TOKENS)
    assert fits(8192, 8192)
    assert not fits(32768, 512), "the context is always held"


def test_weights_of_70b_in_bf16_are_131_gib() -> None:
    assert round(weights_gib(LLAMA_70B.parameters, Precision.BF16), 1) == 131.5


def test_the_message_shows_the_whole_sum() -> None:
    found = fit(LLAMA_70B, Precision.BF16, 8192, gpus=2, gpu_memory_gib=40, utilization=0.90)
    assert found.arithmetic == (
        "2 x (40 GiB x 0.90 - 2) = 68.0 GiB for 131.5 GiB of weights (70.6e9 x 2 B) "
        "and 10.0 GiB of KV cache (32768 tokens x 320 KiB, prompts of 8192)"
    )


ODD = {
    "more GPUs than a machine has": (16, "; 16 GPUs are more than the 8 of one machine"),
    "a number that does not divide the heads": (3, "; 3 does not divide the 64 attention heads"),
}


@pytest.mark.parametrize(("parallel", "said"), ODD.values(), ids=ODD.keys())
def test_a_tensor_parallel_that_cannot_be_is_told(parallel: int, said: str) -> None:
    found = fit(LLAMA_70B, Precision.INT4, 8192, gpus=8, gpu_memory_gib=80, utilization=0.90, tensor_parallel=parallel)
    assert (found.fits, found.arithmetic.endswith(said)) == (False, True)


def test_leftover_gpus_make_a_second_server() -> None:
    found = fit(LLAMA_70B, Precision.BF16, 8192, gpus=8, gpu_memory_gib=80, utilization=0.90)
    assert (found.tensor_parallel, found.servers_per_node) == (4, 2)


def test_140_gb_have_time_to_come_over_one_gigabit() -> None:
    found = start(140_000_000_000, 1.0)
    assert found == Start(2200, "140.0 GB x 8 / (1 Gbit/s x 0.70) = 1600 s, and 600 s to load and warm up: 2200 s")
    assert found.seconds > 140e9 * 8 / 1e9, "longer than the bytes take at the full speed of the link"


def test_servers_of_one_machine_share_its_link() -> None:
    found = start(10_000_000_000, 10, servers_per_node=4)
    assert "10.0 GB x 8 x 4 servers / (10 Gbit/s x 0.70) = 46 s" in found.arithmetic
    assert found.seconds == 650


FILES = {
    "bf16": (Precision.BF16, None, 141_200_000_000),
    "fp8, which is made of bf16 files": (Precision.FP8, None, 141_200_000_000),
    "fp8 that lies there as such": (Precision.FP8, Precision.FP8, 70_600_000_000),
    "int4": (Precision.INT4, None, 38_830_000_000),
}


@pytest.mark.parametrize(("precision", "files", "size"), FILES.values(), ids=FILES.keys())
def test_what_a_server_reads(precision: Precision, files: Precision | None, size: int) -> None:
    assert file_bytes(LLAMA_70B, precision, files) == size


def test_a_size_that_the_source_lists_counts_more_than_one_that_is_reckoned() -> None:
    listed = LLAMA_70B.model_copy(update={"bytes": 7})
    assert (file_bytes(listed, Precision.BF16), file_bytes(listed, Precision.INT4)) == (7, 38_830_000_000)


FAULTS = {
    "bf16 on a T4": ("T4", 16, Precision.BF16, "T4 has compute capability 7.5, and bf16 needs 8.0 or later"),
    "fp8 on a T4": ("T4", 16, Precision.FP8, None),
    "fp8 on an A100": ("A100", 80, Precision.FP8, None),
    "anything on what nobody knows": ("MI300X", 192, Precision.FP8, None),
}


@pytest.mark.parametrize(("name", "gib", "precision", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_format_that_a_gpu_has_not(name: str, gib: float, precision: Precision, said: str | None) -> None:
    assert format_fault(gpu_model(name, gib), precision) == said


NOTES = {
    "A100": ("A100", 80, "fp8 weights only: A100 (Ampere) widens them to 16 bits, which saves memory and no time"),
    "H100": ("H100", 80, "fp8 weights, and H100 computes with them"),
    "unknown": ("MI300X", 192, "fp8 weights; whether this GPU computes with fp8 is not known"),
}


@pytest.mark.parametrize(("name", "gib", "said"), NOTES.values(), ids=NOTES.keys())
def test_what_fp8_means_on_a_gpu_is_said(name: str, gib: float, said: str) -> None:
    assert format_note(gpu_model(name, gib), Precision.FP8) == said
