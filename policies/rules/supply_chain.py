"""SUP: what runs is what was pinned, declared and carried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.context import Context
from policies.verdict import Judgement, Rule, Severity, not_applicable, ok, undetermined, violation
from policies.workloads import images, kind_of
from skerry.errors import CatalogError
from skerry.facts import BaselineFact, ChartFact, ComponentFacts, ImageFact, ModelFact
from skerry.graph import UNKNOWN, Resource, ResourceGraph, find, plain
from skerry.images import ImageReference

_RELEASES: Final = ("kubernetes:helm.sh/v3:Release",)


def _production(context: Context, resource: Resource) -> bool:
    deployment = context.deployment(resource)
    return deployment is not None and deployment.production


def _unresolved(context: Context, resource: Resource, message: str, path: str) -> Judgement:
    """What nobody resolved cannot be judged; in production that is a violation."""
    if _production(context, resource):
        return violation(resource, f"{message}, and the deployment is in production", path)
    return undetermined(resource, message, path)


def _references(graph: ResourceGraph, context: Context) -> Iterator[tuple[Resource, Any, str]]:
    """Yield every image of the graph: those in manifests, and those that facts alone name.

    The latter are what charts run, and what files of machines without an orchestrator start.
    """
    carried = {str(use.reference) for resource in graph.resources for use in images(resource)}
    for resource in graph.resources:
        for use in images(resource):
            yield resource, use.reference, use.path
        own = context.own.get(resource.urn)
        for image in own.images if own else ():
            if image.declared or image.deployed_as not in carried:
                yield resource, image.deployed_as, f"images.{image.name}"


def _digest(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, reference, path in _references(graph, context):
        if reference is UNKNOWN:
            yield undetermined(resource, "an image reference is not known before a deployment", path)
            continue
        try:
            parsed = ImageReference.parse(str(reference))
        except CatalogError as exc:
            yield violation(resource, str(exc), path)
            continue
        if parsed.digest:
            yield ok(resource)
        else:
            yield _unresolved(context, resource, f"image {reference} is not pinned by a digest", path)


def _latest(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, reference, path in _references(graph, context):
        if reference is UNKNOWN:
            yield undetermined(resource, "an image reference is not known before a deployment", path)
            continue
        try:
            tag = ImageReference.parse(str(reference)).tag
        except CatalogError:
            yield undetermined(resource, f"'{reference}' is no image reference", path)
            continue
        if tag == "latest":
            yield violation(resource, f"image {reference} has the tag latest or none", path)
        else:
            yield ok(resource)


def _declared(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    if not context.own:
        yield not_applicable("the graph has no component that declares images")
        return
    known: dict[str, ImageFact] = {}
    for _, facts in context.components():
        known.update({image.deployed_as: image for image in facts.images})
    for resource in graph.resources:
        for use in images(resource):
            if use.reference is UNKNOWN:
                yield undetermined(resource, "an image reference is not known before a deployment", use.path)
            elif str(use.reference) in known:
                yield ok(resource)
            else:
                text = f"image {use.reference} is declared by no component, so no bundle carries it"
                yield violation(resource, text, use.path)


def _charts(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type(*_RELEASES):
        owner = next(
            (one for one in graph.ancestors(resource) if one.urn in context.own and context.own[one.urn].charts), None
        )
        if owner is None:
            yield undetermined(resource, "a bare Release: what its chart runs is declared nowhere")
            continue
        charts = context.own[owner.urn].charts
        chart, version = (find(plain(resource.inputs), key) for key in ("chart", "version"))
        if chart is UNKNOWN or version is UNKNOWN:
            yield undetermined(resource, "its chart or version is not known before a deployment", "chart")
            continue
        match = [fact for fact in charts if str(chart).rstrip("/").split("/")[-1].removesuffix(".tgz") in _names(fact)]
        if not match:
            yield violation(resource, f"chart {chart} is not the one that its component declares", "chart")
        elif version is not None and str(version) != match[0].version:
            text = f"version {version} is not the declared {match[0].version}"
            yield violation(resource, text, "version")
        elif match[0].digest is None:
            text = f"chart {match[0].name} {match[0].version} is not pinned by a digest"
            yield _unresolved(context, resource, text, "version")
        else:
            yield ok(resource)


def _names(fact: Any) -> tuple[str, ...]:
    return (fact.name, f"{fact.name}-{fact.version}", str(fact.repository).rstrip("/").split("/")[-1])


def _artefacts(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, facts in context.components():
        for model in facts.models:
            if model.revision:
                yield ok(resource)
            else:
                text = f"model {model.name} has no revision"
                yield _unresolved(context, resource, text, f"models.{model.name}")
        for baseline in facts.baselines:
            if baseline.digest:
                yield ok(resource)
            else:
                text = f"baseline {baseline.name} has no digest"
                yield _unresolved(context, resource, text, f"baselines.{baseline.name}")


def _pull_policy(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    """A digest-pinned image must not be pulled anew from a registry that may be away."""
    for resource in graph.resources:
        deployment = context.deployment(resource)
        if not kind_of(resource) or deployment is None or deployment.target.connected:
            continue
        for use in images(resource):
            if not use.path.endswith(".image"):
                continue
            path = use.path.removesuffix("image") + "imagePullPolicy"
            policy = find(plain(resource.inputs), path.replace("[", ".").replace("]", ""))
            if policy is UNKNOWN:
                yield undetermined(resource, "its pull policy is not known before a deployment", path)
            elif policy == "Always":
                yield violation(resource, "it asks the registry at every start, also when the registry is away", path)
            else:
                yield ok(resource)


_Licensed = ImageFact | ModelFact | BaselineFact | ChartFact


def _licensed(facts: ComponentFacts) -> Iterator[tuple[str, _Licensed]]:
    """Yield everything that bears a licence, with the property that names it."""
    named: dict[str, tuple[_Licensed, ...]] = {
        "images": facts.images,
        "models": facts.models,
        "baselines": facts.baselines,
        "charts": facts.charts,
    }
    for kind, found in named.items():
        for one in found:
            yield f"{kind}.{one.name}", one


def _terms(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    """A licence with terms is accepted by the user's configuration, or it is a finding."""
    for resource, facts in context.components():
        deployment = context.deployment(resource)
        today = context.today.isoformat()
        rows = deployment.accepted_licences if deployment else ()
        accepted = {row.licence for row in rows if row.accepted_on <= today}
        for path, one in _licensed(facts):
            open_terms = [name for name in one.terms if name not in accepted]
            if open_terms:
                text = f"{path.partition('s.')[0]} {one.name}: nobody accepted {', '.join(open_terms)}"
                yield _unresolved(context, resource, text, path)
            elif one.terms:
                yield ok(resource)


def _carried(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    """What a disconnected target runs was carried there by somebody, which its licence must allow."""
    for resource, facts in context.components():
        deployment = context.deployment(resource)
        if deployment is None or deployment.target.connected:
            continue
        for path, one in _licensed(facts):
            if one.may_be_passed_on:
                yield ok(resource)
            else:
                yield violation(resource, f"{path.partition('s.')[0]} {one.name} may not be passed on", path)


RULES: Final = (
    Rule(
        id="SUP001",
        title="every image is pinned by its digest",
        severity=Severity.HIGH,
        rationale="a tag may point to something else tomorrow",
        remedy="run `skerry images lock` where the registries can be reached, or write the reference with @sha256",
        controls=("CKV_K8S_43", "NIST SP 800-53 SI-7", "SLSA v1.0 build provenance"),
        subject="images",
        check=_digest,
    ),
    Rule(
        id="SUP002",
        title="no image has the tag latest",
        severity=Severity.MEDIUM,
        rationale="nobody can say afterwards what ran",
        remedy="name a version",
        controls=("CKV_K8S_14",),
        subject="images",
        check=_latest,
    ),
    Rule(
        id="SUP003",
        title="every image that runs is declared by a component",
        severity=Severity.HIGH,
        rationale="the bundle carries what components declare: one that is not declared is missing behind the gap",
        remedy="take the reference from the component's ImageFact",
        controls=("NIST SP 800-53 CM-8",),
        subject="images in manifests",
        check=_declared,
    ),
    Rule(
        id="SUP004",
        title="every chart is declared, and pinned by version and digest",
        severity=Severity.HIGH,
        rationale="a chart decides what runs in the cluster, often with all rights",
        remedy="install it through the component Operator, pin it in images/charts.yaml and run `skerry images lock`",
        controls=("NIST SP 800-53 CM-7(5)", "NIST SP 800-53 SI-7"),
        subject="Helm releases",
        check=_charts,
    ),
    Rule(
        id="SUP005",
        title="every model and baseline is pinned",
        severity=Severity.HIGH,
        rationale="weights and knowledge decide what the agents do",
        remedy="write the revision in images/models.yaml and the digest in images/baselines.yaml",
        controls=("NIST SP 800-53 SI-7", "NIST AI 100-1 MAP 4"),
        subject="models and baselines",
        check=_artefacts,
    ),
    Rule(
        id="SUP006",
        title="pods of a disconnected target start without asking the registry",
        severity=Severity.LOW,
        rationale="a registry that is away must not stop a restart",
        remedy="set imagePullPolicy to IfNotPresent, or leave it out with a pinned image",
        controls=("NIST SP 800-53 CP-10",),
        subject="containers of disconnected targets",
        check=_pull_policy,
    ),
    Rule(
        id="SUP007",
        title="the terms of every licence are accepted by the configuration",
        severity=Severity.HIGH,
        rationale="who uses or carries it is bound by its terms, and no program can accept them for anybody",
        remedy="read the terms (images/licences.yaml says where) and name them under licences, with who and when",
        controls=("NIST SP 800-53 CM-10", "ISO/IEC 27001 A.5.32"),
        subject="licences with terms",
        check=_terms,
    ),
    Rule(
        id="SUP008",
        title="nothing is carried across a gap that may not be passed on",
        severity=Severity.HIGH,
        rationale="a bundle is redistribution, whoever holds the medium",
        remedy="let the site fetch it under a contract of its own, or use another one",
        controls=("NIST SP 800-53 CM-10", "ISO/IEC 27001 A.5.32"),
        subject="carried images, models, baselines and charts",
        check=_carried,
    ),
)
