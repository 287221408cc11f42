"""A migration plan as readers take it: parts with their fates, moves of data, steps for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fate(str, Enum):
    """What becomes of a resource."""

    STAYS = "stays"
    """The same URN with the same inputs."""
    CHANGED = "changed"
    """The same URN with other inputs."""
    REPLACED = "replaced"
    """The same URN, and an input is other that cannot be changed in place."""
    MADE = "made"
    """Only the new configuration has it."""
    GONE = "gone"
    """Only the old configuration has it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One resource of either configuration."""

    fate: Fate
    name: str
    type: str
    component: str
    """The name of the component that it belongs to; its own, where it is one."""
    urn: str
    """Without the name of the stack, which is another on each side where two files are compared."""
    role: str
    """What that component is, in its own word; empty where it says nothing."""
    keeps_data: bool
    protected: bool
    differs: tuple[str, ...] = ()
    """Inputs that are other; empty unless changed or replaced."""
    forced_by: tuple[str, ...] = ()
    """Those of them that cannot be changed in place; empty unless replaced."""


@dataclass(frozen=True, slots=True)
class Move:
    """Data that are where they cannot stay, or a statement that they can."""

    what: str
    """What is kept, in the words of the stack's outputs."""
    needed: bool | None
    """False where nothing is to be moved; None where nobody can tell."""
    why: str
    how: tuple[str, ...] = ()
    """Commands, where known tools do it; empty where none does."""
    provided: bool = False
    """Whether something is at hand that does it."""


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """From one configuration to another."""

    source: str
    """The old stack."""
    destination: str
    """The new one, or what is changed of the old one."""
    in_place: bool
    """Whether both stand in the same place, so that one stack can become the other."""
    parts: tuple[Part, ...]
    moves: tuple[Move, ...]
    before: tuple[str, ...]
    """What people do first, in order."""
    after: tuple[str, ...]
    """What people do last, in order."""

    def of(self, fate: Fate) -> tuple[Part, ...]:
        """Return the parts with one fate, in the order of the graph."""
        return tuple(part for part in self.parts if part.fate is fate)

    @property
    def lost_stores(self) -> tuple[Part, ...]:
        """Return what keeps data and is not in the new configuration, or is replaced."""
        return tuple(part for part in self.parts if part.keeps_data and part.fate in (Fate.GONE, Fate.REPLACED))
