"""What must be carried for a graph: every image, model, baseline and chart, and why.

(1) The facts of the components and the manifests must name the same images. An image that only one of them names is
    a problem, and a plan with problems is incomplete: it is not exported.
(2) An operator's images are declared by facts alone: no manifest of ours carries them.
(3) What nobody resolved or measured is shown as unresolved or unknown, never as zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from airgap_bundle.host_files import compose_mentions, file_sets
from airgap_bundle.references import RELEASE_TYPE, Mention, mentions, texts
from skerry.catalog import Lock
from skerry.errors import CatalogError
from skerry.facts import ComponentFacts, ImageFact, TargetFact, deployments, facts_of
from skerry.graph import Resource, ResourceGraph
from skerry.images import ImageReference, from_site
from skerry.invokes import NO_FUNCTIONS, Functions, functions_of, holds_stand_in
from skerry.opaque import is_opaque


class ItemKind(str, Enum):
    """What an item of a bundle is."""

    IMAGE = "image"
    MODEL = "model"
    BASELINE = "baseline"
    CHART = "chart"
    FILE_SET = "file-set"
    """Files of machines without an orchestrator: an archive of a program, wheels, packages of an operating system."""


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One thing to carry."""

    kind: ItemKind
    name: str
    """The image's full source reference, or the name of the model, baseline or chart."""
    source: str
    """Where it comes from."""
    version: str | None
    """The revision of a model, the version of a baseline or chart; None where not resolved."""
    digest: str | None
    """None while unresolved."""
    bytes: int | None
    """None where nobody measured it."""
    why: tuple[str, ...]
    """The path of each resource that needs it, with its reason."""
    deployed_as: tuple[str, ...] = ()
    """The references that manifests carry; for images only."""
    declared: bool = False
    """An operator or chart will run it: no manifest carries it."""

    @property
    def resolved(self) -> bool:
        """Whether it is pinned, so that it can be carried."""
        return self.digest is not None if self.kind is ItemKind.IMAGE else self.version is not None


@dataclass(frozen=True, slots=True)
class BundlePlan:
    """Everything that one deployment needs on the far side."""

    project: str
    stacks: tuple[str, ...]
    items: tuple[PlanItem, ...]
    """By kind, then name."""
    problems: tuple[str, ...]
    """Why the list may not be complete; empty for a complete plan."""
    rehearsal: bool = False
    """The digests are those of generated stand-ins."""
    image_access: str = "rewrite"
    states_facts: bool = True
    """Whether any component says what it runs; without, only what manifests name is listed."""
    functions: Functions = NO_FUNCTIONS
    """What the program was answered with that is no fact."""
    apart: tuple[str, ...] = ()
    """Keys that machines need: never on the medium that carries what they open, but on a way of their own."""

    @property
    def complete(self) -> bool:
        """Whether everything that the graph needs is known to be listed."""
        return not self.problems and self.states_facts

    @property
    def unresolved(self) -> tuple[PlanItem, ...]:
        """The items without a pin."""
        return tuple(item for item in self.items if not item.resolved)

    @property
    def known_bytes(self) -> int:
        """The sum of the sizes that are known; layers that images share count for each image."""
        return sum(item.bytes for item in self.items if item.bytes is not None)

    @property
    def unknown_sizes(self) -> int:
        """How many items have no known size."""
        return sum(item.bytes is None for item in self.items)

    def of_kind(self, kind: ItemKind) -> tuple[PlanItem, ...]:
        """Return the items of one kind."""
        return tuple(item for item in self.items if item.kind is kind)


def plan(graph: ResourceGraph, *, lock: Lock) -> BundlePlan:
    """Return what must be carried so that the graph's stacks can run without a network.

    Raises:
        GraphError: the facts of a component cannot be read.
    """
    collector = _Collector(graph, lock)
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is not None:
            collector.add_facts(resource, facts)
    collector.compare()
    items = sorted(collector.items.values(), key=lambda item: (list(ItemKind).index(item.kind), item.name))
    targets = [deployment.target for _, deployment in deployments(graph)]
    return BundlePlan(
        project=graph.project,
        stacks=graph.stacks,
        items=tuple(items),
        problems=tuple(dict.fromkeys(collector.problems)),
        rehearsal=lock.rehearsal,
        image_access=targets[-1].image_access if targets else "rewrite",
        states_facts=not collector.foreign,
        functions=collector.functions,
        apart=tuple(sorted(dict.fromkeys(collector.apart))),
    )


class _Collector:
    """Gathers items from facts and manifests, and notes what does not fit."""

    def __init__(self, graph: ResourceGraph, lock: Lock) -> None:
        self.graph = graph
        self.lock = lock
        self.items: dict[tuple[ItemKind, str], PlanItem] = {}
        self.problems: list[str] = []
        self.apart: list[str] = []
        self.facts: list[tuple[Resource, ImageFact]] = []
        self.foreign = True
        self.functions = functions_of(graph)
        self.sites = [d.target.site_registry for _, d in deployments(graph) if d.target.site_registry]

    def add_facts(self, resource: Resource, facts: ComponentFacts) -> None:
        self.foreign = False
        path = self.graph.path(resource)
        for image in facts.images:
            self.facts.append((resource, image))
            self._image(resource, image)
        for model in facts.models:
            why = (f"{path}: {model.why}",)
            self._add(PlanItem(ItemKind.MODEL, model.name, model.source, model.revision, None, model.bytes, why))
        for base in facts.baselines:
            why = (f"{path}: {base.why}",)
            self._add(PlanItem(ItemKind.BASELINE, base.name, base.source, base.version, base.digest, base.bytes, why))
        for chart in facts.charts:
            why = (f"{path}: {chart.why}",)
            self._add(PlanItem(ItemKind.CHART, chart.name, chart.repository, chart.version, chart.digest, None, why))
        if facts.host is not None:
            for item, key in file_sets(path, facts.host):
                if item is not None:
                    self._add(item)
                self.apart += [key] if key else []

    def compare(self) -> None:
        """Hold facts against manifests, both ways (1)."""
        found, gaps = mentions(self.graph)
        self.problems += [f"{self.graph.path(g.resource)}: {g.path}: {g.reason}" for g in gaps]
        deployed = {_canonical(image.deployed_as): image for _, image in self.facts}
        carried = set()
        for mention in found:
            text = _canonical(mention.text)
            carried.add(text)
            if text not in deployed:
                self._unnamed(mention)
        found_in_files, gaps = compose_mentions(self.graph)
        self.problems += [f"{self.graph.path(g.resource)}: {g.path}: {g.reason}" for g in gaps]
        for mention in found_in_files:
            carried.add(_canonical(mention.text))
            if _canonical(mention.text) not in deployed:
                self._unnamed(mention)
        missing = [(r, i) for r, i in self.facts if not i.declared and _canonical(i.deployed_as) not in carried]
        if missing:
            everything = "\n".join(texts(self.graph))
            for resource, image in missing:
                if image.deployed_as not in everything:
                    self.problems.append(
                        f"{self.graph.path(resource)}: its facts name the image {image.deployed_as}, "
                        "but no manifest carries it"
                    )
        for resource in self.graph.resources:
            if is_opaque(self.graph, resource):
                self._opaque(resource)

    def _opaque(self, resource: Resource) -> None:
        """Note what runs images that the graph does not show, unless a component around it states them."""
        owners = [facts for ancestor in self.graph.ancestors(resource) if (facts := facts_of(ancestor))]
        release = resource.type == RELEASE_TYPE
        by_images = resource.custom and not release
        if any(facts.charts or facts.host or (by_images and facts.images) for facts in owners):
            return
        path = self.graph.path(resource)
        if release:
            self.problems.append(f"{path}: a chart outside an Operator component runs images that nobody declared")
        else:
            self.problems.append(
                f"{path}: what a {resource.type} makes cannot be seen in the graph, nor which images it runs"
            )

    def _unnamed(self, mention: Mention) -> None:
        path = f"{self.graph.path(mention.resource)}: {mention.path}"
        try:
            reference = self._source(ImageReference.parse(mention.text))
        except CatalogError as exc:
            self.problems.append(f"{path}: {exc}")
            return
        if self.functions.stand_ins and holds_stand_in(mention.text):
            self.problems.append(f"{path}: the image {mention.text} is named by a stand-in, which no registry is: "
                                 "give --answers FILE")  # fmt: skip
        if not self.foreign:
            self.problems.append(f"{path}: runs the image {mention.text}, which no component's facts name")
        self._add(self._item(reference, reference.digest or None, path, mention.text, declared=False))

    def _image(self, resource: Resource, image: ImageFact) -> None:
        path = self.graph.path(resource)
        try:
            reference = ImageReference.parse(image.reference).with_digest(image.digest)
        except CatalogError as exc:
            self.problems.append(f"{path}: {exc}")
            return
        why = f"{path}: {image.why}"
        self._add(self._item(reference, image.digest, why, image.deployed_as, declared=image.declared))

    def _item(
        self, reference: ImageReference, digest: str | None, why: str, deployed_as: str, *, declared: bool
    ) -> PlanItem:
        entry = self.lock.images.get(reference.source)
        locked = entry.digest if entry else None
        if digest and locked and digest != locked:
            self.problems.append(
                f"{reference.source}: the graph pins {digest}, the lock {locked}: preview the stack with this lock"
            )
        size = entry.bytes if entry and locked in (None, digest or locked) else None
        source = reference.source
        return PlanItem(ItemKind.IMAGE, source, source, None, digest or locked, size, (why,), (deployed_as,), declared)

    def _source(self, reference: ImageReference) -> ImageReference:
        for site in self.sites:
            try:
                return from_site(reference, site)
            except CatalogError:
                continue
        return reference

    def _add(self, item: PlanItem) -> None:
        key = (item.kind, item.name)
        known = self.items.get(key)
        if known is None:
            self.items[key] = item
            return
        if (known.version, known.digest) != (item.version, item.digest):
            self.problems.append(
                f"{item.kind.value} {item.name} is wanted twice: {known.version or known.digest or 'unresolved'} "
                f"and {item.version or item.digest or 'unresolved'}"
            )
        self.items[key] = replace(
            known,
            why=_joined(known.why, item.why),
            deployed_as=_joined(known.deployed_as, item.deployed_as),
            digest=known.digest or item.digest,
            bytes=known.bytes if known.bytes is not None else item.bytes,
            declared=known.declared and item.declared,
        )


def site_references(graph: ResourceGraph) -> tuple[tuple[str, str | None, TargetFact | None], ...]:
    """Return each reference that the graph deploys, its pinned digest and the target it is for, sorted."""
    targets = {resource.urn: deployment.target for resource, deployment in deployments(graph)}
    fallback = list(targets.values())[-1] if targets else None
    found: dict[str, tuple[str | None, TargetFact | None]] = {}
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is None:
            continue
        chain = (resource.urn, *(ancestor.urn for ancestor in graph.ancestors(resource)))
        target = next((targets[urn] for urn in chain if urn in targets), fallback)
        for image in facts.images:
            found.setdefault(image.deployed_as, (image.digest, target))
    for mention in mentions(graph)[0]:
        digest = mention.text.partition("@")[2] or None
        found.setdefault(mention.text, (digest, fallback))
    return tuple((text, digest, target) for text, (digest, target) in sorted(found.items()))


def _canonical(text: str) -> str:
    try:
        return str(ImageReference.parse(text))
    except CatalogError:
        return text


def _joined(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
