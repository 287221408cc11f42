"""The schema as programs of other languages read it: what the SDK's analyzer cannot know of defaults and secrets.

(1) Descriptions are docstrings without their indentation.
(2) A field that is named in a description is spelt as programs of the package spell it.
(3) Defaults and bounds are those of the specs, as sentences: `default` of a schema would be written into each generated
    SDK, and a program would keep the old one until its SDK is generated anew.
(4) Inputs that are secrets are marked, so that a generated SDK seals what a program passes in the clear.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from components.package import channels, cluster, stores
from skerry.config import spec
from skerry.config.words import Spec

TYPE_NAMES: Final = {
    "StoreSpec": "StoreSize",
    "ApplicationsSpec": "ServicePlan",
    "AgentDbSpec": "AgentDbSettings",
    "AetherGraphSpec": "AetherGraphSettings",
    "BucketSpec": "SharedBucket",
    "DatabaseSpec": "SharedDatabase",
    "CacheSpec": "SharedCache",
    "QueueSpec": "SharedQueue",
    "SiteSpec": "RuntimeSite",
    "DnsSpec": "DnsZone",
    "PortSpec": "ServicePort",
    "ProbeSpec": "ServiceProbe",
    "ScaleSpec": "ServiceScale",
    "StoresSpec": "AetherGraphStores",
    "MeshSpec": "ServiceMesh",
    "ReplicationSpec": "ReplicaCopies",
    "ProgramSpec": "AgentDbProgram",
    "NodesSpec": "AgentDbNodes",
    "FlySpec": "AgentDbFly",
    "HostSpec": "HostMachine",
    "HostsSpec": "HostMachines",
    "AgentMeshSpec": "AgentMeshSettings",
    "DualHostSpec": "DualHostSettings",
    "PlaceSpec": "MeshPlace",
    "BalancerSpec": "MeshBalancer",
    "CapabilitySpec": "MeshCapability",
    "DiscoverySpec": "MeshDiscovery",
    "SharedStateSpec": "MeshState",
    "SyncSpec": "MeshSync",
    "MediaSpec": "MeshMedia",
    "DiodeSpec": "MeshDiode",
    "AuditSpec": "MeshAudit",
    "SiemSpec": "MeshSiem",
    "SshSpec": "HostSsh",
    "OverlayPeerSpec": "HostOverlayPeer",
    "OverlaySpec": "HostOverlay",
}
"""Specs whose type is not their name without `Spec`: all types of the package stand in one place."""

SECRET_INPUTS: Final = {
    "AetherGraph": ("secrets",),
    "AgentDb": ("secrets",),
    "Applications": ("secrets",),
    "AzureBase": ("postgresPassword",),
    "CognitiveTier": ("apiKey", "apiKeys"),
    "ExecutionTier": ("passwords",),
    "Hosts": ("secrets",),
    "Sensei": ("secrets",),
}
"""Component -> its inputs that are secrets in whole."""

_SPECS: Final[Mapping[str, tuple[type[Spec], Mapping[str, str]]]] = {
    "PubSub": (spec.ChannelsSpec, channels.PUBSUB_FIELDS),
    "Workflows": (spec.ChannelsSpec, channels.WORKFLOWS_FIELDS),
    "ObjectStore": (spec.ChannelsSpec, channels.OBJECT_STORE_FIELDS),
    **{owner.removesuffix("Args"): (spec.MetaSpec, fields) for owner, fields in stores.META_FIELDS.items()},
    "Cluster": (spec.TargetSpec, {field: field for field in cluster.OF_TARGET}),
}
"""Component or type -> the spec of its fields, and field -> field of the spec; other types are specs as they stand."""

_IN_BACKTICKS: Final = re.compile(r"`([a-z_.]+)`")
_ALREADY_SAID: Final = re.compile(r"\b[Ll]eft out\b")
_BOUNDS: Final = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_MOST_FIELDS_SHOWN: Final = 2


def finished(schema: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the schema in its words.

    Args:
        schema: what the analyzer found.
        names: Python name -> name in the schema, of every field there is.
    """
    found: dict[str, Any] = _tidy(schema, names)
    for kind, (group, own) in {"resources": ("inputProperties", "requiredInputs"), "types": ("properties", "")}.items():
        for token, owner in found[kind].items():
            name = token.rpartition(":")[2]
            required = owner.get(own or "required", [])
            for field, info in _fields(name, names):
                if (place := owner.get(group, {}).get(field)) is not None:
                    place["description"] = _with_facts(place["description"], info, field in required, names)
            for field in SECRET_INPUTS.get(name, ()) if kind == "resources" else ():
                owner[group][field]["secret"] = True
    return found


def _tidy(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_tidy(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _respelt(inspect.cleandoc(item), names)  # (1)
        if key == "description" and isinstance(item, str)
        else _tidy(item, names)
        for key, item in value.items()
        if item is not None
    }


def _respelt(text: str, names: Mapping[str, str]) -> str:
    def one(found: re.Match[str]) -> str:  # (2)
        parts = found[1].split(".")
        return f"`{'.'.join(names[part] for part in parts)}`" if all(part in names for part in parts) else found[0]

    return _IN_BACKTICKS.sub(one, text)


def _fields(name: str, names: Mapping[str, str]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the fields of a component or type that a spec has, with what the spec says of them."""
    if name in _SPECS:
        source, table = _SPECS[name]
        for field, of_spec in table.items():
            yield names[field], source.model_fields[of_spec]
        return
    spec_name = next((key for key, shown in TYPE_NAMES.items() if shown == name), f"{name}Spec")
    found = _models().get(spec_name) or _models().get(name)
    for field, info in found.model_fields.items() if found is not None else ():
        yield names[field], info


@cache
def _models() -> Mapping[str, type[BaseModel]]:
    """Return every spec that a deployment is made of, by name."""
    found: dict[str, type[BaseModel]] = {}
    rest: list[Any] = [spec.DeploymentSpec]
    while rest:
        one = rest.pop()
        if not (isinstance(one, type) and issubclass(one, BaseModel)):
            rest += get_args(one)
        elif one.__name__ not in found:
            found[one.__name__] = one
            rest += [info.annotation for info in one.model_fields.values()]
    return found


def _with_facts(description: str, info: FieldInfo, required: bool, names: Mapping[str, str]) -> str:
    facts = [_bounds(info)]  # (3)
    if not required and not _ALREADY_SAID.search(description):
        facts.append(f"Left out, {_shown(info.get_default(call_default_factory=True), names)}.")
    return " ".join([description, *filter(None, facts)])


def _bounds(info: FieldInfo) -> str:
    found = [
        f"{words} {limit}"
        for one in info.metadata
        for bound, words in _BOUNDS.items()
        if (limit := getattr(one, bound, None)) is not None
    ]
    text = ", ".join(found)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _shown(value: Any, names: Mapping[str, str]) -> str:
    match value:
        case None | () | [] | {} | "":
            return "none"
        case bool():
            return str(value).lower()
        case Enum():
            return f"`{value.value}`"
        case BaseModel():
            parts = [f"{names[field]} {_shown(item, names)}" for field, item in value]
            return " and ".join(parts) if len(parts) <= _MOST_FIELDS_SHOWN else "the default of each of its fields"
        case tuple() | list():
            return ", ".join(_shown(item, names) for item in value)
    return f"`{value}`" if isinstance(value, str) else str(value)
