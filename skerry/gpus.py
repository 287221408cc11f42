"""The models of GPUs: how each can be shared and which formats of numbers it computes with.

The rows are skerry/data/gpu_models.csv, each with its source. What follows from a compute capability stands here once:

(1) FP8: 8.9 and later compute with it; from 7.5 the weights may be FP8 and are widened to 16 bits as they are used
(2) BF16: 8.0 and later
(3) MPS with limits of memory and threads: 7.0 and later, on Linux
(4) time-slicing: every one
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).resolve().parent / "data" / "gpu_models.csv"

MEMORY_TOLERANCE: Final = 0.10
"""A card of 24 GB is 22 GiB to some catalogues and 24 to others; the next size of any model is further away."""

SLICE_SHARE: Final = 0.88
"""Usable part of the gigabytes in a profile's name, an estimate of ours: NVIDIA rounds the names up.

`nvidia-smi mig -lgip` of an H100 says 9.75 GiB for 1g.10gb and 39.5 for 3g.40gb.
Source: jbarrow.ai "Nvidia MIG", read 2026-11; other models were not seen and may round further.
"""

NAMES_ROUNDED: Final = 1.03
"""Names are rounded up: two halves of 141 GB are called 71gb each, four quarters of 94 GB 24gb."""

_PROFILE: Final = re.compile(r"^(\d)g\.(\d+)gb$")


class Fp8(str, Enum):
    """What a GPU does with FP8."""

    NATIVE = "native"
    """It computes with it."""
    WEIGHTS_ONLY = "weight-only"
    """Weights take half the memory; sums are done in 16 bits, so nothing is faster."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MigProfile:
    """One size of slice that a GPU can be cut into."""

    name: str
    """NVIDIA's name, such as `3g.40gb`."""
    most: int
    """How many of it one GPU has when it has no other."""

    @property
    def compute_slices(self) -> int:
        """The number before the `g`."""
        return int(self._parts()[0])

    @property
    def name_gb(self) -> int:
        """The gigabytes in its name."""
        return int(self._parts()[1])

    @property
    def memory_gib(self) -> float:
        """GiB that sizing counts on."""
        return self.name_gb * SLICE_SHARE

    def _parts(self) -> tuple[str, str]:
        found = _PROFILE.match(self.name)
        assert found is not None  # noqa: S101  the table's test holds every name to the pattern
        return found[1], found[2]


@dataclass(frozen=True, slots=True)
class GpuModel:
    """One row: a model with one size of memory."""

    name: str
    memory_gib: float
    architecture: str
    compute_capability: float
    mig_slices: int
    """Compute slices of one GPU in MIG mode; 0 where it has no such mode."""
    mig_profiles: tuple[MigProfile, ...]
    source: str

    @property
    def fp8(self) -> Fp8:
        """What it does with FP8.

        Source: vLLM docs features/quantization/fp8 (W8A8 from 8.9, W8A16 by Marlin from 7.5), read 2026-11.
        """
        if self.compute_capability >= 8.9:
            return Fp8.NATIVE
        return Fp8.WEIGHTS_ONLY if self.compute_capability >= 7.5 else Fp8.NONE

    @property
    def bf16(self) -> bool:
        """Whether it computes with BF16.

        Source: vllm-project/vllm vllm/platforms/cuda.py, supported_dtypes, read 2026-11.
        """
        return self.compute_capability >= 8.0

    @property
    def mps(self) -> bool:
        """Whether MPS can limit its clients.

        Source: NVIDIA "Multi-Process Service", Introduction, "Volta MPS", read 2026-11.
        """
        return self.compute_capability >= 7.0

    def profile(self, name: str) -> MigProfile | None:
        """Return the profile of that name; None where this model has none."""
        return next((profile for profile in self.mig_profiles if profile.name == name), None)


@cache
def gpu_models() -> tuple[GpuModel, ...]:
    """Return every row of the table."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            GpuModel(
                name=row["model"],
                memory_gib=float(row["memory_gib"]),
                architecture=row["architecture"],
                compute_capability=float(row["compute_capability"]),
                mig_slices=int(row["mig_slices"]),
                mig_profiles=_profiles(row["mig_profiles"]),
                source=row["source"],
            )
            for row in csv.DictReader(file)
        )


def gpu_model(name: str | None, memory_gib: float) -> GpuModel | None:
    """Return the row of a model with about that memory; None where the table has none, so that nothing is known."""
    rows = [row for row in gpu_models() if _plain(row.name) == _plain(name or "")]
    near = [row for row in rows if abs(row.memory_gib - memory_gib) <= row.memory_gib * MEMORY_TOLERANCE]
    return min(near, key=lambda row: abs(row.memory_gib - memory_gib)) if near else None


def mig_capable() -> tuple[str, ...]:
    """Return the models that can be cut into slices, each once, as messages list them."""
    return tuple(dict.fromkeys(row.name for row in gpu_models() if row.mig_profiles))


def mig_excess(model: GpuModel, layout: Mapping[str, int]) -> str | None:
    """Say what of a layout does not fit one GPU, with the sum; None where nothing is known to be against it.

    Where slices may lie on the GPU is the driver's to say: a layout that passes may still be refused there.
    """
    compute, memory = 0, 0
    for name, count in layout.items():
        profile = model.profile(name)
        if profile is None:
            has = ", ".join(f"{one.name} (up to {one.most})" for one in model.mig_profiles)
            return f"{model.name} of {model.memory_gib:g} GiB has no profile {name}: it has {has}"
        if count > profile.most:
            return f"{model.name} of {model.memory_gib:g} GiB has at most {profile.most} x {name}, not {count}"
        compute += count * profile.compute_slices
        memory += count * profile.name_gb
    terms = " + ".join(f"{count} x {name}" for name, count in layout.items())
    if compute > model.mig_slices:
        return f"{terms} = {compute} compute slices, and {model.name} has {model.mig_slices}"
    if memory > model.memory_gib * NAMES_ROUNDED:
        return f"{terms} = {memory} GB, and {model.name} has {model.memory_gib:g}"
    return None


def _profiles(text: str) -> tuple[MigProfile, ...]:
    pairs = (part.split(":") for part in text.split())
    return tuple(MigProfile(name, int(most)) for name, most in pairs)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("nvidia"))
