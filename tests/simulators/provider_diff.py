"""Says what changed between two sets of inputs, and whether it takes an update or a replacement.

Whether a property replaces is not decided here: tests/simulators/replacements.py holds that table, which comes from the
clouds' own schemas. For Kubernetes it is the list that the real provider carries. What has no row is updated.
"""

# Source: pulumi/pulumi-kubernetes provider/pkg/provider/diff.go (forceNewProperties), pulumi/pulumi-terraform-bridge
# pkg/tfbridge/provider.go (nameRequiresDeleteBeforeReplace), read 2026-11.

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from pulumi.runtime.proto import provider_pb2

from tests.simulators.provider_check import is_unknown, reveal, step

_SELECTED: Final = ("spec.selector",)
_SOURCES: Final = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
    "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume",
    "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
)  # fmt: skip
_KUBERNETES: Final[Mapping[str, tuple[str, ...]]] = {
    "apps/v1:Deployment": _SELECTED,
    "apps/v1:DaemonSet": _SELECTED,
    "apps/v1:StatefulSet": (
        "spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "batch/v1:Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "core/v1:ConfigMap": ("binaryData", "data"),
    "core/v1:Secret": ("type", "stringData", "data"),
    "core/v1:PersistentVolume": tuple(f"spec.{source}" for source in _SOURCES),
    "core/v1:PersistentVolumeClaim": ("spec",),
    "core/v1:ResourceQuota": ("spec.scopes",),
    "core/v1:Service": ("spec.clusterIP",),
    "rbac.authorization.k8s.io/v1:ClusterRoleBinding": ("roleRef",),
    "rbac.authorization.k8s.io/v1:RoleBinding": ("roleRef",),
    "storage.k8s.io/v1:StorageClass": ("parameters", "provisioner"),
}  # fmt: skip
_IDENTITY: Final = ("apiVersion", "kind", "metadata.name", "metadata.namespace")
_NAMES: Final = (
    "name",
    "bucket",
    "identifier",
    "clusterIdentifier",
    "replicationGroupId",
    "accountName",
    "resourceName",
)
"""What a resource is found by in its cloud: two of the same name cannot stand side by side."""

Replaces = Callable[[str, str], bool | None]


def changed(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each path at which two values differ, with `add`, `delete` or `update`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            below = step(path, key)
            if old.get(key) is None and new.get(key) is not None:
                yield below, "add"
            elif new.get(key) is None and old.get(key) is not None:
                yield below, "delete"
            else:
                yield from changed(old.get(key), new.get(key), below)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            below = f"{path}[{index}]"
            if index >= len(old):
                yield below, "add"
            elif index >= len(new):
                yield below, "delete"
            else:
                yield from changed(old[index], new[index], below)
    elif old != new or is_unknown(new):
        yield path, "update"


def schema_path(path: str) -> str:
    """Return a path without the indexes of lists and the keys of maps that are no names."""
    return re.sub(r"\[[^\]]*\]", "", path)


def replaces(token: str, path: str, asked: Replaces | None = None) -> bool:
    """Say whether a change at `path` makes another object: the table's nearest row decides."""
    asked = asked or _outside_table()
    path = schema_path(path)
    for place in _upwards(path):
        told = asked(token, place)
        if told is not None:
            return told
    if token.startswith("kubernetes:"):
        rows = _IDENTITY + _KUBERNETES.get(token.removeprefix("kubernetes:").removesuffix("Patch"), ())
        return any(place in rows for place in _upwards(path))
    return False


def difference(token: str, old: Mapping[str, Any], new: Mapping[str, Any], asked: Replaces | None = None) -> Any:
    """Return the answer to the engine's question for a difference.

    Args:
        token: the resource's type.
        old: the inputs as they are in the state, wire values.
        new: the inputs as the program gives them.
        asked: the table; by default tests/simulators/replacements.py.
    """
    old, new = reveal(old), reveal(new)
    found = [(path, kind) for path, kind in changed(old, new) if not path.startswith("__")]
    replaced = [path for path, _ in found if replaces(token, path, asked)]
    answer, kinds = provider_pb2.DiffResponse, provider_pb2.PropertyDiff
    detailed = {
        path: kinds(kind=kinds.Kind.Value(kind.upper() + ("_REPLACE" if path in replaced else "")), inputDiff=True)
        for path, kind in found
    }
    return answer(
        changes=answer.DIFF_SOME if found else answer.DIFF_NONE,
        diffs=sorted({re.split(r"[.\[]", path)[0] for path, _ in found}),
        replaces=sorted({re.split(r"[.\[]", path)[0] for path in replaced}),
        deleteBeforeReplace=bool(replaced) and _keeps_its_name(old, new),
        hasDetailedDiff=bool(found),
        detailedDiff=detailed,
    )


def _keeps_its_name(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    before, after = ({**_metadata(inputs), **inputs} for inputs in (old, new))
    given = [name for name in _NAMES if isinstance(after.get(name), str)]
    return bool(given) and all(before.get(name) == after[name] for name in given)


def _metadata(inputs: Mapping[str, Any]) -> dict[str, Any]:
    metadata = inputs.get("metadata")
    return {"name": metadata.get("name")} if isinstance(metadata, Mapping) else {}


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


@cache
def _outside_table() -> Replaces:
    try:
        from tests.simulators.replacements import replaced_by
    except ImportError:
        return lambda token, path: None
    return replaced_by
