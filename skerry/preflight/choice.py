"""Why a pool has the machine that it has: what was asked, what was taken, what is next, and what will not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from skerry.config.pools import need_of, type_of
from skerry.config.sides import has_machines, has_tier, persistent_tier
from skerry.config.spec import DeploymentSpec, PoolSpec, TargetKind
from skerry.facts import Tier
from skerry.instances import InstanceType, Need, candidates
from skerry.jurisdictions import inside, regions
from skerry.preflight.document import Choice, Rejected

NEAREST: Final = 6
"""How many rejected types a report names: those nearest in size to the one taken."""

Sold = Callable[[str, str, str], str | None]
"""Cloud, region and type -> where it was seen that the region sells it; None where nothing here knows."""


def choices_of(spec: DeploymentSpec, sold: Sold) -> tuple[Choice, ...]:
    """Return why each pool of a deployment on a cloud has its machine; empty on own machines.

    Args:
        spec: the deployment.
        sold: what is known of the region's machines.

    Raises:
        CatalogError: the catalogue has no type that fits.
    """
    if spec.target.kind in (TargetKind.ONPREM, TargetKind.HOSTS):
        return ()
    return tuple(_choice(spec, tier, pool, sold) for tier, pool in _pools(spec))


def _pools(spec: DeploymentSpec) -> Iterator[tuple[str, PoolSpec]]:
    if spec.cognitive.pool is not None:
        yield Tier.COGNITIVE.value, spec.cognitive.pool
    if has_tier(spec, Tier.EXECUTION):
        yield Tier.EXECUTION.value, spec.execution.pool
        if spec.execution.small_pool is not None:
            yield Tier.SMALL.value, spec.execution.small_pool
    if has_machines(spec) and has_tier(spec, persistent_tier(spec)):
        yield persistent_tier(spec).value, spec.meta.pool


def _choice(spec: DeploymentSpec, tier: str, pool: PoolSpec, sold: Sold) -> Choice:
    cloud, need = spec.target.kind.value, need_of(pool.machine)
    taken = type_of(spec.target.kind, pool.machine)
    rows = candidates(cloud, need)
    at = next(index for index, row in enumerate(rows) if row.type.name == taken.name)
    larger = next((row.type for row in rows[at + 1 :] if not row.lacks and _size(row.type) != _size(taken)), None)
    like = [row for row in rows if row.lacks and bool(row.type.gpus) == bool(need.gpus)]
    near = sorted(like, key=lambda row: abs(rows.index(row) - at))[:NEAREST]
    return Choice(
        tier=tier,
        asked=str(need),
        taken=taken.name,
        has=_has(taken),
        named=pool.machine.instance_type is not None,
        larger=f"{larger.name}: {_has(larger)}" if larger else None,
        rejected=tuple(Rejected(row.type.name, ", ".join(row.lacks)) for row in sorted(near, key=rows.index)),
        total=_total(pool, taken),
        sold_there=_where(spec, taken, sold),
    )


def _where(spec: DeploymentSpec, taken: InstanceType, sold: Sold) -> str:
    """Say whether the region sells the type, and where that is not known which others inside the boundary do."""
    cloud, region = spec.target.kind.value, spec.target.region
    if seen := sold(cloud, region, taken.name):
        return seen
    allowed = _allowed(spec)
    others = [
        f"{row.name} ({row.jurisdiction})"
        for row in regions()
        if row.cloud == cloud and row.name != region and inside(row.jurisdiction, allowed)
        if sold(cloud, row.name, taken.name)
    ]
    text = f"whether {region} sells it is not known here"
    return f"{text}; inside the boundary {', '.join(others)} did" if others else text


def _allowed(spec: DeploymentSpec) -> tuple[str, ...]:
    """Return where data of the deployment's class may be: its own row's places, else those of the next lower row."""
    rows = [row for row in spec.residency.boundaries if row.data_class.rank <= spec.data_class.rank]
    return max(rows, key=lambda row: row.data_class.rank).jurisdictions if rows else ()


def _size(row: InstanceType) -> tuple[int, float, int, float]:
    return (row.gpus, row.gpu_memory_gib, row.vcpu, row.memory_gib)


def _has(row: InstanceType) -> str:
    network = row.network_gbps
    text = str(Need(row.vcpu, row.memory_gib, row.gpu_model, row.gpus, row.gpu_memory_gib))
    return f"{text}, {f'{network:g} Gbit/s' if network is not None else 'bandwidth unknown'}"


def _total(pool: PoolSpec, row: InstanceType) -> str:
    def size(count: int) -> str:
        gpus = f", {count * row.gpus} GPUs" if row.gpus else ""
        return f"{count} x {row.vcpu} = {count * row.vcpu:,} vCPU{gpus}"

    sizes = [pool.minimum] if pool.minimum == pool.maximum else [pool.minimum, pool.maximum]
    return " to ".join(size(count) for count in sizes)
