"""What becomes of each resource between two graphs, by URN: that is how Pulumi itself knows a resource again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from skerry.facts import ComponentFacts, facts_of
from skerry.graph import STACK_TYPE, UNKNOWN, Resource, ResourceGraph, Secret
from skerry.migration.document import Fate, Part

Key = tuple[int, str]
"""How far from the last stack, and the URN without the name of its stack."""

# Source: Kubernetes API reference (immutable fields of StatefulSet, Deployment, Job) and pulumi-kubernetes, which
# replaces an object of another name or namespace (not opened; check before relying on it)
_FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates", "spec.podManagementPolicy"),
    "Job": ("spec.selector", "spec.template"),
    "PersistentVolumeClaim": ("spec.storageClassName", "spec.accessModes"),
}
"""Kind of Kubernetes object -> inputs that cannot be changed in place."""
_FIXED_OF_ALL: Final = ("metadata.name", "metadata.namespace")


def compare(old: ResourceGraph, new: ResourceGraph) -> tuple[Part, ...]:
    """Return every resource of either graph with its fate: first those of the new one, then what is gone."""
    before, after = _by_key(old), _by_key(new)
    parts = []
    for key, resource in after.items():
        was = before.get(key)
        if was is None:
            parts.append(_part(new, resource, key, Fate.MADE))
            continue
        differs = tuple(_differs(was.inputs, resource.inputs)) if resource.custom else ()
        forced_by = tuple(path for path in differs if _is_fixed(resource, path))
        fate = Fate.REPLACED if forced_by else Fate.CHANGED if differs else Fate.STAYS
        parts.append(_part(new, resource, key, fate, differs, forced_by))
    parts += [_part(old, resource, key, Fate.GONE) for key, resource in before.items() if key not in after]
    return tuple(parts)


def _by_key(graph: ResourceGraph) -> dict[Key, Resource]:
    last = len(graph.stacks) - 1
    found = {}
    for resource in graph.resources:
        if resource.type == STACK_TYPE or resource.external:
            continue
        found[last - graph.stacks.index(resource.stack), resource.urn.partition("::")[2]] = resource
    return found


def _part(
    graph: ResourceGraph,
    resource: Resource,
    key: Key,
    fate: Fate,
    differs: tuple[str, ...] = (),
    forced_by: tuple[str, ...] = (),
) -> Part:
    facts, component = _around(graph, resource)
    keeps = resource.custom and (resource.protect or (facts.stateful and resource.retain_on_delete))
    return Part(
        fate=fate,
        name=resource.name,
        type=resource.type,
        component=component,
        role=facts.role or "",
        urn=key[1],
        keeps_data=keeps,
        protected=resource.protect,
        differs=differs,
        forced_by=forced_by,
    )


def _around(graph: ResourceGraph, resource: Resource) -> tuple[ComponentFacts, str]:
    """Return the facts and the name of the nearest component."""
    for one in (resource, *graph.ancestors(resource)):
        facts = facts_of(one)
        if facts is not None:
            return facts, one.name
    return ComponentFacts(), resource.name


def _differs(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the inputs that are other, as deep as both are mappings; two unknowns count as the same."""
    found = []
    for key in sorted({*old, *new}):
        path = f"{prefix}{key}"
        was, now = old.get(key), new.get(key)
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += _differs(was, now, f"{path}.")
        elif not _same(was, now):
            found.append(path)
    return found


def _same(was: Any, now: Any) -> bool:
    if was is UNKNOWN or now is UNKNOWN:
        return was is now
    if isinstance(was, Secret) and isinstance(now, Secret):
        return _same(was.value, now.value)
    if isinstance(was, list) and isinstance(now, list):
        return len(was) == len(now) and all(_same(one, other) for one, other in zip(was, now, strict=True))
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        return was.keys() == now.keys() and all(_same(was[key], now[key]) for key in was)
    return bool(was == now)


def _is_fixed(resource: Resource, path: str) -> bool:
    if not resource.type.startswith("kubernetes:"):
        return False
    kind = resource.type.rpartition(":")[2]
    return any(path == one or path.startswith(f"{one}.") for one in (*_FIXED_OF_ALL, *_FIXED.get(kind, ())))
