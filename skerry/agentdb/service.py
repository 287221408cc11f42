"""What so many agents may count on: the targets of service, and which of the analysis' claims hold at this size."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from skerry.agentdb import tables
from skerry.agentdb.load import Load, claim_of_success, load_at, tested_concurrencies
from skerry.agentdb.rows import Profile
from skerry.figures import Figure, stated, tidy

SECONDS_IN_30_DAYS: Final = 30 * 24 * 3600


class Holds(str, Enum):
    """Whether a claim holds."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that the analysis claims, held against what it measured."""

    name: str
    claimed: Figure
    measured: Figure
    holds: Holds
    why: str


@dataclass(frozen=True, slots=True)
class Objective:
    """A target of service."""

    name: str
    comparison: str
    target: Figure
    claimed: Figure


def objectives(nodes: int) -> tuple[Objective, ...]:
    """Return the targets of service; those of a failover need a second node."""
    return tuple(
        Objective(
            row.name,
            row.comparison,
            stated(row.target, row.unit, row.seed),
            stated(row.claimed, row.unit, row.seed, how="the analysis' claim, which no target is made of"),
        )
        for row in tables.operations().targets
        if nodes > 1 or row.name not in ("failover", "recovery time", "recovery point")
    )


def claims(load: Load, profile: Profile) -> tuple[Claim, ...]:
    """Return what the analysis claims of this size and profile, held against the load test and the targets."""
    return (_success(load), _latency(load), *_uptime(profile))


def _success(load: Load) -> Claim:
    claimed, measured = claim_of_success(load.agents), load.success_percent
    if claimed.value is None or measured.value is None:
        return Claim("success", claimed, measured, Holds.UNKNOWN, measured.how or claimed.how)
    if measured.known >= claimed.known:
        return Claim("success", claimed, measured, Holds.YES, "as measured")
    fine = [at for at in tested_concurrencies() if _success_at(load.agents, at) >= claimed.known]
    until = f"it holds with up to {max(fine)} at once" if fine else "it holds at no number of requests at once"
    why = f"{tidy(measured.known)} % were measured with {load.concurrency} at once; {until}"
    return Claim("success", claimed, measured, Holds.NO, why)


def _success_at(agents: int, concurrency: int) -> Decimal:
    return load_at(agents, concurrency).success_percent.known


def _latency(load: Load) -> Claim:
    gate = next(one for one in tables.operations().gates if one.name == "latency p99")
    claimed = stated(gate.below, "ms (p99)", gate.seed)
    if load.p50_ms.value is None:
        return Claim("latency of a release", claimed, load.p50_ms, Holds.UNKNOWN, load.p50_ms.how)
    if load.p50_ms.known >= gate.below:
        why = f"half of all requests take {tidy(load.p50_ms.known)} ms or more already: set a gate for this size"
        return Claim("latency of a release", claimed, load.p50_ms, Holds.NO, why)
    why = "nobody measured a p99; the p50 is below the gate"
    return Claim("latency of a release", claimed, load.p50_ms, Holds.UNKNOWN, why)


def _uptime(profile: Profile) -> tuple[Claim, ...]:
    """Return what a profile claims of its uptime; nothing where it claims nothing."""
    if profile.uptime_percent is None:
        return ()
    target = next(one for one in tables.operations().targets if one.name == "uptime")
    repair = next(one for one in tables.operations().targets if one.name == "mean time to repair")
    budget = (100 - profile.uptime_percent) / 100 * SECONDS_IN_30_DAYS
    claimed = stated(profile.uptime_percent, "percent of the time", profile.line("uptime_percent"))
    reached = stated(target.claimed, "percent of the time", target.seed, how="what the analysis says was reached")
    name = f"uptime of the {profile.name} profile"
    minutes = f"{profile.uptime_percent} % are {tidy(budget / 60, 2)} minutes in 30 days"
    if budget >= repair.target:
        return (Claim(name, claimed, reached, Holds.UNKNOWN, f"{minutes}, and nobody measured it"),)
    why = (
        f"{minutes}, less than one repair of up to {tidy(repair.target / 60)} minutes; the target stays "
        f"{target.target} %"
    )
    return (Claim(name, claimed, reached, Holds.NO, why),)
