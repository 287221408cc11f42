"""What a graph needs, why, and what the plan says when it cannot tell."""

import json

import pytest

from airgap_bundle.plan import ItemKind, plan, site_references
from airgap_bundle.report import plan_json, plan_text, plan_total
from skerry.catalog import Lock, LockEntry
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret
from tests.simulators.registry_graphs import (
    EMPTY_LOCK,
    OPERATOR,
    QDRANT,
    SITE,
    STACK_URN,
    TIER_URN,
    deployment_of,
    graph,
    workload,
)
from tests.simulators.stack_objects import graph_of

D1, D2 = "sha256:" + "1" * 64, "sha256:" + "2" * 64
LOCK = Lock(schema_="skerry.lock/1", images={QDRANT: LockEntry(digest=D1, bytes=3 * 1024**3)})
REDIS = "docker.io/library/redis:8"


def pod(image: object) -> dict[str, object]:
    return {"containers": [{"image": image}]}


def test_everything_is_listed_with_its_reason() -> None:
    made = plan(graph(LOCK), lock=LOCK)
    assert [(item.kind.value, item.name, item.version, item.digest, item.bytes) for item in made.items] == [
        ("image", QDRANT, None, D1, 3 * 1024**3),
        ("image", OPERATOR, None, None, None),
        ("model", "llama", "abc123", None, None),
        ("baseline", "patterns", "2026.1", None, None),
        ("chart", "operator", "1.2.3", None, None),
    ]
    assert made.of_kind(ItemKind.IMAGE)[0].why == ("sensei-prod > meta: runs it",)
    assert made.of_kind(ItemKind.IMAGE)[0].deployed_as == (f"{SITE}/{QDRANT}@{D1}",)
    assert (made.complete, made.problems) == (True, ())
    assert [item.name for item in made.unresolved] == [OPERATOR]
    assert plan_total(made) == "5 items, at least 3.0 GiB, 4 of unknown size"


# The kind, the inputs that run REDIS, and the place that the problem names.
KINDS: dict[str, tuple[str, dict[str, object], str]] = {
    "a Pod": ("kubernetes:core/v1:Pod", {"spec": pod(REDIS)}, "spec.containers[0].image"),
    "a Deployment": (
        "kubernetes:apps/v1:Deployment", {"spec": {"template": {"spec": pod(REDIS)}}},
        "spec.template.spec.containers[0].image"),
    "a patch": (
        "kubernetes:apps/v1:StatefulSetPatch", {"spec": {"template": {"spec": pod(REDIS)}}},
        "spec.template.spec.containers[0].image"),
    "an init container": (
        "kubernetes:apps/v1:DaemonSet", {"spec": {"template": {"spec": {"initContainers": [{"image": REDIS}]}}}},
        "spec.template.spec.initContainers[0].image"),
    "Ray's autoscaler": (
        "kubernetes:ray.io/v1:RayCluster", {"spec": {"autoscalerOptions": {"image": REDIS}}},
        "spec.autoscalerOptions.image"),
    "Ray's history collector in a job": (
        "kubernetes:ray.io/v1:RayJob",
        {"spec": {"rayClusterSpec": {"historyServerOptions": {"collectorOptions": {"image": REDIS}}}}},
        "spec.rayClusterSpec.historyServerOptions.collectorOptions.image"),
    "a Ray job by the clock": (
        "kubernetes:ray.io/v1:RayCronJob",
        {"spec": {"jobTemplate": {"rayClusterSpec": {"headGroupSpec": {"template": {"spec": pod(REDIS)}}}}}},
        "spec.jobTemplate.rayClusterSpec.headGroupSpec.template.spec.containers[0].image"),
    "a pooler of PostgreSQL": (
        "kubernetes:postgresql.cnpg.io/v1:Pooler", {"spec": {"template": {"spec": pod(REDIS)}}},
        "spec.template.spec.containers[0].image"),
    "an extension of PostgreSQL": (
        "kubernetes:postgresql.cnpg.io/v1:Cluster",
        {"spec": {"postgresql": {"extensions": [{"image": {"reference": REDIS}}]}}},
        "spec.postgresql.extensions[0].image.reference"),
    "an extension in a catalogue": (
        "kubernetes:postgresql.cnpg.io/v1:ImageCatalog",
        {"spec": {"images": [{"extensions": [{"image": {"reference": REDIS}}]}]}},
        "spec.images[0].extensions[0].image.reference"),
    "an image volume": (
        "kubernetes:apps/v1:StatefulSet",
        {"spec": {"template": {"spec": {"volumes": [{"name": "x"}, {"image": {"reference": REDIS}}]}}}},
        "spec.template.spec.volumes[1].image.reference"),
    "a Job": (
        "kubernetes:batch/v1:Job", {"spec": {"template": {"spec": pod(REDIS)}}},
        "spec.template.spec.containers[0].image"),
    "a CronJob": (
        "kubernetes:batch/v1:CronJob", {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod(REDIS)}}}}},
        "spec.jobTemplate.spec.template.spec.containers[0].image"),
    "a Ray head": (
        "kubernetes:ray.io/v1:RayCluster", {"spec": {"headGroupSpec": {"template": {"spec": pod(REDIS)}}}},
        "spec.headGroupSpec.template.spec.containers[0].image"),
    "a Ray worker": (
        "kubernetes:ray.io/v1:RayCluster", {"spec": {"workerGroupSpecs": [{}, {"template": {"spec": pod(REDIS)}}]}},
        "spec.workerGroupSpecs[1].template.spec.containers[0].image"),
    "a Postgres cluster": (
        "kubernetes:postgresql.cnpg.io/v1:Cluster", {"spec": {"imageName": REDIS}}, "spec.imageName"),
    "a proxy of Envoy Gateway": (
        "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy",
        {"spec": {"provider": {"kubernetes": {"envoyDeployment": {"container": {"image": REDIS}}}}}},
        "spec.provider.kubernetes.envoyDeployment.container.image"),
    "a secret pod": ("kubernetes:core/v1:Pod", {"spec": Secret(pod(REDIS))}, "spec.containers[0].image"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_an_image_that_no_fact_names_is_listed_and_is_a_problem(name: str) -> None:
    kind, inputs, place = KINDS[name]
    made = plan(graph(LOCK, extra=[workload(kind, inputs, "stray")]), lock=LOCK)
    path = f"sensei-prod > meta > stray: {place}"
    assert made.problems == (f"{path}: runs the image {REDIS}, which no component's facts name",)
    assert next(item for item in made.items if item.name == REDIS).why == (path,)
    assert not made.complete


HIDING = (
    "kubernetes:helm.sh/v3:Chart", "kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/v2:ConfigFile",
    "kubernetes:yaml/v2:ConfigGroup", "kubernetes:kustomize/v2:Directory", "command:local:Command",
)  # fmt: skip
GAPS: dict[str, tuple[Resource, str]] = {
    "an unknown image": (
        deployment_of(UNKNOWN, "stray"),
        "stray: spec.template.spec.containers[0].image: the image is not known before the deployment"),
    "an unknown pod": (
        workload("kubernetes:core/v1:Pod", {"spec": UNKNOWN}, "stray"),
        "stray: spec: the image is not known before the deployment"),
    "unknown containers": (
        workload("kubernetes:core/v1:Pod", {"spec": {"containers": UNKNOWN}}, "stray"),
        "stray: spec.containers: the image is not known before the deployment"),
    "an image that is a number": (
        deployment_of(5, "stray"), "stray: spec.template.spec.containers[0].image: the image is no text but int"),
    "a custom kind without a rule": (
        workload("kubernetes:example.org/v1:Widget", {"spec": {"image": REDIS}}, "stray"),
        "stray: spec.image: no rule says where a Widget of example.org names its images"),
    "a reference that is none": (deployment_of("Not An Image", "stray"), "'Not An Image' is no image reference"),
    "a chart that nobody declared": (
        Resource("urn:pulumi:prod::sensei::kubernetes:helm.sh/v3:Release::stray", "kubernetes:helm.sh/v3:Release",
                 "stray", True, parent=STACK_URN, inputs={"chart": "x"}),
        "stray: a chart outside an Operator component runs images that nobody declared"),
    **{
        f"a {kind} without children": (
            Resource(f"urn:pulumi:prod::sensei::{kind}::stray", kind, "stray", kind.startswith("command:"),
                     parent=STACK_URN),
            f"sensei-prod > stray: what a {kind} makes cannot be seen in the graph, nor which images it runs")
        for kind in HIDING
    },
}  # fmt: skip


@pytest.mark.parametrize("name", GAPS)
def test_what_cannot_be_read_makes_the_plan_incomplete(name: str) -> None:
    stray, words = GAPS[name]
    made = plan(graph(LOCK, extra=[stray]), lock=LOCK)
    assert len(made.problems) == 1
    assert words in made.problems[0]


NOT_APPLICABLE = {
    "a Service": workload("kubernetes:core/v1:Service", {"spec": {"image": REDIS}}, "stray"),
    "a ConfigMap": workload("kubernetes:core/v1:ConfigMap", {"data": {"image": REDIS}}, "stray"),
    "a custom kind without an image": workload("kubernetes:example.org/v1:Widget", {"spec": {"size": 1}}, "stray"),
    "a cloud resource": workload("aws:s3/bucket:Bucket", {"image": REDIS}, "stray"),
}


@pytest.mark.parametrize("name", NOT_APPLICABLE)
def test_kinds_that_run_nothing(name: str) -> None:
    assert plan(graph(LOCK, extra=[NOT_APPLICABLE[name]]), lock=LOCK).problems == ()


def test_a_component_whose_children_stand_in_the_graph_hides_nothing() -> None:
    kind = "kubernetes:yaml:ConfigFile"
    urn = f"urn:pulumi:prod::sensei::{kind}::crds"
    child = Resource("urn:child", "kubernetes:core/v1:Service", "api", True, parent=urn)
    made = plan(graph(LOCK, extra=[Resource(urn, kind, "crds", False, parent=STACK_URN), child]), lock=LOCK)
    assert made.problems == ()
    assert made.complete


def without_workloads(made: ResourceGraph, extra: tuple[Resource, ...] = ()) -> ResourceGraph:
    return ResourceGraph(made.project, made.stacks, (*made.resources[:2], *extra))


def test_a_fact_that_no_manifest_carries_is_a_problem() -> None:
    made = plan(without_workloads(graph(LOCK)), lock=LOCK)
    assert made.problems == (
        f"sensei-prod > meta: its facts name the image {SITE}/{QDRANT}@{D1}, but no manifest carries it",
    )


def test_an_image_in_a_compose_file_is_carried() -> None:
    text = f"services:\n  qdrant:\n    image: {SITE}/{QDRANT}@{D1}\n"
    host = Resource("urn:x", "command:remote:Command", "host", True, parent=TIER_URN, inputs={"create": text})
    assert plan(without_workloads(graph(LOCK), (host,)), lock=LOCK).problems == ()


def test_a_foreign_program_is_planned_from_its_manifests() -> None:
    root = Resource(STACK_URN, "pulumi:pulumi:Stack", "sensei-prod", False)
    app = Resource("urn:a", "kubernetes:core/v1:Pod", "app", True, parent=STACK_URN, inputs={"spec": pod("redis:8")})
    made = plan(ResourceGraph("x", ("prod",), (root, app)), lock=LOCK)
    assert (made.problems, [item.name for item in made.items]) == ((), [REDIS])


def test_a_graph_that_was_made_with_another_lock_is_a_problem() -> None:
    other = Lock(schema_="skerry.lock/1", images={QDRANT: LockEntry(digest=D2, bytes=1)})
    made = plan(graph(LOCK), lock=other)
    assert made.problems == (f"{QDRANT}: the graph pins {D1}, the lock {D2}: preview the stack with this lock",)
    assert made.items[0].bytes is None


def test_the_references_of_the_site_are_those_of_the_manifests() -> None:
    found = [(text, digest) for text, digest, _ in site_references(graph(LOCK))]
    assert found == [(f"{SITE}/{QDRANT}@{D1}", D1), (f"{SITE}/{OPERATOR}", None)]


def test_the_text_names_pins_sizes_and_reasons() -> None:
    text = plan_text(plan(graph(LOCK), lock=LOCK))
    assert "bundle plan for sensei, stack prod\n\nimages (2)\n" in text
    assert f"  {QDRANT}\n    {D1[:19]}, 3.0 GiB\n    needed by sensei-prod > meta: runs it\n" in text
    assert f"  {OPERATOR}\n    unresolved, unknown size, named in no manifest\n" in text
    assert "1 of 5 items are unresolved: nobody pinned them yet" in text
    assert text.endswith("complete: facts and manifests name the same images\n")
    broken = plan_text(plan(graph(LOCK, extra=[deployment_of(UNKNOWN, "stray")]), lock=LOCK))
    assert "incomplete: 1 problem\n  sensei-prod > meta > stray: " in broken


def test_the_json_names_its_schema_and_gives_null_for_unknown() -> None:
    document = json.loads(plan_json(plan(graph(EMPTY_LOCK), lock=EMPTY_LOCK)))
    assert (document["schema"], document["complete"], document["rehearsal"]) == ("skerry.bundle-plan/1", True, False)
    first = document["items"][0]
    assert (first["name"], first["digest"], first["bytes"], first["resolved"]) == (QDRANT, None, None, False)
    assert document["unknownSizes"] == 5


def test_the_text_says_which_images_the_operator_of_a_chart_runs() -> None:
    """Others that no manifest carries are run by a host at the edge, say."""
    text = plan_text(plan(graph_of("aethergraph-server-airgapped"), lock=EMPTY_LOCK))
    _, _, line = text.partition("  quay.io/jetstack/cert-manager-webhook:")
    assert "run by an operator" in line.split("\n")[1]
    assert "named in no manifest" not in text
