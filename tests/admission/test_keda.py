"""KEDA's own operator, metrics server and webhooks, with a real Temporal server whose queues they ask.

A task that waits in Temporal makes KEDA report a backlog, the API server hands that metric to the horizontal
autoscaler, and the Deployment grows. All five are the real programs; the pods are KWOK's, so nobody works on the tasks.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from components.channels.workflows import NAMESPACE as WORKFLOWS
from tests.simulators.changed_stacks import changed_file
from tests.simulators.kube_api import ApiError
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all, render
from tests.simulators.kube_operators import Temporal, start_keda
from tests.simulators.kube_site import Machines, Site
from tests.simulators.kube_tools import crd_sets, module_program

PROGRAMS: Final = {name: module_program(name) for name in ("keda-operator", "temporal-server")}
ABSENT: Final = [found for found in PROGRAMS.values() if isinstance(found, str)]

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(ABSENT), reason="; ".join(ABSENT)),
]

STACK: Final = "sensei-private-onprem"
TIER: Final = "sensei-execution"
CHANGES: Final[Mapping[str, Any]] = {
    "execution.worker.autoscale": {"minimum": 2, "maximum": 8, "tasks_per_replica": 2, "polling_s": 5},
    "execution.validator.autoscale": {"minimum": 0, "maximum": 4, "task_queue": "checks", "polling_s": 5},
    "execution.small_model": "cpu",
    "execution.model": "mistral-7b-instruct-q4",
    "execution.data_endpoints": [
        {
            "name": "orders", "side": "source", "engine": "oracle", "host": "orders.site.example",
            "cidrs": ["10.20.0.0/24"], "jurisdiction": "DE", "route": "on-site", "tenant": "acme",
            "username": "reader", "password_secret": "orders-password",
        },
        {
            "name": "lake", "side": "target", "engine": "other", "host": "10.30.0.7", "port": 6432,
            "cidrs": ["10.30.0.7/32"], "jurisdiction": "DE", "route": "same-network", "credentials": "lake-login",
        },
    ],
}  # fmt: skip
SETTLED_S: Final = 120.0
NEEDED: Final = ("Namespace", "PriorityClass", "ServiceAccount", "ResourceQuota", "LimitRange", "NetworkPolicy")
MINE: Final = ("worker", "validator")


@dataclass(frozen=True, slots=True)
class Running:
    """The agents of a stack under a real KEDA."""

    site: Site
    stack: Rendered
    temporal: Temporal

    def replicas(self, name: str) -> int:
        found = self.site.api.ask("GET", f"/apis/apps/v1/namespaces/{TIER}/deployments/{name}")
        return int(found["spec"]["replicas"])

    def conditions(self, name: str) -> dict[str, str]:
        found = self.site.api.ask("GET", f"/apis/keda.sh/v1alpha1/namespaces/{TIER}/scaledobjects/{name}")
        return {one["type"]: one["status"] for one in (found.get("status") or {}).get("conditions") or []}

    def scaled_object(self, name: str) -> dict[str, Any]:
        """Return the manifest with the address of the server that runs here, which is no Service of a cluster."""
        (document,) = (one for one in self.stack.of("ScaledObject") if one["metadata"]["name"] == name)
        changed: dict[str, Any] = copy.deepcopy(dict(document))
        trigger = changed["spec"]["triggers"][0]["metadata"]
        assert trigger["endpoint"] == "temporal-frontend.sensei-channels.svc.cluster.local:7233"
        trigger["endpoint"] = f"127.0.0.1:{self.temporal.port}"
        return changed


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    project = tmp_path_factory.mktemp("project")
    (project / "stacks").mkdir()
    program = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (project / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    document = yaml.safe_load(changed_file(STACK, CHANGES))
    document["config"]["skerry:orders-password"] = {"secure": "v1:AAAA:AAAA"}
    (project / "stacks" / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(document))
    return render(STACK, project / "rendered", project)


def site_secrets(agents: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the Secrets that a site makes: KEDA resolves the variables of whatever it scales before all else."""
    keys: dict[str, set[str]] = {}
    for agent in agents:
        for row in agent["spec"]["template"]["spec"]["containers"][0]["env"]:
            if "valueFrom" in row:
                reference = row["valueFrom"]["secretKeyRef"]
                keys.setdefault(reference["name"], set()).add(reference["key"])
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": TIER},
            "stringData": dict.fromkeys(sorted(wanted), "a stand-in"),
        }
        for name, wanted in keys.items()
    ]


@pytest.fixture(scope="module")
def running(stack: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    (crds,) = (one for one in crd_sets() if one.name == "keda")
    with KubeCluster(tmp_path_factory.mktemp("keda") / "cluster", aggregates=True) as cluster:
        cluster.install([crds])
        cluster.start_controllers(options={"horizontal-pod-autoscaler-sync-period": "2s"})
        cluster.start_kwok()
        site = Site(cluster.api())
        site.add_machines([Machines("execution", 6, 32, 64)], ("a", "b", "c"))
        assert apply_all(site.api, [one for one in stack.documents if one["kind"] in NEEDED]).refused == []
        temporal = Temporal(cluster)
        temporal.make_namespace(WORKFLOWS)
        start_keda(cluster, crds, TIER)
        found = Running(site, stack, temporal)
        agents = [one for one in stack.of("Deployment") if one["metadata"]["name"] in MINE]
        apply_all(site.api, site_secrets(agents))
        done = apply_all(site.api, [*agents, *(found.scaled_object(name) for name in MINE)])
        assert (done.refused, done.warned, done.accepted) == ([], [], 4)
        yield found
        print(f"\nCPU seconds: { {name: round(used) for name, used in cluster.cpu_s().items()} }")


def test_what_the_execution_tier_adds_is_admitted(stack: Rendered, cluster_folder: Path) -> None:
    """The small model, the databases' openings, list and login, and the scalers, beside all else of the tier."""
    mine = [one for one in stack.documents if one["metadata"].get("namespace") in (TIER, "sensei-operators")]
    names = {f"{one['kind']} {one['metadata']['name']}" for one in mine}
    assert {
        "Deployment small-model", "NetworkPolicy allow-data-orders-ray", "NetworkPolicy allow-data-lake-agents",
        "Secret data-orders", "ConfigMap data-endpoints", "ScaledObject worker", "ScaledObject validator",
        "NetworkPolicy allow-api-keda-operator-metrics-apiserver", "NetworkPolicy allow-api-keda-admission-webhooks",
    } <= names  # fmt: skip
    first = [one for one in stack.documents if one["kind"] in ("Namespace", "PriorityClass")]
    with KubeCluster(cluster_folder) as cluster:
        cluster.install(stack.crds, {str(one["kind"]) for one in mine})
        cluster.start_controllers(scheduler=False)
        api = cluster.api()
        done = apply_all(api, [*first, *mine])
        assert (done.refused, done.warned) == ([], [])
        site = Site(api)
        site.settle("a pod of every workload", lambda: not site.podless(), SETTLED_S)
        assert site.not_created() == []


def test_scaled_objects_are_ready_and_make_a_horizontal_autoscaler_with_their_bounds(running: Running) -> None:
    site = running.site
    took = site.settle(
        "ready", lambda: all(running.conditions(name).get("Ready") == "True" for name in MINE), SETTLED_S
    )
    found = {
        one["metadata"]["name"]: one["spec"] for one in site.api.list("/apis/autoscaling/v2/horizontalpodautoscalers")
    }
    bounds = {name: (spec["minReplicas"], spec["maxReplicas"]) for name, spec in found.items()}
    # The autoscaler itself knows no zero: KEDA takes the last pod away.
    assert bounds == {"keda-hpa-worker": (2, 8), "keda-hpa-validator": (1, 4)}
    metric = found["keda-hpa-worker"]["metrics"][0]["external"]
    assert metric["target"] == {"type": "AverageValue", "averageValue": "2"}
    print(f"\nboth ready {took:.1f} s after the apply")


def test_agents_grow_with_the_tasks_that_wait_in_temporal_and_never_beyond_their_maximum(running: Running) -> None:
    site = running.site
    site.settle("the fewest workers", lambda: running.replicas("worker") == 2, SETTLED_S)
    site.settle("no validator", lambda: running.replicas("validator") == 0, SETTLED_S)
    for number in range(8):
        running.temporal.start_workflow(WORKFLOWS, "worker", f"first-{number}")
    grown = site.settle("workers for 8 tasks, 2 each", lambda: running.replicas("worker") == 4, SETTLED_S)
    assert running.replicas("validator") == 0, "nothing waits in their own queue"
    for number in range(40):
        running.temporal.start_workflow(WORKFLOWS, "worker", f"second-{number}")
    most = site.settle("the most workers", lambda: running.replicas("worker") == 8, SETTLED_S)
    selector = {"app.kubernetes.io/name": "worker"}
    pods = site.settle("their pods", lambda: len(site.pods(TIER, **selector)) == 8, SETTLED_S)
    print(f"\n2 to 4 workers in {grown:.1f} s, to the maximum of 8 in {most:.1f} s more, pods {pods:.1f} s later")


def test_the_first_task_of_an_empty_queue_brings_the_first_agent(running: Running) -> None:
    site = running.site
    site.settle("no validator", lambda: running.replicas("validator") == 0, SETTLED_S)
    running.temporal.start_workflow(WORKFLOWS, "checks", "check-1")
    took = site.settle("a validator", lambda: running.replicas("validator") >= 1, SETTLED_S)
    print(f"\n0 to 1 validator in {took:.1f} s")


def test_a_repeated_deployment_leaves_the_number_to_keda(running: Running) -> None:
    """The manifest names no replicas, so that applying it again does not undo what the queue asked for."""
    (worker,) = (one for one in running.stack.of("Deployment") if one["metadata"]["name"] == "worker")
    assert "replicas" not in worker["spec"]
    before = running.replicas("worker")
    assert before > 2
    running.site.api.apply(worker)
    assert before == running.replicas("worker")


TWICE: Final = {
    "type": "cron",
    "name": "same",
    "metadata": {"timezone": "UTC", "start": "0 8 * * *", "end": "0 18 * * *"},
}
WRONG: Final[Mapping[str, tuple[str, Any, str, str]]] = {
    "two scalers of one Deployment": (
        "metadata.name", "second", "vscaledobject.kb.io", "already managed by the ScaledObject"),
    "two triggers of one name": (
        "spec.triggers", [TWICE, TWICE], "vscaledobject.kb.io", "defined multiple times"),
    "fewer at most than at least": (
        "spec.maxReplicaCount", 1, "", "minReplicaCount must be less than or equal to maxReplicaCount"),
}  # fmt: skip
"""What is changed, to what, the webhook that refuses it or '' for a rule of the CRD, and its reason."""


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_scaled_object_is_refused_by_keda_s_webhook_or_its_crd(
    case: str, running: Running
) -> None:
    path, value, webhook, reason = WRONG[case]
    document = running.scaled_object("worker")
    *above, last = path.split(".")
    place = document
    for name in above:
        place = place[name]
    place[last] = value
    with pytest.raises(ApiError) as error:
        running.site.api.apply(document)
    assert webhook in error.value.message, error.value.message
    assert reason in error.value.message
