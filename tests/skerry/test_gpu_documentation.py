"""The guide to GPUs says what the table and the sizing say."""

from __future__ import annotations

import pytest

from skerry.gpus import GpuModel, gpu_models
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", gpu_models(), ids=lambda row: f"{row.name}-{row.memory_gib:g}")
def test_each_model_stands_in_the_guide_as_in_the_table(row: GpuModel) -> None:
    profiles = ", ".join(f"{one.name} x {one.most}" for one in row.mig_profiles) or "none"
    assert f"| {row.name} | {row.memory_gib:g} | {row.architecture} | {profiles} | {row.fp8.value} |" in GUIDE


def test_the_guide_has_no_model_beside_the_table() -> None:
    lines = GUIDE.partition("| model | GiB |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(gpu_models()) == len(lines)
