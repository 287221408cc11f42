"""One truth about images: what a manifest runs is what the nearest component's facts say, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from skerry.facts import ComponentFacts, facts_of
from skerry.graph import Resource, ResourceGraph, find, walk
from tests.simulators.stack_objects import PLATFORMS, STACKS, graph_of, inputs, objects, pods

_REGISTRIES = re.compile(r"^(docker\.io|quay\.io|nvcr\.io|ghcr\.io|public\.ecr\.aws|registry\.[a-z]+\.example(:\d+)?)/")
_IMAGE_PATH = re.compile(r"(^|\.)(image|imageName|image\.repository)$")


def nearest(graph: ResourceGraph, resource: Resource) -> ComponentFacts:
    return next(facts for facts in map(facts_of, graph.ancestors(resource)) if facts is not None)


def chart_images(values: Any) -> list[str]:
    """Return the images that a chart's values name, as `repository:tag`."""
    if not isinstance(values, dict):
        return []
    found = []
    for key, value in values.items():
        if key == "image" and isinstance(value, dict):
            digest = f"@{value['digest']}" if value.get("digest") else ""
            found.append(f"{value['repository']}:{value['tag']}{digest}")
        else:
            found += chart_images(value)
    return found


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


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_image_that_runs_is_a_fact_of_the_nearest_component(stack: str) -> None:
    graph = graph_of(stack)
    missing = [
        (resource.name, image)
        for resource, image in running(graph)
        if image not in {fact.deployed_as for fact in nearest(graph, resource).images}
    ]
    assert missing == []


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
        "oci://registry.site.example:5000/charts/cloudnative-pg",
        "oci://registry.site.example:5000/charts/kuberay-operator",
    } == sources
