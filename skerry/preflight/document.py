"""What a preflight says: plain data, each number with its arithmetic, and what could not be told as such."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Mark(Enum):
    """How a line of the checklist stands."""

    DONE = "done"
    """The plan itself shows it."""
    DUE = "to do"
    """Somebody must do or look."""
    PROBLEM = "problem"
    """The deployment would fail."""
    UNKNOWN = "could not tell"
    """Nothing here knows; never a pass."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of something a plan needs, at its sizes."""

    minimum: float
    typical: float
    maximum: float
    upgrading: float
    """At the largest size, while machines are replaced by new ones."""

    def __add__(self, other: Amounts) -> Amounts:
        """Return the sum, size by size."""
        return Amounts(
            self.minimum + other.minimum,
            self.typical + other.typical,
            self.maximum + other.maximum,
            self.upgrading + other.upgrading,
        )


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota of a cloud, and what the plan needs of it."""

    cloud: str
    name: str
    """As the cloud's console calls it."""
    code: str | None
    """As its API calls it; None where no source says."""
    service: str
    unit: str
    amounts: Amounts
    default: float | None
    """What a new account has; None where no source says."""
    arithmetic: tuple[str, ...]
    """One line for each thing that counts."""
    source: str
    at_least: bool = False
    """True where more is needed than can be counted."""

    @property
    def exceeds_default(self) -> bool | None:
        """Say whether a new account has too little; None where its default is not known."""
        return None if self.default is None else self.amounts.upgrading > self.default


class Fit(Enum):
    """Whether a range has room."""

    FITS = "fits"
    TIGHT = "fits, but not if every machine took all that it can"
    TOO_SMALL = "too small"
    UNKNOWN = "could not tell"


@dataclass(frozen=True, slots=True)
class AddressRange:
    """One range of addresses, and what the plan needs of it."""

    name: str
    range: str
    """In CIDR notation, or empty where it is not known."""
    has: int | None
    """Addresses that can be used."""
    needs: int | None
    arithmetic: str
    at_most: int | None = None
    """What would be needed if every machine took all that it can; None where that is the same."""
    planned: bool = True
    """False for what may come: a zone that is lost, or the largest plan that the tiers may have."""

    @property
    def fit(self) -> Fit:
        """Say whether there is room."""
        if self.has is None or self.needs is None:
            return Fit.UNKNOWN
        if self.needs > self.has:
            return Fit.TOO_SMALL
        return Fit.TIGHT if self.at_most is not None and self.at_most > self.has else Fit.FITS


@dataclass(frozen=True, slots=True)
class Rejected:
    """A type that was not taken."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Why a pool has the machine that it has."""

    tier: str
    asked: str
    taken: str
    has: str
    """What the taken type has, in the words of `asked`."""
    named: bool
    """True where the configuration names the type, False where the smallest that fits was taken."""
    larger: str | None
    """The next larger type that fits; None where the catalogue has none."""
    rejected: tuple[Rejected, ...]
    """The types that are nearest to the one taken and will not do."""
    total: str
    """What the pool is at its sizes: machines, GPUs, vCPU."""
    sold_there: str
    """Whether the region sells it, or that nothing here knows."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist."""

    area: str
    """Accounts, quotas, addresses, machines, rights, secrets, licences, images, names, versions."""
    text: str
    mark: Mark
    command: str | None = None
    """What to run, where a command does or shows it."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """Everything that a preflight found."""

    stacks: tuple[str, ...]
    clouds: tuple[str, ...]
    region: str
    quotas: tuple[Quota, ...]
    ranges: tuple[AddressRange, ...]
    choices: tuple[Choice, ...]
    choices_unknown: str | None
    """Why there are no choices; None where there are."""
    steps: tuple[Step, ...]

    def exit_code(self, *, strict: bool) -> int:
        """Return 1 where the deployment would fail, or, where strict, where something could not be told; else 0."""
        stops = {Mark.PROBLEM, Mark.UNKNOWN} if strict else {Mark.PROBLEM}
        return int(any(step.mark in stops for step in self.steps))
