"""Reads the tables of skerry/data/dual_host: the groups, starts and numbers of the dual-host overview, with lines."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from skerry.errors import CatalogError
from skerry.gpus import GpuModel

FOLDER: Final = Path(__file__).resolve().parent.parent / "data" / "dual_host"

SIDES: Final = ("main", "second")
"""The two machines, as the tables call them."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgentRow(_Row):
    """One agent."""

    name: str
    """As the overview calls it, or as we do where it names a class only."""
    stands_for: str = ""
    """The overview's words for the class of agents that it stands for."""


class GroupRow(_Row):
    """One group."""

    line: int
    purpose: str
    gpu: bool
    gpu_percent: int = 0
    gpu_line: int | None = None
    vcpus: float
    memory_mib: int
    """Ours: the overview has only the sum that must not be reached."""
    step: int | None = None
    """Which of the six steps starts it; None where none does."""
    step_line: int | None = None
    loose: bool = False
    """True where that step names it only by a loose reading."""
    agents: dict[str, AgentRow]


class HostRow(_Row):
    """One of the two machines."""

    gpu_model: str
    ram_gb: float
    ram_line: int
    headroom_percent: int
    headroom_line: int | None = None
    vcpu_line: int | None = None
    ours: tuple[str, ...] = ()
    """What the overview does not say of this machine."""


class Groups(_Row):
    """The machines and their groups, in the overview's order."""

    hosts: dict[str, HostRow]
    groups: dict[str, dict[str, GroupRow]]


class Edge(_Row):
    """What must be well before what."""

    before: str
    after: str
    line: int


class Step(_Row):
    """One of the six steps."""

    step: int
    line: int
    says: str


class Starts(_Row):
    """The diagrams and the steps."""

    agents: dict[str, tuple[Edge, ...]]
    groups: dict[str, tuple[Edge, ...]]
    steps: tuple[Step, ...]


class Health(_Row):
    """How services are asked whether they are well."""

    path: str
    interval_s: int
    timeout_s: int
    retries: int
    lines: tuple[int, ...]


class PortRange(_Row):
    """A range that the overview's firewall lets in."""

    name: str
    first: int
    last: int
    line: int


class Named(_Row):
    """A name with its line."""

    name: str
    line: int


class Pair(_Row):
    """One service of each machine."""

    main: str
    second: str
    line: int


class LoadTest(_Row):
    """The services that are loaded at once."""

    speech: tuple[str, ...]
    vision: tuple[str, ...]
    line: int


class Vcpus(_Row):
    """CPU of a group, least and most."""

    gpu: tuple[float, float]
    cpu: tuple[float, float]
    line: int


class Settings(_Row):
    """Numbers that hold for both machines."""

    health: Health
    ports: tuple[PortRange, ...]
    overlay: Named
    hub_variable: Named
    grpc: Pair
    hub: Pair
    vcpus: Vcpus
    load_test: LoadTest
    kept_free: tuple[int, ...]

    def range(self, name: str) -> PortRange:
        """Return the range of that name."""
        return next(row for row in self.ports if row.name == name)


RowT = TypeVar("RowT", bound=_Row)


@cache
def groups() -> Groups:
    """Return the machines and their groups."""
    return _read("groups.yaml", Groups)


@cache
def starts() -> Starts:
    """Return what starts before what."""
    return _read("starts.yaml", Starts)


@cache
def settings() -> Settings:
    """Return the numbers that hold for both machines."""
    return _read("settings.yaml", Settings)


@cache
def _reported() -> dict[tuple[str, float], int]:
    with (FOLDER / "reported_memory.csv").open(encoding="utf-8", newline="") as file:
        return {(row["model"], float(row["memory_gib"])): int(row["reported_mib"]) for row in csv.DictReader(file)}


def reported_mib(model: GpuModel) -> int | None:
    """Return the memory that `nvidia-smi` says a model has; None where nobody looked it up."""
    return _reported().get((model.name, model.memory_gib))


def _read(name: str, model: type[RowT]) -> RowT:
    document: Any = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CatalogError(f"skerry/data/dual_host/{name}: {where}: {first['msg']}: mend the row") from exc
