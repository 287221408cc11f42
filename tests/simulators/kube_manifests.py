"""The manifests that a user gets from `skerry render`, and what a real API server says to them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from skerry.render.manifests import SECRET_TEXT, UNKNOWN_TEXT
from tests.simulators.kube_api import ApiError, KubeApi
from tests.simulators.kube_cluster import ClusterError
from tests.simulators.kube_tools import CrdSet, crd_sets

ROOT: Final = Path(__file__).resolve().parent.parent.parent
KNOWN: Final = "known-after-up"
"""What stands for a value that only a deployment knows: a legal DNS label, so that names and free texts pass and
addresses, numbers and sizes are refused."""
_ORDER: Final = (
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "ServiceAccount",
    "ResourceQuota",
    "LimitRange",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
)
"""What others need before them; anything else comes after, webhooks and what they would see last."""
_WEBHOOKS: Final = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_NOISE: Final = ("spec.SessionAffinity is ignored for headless services",)
"""Warnings that say nothing about a manifest: the server fills in the field itself, then warns about it.

Source: kubernetes v1.34.0 pkg/api/service/warnings.go, read 2026-11.
"""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What `skerry render` wrote for one stack."""

    documents: tuple[Mapping[str, Any], ...]
    """Every Kubernetes object, in the order in which a server can take them."""
    charts: tuple[str, ...]
    """Helm Releases: declarations, no objects; listed, never applied."""
    masked: int
    """Files with a value that only a deployment knows."""

    @property
    def crds(self) -> tuple[CrdSet, ...]:
        """Return the CRD sets that the objects need."""
        wanted = {(str(one["apiVersion"]).rpartition("/")[0], str(one["kind"])) for one in self.documents}
        return tuple(crds for crds in crd_sets() if crds.kinds & wanted)

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the objects of one kind."""
        return [one for one in self.documents if one["kind"] == kind]


@dataclass(slots=True)
class Applied:
    """What the server said."""

    accepted: int = 0
    refused: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Webhook configurations: nothing would answer them."""


def render(stack: str, out: Path, project: Path = ROOT) -> Rendered:
    """Run `skerry render` for a stack of a project, and read the files that it wrote.

    Raises:
        ClusterError: the command failed.
    """
    command = [sys.executable, "-m", "cli.main", "render", "--stack", stack, "--program", str(project)]
    done = subprocess.run(
        [*command, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode != 0:
        raise ClusterError(f"skerry render --stack {stack} ended with {done.returncode}: {done.stderr}")
    return read(out / "manifests")


def read(folder: Path) -> Rendered:
    """Read a folder of manifests."""
    documents: list[Mapping[str, Any]] = []
    charts, masked = [], 0
    for path in sorted(folder.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if path.parent.name == "_charts":
            charts.append(path.stem)
            continue
        masked += "\n# Holds values that are" in text
        document = unmasked(yaml.load(text, yaml.CSafeLoader))
        if document["kind"] == "Secret":
            # Its whole map is masked, keys and all.
            document = {key: {KNOWN: KNOWN} if value == KNOWN else value for key, value in document.items()}
        documents.append(document)
    return Rendered(tuple(sorted(documents, key=_place)), tuple(charts), masked)


def apply_all(api: KubeApi, documents: Sequence[Mapping[str, Any]]) -> Applied:
    """Apply manifests one after the other; what is refused is listed and the rest goes on."""
    done = Applied()
    for document in documents:
        meta = document["metadata"]
        name = f"{document['kind']} {meta.get('namespace', '')}/{meta.get('name', '(without a name)')}"
        if document["kind"] in _WEBHOOKS:
            done.left_out.append(name)
            continue
        if "name" not in meta:
            done.refused.append(f"{name}: server-side apply needs a name")
            continue
        try:
            answer = api.apply(document)
        except ApiError as error:
            done.refused.append(f"{name}: {error}")
            continue
        done.accepted += 1
        done.warned += [f"{name}: {text}" for text in answer.warnings if text not in _NOISE]
    return done


def in_order(documents: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return manifests in the order in which a server can take them."""
    return sorted(documents, key=_place)


def unmasked(value: Any) -> Any:
    """Return a document in which nothing is masked any more."""
    if isinstance(value, Mapping):
        return {key: unmasked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unmasked(item) for item in value]
    if isinstance(value, str):
        return value.replace(UNKNOWN_TEXT, KNOWN).replace(SECRET_TEXT, KNOWN)
    return value


def _place(document: Mapping[str, Any]) -> tuple[int, str, str, str]:
    kind, meta = str(document["kind"]), document["metadata"]
    rank = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
    return rank, kind, str(meta.get("namespace", "")), str(meta.get("name", ""))
