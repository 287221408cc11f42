"""A small deployment as a graph, and what is needed to carry it: keys, trust files and finished bundles."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from airgap_bundle import rehearse, sshsig
from airgap_bundle.export import ExportReport, export
from airgap_bundle.manifest import BundleKind
from airgap_bundle.plan import BundlePlan, plan
from skerry.catalog import Lock
from skerry.facts import (
    BaselineFact,
    ChartFact,
    ComponentFacts,
    DeploymentFact,
    ImageFact,
    ModelFact,
    TargetFact,
)
from skerry.graph import Resource, ResourceGraph
from skerry.images import ImageReference, to_site

SITE = "registry.site.example:5000/mirror"
QDRANT = "docker.io/qdrant/qdrant:v1.19.0"
OPERATOR = "quay.io/example/operator:v2"
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
EMPTY_LOCK = Lock(schema_="skerry.lock/1", images={})
STACK_URN = "urn:pulumi:prod::sensei::pulumi:pulumi:Stack::sensei-prod"
TIER_URN = "urn:pulumi:prod::sensei::skerry:index:MetaTier::meta"


def clock() -> datetime:
    """Return the time of all tests."""
    return NOW


def target(access: str = "rewrite") -> TargetFact:
    """Return an air-gapped site."""
    return TargetFact(kind="onprem", connected=False, jurisdiction="DE", site_registry=SITE, image_access=access)


def image_fact(reference: str, lock: Lock, declared: bool = False, access: str = "rewrite") -> ImageFact:
    """Return the fact that a component gives for an image."""
    entry = lock.images.get(reference)
    digest = entry.digest if entry else None
    deployed = to_site(ImageReference.parse(reference).with_digest(digest), SITE, access)
    return ImageFact(
        name=reference, reference=reference, digest=digest, deployed_as=str(deployed), why="runs it", declared=declared
    )


def workload(kind: str, inputs: Mapping[str, object], name: str = "qdrant") -> Resource:
    """Return a Kubernetes resource under the tier."""
    return Resource(f"urn:pulumi:prod::sensei::{kind}::{name}", kind, name, True, parent=TIER_URN, inputs=inputs)


def deployment_of(image: object, name: str = "qdrant") -> Resource:
    """Return a Deployment that runs `image`."""
    pod = {"containers": [{"name": "main", "image": image}]}
    return workload("kubernetes:apps/v1:Deployment", {"spec": {"template": {"spec": pod}}}, name)


def facts(
    lock: Lock, carried: Sequence[str], declared: Sequence[str] = (), files: bool = True, access: str = "rewrite"
) -> ComponentFacts:
    """Return the facts of the one component."""
    images = [image_fact(text, lock, access=access) for text in carried]
    images += [image_fact(text, lock, True, access) for text in declared]
    return ComponentFacts(
        images=tuple(images),
        models=(ModelFact(name="llama", source="hf://example/llama", revision="abc123", why="answers"),) * files,
        baselines=(BaselineFact(name="patterns", source="s3://example/patterns", version="2026.1", why="starts"),)
        * files,
        charts=(ChartFact(name="operator", repository="https://charts.example", version="1.2.3", why="installs"),)
        * files,
        deployment=DeploymentFact(
            system="sensei",
            mode="air-gapped",
            production=False,
            residency_profile="none",
            boundaries=(),
            target=target(access),
            state_backend="file:///var/lib/state",
            state_jurisdiction="DE",
            secrets_provider="passphrase",
        ),
    )


def graph(
    lock: Lock = EMPTY_LOCK,
    images: Sequence[str] = (QDRANT,),
    declared: Sequence[str] = (OPERATOR,),
    files: bool = True,
    extra: Sequence[Resource] = (),
    access: str = "rewrite",
) -> ResourceGraph:
    """Return a stack with one tier that runs `images` and whose operator runs `declared`."""
    given = facts(lock, images, declared, files, access)
    workloads = [deployment_of(fact.deployed_as, f"w{n}") for n, fact in enumerate(given.images) if not fact.declared]
    root = Resource(STACK_URN, "pulumi:pulumi:Stack", "sensei-prod", False)
    tier = Resource(TIER_URN, "skerry:index:MetaTier", "meta", False, parent=STACK_URN, inputs=given.to_inputs())
    return ResourceGraph("sensei", ("prod",), (root, tier, *workloads, *extra))


@dataclass
class Signer:
    """A key and the trust file that names it."""

    key: Ed25519PrivateKey
    trust: Path

    @classmethod
    def make(cls, folder: Path, name: str = "release@example", options: str = "") -> Signer:
        """Return a fresh key whose trust file lies in `folder`."""
        key = Ed25519PrivateKey.generate()
        path = folder / "allowed_signers"
        path.write_text(f"{name} {options + ' ' if options else ''}{sshsig.public_line(key)}\n")
        return cls(key, path)


def rehearsal_plan(**choices: object) -> tuple[ResourceGraph, BundlePlan, rehearse.Rehearsal]:
    """Return graph, plan and rehearsal of the small deployment."""
    first = plan(graph(**choices), lock=EMPTY_LOCK)  # type: ignore[arg-type]  # the choices of graph()
    made = rehearse.build(first)
    seen = graph(made.lock, **choices)  # type: ignore[arg-type]  # the choices of graph()
    return seen, plan(seen, lock=made.lock), made


def write_rehearsal(medium: Path, signer: Signer, volume_bytes: int | None = None, **choices: object) -> ExportReport:
    """Export a rehearsal of the small deployment to `medium`."""
    _, planned, made = rehearsal_plan(**choices)
    with made.registry() as registry:
        return export(
            planned,
            medium,
            source=made.sources(registry),
            key=signer.key,
            clock=clock,
            volume_bytes=volume_bytes,
            kind=BundleKind.REHEARSAL,
        )


def write_chart(path: Path, name: str = "operator", version: str = "1.2.3") -> None:
    """Write a packaged chart."""
    content = f"apiVersion: v2\nname: {name}\nversion: {version}\n".encode()
    with tarfile.open(path, "w:gz") as tar:
        entry = tarfile.TarInfo(f"{name}/Chart.yaml")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
