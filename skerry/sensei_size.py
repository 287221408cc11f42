"""How large Sensei must be: machines of each tier, GPUs, whether the model fits them, and the minimums of the analysis.

(1) the tiers at the site follow from the mode; the others are the vendor's, or a hosted interface
(2) the meta tier has three machines where it keeps data, since of two none is a majority: the table's minimum is short
(3) a model is tried on every shape of the GPU that the target sells, or on the one that the user names
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skerry.catalog import ModelRow
from skerry.config.serving import Precision
from skerry.config.spec import AgentSpec, CognitiveSpec, MachineSpec, PoolSpec
from skerry.errors import CatalogError, SizingError, UsageError
from skerry.figures import Figure, derived, stated, tidy, unknown
from skerry.instances import instance_types
from skerry.serving_plan import ServingPlan, plan
from skerry.sizing import BYTES_PER_PARAMETER, Fit, file_bytes, fit

TARGETS: Final = ("aws", "gcp", "azure", "onprem")
ONPREM_SHAPES: Final = ((1, 40.0), (1, 80.0), (2, 40.0), (2, 80.0), (4, 40.0), (4, 80.0), (8, 40.0), (8, 80.0))
"""GPUs of one machine and GiB of each: how A100 servers are built; what stands at a site is the site's to say."""
UTILIZATION: Final = 0.90
"""The share of GPU memory that a server takes: the default of a deployment."""
DEFAULT_MODEL: Final = "llama-3.3-70b-instruct"
EDGE_MODEL_SHARE: Final = Decimal("0.7")
"""Of the device's space; the rest is knowledge and the changes of thirty days. An estimate of ours."""

_TABLE: Final = Path(__file__).resolve().parent / "data" / "sensei_sizes.yaml"
_Seed = Annotated[str, Field(pattern=r"^\d{3}:\d{1,5}$")]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    seed: _Seed
    lines: dict[str, _Seed] = {}


class TierRow(_Row):
    """The machines of one tier."""

    minimum: int
    maximum: int
    what: str
    memory_gb: tuple[int, int] | None = None


class ModeRow(_Row):
    """What one way of deployment needs at least."""

    cpu_nodes: int | None
    gpu_nodes: int | None
    devices: int | None = None
    gpu: bool
    storage_gb: int | None
    pays: str
    tiers_at_site: tuple[Literal["cognitive", "execution", "meta"], ...]


class _Gpu(_Row):
    model: str


class _Quorum(_Row):
    members: int


class _Days(_Row):
    value: int
    unit: str


class Sizes(BaseModel):
    """The whole table."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tiers: dict[str, TierRow]
    gpu: _Gpu
    quorum: _Quorum
    modes: dict[str, ModeRow]
    edge_days: _Days


@cache
def sizes() -> Sizes:
    """Return what the analysis says of sizes.

    Raises:
        CatalogError: a row cannot be used.
    """
    try:
        return Sizes.model_validate(yaml.safe_load(_TABLE.read_text(encoding="utf-8")))
    except ValidationError as exc:
        raise CatalogError(f"{_TABLE.name}: {exc.errors()[0]['loc']}: {exc.errors()[0]['msg']}: mend the row") from exc


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user wants to know; None: not said."""

    mode: str
    target: str = "onprem"
    model: str | None = None
    precision: Precision = Precision.BF16
    context_tokens: int = 8192
    gpus: int | None = None
    """Of one machine."""
    gpu_memory_gib: float | None = None


@dataclass(frozen=True, slots=True)
class TierSize:
    """The machines of one tier."""

    name: str
    at_site: bool
    minimum: Figure
    maximum: Figure
    note: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A model on one kind of machine."""

    machine: str
    gpus: int
    gpu_memory_gib: float
    fit: Fit


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that follows."""

    asked: Asked
    row: ModeRow
    tiers: tuple[TierSize, ...]
    least: Figure
    """Machines at the site."""
    most: Figure
    table_says: Figure
    """The minimum of the resource table."""
    model: ModelRow | None
    shapes: tuple[Shape, ...]
    chosen: Shape | None
    """The smallest that holds the model."""
    plan: ServingPlan | None
    gpus: Figure
    weights_gb: Figure
    storage_gb: Figure
    notes: tuple[str, ...]


def answer(asked: Asked, models: Mapping[str, ModelRow]) -> Answer:
    """Return the answer.

    Raises:
        UsageError: a name or number cannot be used.
        SizingError: the model fits none of the machines that are asked for.
    """
    _check(asked)
    row = sizes().modes[asked.mode]
    tiers = tuple(_tier(name, row) for name in sizes().tiers)
    site = [tier for tier in tiers if tier.at_site]
    model = _model(asked, models) if "cognitive" in row.tiers_at_site else None
    shapes = _shapes(asked, model) if model is not None else ()
    chosen = next((one for one in shapes if one.fit.fits), None)
    if model is not None and chosen is None:
        raise SizingError(_fits_nowhere(asked, model, shapes))
    made = _plan(asked, model, chosen, models) if model is not None and chosen is not None else None
    notes = list(_notes(asked, row, tiers))
    weights = _weights(asked, model, made)
    return Answer(
        asked=asked,
        row=row,
        tiers=tiers,
        least=_sum([tier.minimum for tier in site], row),
        most=_sum([tier.maximum for tier in site], row),
        table_says=_table(row),
        model=model,
        shapes=shapes,
        chosen=chosen,
        plan=made,
        gpus=_gpus(row, chosen),
        weights_gb=weights,
        storage_gb=_storage(row),
        notes=(*notes, *_storage_notes(row, weights)),
    )


def _check(asked: Asked) -> None:
    modes = sizes().modes
    if asked.mode not in modes:
        raise UsageError(f"mode '{asked.mode}' is none: choose one of {', '.join(modes)}")
    if asked.target not in TARGETS:
        raise UsageError(f"target '{asked.target}' is none: choose one of {', '.join(TARGETS)}")
    if "cognitive" not in modes[asked.mode].tiers_at_site and (asked.model, asked.gpus) != (None, None):
        raise UsageError(
            f"mode {asked.mode} has no GPU machines at the site, so no model is fitted to them: leave --model and "
            "--gpus out, or choose private or air-gapped"
        )
    if not 512 <= asked.context_tokens <= 1_048_576:
        raise UsageError(f"context {asked.context_tokens} is not a number of tokens: give 512 to 1048576")
    if (asked.gpus is None) != (asked.gpu_memory_gib is None):
        raise UsageError("--gpus and --gpu-memory-gib go together: give both, or none to try what the target sells")
    if asked.gpus is not None and not 1 <= asked.gpus <= 16:
        raise UsageError(f"gpus {asked.gpus} is not a number of GPUs of one machine: give 1 to 16")
    if asked.gpu_memory_gib is not None and not 0 < asked.gpu_memory_gib <= 512:
        raise UsageError(f"gpu memory {asked.gpu_memory_gib:g} is not a number of GiB: give more than 0 and up to 512")


def _tier(name: str, mode: ModeRow) -> TierSize:
    row, quorum = sizes().tiers[name], sizes().quorum
    at_site = name in mode.tiers_at_site
    least, note = stated(row.minimum, "machines", row.seed), ""
    if name == "meta":
        note = f"{row.minimum} machines have no majority when one is lost: {quorum.members} members are needed"
        least = derived(max(row.minimum, quorum.members), "machines", (row.seed, quorum.seed), note)
    if row.memory_gb is not None:
        note = f"{row.memory_gb[0]} to {row.memory_gb[1]} GB of memory each [{row.lines['memory_gb']}]"
    return TierSize(name, at_site, least, stated(row.maximum, "machines", row.seed), note)


def _sum(parts: list[Figure], row: ModeRow) -> Figure:
    if not parts:
        return unknown("machines", f"no tier is at a site: {row.pays} [{row.seed}]")
    seeds = [seed for part in parts for seed in part.seeds]
    return derived(
        sum((part.known for part in parts), Decimal(0)),
        "machines",
        seeds,
        " + ".join(str(part.known) for part in parts),
    )


def _table(row: ModeRow) -> Figure:
    if row.devices is not None:
        return stated(row.devices, "device", row.seed)
    if row.cpu_nodes is None:
        return unknown("machines", f"the table says managed [{row.seed}]")
    gpu = row.gpu_nodes or 0
    return stated(row.cpu_nodes + gpu, "machines", row.seed, how=f"{row.cpu_nodes} CPU + {gpu} GPU")


def _model(asked: Asked, models: Mapping[str, ModelRow]) -> ModelRow:
    name = asked.model or DEFAULT_MODEL
    if name not in models:
        raise UsageError(f"model '{name}' is not in images/models.yaml: it has {', '.join(models)}")
    return models[name]


def _shapes(asked: Asked, model: ModelRow) -> tuple[Shape, ...]:
    """Return every machine that is tried, the fewest GPUs first."""
    if asked.gpus is not None and asked.gpu_memory_gib is not None:
        named = [("as asked", asked.gpus, asked.gpu_memory_gib)]
    elif asked.target == "onprem":
        named = [(f"{gpus} x {memory:g} GiB", gpus, memory) for gpus, memory in ONPREM_SHAPES]
    else:
        wanted = sizes().gpu.model
        rows = [row for row in instance_types() if row.cloud == asked.target and row.gpu_model == wanted]
        named = sorted(
            ((row.name, row.gpus, row.gpu_memory_gib) for row in rows), key=lambda one: (one[1], one[2], one[0])
        )
    return tuple(
        Shape(
            name,
            gpus,
            memory,
            fit(
                model, asked.precision, asked.context_tokens, gpus=gpus, gpu_memory_gib=memory, utilization=UTILIZATION
            ),
        )
        for name, gpus, memory in named
    )


def _fits_nowhere(asked: Asked, model: ModelRow, shapes: tuple[Shape, ...]) -> str:
    best = shapes[-1] if shapes else None
    tried = ", ".join(shape.machine for shape in shapes) or "nothing"
    sums = f": {best.fit.arithmetic}" if best is not None else ""
    return (
        f"{model.name} in {asked.precision.value} with {asked.context_tokens} tokens fits none of {tried}{sums}; "
        "use more or larger GPUs (--gpus, --gpu-memory-gib), a smaller --precision, or a shorter --context"
    )


def _plan(asked: Asked, model: ModelRow, shape: Shape, models: Mapping[str, ModelRow]) -> ServingPlan:
    """Return the servers on the fewest machines of the tier."""
    tier = sizes().tiers["cognitive"]
    agent = AgentSpec(image="size-only")
    spec = CognitiveSpec(
        model=model.name,
        precision=asked.precision,
        context_tokens=asked.context_tokens,
        pool=PoolSpec(
            minimum=tier.minimum,
            maximum=tier.maximum,
            machine=MachineSpec(
                vcpu=1, memory_gib=1, gpu_model=sizes().gpu.model, gpus=shape.gpus, gpu_memory_gib=shape.gpu_memory_gib
            ),
        ),
        scout=agent,
        architect=agent,
    )
    return plan(spec, models, renames=False)


def _gpus(row: ModeRow, shape: Shape | None) -> Figure:
    gpu = sizes().gpu
    if not row.gpu:
        return stated(0, "GPUs", row.seed, how="the model is a hosted interface, or at the vendor")
    if shape is None:
        return unknown("GPUs", "the model fits no machine")
    nodes = sizes().tiers["cognitive"].minimum
    return derived(nodes * shape.gpus, f"GPUs ({gpu.model})", (row.seed, gpu.seed), f"{nodes} machines x {shape.gpus}")


def _weights(asked: Asked, model: ModelRow | None, made: ServingPlan | None) -> Figure:
    if asked.mode == "edge":
        return _edge_weights()
    if model is None or made is None:
        return unknown("GB", "no weights are at the site")
    size = Decimal(file_bytes(model, asked.precision)) / 10**9
    copies = made.nodes + 1
    how = f"{tidy(size)} GB of files x ({made.nodes} machines and the store that they read)"
    return derived(size * copies, "GB", (), how)


def _edge_weights() -> Figure:
    row = sizes().modes["edge"]
    room = Decimal(row.storage_gb or 0) * EDGE_MODEL_SHARE
    largest = room / Decimal(str(BYTES_PER_PARAMETER[Precision.INT4]))
    how = f"{EDGE_MODEL_SHARE} of {row.storage_gb} GB holds {tidy(largest)} billion parameters in 4 bits"
    return derived(room, "GB", (row.seed,), how)


def _storage(row: ModeRow) -> Figure:
    if row.storage_gb is None:
        return unknown("GB", f"the table says managed [{row.seed}]")
    return stated(row.storage_gb, "GB", row.seed)


def _storage_notes(row: ModeRow, weights: Figure) -> list[str]:
    if row.storage_gb is None or weights.value is None or not row.gpu:
        return []
    left = row.storage_gb - weights.known
    text = f"weights take {tidy(weights.known)} of {row.storage_gb} GB ({weights.how}), {tidy(left)} are left"
    return [text if left > 0 else f"{text}: the minimum of the table is too small [{row.seed}]"]


def _notes(asked: Asked, row: ModeRow, tiers: tuple[TierSize, ...]) -> list[str]:
    found = []
    if "meta" in row.tiers_at_site and row.cpu_nodes is not None:
        found.append(
            f"the table's {row.cpu_nodes} CPU + {row.gpu_nodes} GPU machines [{row.seed}] are the minimums of the "
            "execution and the cognitive tier alone and leave none for the meta tier"
        )
    if asked.mode == "hybrid":
        found.append("cognitive and meta are the vendor's; their machines are not counted here")
    if asked.mode == "edge":
        days = sizes().edge_days
        found.append(f"the device works for {days.value} {days.unit} [{days.seed}]: its log of changes needs a limit")
    if asked.mode in ("private", "air-gapped") and asked.target == "aws":
        found.append("AWS sells A100 only in machines of 8: two machines are 16 GPUs")
    return found
