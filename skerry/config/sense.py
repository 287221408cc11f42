"""What the fields of a deployment must be to each other: impossible sizes, impossible places, seed ranges.

Each check is a function `DeploymentSpec -> problems`, listed in `CHECKS`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from skerry.catalog import load_catalog
from skerry.config.pools import POOL_RANGES, need_of
from skerry.config.sense_aethergraph import aethergraph_problems
from skerry.config.sense_agentdb import agentdb_problems
from skerry.config.sense_applications import application_problems, system_problems
from skerry.config.sense_backup import backup_problems
from skerry.config.sense_channels import channel_problems
from skerry.config.sense_clouds import cloud_problems
from skerry.config.sense_edge import edge_problems
from skerry.config.sense_execution import execution_problems
from skerry.config.sense_gpu import gpu_problems
from skerry.config.sense_hosts import hosts_presence, hosts_problems
from skerry.config.sense_hybrid import CHANNEL_MACHINES, hybrid_problems, presence_problems
from skerry.config.sense_models import model_problems
from skerry.config.sense_services import service_problems
from skerry.config.sides import has_tier, persistent_tier
from skerry.config.spec import (
    DeploymentSpec,
    Layer,
    MachineSpec,
    Mode,
    ObjectStoreKind,
    PoolSpec,
    PubSubKind,
    Purchase,
    RelationalKind,
    System,
    TargetKind,
    VectorStoreKind,
)
from skerry.errors import CatalogError, Problem, UsageError
from skerry.facts import Tier
from skerry.images import ImageReference
from skerry.instances import instance_type, smallest
from skerry.jurisdictions import countries

EXECUTION_MEMORY_GIB: Final = (32, 64)
"""Memory of an execution node, from the Sensei deployment architecture: 32-64 GB."""

# Source: Kubernetes "Labels and Selectors", syntax and character set, read 2026-11
_LABEL_VALUE: Final = re.compile(r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")
_LABEL_KEY: Final = re.compile(r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
_OWN_LABELS: Final = ("skerry.dev/", "app.kubernetes.io/")


def sense_problems(spec: DeploymentSpec) -> list[Problem]:
    """Return everything that cannot be, in the order of `CHECKS`."""
    absent = [*system_problems(spec), *presence_problems(spec), *hosts_presence(spec)]
    if spec.hosts is not None:
        return absent or [problem for check in OF_HOSTS for problem in check(spec)]
    checks = [check for check in CHECKS if has_tier(spec, _OF_TIER.get(check, Tier.PLATFORM))]
    if spec.system is not System.SENSEI:
        checks = [check for check in checks if check not in _OF_SENSEI]
    return absent or [problem for check in checks for problem in check(spec)]


def _pools(spec: DeploymentSpec) -> Iterator[tuple[str, PoolSpec]]:
    if spec.cognitive.pool is not None:
        yield "cognitive", spec.cognitive.pool
    if has_tier(spec, Tier.EXECUTION):
        yield "execution", spec.execution.pool
    if has_tier(spec, persistent_tier(spec)):
        yield persistent_tier(spec).value, spec.meta.pool


def _target(spec: DeploymentSpec) -> Iterator[Problem]:
    target = spec.target
    own = target.kind in (TargetKind.ONPREM, TargetKind.HOSTS)
    if not own:
        yield from cloud_problems(spec)
    elif spec.layer is Layer.BASE:
        yield Problem("layer", "base has no meaning on own machines", "remove it: there is only the platform layer")
    if own and target.region:
        yield Problem("target.region", f"'{target.region}' has no meaning on own machines", "remove it")
    if not target.connected and not target.site_registry and target.kind is not TargetKind.HOSTS:
        yield Problem("target.site_registry", "is required where connected is false", "name host:port of the registry")
    if spec.mode is Mode.AIR_GAPPED and target.connected:
        yield Problem("target.connected", "is true, but mode is air-gapped", "set connected: false")


def _law(spec: DeploymentSpec) -> Iterator[Problem]:
    """Check that every country and bloc is one that rules can reckon with."""
    named = {
        "target.jurisdiction": spec.target.jurisdiction,
        "state.jurisdiction": spec.state.jurisdiction,
        "state.secrets_jurisdiction": spec.state.secrets_jurisdiction,
    }
    for index, row in enumerate(spec.residency.boundaries):
        named |= {
            f"residency.boundaries[{index}].jurisdictions[{at}]": code for at, code in enumerate(row.jurisdictions)
        }
    for path, code in named.items():
        if code is None:
            continue
        try:
            countries(code)
        except UsageError as exc:
            yield Problem(path, str(exc))


def _labels(spec: DeploymentSpec) -> Iterator[Problem]:
    zones = spec.target.failure_domains
    for zone in sorted({zone for zone in zones if zones.count(zone) > 1}):
        yield Problem("target.failure_domains", f"'{zone}' is named twice", "name each once")
    form = "use letters, digits, '-', '_' and '.', at most 63, beginning and ending with a letter or digit"
    for key, value in spec.tags.items():
        if key.startswith(_OWN_LABELS):
            yield Problem(f"tags.{key}", "is set by Skerry itself", "remove it")
        elif not _LABEL_KEY.match(key):
            yield Problem(f"tags.{key}", "cannot be the name of a label of Kubernetes objects", form)
        elif not _LABEL_VALUE.match(value):
            yield Problem(f"tags.{key}", f"'{value}' cannot be a label of Kubernetes objects", form)


def _addresses(spec: DeploymentSpec) -> Iterator[Problem]:
    target = spec.target
    for field, ranges, whose in (
        ("api_server_cidrs", target.api_server_cidrs, "the API server"),
        ("dns_cidrs", target.dns_cidrs, "what answers names"),
    ):
        for index, text in enumerate(ranges):
            path = f"target.{field}[{index}]"
            try:
                everything = ipaddress.ip_network(text).prefixlen == 0
            except ValueError as exc:
                yield Problem(path, f"is not an address range: {exc}", "write it like 10.0.0.0/24")
                continue
            if everything:
                yield Problem(path, f"'{text}' is every address there is", f"name the addresses of {whose}")


def _copies(spec: DeploymentSpec) -> Iterator[Problem]:
    channels = spec.channels
    own = spec.target.kind is TargetKind.ONPREM or channels.object_store is ObjectStoreKind.SEAWEEDFS
    if own and channels.object_store_replicas < 2:
        yield Problem(
            "channels.object_store_replicas",
            "is 1, but each object has a copy on a second machine, so that nothing could be written",
            "use 2 or more",
        )


def _hosted(spec: DeploymentSpec) -> Iterator[Problem]:
    at_vendor = spec.mode in (Mode.SAAS, Mode.HYBRID)
    inside = not at_vendor or spec.target.kind is TargetKind.ONPREM or not spec.target.connected
    where = "without a connection" if not spec.target.connected else f"in mode {spec.mode.value}"
    if spec.meta.vector_store is VectorStoreKind.PINECONE and inside:
        text = f"pinecone is hosted by its vendor and cannot be used {where}"
        yield Problem("meta.vector_store", text, "use qdrant or pgvector")
    if spec.target.kind is TargetKind.ONPREM:
        for path, managed in (
            ("meta.relational_kind", spec.meta.relational_kind is RelationalKind.MANAGED),
            ("channels.pubsub", spec.channels.pubsub is PubSubKind.MANAGED),
            ("channels.object_store", spec.channels.object_store is ObjectStoreKind.MANAGED),
        ):
            if managed:
                yield Problem(path, "managed services exist on clouds only", "use auto")


def _pool_sizes(spec: DeploymentSpec) -> Iterator[Problem]:
    for tier, pool in _pools(spec):
        low, high = POOL_RANGES.get(tier, CHANNEL_MACHINES)
        typical = pool.minimum if pool.typical is None else pool.typical
        if not pool.minimum <= typical <= pool.maximum:
            yield Problem(
                f"{tier}.pool", f"{pool.minimum} <= {typical} <= {pool.maximum} does not hold", "order the three"
            )
        if pool.minimum < low or pool.maximum > high:
            yield Problem(
                f"{tier}.pool", f"{pool.minimum} to {pool.maximum} nodes is outside {low} to {high}", "stay inside"
            )
    memory = spec.execution.pool.machine.memory_gib
    if not EXECUTION_MEMORY_GIB[0] <= memory <= EXECUTION_MEMORY_GIB[1]:
        yield Problem(
            "execution.pool.machine.memory_gib", f"{memory:g} GiB is outside 32 to 64 GiB", "choose another machine"
        )
    if spec.meta.pool.purchase is Purchase.SPOT:
        yield Problem("meta.pool.purchase", "spot machines may be taken away at any time", "use on-demand")
    # Services that keep nothing bear it; those that keep files run on other machines.
    if spec.execution.pool.purchase is Purchase.SPOT and not spec.execution.interruptible and spec.machines is None:
        yield Problem(
            "execution.pool.purchase", "spot needs work that may be interrupted", "set execution.interruptible: true"
        )


def _names(spec: DeploymentSpec) -> Iterator[Problem]:
    agents = {
        "cognitive.scout": spec.cognitive.scout, "cognitive.architect": spec.cognitive.architect,
        "execution.worker": spec.execution.worker, "execution.validator": spec.execution.validator,
        "meta.learning": spec.meta.learning,
    }  # fmt: skip
    for path, agent in agents.items():
        try:
            ImageReference.parse(agent.image)
        except CatalogError as exc:
            yield Problem(f"{path}.image", str(exc))
    if spec.meta.baseline is not None and spec.meta.baseline not in load_catalog().baselines:
        known = ", ".join(sorted(load_catalog().baselines))
        yield Problem("meta.baseline", f"'{spec.meta.baseline}' is not in images/baselines.yaml", f"use one of {known}")
    for index, waiver in enumerate(spec.waivers):
        try:
            date.fromisoformat(waiver.expires)
        except ValueError as exc:
            yield Problem(f"waivers[{index}].expires", f"'{waiver.expires}' is not a date: {exc}")


def _machines(spec: DeploymentSpec) -> Iterator[Problem]:
    if spec.target.kind is TargetKind.ONPREM:
        return
    for tier, pool in _pools(spec):
        machine = pool.machine
        if machine.instance_type:
            yield from _named_machine(f"{tier}.pool.machine", spec.target.kind.value, machine)
            continue
        try:
            smallest(spec.target.kind.value, need_of(machine))
        except CatalogError as exc:
            yield Problem(f"{tier}.pool.machine", str(exc))


def _named_machine(path: str, cloud: str, machine: MachineSpec) -> Iterator[Problem]:
    """Check that the type that is named has what is asked of it: sizes are reckoned by what is asked."""
    try:
        found = instance_type(cloud, f"{machine.instance_type}")
    except CatalogError as exc:
        yield Problem(f"{path}.instance_type", str(exc))
        return
    wanted = (machine.vcpu, machine.memory_gib, machine.gpus, machine.gpu_memory_gib)
    has = (found.vcpu, found.memory_gib, found.gpus, found.gpu_memory_gib)
    if any(need > have for need, have in zip(wanted, has, strict=True)):
        text = "{} vCPU, {:g} GiB and {} x {:g} GiB GPUs"
        yield Problem(
            f"{path}.instance_type",
            f"'{found.name}' has {text.format(*has)}, which is less than {text.format(*wanted)}",
            "name a larger type, or ask less of the machine",
        )
    if machine.network_gbps and (found.network_gbps is None or found.network_gbps < machine.network_gbps):
        has_network = "not known" if found.network_gbps is None else f"{found.network_gbps:g} Gbit/s"
        yield Problem(
            f"{path}.instance_type",
            f"the bandwidth of '{found.name}' is {has_network}, asked are {machine.network_gbps:g} Gbit/s",
            "name another type, or leave network_gbps out",
        )


def _licences(spec: DeploymentSpec) -> Iterator[Problem]:
    known = {row.name for row in load_catalog().licences.values() if row.accept}
    named = [row.licence for row in spec.licences]
    for index, row in enumerate(spec.licences):
        path = f"licences[{index}]"
        if row.licence not in known:
            text = f"'{row.licence}' is no licence whose terms need acceptance"
            yield Problem(f"{path}.licence", text, f"use one of {', '.join(sorted(known))}")
        elif row.licence in named[:index]:
            yield Problem(f"{path}.licence", f"'{row.licence}' is accepted twice", "name it once")
        try:
            date.fromisoformat(row.accepted_on)
        except ValueError as exc:
            yield Problem(f"{path}.accepted_on", f"'{row.accepted_on}' is not a date: {exc}")


CHECKS: Final[tuple[Callable[[DeploymentSpec], Iterator[Problem]], ...]] = (
    _target,
    _hosted,
    _pool_sizes,
    model_problems,
    gpu_problems,
    execution_problems,
    _names,
    _machines,
    _labels,
    _law,
    _addresses,
    _copies,
    _licences,
    backup_problems,
    channel_problems,
    service_problems,
    hybrid_problems,
    edge_problems,
    application_problems,
    agentdb_problems,
    aethergraph_problems,
)
"""Every check, in the order in which problems are reported."""

OF_HOSTS: Final[tuple[Callable[[DeploymentSpec], Iterator[Problem]], ...]] = (
    _target,
    _labels,
    _law,
    _licences,
    hosts_problems,
)
"""Every check of machines without an orchestrator."""

_OF_TIER: Final[Mapping[Callable[[DeploymentSpec], Iterator[Problem]], Tier]] = {
    model_problems: Tier.COGNITIVE,
    execution_problems: Tier.EXECUTION,
}
"""Checks that judge one tier alone, where a stack has it."""

_OF_SENSEI: Final = (
    _hosted,
    _pool_sizes,
    model_problems,
    gpu_problems,
    execution_problems,
    _names,
    _copies,
    backup_problems,
    channel_problems,
    service_problems,
    hybrid_problems,
)
"""Checks of what only Sensei has."""
