"""Which tiers a stack has: Sensei all of them, but in mode hybrid, where each side has its own; other systems none."""

from __future__ import annotations

from typing import Any, Final

from skerry.config.hybrid import HybridSide
from skerry.config.spec import NO_EXECUTION, AgentSpec, DeploymentSpec, Mode, System
from skerry.facts import Tier

AGENT_TIERS: Final = (Tier.COGNITIVE, Tier.EXECUTION, Tier.META)
"""The tiers that agents live in, in the order of a configuration."""

_OF_SIDE: Final = {
    HybridSide.VENDOR: (Tier.COGNITIVE, Tier.META),
    HybridSide.CUSTOMER: (Tier.EXECUTION,),
}


def side_of(spec: DeploymentSpec) -> HybridSide | None:
    """Return whose side of a hybrid deployment a stack is; None in every other mode."""
    return spec.hybrid.side if spec.mode is Mode.HYBRID and spec.hybrid is not None else None


def agent_tiers(spec: DeploymentSpec) -> tuple[Tier, ...]:
    """Return the tiers with agents that a stack has to have."""
    if spec.system is not System.SENSEI:
        return ()
    side = side_of(spec)
    return AGENT_TIERS if side is None else _OF_SIDE[side]


def has_tier(spec: DeploymentSpec, tier: Tier) -> bool:
    """Say whether a stack has a tier, or machines that stand for it; channels and platform it always has."""
    if spec.system is not System.SENSEI and spec.machines is not None and tier in (Tier.EXECUTION, Tier.META):
        return tier is Tier.META or spec.machines.services is not None
    return tier not in AGENT_TIERS or tier in agent_tiers(spec)


def has_machines(spec: DeploymentSpec) -> bool:
    """Say whether a deployment stands on machines: not where a cloud's own runtimes run all of it."""
    return spec.system is System.SENSEI or spec.machines is not None


def is_described(spec: DeploymentSpec, tier: Tier) -> bool:
    """Say whether the configuration describes a tier, whether or not the stack is to have it."""
    agents: dict[Tier, AgentSpec] = {
        Tier.COGNITIVE: spec.cognitive.scout,
        Tier.EXECUTION: spec.execution.worker,
        Tier.META: spec.meta.learning,
    }
    return agents[tier].image != NO_EXECUTION.worker.image


def required_tiers() -> list[dict[str, Any]]:
    """Return the rules of the JSON Schema by which each side describes its own tiers, and every other mode all."""
    hybrid = {"properties": {"mode": {"const": Mode.HYBRID.value}}, "required": ["mode"]}
    every = {"required": [tier.value for tier in AGENT_TIERS]}
    sensei = {"properties": {"system": {"const": System.SENSEI.value}}, "required": ["system"]}
    rules: list[dict[str, Any]] = [
        {"if": hybrid, "then": {"required": ["hybrid"]}, "else": {"if": sensei, "then": every}}
    ]
    for side, tiers in _OF_SIDE.items():
        of_side = {"properties": {"hybrid": {"properties": {"side": {"const": side.value}}, "required": ["side"]}}}
        own = [tier.value for tier in tiers]
        never = [{"required": [tier.value]} for tier in AGENT_TIERS if tier not in tiers]
        rules.append({"if": {**of_side, "required": ["hybrid"]}, "then": {"required": own, "not": {"anyOf": never}}})
    return rules


def persistent_tier(spec: DeploymentSpec) -> Tier:
    """Return the tier whose machines carry what must last and the operators: a customer's side has no meta tier."""
    return Tier.CHANNELS if side_of(spec) is HybridSide.CUSTOMER else Tier.META
