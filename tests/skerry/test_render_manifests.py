"""Manifests: the same bytes for the same graph, nothing secret in them, every object once, all of it YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from skerry.graph import UNKNOWN, Asset, Resource, ResourceGraph, ResourceRef, Secret
from skerry.render.manifests import Manifest, manifests, to_yaml
from tests.simulators.stack_objects import AIRGAPPED, PLATFORMS, graph_of, objects

STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"


def resource(name: str, kind: str = "kubernetes:core/v1:ConfigMap", **inputs: object) -> Resource:
    return Resource(
        urn=f"urn:pulumi:dev::p::{kind}::{name}", type=kind, name=name, custom=True, parent=STACK, inputs=inputs
    )


def graph(*resources: Resource) -> ResourceGraph:
    root = Resource(urn=STACK, type="pulumi:pulumi:Stack", name="p-dev", custom=False)
    return ResourceGraph("p", ("dev",), (root, *resources))


def named(name: str, namespace: str | None = None) -> dict[str, str]:
    return {"name": name, **({"namespace": namespace} if namespace else {})}


def only(*resources: Resource) -> Manifest:
    (found,) = manifests(graph(*resources))
    return found


PATHS: dict[str, tuple[Resource, str]] = {
    "an object in a namespace": (
        resource("a", kind="kubernetes:core/v1:Service", metadata=named("web", "shop")),
        "shop/service-web.yaml",
    ),
    "an object of the cluster": (
        resource("a", kind="kubernetes:storage.k8s.io/v1:StorageClass", metadata=named("fast")),
        "_cluster/storageclass-fast.yaml",
    ),
    "a namespace lies in itself": (
        resource("a", kind="kubernetes:core/v1:Namespace", metadata=named("shop")),
        "shop/namespace-shop.yaml",
    ),
    "an object without metadata": (resource("My_Map"), "_cluster/configmap-my-map.yaml"),
    "a release": (resource("op-release", kind="kubernetes:helm.sh/v3:Release", chart="op"), "_charts/op-release.yaml"),
    "an unknown name": (resource("a", metadata={"name": UNKNOWN}), "_cluster/configmap-unknown.yaml"),
}


@pytest.mark.parametrize("case", PATHS)
def test_the_path_says_namespace_kind_and_name(case: str) -> None:
    given, expected = PATHS[case]
    assert only(given).path == expected


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "/etc/passwd", "a/../../b", ".", "\\..\\x"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    for kind in ("kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Namespace", "kubernetes:helm.sh/v3:Release"):
        parts = only(resource(name, kind=kind, metadata=named(name, name))).path.split("/")
        assert len(parts) == 2
        assert not {"", ".", ".."} & set(parts)


def test_two_objects_of_one_name_get_two_files() -> None:
    found = manifests(graph(*(resource(f"r{index}", metadata=named("same", "ns")) for index in range(3))))
    paths = [manifest.path for manifest in found]
    assert paths == ["ns/configmap-same-2.yaml", "ns/configmap-same-3.yaml", "ns/configmap-same.yaml"]


def test_what_is_no_object_of_the_stack_is_left_out() -> None:
    external = Resource(
        urn="urn:pulumi:dev::p::kubernetes:core/v1:Secret::read",
        type="kubernetes:core/v1:Secret",
        name="read",
        custom=True,
        external=True,
    )
    others = [resource("bucket", kind="aws:s3/bucket:Bucket"), resource("k", kind="pulumi:providers:kubernetes")]
    assert manifests(graph(external, *others)) == []


def test_secrets_and_unknowns_are_masked_at_any_depth_and_the_file_says_so() -> None:
    hidden = "hunter2-marker"
    manifest = only(
        resource(
            "a", metadata=named("a"), data={"x": [Secret({"deep": hidden})], "y": {"z": UNKNOWN}, "s": Secret(UNKNOWN)}
        )
    )
    text = to_yaml(manifest)
    assert hidden not in text
    assert yaml.safe_load(text)["data"] == {"x": ["<secret>"], "y": {"z": "<unknown>"}, "s": "<secret>"}
    assert not manifest.complete
    assert "cannot be applied as it is" in text.splitlines()[1]


def test_a_whole_object_says_nothing_of_masks() -> None:
    manifest = only(resource("a", metadata=named("a"), data={"x": "1"}))
    assert manifest.complete
    assert "cannot be applied" not in to_yaml(manifest)


def test_assets_references_and_whole_numbers_are_written_plainly() -> None:
    data = {"f": Asset("file", "./x"), "t": Asset("text", ""), "r": ResourceRef("urn:x"), "n": 3.0, "h": 0.5}
    manifest = only(resource("a", metadata=named("a"), data=data))
    assert manifest.document["data"] == {"f": "./x", "t": "<text>", "r": "urn:x", "n": 3, "h": 0.5}


def test_texts_that_look_like_something_else_stay_texts() -> None:
    odd = {"a": "yes", "b": "1e3", "c": "null", "d": "- x", "e": "a: b", "f": "line\nline\n", "g": " x ", "h": "0o7"}
    assert yaml.safe_load(to_yaml(only(resource("a", metadata=named("a"), data=odd))))["data"] == odd


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_object_of_a_shipped_stack_is_one_yaml_document_that_reads_back(stack: str) -> None:
    found = manifests(graph_of(stack))
    assert len(found) == len(objects(graph_of(stack)))
    assert len({manifest.path for manifest in found}) == len(found)
    for manifest in found:
        assert yaml.safe_load(to_yaml(manifest)) == manifest.document, manifest.path


def test_the_airgapped_stack_is_known_to_the_last_field() -> None:
    masked = [manifest.path for manifest in manifests(graph_of(AIRGAPPED)) if not manifest.complete]
    assert masked == []


def test_charts_lie_apart_with_their_values() -> None:
    charts = [m for m in manifests(graph_of(AIRGAPPED)) if m.path.startswith("_charts/")]
    assert [m.path.removeprefix("_charts/").removesuffix("-release.yaml") for m in charts] == [
        "barman-cloud", "certificates-manager", "cloudnative-pg", "execution-kuberay", "gateway-controller",
        "keda-operator", "monitoring-stack",
    ]  # fmt: skip
    for chart in charts:
        found = list(images_of(chart.document["values"]))
        assert found, f"{chart.path} names no image"
        assert [one for one in found if not one.startswith("registry.site.example:5000/")] == []


def images_of(values: Any) -> Iterator[str]:
    """Yield the images that a chart's values name: repositories with their registry, and whole references."""
    if isinstance(values, Mapping):
        if isinstance(values.get("repository"), str):
            yield f"{values['registry']}/{values['repository']}" if "registry" in values else values["repository"]
        if isinstance(values.get("image"), str):
            yield values["image"]
        for value in values.values():
            yield from images_of(value)


def test_the_same_graph_gives_the_same_bytes_in_the_same_order() -> None:
    once = [(m.path, to_yaml(m)) for m in manifests(graph_of(AIRGAPPED))]
    again = [(m.path, to_yaml(m)) for m in manifests(graph_of(AIRGAPPED))]
    assert once == again
    assert [path for path, _ in once] == sorted(path for path, _ in once)


def test_the_order_of_keys_does_not_matter() -> None:
    one = only(resource("a", metadata=named("a"), data={"x": "1", "y": "2"}))
    other = only(resource("a", data={"y": "2", "x": "1"}, metadata=named("a")))
    assert to_yaml(one) == to_yaml(other)
