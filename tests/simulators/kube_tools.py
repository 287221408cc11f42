"""What tests/toolchain/build_cluster.sh left in the cache: programs of a cluster, and the sets of images/crds.yaml."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent.parent
_TOOLCHAIN: Final = ROOT / "tests" / "toolchain"
_GROUPS: Final = {
    "etcd": "kubernetes",
    "kube-apiserver": "kubernetes",
    "kube-controller-manager": "kubernetes",
    "kube-scheduler": "kubernetes",
    "kwok": "kwok",
    "ray-operator": "kuberay",
    "postgres-operator": "cloudnative-pg",
}
"""Which set of pins (tests/toolchain/cluster) each program is built from."""
_FORMAT: Final = 2
"""Of the files of CRD sets; tests/toolchain/fetch_crds.py writes it."""
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class CrdSet:
    """One row of images/crds.yaml with what was fetched for it."""

    name: str
    module: str
    version: str
    licence: str
    chart: str
    objects: tuple[Mapping[str, Any], ...]
    """CRDs, and whatever else the set brings (Gateway API: an admission policy)."""
    webhooks: tuple[Mapping[str, Any], ...]
    """Webhook configurations as the operator's source has them; empty where they are templates of a chart."""
    left_out: tuple[str, ...]
    """Webhooks that a real installation has and a test has not."""

    @property
    def kinds(self) -> frozenset[tuple[str, str]]:
        """Return (group, kind) of everything that the set defines."""
        crds = [one for one in self.objects if one["kind"] == "CustomResourceDefinition"]
        return frozenset((crd["spec"]["group"], crd["spec"]["names"]["kind"]) for crd in crds)


def cache_folder() -> Path:
    """Return the folder that the build script fills."""
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("SKERRY_TOOLCHAIN") or Path(caches) / "skerry" / "toolchain")


def find(name: str) -> Path | None:
    """Return a program that was built from the pins as they are now, or None."""
    group = _GROUPS[name]
    files = (
        _TOOLCHAIN / "cluster" / f"{group}.go.mod",
        _TOOLCHAIN / "cluster" / f"{group}.go.sum",
        _TOOLCHAIN / "build_cluster.sh",
    )
    key = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    path = cache_folder() / f"{group}-{key}" / name
    return path if os.access(path, os.X_OK) else None


def module_program(name: str) -> Path | str:
    """Return a program of build_operators.sh, or the reason why it is not there."""
    for line in (_TOOLCHAIN / "cluster" / "modules.txt").read_text(encoding="utf-8").splitlines():
        group, _, row = line.partition(" ")
        if group == "#" or f" {name}=" not in row:
            continue
        key = hashlib.sha256(f"{group} {row}\n".encode()).hexdigest()[:16]
        folder = cache_folder() / f"{group}-{key}"
        if os.access(folder / name, os.X_OK):
            return folder / name
        refused = folder / "refused"
        if refused.exists():
            return f"{group} could not be built: {refused.read_text(encoding='utf-8').strip()}"
        return f"{group} is not built: run `make cluster-tools`"
    return f"{name} is in no group of tests/toolchain/cluster/modules.txt"


def chart_folder(crds: str) -> Path | None:
    """Return the folder of the charts that a CRD set's module carries, where fetch_charts.py unpacked it."""
    row = next(one for one in _rows("crds") if one["name"] == crds)
    folder = cache_folder() / "charts" / _set_path(row).stem
    return folder if folder.is_dir() else None


def missing() -> list[str]:
    """Return what is not built or not fetched."""
    programs = [name for name in _GROUPS if find(name) is None]
    return programs + [f"CRDs of {row['name']}" for row in _rows("crds") if not _set_path(row).exists()]


@cache
def crd_sets() -> tuple[CrdSet, ...]:
    """Return every set, in the order of images/crds.yaml."""
    found = []
    for row in _rows("crds"):
        held = json.loads(_set_path(row).read_text(encoding="utf-8"))
        parts = (tuple(held["objects"]), tuple(held["webhooks"]), tuple(held["left_out"]))
        found.append(CrdSet(row["name"], row["module"], row["version"], row["licence"], row["chart"], *parts))
    return tuple(found)


def skew(crds: CrdSet) -> str:
    """Say how far a CRD set is from the operator that images/charts.yaml installs."""
    charts = {row["name"]: row for row in _rows("charts")}
    if crds.chart not in charts:
        return "no chart of it is pinned"
    images = {row["name"]: row["reference"] for row in _rows("images")}
    operator = str(images[charts[crds.chart]["images"][0]].rpartition(":")[2])
    ours, theirs = _VERSION.fullmatch(crds.version), _VERSION.fullmatch(operator)
    if ours is None or theirs is None:
        return f"operator {operator}: cannot be compared"
    for place, word in enumerate(("major", "minor", "patch"), start=1):
        distance = int(ours[place]) - int(theirs[place])
        if distance:
            side = "behind" if distance < 0 else "ahead of"
            return f"{abs(distance)} {word} {side} operator {operator}"
    return f"same as operator {operator}"


def crd_table() -> str:
    """Return the CRD sets with their pins, their distance from the operators, and what is left out, in Markdown."""
    lines = [
        "| set | Go module | version | licence | CRDs | beside its operator | webhooks left out |",
        "|---|---|---|---|---|---|---|",
    ]
    for crds in crd_sets():
        hooks = ", ".join(f"`{one.rpartition(' ')[2]}`" for one in crds.left_out) or "none"
        cells = (crds.name, f"`{crds.module}`", crds.version, crds.licence, str(len(crds.kinds)), skew(crds), hooks)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@cache
def _rows(table: str) -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load((ROOT / "images" / f"{table}.yaml").read_text(encoding="utf-8")))


def _set_path(row: Mapping[str, Any]) -> Path:
    mark = re.sub(r"[^A-Za-z0-9]", "", row["sum"].removeprefix("h1:"))[:12]
    return cache_folder() / "crds" / f"{row['name']}-{row['version']}-{mark}-{_FORMAT}.json"
