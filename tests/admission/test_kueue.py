"""Kueue's own controller with the queue of a stack: jobs for GPUs wait until what serving leaves is free.

The controller runs outside the cluster with the configuration that the stack gives its chart, but for addresses; the
API server really calls its webhooks. Pods are placed by the real scheduler on machines that KWOK plays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
import yaml

from components.kubernetes.queues import QUEUE
from tests.simulators.changed_stacks import changed_file
from tests.simulators.kube_api import ApiError
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all, render
from tests.simulators.kube_operators import start_kueue
from tests.simulators.kube_site import Machines, Site
from tests.simulators.kube_tools import crd_sets, module_program

ABSENT: Final = module_program("kueue")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(600),
    pytest.mark.skipif(isinstance(ABSENT, str), reason=str(ABSENT)),
]

STACK: Final = "sensei-private-onprem"
TIER: Final = "sensei-cognitive"
CHANGES: Final[Mapping[str, Any]] = {
    "gpu.queue": {"tiers": ["cognitive"]},
    "cognitive.pool.maximum": 4,
}
GPUS_OF_A_JOB: Final = 4
SETTLED_S: Final = 240.0
NEEDED: Final = ("Namespace", "PriorityClass", "ServiceAccount", "ResourceQuota", "LimitRange")
QUEUES: Final = ("ResourceFlavor", "ClusterQueue", "LocalQueue", "WorkloadPriorityClass")


@dataclass(frozen=True, slots=True)
class Running:
    """The queue of a stack under a real Kueue."""

    site: Site
    units: int
    """GPUs that the queue may give out."""

    def make_job(self, name: str, gpus: int, **labels: str) -> None:
        """Make a job of one pod, as a user would."""
        self.site.api.ask("POST", f"/apis/batch/v1/namespaces/{TIER}/jobs", job(name, gpus, labels))

    def suspended(self, name: str) -> bool:
        return bool(self.site.api.ask("GET", f"/apis/batch/v1/namespaces/{TIER}/jobs/{name}")["spec"].get("suspend"))

    def pods(self, name: str) -> list[Mapping[str, Any]]:
        return list(self.site.pods(TIER, **{"batch.kubernetes.io/job-name": name}))


def job(name: str, gpus: int, labels: Mapping[str, str]) -> dict[str, Any]:
    container = {
        "name": "train",
        "image": "registry.site.example:5000/train:1",
        "resources": {
            "requests": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": str(gpus)},
            "limits": {"memory": "1Gi", "nvidia.com/gpu": str(gpus)},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }  # fmt: skip
    pod = {"restartPolicy": "Never", "priorityClassName": "skerry-batch", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": TIER, "labels": dict(labels)},
        "spec": {"template": {"spec": pod}},
    }


QUEUED: Final = {"kueue.x-k8s.io/queue-name": QUEUE}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    project = tmp_path_factory.mktemp("project")
    (project / "stacks").mkdir()
    program = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (project / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    (project / "stacks" / f"Pulumi.{STACK}.yaml").write_text(changed_file(STACK, CHANGES))
    return render(STACK, project / "rendered", project)


@pytest.fixture(scope="module")
def running(stack: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    (crds,) = (one for one in crd_sets() if one.name == "kueue")
    with KubeCluster(tmp_path_factory.mktemp("kueue") / "cluster") as cluster:
        cluster.install([crds])
        cluster.start_controllers()
        cluster.start_kwok()
        site = Site(cluster.api())
        site.add_machines([Machines("cognitive", 4, 128, 1024, 8)], ("a", "b", "c"))
        assert apply_all(site.api, [one for one in stack.documents if one["kind"] in NEEDED]).refused == []
        start_kueue(cluster, crds)
        queues = [one for one in stack.documents if one["kind"] in QUEUES]
        done = apply_all(site.api, queues)
        assert (done.refused, done.warned) == ([], [])
        assert {str(one["kind"]) for one in queues} == set(QUEUES)
        (group,) = stack.of("ClusterQueue")[0]["spec"]["resourceGroups"]
        rows = {row["name"]: row["nominalQuota"] for row in group["flavors"][0]["resources"]}
        site.settle("an active queue", lambda: active(site), SETTLED_S)
        yield Running(site, int(rows["nvidia.com/gpu"]))
        print(f"\nCPU seconds: { {name: round(used) for name, used in cluster.cpu_s().items()} }")


def active(site: Site) -> bool:
    status = site.api.ask("GET", f"/apis/kueue.x-k8s.io/v1beta2/clusterqueues/{QUEUE}").get("status") or {}
    return any(one["type"] == "Active" and one["status"] == "True" for one in status.get("conditions") or [])


def test_a_job_within_the_quota_runs_and_the_next_waits_until_it_is_gone(running: Running) -> None:
    site = running.site
    fit = running.units // GPUS_OF_A_JOB
    assert fit >= 1, f"the queue gives out {running.units} GPUs"
    for number in range(fit):
        running.make_job(f"first-{number}", GPUS_OF_A_JOB, **QUEUED)
    took = site.settle(
        "the first jobs",
        lambda: all(running.pods(f"first-{number}") for number in range(fit)) and not site.waiting(),
        SETTLED_S,
    )
    (pod,) = running.pods("first-0")
    assert pod["spec"]["nodeSelector"]["skerry.dev/tier"] == "cognitive", "the flavor led it to the GPU machines"
    assert pod["spec"]["nodeName"].startswith("cognitive-")

    running.make_job("next", GPUS_OF_A_JOB, **QUEUED)
    workloads = f"/apis/kueue.x-k8s.io/v1beta2/namespaces/{TIER}/workloads"
    told = site.settle("a reason", lambda: any("insufficient" in text for text in reasons(site, workloads)), SETTLED_S)
    assert (running.suspended("next"), running.pods("next")) == (True, [])

    site.api.ask("DELETE", f"/apis/batch/v1/namespaces/{TIER}/jobs/first-0", propagationPolicy="Background")
    then = site.settle("the next job", lambda: bool(running.pods("next")), SETTLED_S)
    assert not running.suspended("next")
    print(
        f"\n{fit} jobs in {took:.1f} s; the next told why it waits in {told:.1f} s, runs {then:.1f} s after one is gone"
    )


def reasons(site: Site, path: str) -> list[str]:
    rows = [one for work in site.api.list(path) for one in (work.get("status") or {}).get("conditions") or []]
    return [str(one["message"]) for one in rows if one["type"] == "QuotaReserved" and one["status"] == "False"]


def test_a_job_without_a_queue_is_none_of_kueue_s(running: Running) -> None:
    """Whoever names no queue is not held back, so that a Kueue that is away stops nobody else."""
    running.make_job("plain", 0)
    running.site.settle("its pod", lambda: bool(running.pods("plain")), SETTLED_S)
    assert not running.suspended("plain")


def test_kueue_s_webhook_refuses_a_queue_that_gives_out_what_it_has_not_named(running: Running) -> None:
    wrong = {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "ClusterQueue",
        "metadata": {"name": "wrong"},
        "spec": {
            "resourceGroups": [
                {
                    "coveredResources": ["cpu", "memory"],
                    "flavors": [{"name": QUEUE, "resources": [
                        {"name": "memory", "nominalQuota": "1Gi"}, {"name": "cpu", "nominalQuota": "1"},
                    ]}],
                }
            ]
        },
    }  # fmt: skip
    with pytest.raises(ApiError) as error:
        running.site.api.apply(wrong)
    assert "vclusterqueue.kb.io" in error.value.message, error.value.message
