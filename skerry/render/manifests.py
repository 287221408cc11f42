"""The Kubernetes objects of a graph as YAML files.

An unknown value is written as the text `<unknown>` and a secret as `<secret>`: the files are for reading, reviewing
and schema checks; a file that holds one says so in its first line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from skerry.graph import UNKNOWN, Asset, Resource, ResourceGraph, ResourceRef, Secret
from skerry.invokes import functions_of, holds_stand_in

UNKNOWN_TEXT: Final = "<unknown>"
SECRET_TEXT: Final = "<secret>"

_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_SAFE = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object."""

    path: str
    """`<namespace or _cluster>/<kind>-<name>.yaml`, unique in a graph."""
    urn: str
    document: Mapping[str, Any]
    complete: bool
    """False where an unknown or a secret was masked, or a stand-in stands for what an account decides."""
    stand_in: bool = False


def manifests(graph: ResourceGraph) -> list[Manifest]:
    """Return every Kubernetes object, sorted by path. Helm Releases are listed under `_charts/`."""
    found: dict[str, Manifest] = {}
    zeros = bool(functions_of(graph).stand_ins)
    for resource in graph.resources:
        if resource.external or not resource.custom or not resource.type.startswith("kubernetes:"):
            continue
        manifest = _release(resource) if resource.type == _RELEASE else _object(resource)
        path, number = manifest.path, 2
        while path in found:
            path = manifest.path.replace(".yaml", f"-{number}.yaml")
            number += 1
        stand_in = zeros and holds_stand_in(manifest.document)
        found[path] = Manifest(path, manifest.urn, manifest.document, manifest.complete and not stand_in, stand_in)
    return [found[path] for path in sorted(found)]


def to_yaml(manifest: Manifest) -> str:
    """Return the file of one object."""
    head = f"# {manifest.urn}\n"
    if manifest.stand_in:
        head += "# Holds a stand-in of zeros for what your account decides: cannot be applied as it is.\n"
    if _masked(manifest.document):
        head += f"# Holds values that are {UNKNOWN_TEXT} or {SECRET_TEXT}: cannot be applied as it is.\n"
    return head + yaml.safe_dump(manifest.document, sort_keys=True, default_flow_style=False, width=120)


def _object(resource: Resource) -> Manifest:
    document = _shown(resource.inputs)
    assert isinstance(document, dict)  # noqa: S101  inputs are a mapping by construction
    metadata = document.get("metadata") if isinstance(document.get("metadata"), dict) else {}
    metadata = dict(metadata or {})
    if "name" not in metadata and "generateName" not in metadata:
        metadata["generateName"] = f"{resource.name}-"
    document["metadata"] = metadata
    kind = str(document.get("kind", resource.type.rsplit(":", 1)[-1]))
    name = str(metadata.get("name", resource.name))
    namespace = name if kind == "Namespace" else metadata.get("namespace")
    # No namespace can have an underscore, so none meets the folder of what lies in no namespace.
    folder = "_cluster" if namespace is None else _slug(str(namespace))
    path = f"{folder}/{_slug(kind)}-{_slug(name)}.yaml"
    return Manifest(path, resource.urn, document, not _masked(document))


def _release(resource: Resource) -> Manifest:
    document = _shown(resource.inputs)
    assert isinstance(document, dict)  # noqa: S101  inputs are a mapping by construction
    return Manifest(f"_charts/{_slug(resource.name)}.yaml", resource.urn, document, not _masked(document))


def _shown(value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, Secret):
        return SECRET_TEXT
    if isinstance(value, Asset):
        return value.location or f"<{value.kind}>"
    if isinstance(value, ResourceRef):
        return value.urn
    if isinstance(value, Mapping):
        return {str(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _masked(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_masked(item) for item in value.values())
    if isinstance(value, list):
        return any(_masked(item) for item in value)
    return isinstance(value, str) and (UNKNOWN_TEXT in value or SECRET_TEXT in value)


def _slug(text: str) -> str:
    """Return `text` as a part of a path; dots at its ends go, so that `..` leads nowhere."""
    return _SAFE.sub("-", text.lower()).strip("-.") or "x"
