"""Which servers of local models run, on how many GPUs each, and what is left of the machines.

(1) each model is fitted to one machine: what a pod gets of its GPUs is `skerry.gpu_sharing`'s to say
(2) servers of a fixed number are put on machines first, the largest first, each where most is free
(3) the first model, where nobody says how many servers it has, takes what is left
(4) what then is left may be queued for

Only the pool's minimum counts, because only those machines are sure to be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skerry.catalog import ModelRow
from skerry.config.serving import Precision
from skerry.config.spec import CognitiveSpec, ModelProvider, PoolSpec
from skerry.errors import SizingError
from skerry.gpu_sharing import Share, model_of, share_of, sharing_of
from skerry.sizing import Fit, Start, file_bytes, fit, format_fault, format_note, start


@dataclass(frozen=True, slots=True)
class Server:
    """The servers of one model."""

    provider: ModelProvider
    model: str
    precision: Precision
    files: Precision | None
    """The format of the files; None for what belongs to the precision."""
    context_tokens: int
    fit: Fit
    servers: int
    start: Start
    file_bytes: int
    """Read by each server."""
    note: str
    """What the GPU does with the format."""

    @property
    def units(self) -> int:
        """GPUs, or parts of them, that all servers of the model take."""
        return self.servers * self.fit.tensor_parallel


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """Every local server, and what is left."""

    share: Share
    servers: tuple[Server, ...]
    """In the order in which providers are asked."""
    nodes: int
    units_left: int
    """Of the pool's minimum of machines."""

    @property
    def arithmetic(self) -> str:
        """The sum in one line."""
        taken = " - ".join(f"{one.servers} x {one.fit.tensor_parallel} ({one.model})" for one in self.servers)
        return f"{self.nodes} machines x {self.share.per_node} - {taken} = {self.units_left} left"


def plan(spec: CognitiveSpec, models: Mapping[str, ModelRow], *, renames: bool) -> ServingPlan:
    """Return the local servers of a tier.

    Args:
        spec: has a pool and a model that `models` has.
        models: the catalogue's.
        renames: whether parts of GPUs have a name of their own.

    Raises:
        SizingError: a model does not fit a machine, or all servers together do not fit the pool's minimum.
    """
    pool = spec.pool
    if pool is None or spec.model is None:
        raise SizingError("local inference needs cognitive.pool and cognitive.model: add what is missing")
    share = share_of(pool.machine, sharing_of(pool), renames=renames)
    serving = spec.serving
    first = _fitted(spec, pool, share, models[spec.model], spec.precision, spec.context_tokens, serving.tensor_parallel)
    second = serving.second if ModelProvider.SECOND_LOCAL in spec.providers else None
    fixed: list[tuple[int, int]] = []
    other: Fit | None = None
    if second is not None:
        other = _fitted(
            spec, pool, share, models[second.model], second.precision, second.context_tokens, second.tensor_parallel
        )
        fixed.append((other.tensor_parallel, second.servers))
    if serving.servers is not None:
        fixed.append((first.tensor_parallel, serving.servers))
    free = _placed(share, pool.minimum, fixed)
    count = serving.servers
    if count is None:
        count = sum(units // first.tensor_parallel for units in free)
        free = [units % first.tensor_parallel for units in free]
    if count == 0:
        raise SizingError(
            f"no GPUs are left for {spec.model}: {pool.minimum} machines x {share.per_node} - "
            f"{' - '.join(f'{servers} x {size}' for size, servers in fixed)} leave no {first.tensor_parallel} on one "
            "machine: raise cognitive.pool.minimum, or run fewer servers of the second model"
        )
    made = [_server(spec, pool, ModelProvider.LOCAL, spec.model, models, first, count)]
    if second is not None and other is not None:
        made.append(_server(spec, pool, ModelProvider.SECOND_LOCAL, second.model, models, other, second.servers))
    made.sort(key=lambda one: spec.providers.index(one.provider))
    return ServingPlan(share, tuple(made), pool.minimum, sum(free))


def _fitted(
    spec: CognitiveSpec,
    pool: PoolSpec,
    share: Share,
    model: ModelRow,
    precision: Precision,
    context: int,
    parallel: int | None,
) -> Fit:
    machine = pool.machine
    fault = format_fault(model_of(machine), precision)
    if fault is not None:
        raise SizingError(f"{model.name} in {precision.value} cannot be served: {fault}; choose another precision")
    if not share.whole and parallel not in (None, 1):
        raise SizingError(
            f"{model.name} with tensor parallel {parallel} needs whole GPUs, and {share.mode.value} gives parts of "
            "them: set cognitive.pool.sharing.mode to none, or tensor parallel to 1"
        )
    found = fit(
        model,
        precision,
        context,
        gpus=share.per_node,
        gpu_memory_gib=share.memory_gib,
        utilization=spec.gpu_memory_utilization,
        cache_tokens=spec.serving.cache_tokens,
        tensor_parallel=parallel if share.whole else 1,
    )
    if found.fits:
        return found
    where = f"{machine.gpus} x {machine.gpu_memory_gib:g} GiB GPUs of one node"
    if not share.whole:
        raise SizingError(
            f"{model.name} in {precision.value} does not fit one of {share.text}: {found.arithmetic}; a model that "
            "needs more than one part needs whole GPUs: set cognitive.pool.sharing.mode to none, or give larger parts"
        )
    raise SizingError(
        f"{model.name} in {precision.value} does not fit {where}: {found.arithmetic}; use more or larger GPUs a node, "
        "a smaller precision (fp8, int4), a shorter context_tokens or less serving.cache_tokens"
    )


def _placed(share: Share, nodes: int, fixed: list[tuple[int, int]]) -> list[int]:
    """Put servers of a fixed number on machines; return what is free on each."""
    free = [share.per_node] * nodes
    wanted = sorted((size for size, servers in fixed for _ in range(servers)), reverse=True)
    for size in wanted:
        most = max(range(nodes), key=lambda node: free[node], default=None)
        if most is None or free[most] < size:
            sums = " + ".join(f"{servers} x {units}" for units, servers in fixed)
            raise SizingError(
                f"servers that take {sums} = {sum(wanted)} units do not fit {nodes} machines x {share.per_node} "
                f"({share.text}), none of them split over machines: run fewer, or raise cognitive.pool.minimum"
            )
        free[most] -= size
    return free


def _server(
    spec: CognitiveSpec,
    pool: PoolSpec,
    provider: ModelProvider,
    name: str,
    models: Mapping[str, ModelRow],
    fitted: Fit,
    servers: int,
) -> Server:
    second = spec.serving.second
    if provider is ModelProvider.SECOND_LOCAL and second is not None:
        precision, files, context = second.precision, second.files, second.context_tokens
    else:
        precision, files, context = spec.precision, spec.serving.weights.files, spec.context_tokens
    size = file_bytes(models[name], precision, files)
    together = max(min(fitted.servers_per_node, servers), 1)
    return Server(
        provider=provider,
        model=name,
        precision=precision,
        files=files,
        context_tokens=context,
        fit=fitted,
        servers=servers,
        start=start(size, spec.serving.weights.link_gbit_s, together),
        file_bytes=size,
        note=format_note(model_of(pool.machine), precision),
    )
