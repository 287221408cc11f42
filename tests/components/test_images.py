"""One truth about images: what a manifest runs is what the nearest component's facts say, and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.catalog import LOCK_SCHEMA, Lock, LockEntry, lock_text
from skerry.engine.run import run_deployment
from skerry.facts import ComponentFacts, facts_of
from skerry.graph import Resource, ResourceGraph, find, walk
from tests.simulators.stack_objects import PLATFORMS, ROOT, STACKS, graph_of, inputs, objects, pods

_REGISTRIES = re.compile(r"^(docker\.io|quay\.io|nvcr\.io|ghcr\.io|public\.ecr\.aws|registry\.[a-z]+\.example(:\d+)?)/")
_IMAGE_PATH = re.compile(r"(^|\.)(image|imageName|image\.repository)$")


def nearest(graph: ResourceGraph, resource: Resource) -> ComponentFacts:
    return next(facts for facts in map(facts_of, graph.ancestors(resource)) if facts is not None)


def chart_images(values: Any) -> list[str]:
    """Return the images that a chart's values name, whole or as registry, repository, tag and digest."""
    if not isinstance(values, dict):
        return []
    if isinstance(values.get("repository"), str):
        registry = f"{values['registry']}/" if values.get("registry") else ""
        digest = values.get("digest") or (f"sha256:{values['sha']}" if values.get("sha") else "")
        return [f"{registry}{values['repository']}:{values['tag']}{'@' if digest else ''}{digest}"]
    found = [value for key, value in values.items() if key == "image" and isinstance(value, str)]
    return found + [image for value in values.values() for image in chart_images(value)]


def running(graph: ResourceGraph) -> list[tuple[Resource, str]]:
    """Return each image that something runs, with the resource that names it."""
    found = [(pod.resource, container["image"]) for pod in pods(graph) for container in pod.containers]
    for resource in objects(graph, "DaemonSet"):
        containers = inputs(resource)["spec"]["template"]["spec"]["containers"]
        found += [(resource, container["image"]) for container in containers]
    for resource in objects(graph, "Cluster"):
        found.append((resource, inputs(resource)["spec"]["imageName"]))
    for resource in objects(graph, "Release"):
        named = chart_images(inputs(resource)["values"])
        assert named, f"{resource.name} leaves the image to the chart"
        found += [(resource, image) for image in named]
    return found


def missing(graph: ResourceGraph) -> list[tuple[str, str]]:
    """Return each image that runs without standing in the facts of the nearest component."""
    return [
        (resource.name, image)
        for resource, image in running(graph)
        if image not in {fact.deployed_as for fact in nearest(graph, resource).images}
    ]


VARIANTS: dict[str, dict[str, Any]] = {
    "nodes that ask a mirror": {"target": {"image_access": "mirror"}},
    "a small model on CPUs": {"execution": {"small_model": "cpu", "model": "mistral-7b-instruct-q4"}},
    "one member of everything": {
        "meta": {name: {"replicas": 1} for name in ("vector", "graph", "documents", "relational")},
        "channels": {"pubsub_replicas": 1, "pubsub_failover": False, "temporal_replicas": 1},
    },
}


@pytest.mark.parametrize("case", VARIANTS)
def test_whatever_is_chosen_the_facts_say_what_runs(case: str) -> None:
    document = yaml.safe_load((ROOT / "stacks" / "Pulumi.sensei-airgapped.yaml").read_text(encoding="utf-8"))
    deployment = document["config"]["skerry:deployment"]
    for group, values in VARIANTS[case].items():
        deployment[group] = {**deployment.get(group, {}), **values}
    graph = run_deployment(ROOT, "sensei-airgapped", {"skerry:deployment": json.dumps(deployment)})
    assert missing(graph) == []
    mirrored = case == "nodes that ask a mirror"
    assert [image for _, image in running(graph) if image.startswith("registry.site.example") == mirrored] == []


@pytest.mark.parametrize("stack", ["sensei-airgapped", "sensei-saas-aws"])
def test_a_digest_of_the_lock_reaches_everything_that_runs(stack: str, tmp_path: Path) -> None:
    references = {
        fact.reference for r in graph_of(stack).resources for fact in (facts_of(r) or ComponentFacts()).images
    }
    pins = {text: LockEntry(digest="sha256:" + hashlib.sha256(text.encode()).hexdigest()) for text in references}
    lock = tmp_path / "all.lock"
    lock.write_text(lock_text(Lock(schema_=LOCK_SCHEMA, images=pins)), encoding="utf-8")
    graph = run_deployment(ROOT, stack, {"skerry:imagesLock": str(lock)})
    assert missing(graph) == []
    digests = {entry.digest for entry in pins.values()}
    assert {image.partition("@")[2] for _, image in running(graph)} == digests


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_image_that_runs_is_a_fact_of_the_nearest_component(stack: str) -> None:
    assert missing(graph_of(stack)) == []


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_image_of_the_facts_runs_somewhere_below_the_component(stack: str) -> None:
    graph = graph_of(stack)
    used: dict[str, set[str]] = {}
    for resource, image in running(graph):
        used.setdefault(resource.parent, set()).add(image)
    idle = [
        (resource.name, fact.deployed_as)
        for resource in graph.resources
        for fact in (facts_of(resource) or ComponentFacts()).images
        if fact.deployed_as not in used.get(resource.urn, set())
    ]
    assert idle == []


@pytest.mark.parametrize("stack", PLATFORMS)
def test_declared_are_exactly_the_images_of_charts(stack: str) -> None:
    graph = graph_of(stack)
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is not None and facts.images:
            assert {bool(facts.charts)} == {fact.declared for fact in facts.images}, resource.name


@pytest.mark.parametrize("stack", STACKS)
def test_no_image_stands_anywhere_else(stack: str) -> None:
    graph = graph_of(stack)
    known = {image for _, image in running(graph)} | {image.rpartition(":")[0] for _, image in running(graph)}
    strays = [
        (resource.name, path, value)
        for resource in graph.resources
        if resource.custom
        for path, value in walk(resource.inputs)
        if isinstance(value, str)
        and (_REGISTRIES.match(value) or _IMAGE_PATH.search(path))
        and value.split("@")[0] not in known
        and value not in known
        # Charts that ask for the registry apart have the rest of the name here.
        and not any(image.endswith(f"/{value}") for image in known)
    ]
    assert strays == []


@pytest.mark.parametrize("stack", ["sensei-airgapped", "sensei-private-onprem"])
def test_at_a_site_every_image_comes_from_the_site_registry(stack: str) -> None:
    graph = graph_of(stack)
    root = next(r for r in graph.resources if find(r.inputs, "deployment") is not None)
    site = find(root.inputs, "deployment.target.siteRegistry")
    assert site
    assert [image for _, image in running(graph) if not image.startswith(f"{site}/")] == []


def test_without_a_connection_charts_come_from_the_site_registry_too() -> None:
    sources = {inputs(release)["chart"] for release in objects(graph_of("sensei-airgapped"), "Release")}
    assert {
        f"oci://registry.site.example:5000/charts/{chart}"
        for chart in (
            "cert-manager", "cloudnative-pg", "gateway-helm", "keda", "kube-prometheus-stack", "kuberay-operator",
            "plugin-barman-cloud",
        )
    } == sources  # fmt: skip
