"""The table of GPU models: which can be cut into slices, what they do with FP8, and what fits one GPU."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from skerry.gpus import Fp8, GpuModel, gpu_model, gpu_models, mig_capable, mig_excess
from skerry.instances import InstanceType, instance_types

CANNOT = ("RTX 4090", "RTX 3060", "L4", "L40S", "A10", "A10G", "T4")


def model(name: str, memory_gib: float) -> GpuModel:
    found = gpu_model(name, memory_gib)
    assert found is not None, f"{name} of {memory_gib} GiB is in the table"
    return found


def test_only_the_models_of_nvidia_s_list_have_slices() -> None:
    assert mig_capable() == ("A100", "A30", "H100", "H100NVL", "H200", "B200", "RTX PRO 6000")
    assert not set(CANNOT) & set(mig_capable())
    assert set(CANNOT) == {row.name for row in gpu_models()} - set(mig_capable())


@pytest.mark.parametrize("row", gpu_models(), ids=lambda row: f"{row.name}-{row.memory_gib:g}")
def test_each_row_is_sound_and_names_its_source(row: GpuModel) -> None:
    assert "read 2026-11" in row.source
    assert bool(row.mig_slices) == bool(row.mig_profiles)
    for profile in row.mig_profiles:
        assert re.fullmatch(r"\dg\.\d+gb", profile.name)
        assert mig_excess(row, {profile.name: profile.most}) is None, "as many as the table says fit"
        assert mig_excess(row, {profile.name: profile.most + 1}) is not None
        assert profile.memory_gib * profile.most < row.memory_gib
    whole = max(row.mig_profiles, key=lambda one: one.name_gb, default=None)
    assert whole is None or (whole.most, whole.compute_slices) == (1, row.mig_slices)


@pytest.mark.parametrize("row", [r for r in instance_types() if r.gpus], ids=lambda r: f"{r.cloud}-{r.name}")
def test_every_gpu_that_a_cloud_sells_here_is_in_the_table(row: InstanceType) -> None:
    assert gpu_model(row.gpu_model, row.gpu_memory_gib) is not None


FP8: Mapping[str, tuple[str, float, Fp8, bool]] = {
    "an A100 keeps FP8 weights but computes in 16 bits": ("A100", 80, Fp8.WEIGHTS_ONLY, True),
    "an H100 computes with FP8": ("H100", 80, Fp8.NATIVE, True),
    "an L4 computes with FP8": ("L4", 22, Fp8.NATIVE, True),
    "a B200 computes with FP8": ("B200", 179, Fp8.NATIVE, True),
    "a T4 has no BF16": ("T4", 16, Fp8.WEIGHTS_ONLY, False),
}


@pytest.mark.parametrize(("name", "gib", "fp8", "bf16"), FP8.values(), ids=FP8.keys())
def test_formats(name: str, gib: float, fp8: Fp8, bf16: bool) -> None:
    assert (model(name, gib).fp8, model(name, gib).bf16) == (fp8, bf16)


@pytest.mark.parametrize(
    ("name", "gib"), [("A100", 60), ("H100", 141), ("MI300X", 192), (None, 80), ("", 0)], ids=lambda v: f"{v}"
)
def test_what_is_not_in_the_table_is_not_known(name: str | None, gib: float) -> None:
    assert gpu_model(name, gib) is None


@pytest.mark.parametrize("name", ["A100", "a100", "NVIDIA A100", "RTX-PRO-6000", "nvidia rtx pro 6000"])
def test_a_model_is_found_however_it_is_spelt(name: str) -> None:
    assert gpu_model(name, 80 if "100" in name else 96) is not None


EXCESS: Mapping[str, tuple[tuple[str, float], Mapping[str, int], str | None]] = {
    "a mixed layout that fits": (("A100", 80), {"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2}, None),
    "two halves of an H200, whose names are rounded up": (("H200", 141), {"3g.71gb": 2}, None),
    "more compute than there is": (
        ("A100", 80),
        {"4g.40gb": 1, "3g.40gb": 1, "1g.10gb": 1},
        "1 x 4g.40gb + 1 x 3g.40gb + 1 x 1g.10gb = 8 compute slices, and A100 has 7",
    ),
    "more memory than there is": (
        ("A100", 40),
        {"3g.20gb": 1, "1g.10gb": 3},
        "1 x 3g.20gb + 3 x 1g.10gb = 50 GB, and A100 has 40",
    ),
    "a profile of the larger card": (
        ("A100", 40),
        {"3g.40gb": 1},
        "A100 of 40 GiB has no profile 3g.40gb: it has 1g.5gb (up to 7), 1g.10gb (up to 4), 2g.10gb (up to 3), "
        "3g.20gb (up to 2), 4g.20gb (up to 1), 7g.40gb (up to 1)",
    ),
    "too many of one": (("A30", 24), {"2g.12gb": 3}, "A30 of 24 GiB has at most 2 x 2g.12gb, not 3"),
}


@pytest.mark.parametrize(("card", "layout", "said"), EXCESS.values(), ids=EXCESS.keys())
def test_what_does_not_fit_one_gpu_is_told_with_the_sum(
    card: tuple[str, float], layout: Mapping[str, int], said: str | None
) -> None:
    assert mig_excess(model(*card), layout) == said
