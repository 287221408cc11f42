"""Which profile of section 12, which phase and which architecture of section 10 fit a number of agents."""

from __future__ import annotations

from skerry.agentdb import tables
from skerry.agentdb.rows import Architecture, Phase, Profile, Tier
from skerry.errors import SizingError, UsageError


def profile_names() -> tuple[str, ...]:
    """Return the names of the profiles, the smallest first."""
    return tuple(one.name for one in tables.profiles().profiles)


def profile_for(agents: int, wanted: str | None = None) -> Profile:
    """Return the profile that is wanted, else the smallest that carries so many agents.

    Raises:
        UsageError: there is no such profile.
        SizingError: the profile that is wanted is too small.
    """
    every = tables.profiles().profiles
    if wanted is None:
        return next((one for one in every if agents <= one.max_agents), every[-1])
    found = {one.name: one for one in every}
    if wanted not in found:
        raise UsageError(f"profile '{wanted}' does not exist: choose one of {', '.join(found)}")
    chosen = found[wanted]
    if agents > chosen.max_agents and not chosen.plus:
        fits = profile_for(agents).name
        raise SizingError(
            f"{agents} agents are more than the {chosen.max_agents} of the profile {wanted} "
            f"({chosen.max_agents_seed}): take {fits}, or leave --profile out"
        )
    return chosen


def phase_for(agents: int) -> Phase | None:
    """Return the last phase of the migration that so many agents are in; None between two phases."""
    every = tables.profiles().phases
    if agents < every[0].agents[0]:
        return every[0]
    return next((one for one in every if agents >= one.agents[0] and agents <= (one.agents[1] or agents)), None)


def tier_for(agents: int) -> Tier:
    """Return the range of the conclusion."""
    return next(one for one in tables.profiles().conclusion if one.holds(agents))


def architecture_for(nodes: int, regions: int) -> Architecture | None:
    """Return the architecture of section 10 that so many nodes are; None where it has no such number."""
    every = [one for one in tables.profiles().architectures if one.regions == regions]
    return next((one for one in every if one.nodes == nodes), None)
