"""Workers of AetherGraph follow a real stream of Valkey under KEDA's own operator and metrics server.

Jobs that wait make KEDA report a backlog, the API server hands it to the horizontal autoscaler, and the Deployment
grows. Valkey and KEDA are the real programs; the pods are KWOK's, so that nobody but the test works on the jobs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.admission.test_admission import changed
from tests.simulators.aethergraph_stacks import ONPREM, TO_SAAS
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all, render
from tests.simulators.kube_operators import start_keda
from tests.simulators.kube_site import Machines, Site
from tests.simulators.kube_tools import crd_sets, module_program
from tests.simulators.resp import Resp
from tests.simulators.servers import answers, free_port, program, running, wait

ABSENT: Final = module_program("keda-operator")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(600),
    pytest.mark.skipif(isinstance(ABSENT, str), reason=str(ABSENT)),
]

NAMESPACE: Final = "aethergraph-services"
NEEDED: Final = ("Namespace", "PriorityClass", "ServiceAccount", "ResourceQuota", "LimitRange")
PASSWORD: Final = "a stand-in"
SETTLED_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Following:
    """Workers, their queue, and the cluster that both stand in."""

    site: Site
    queue: Resp
    variables: Mapping[str, str]

    def replicas(self) -> int:
        found = self.site.api.ask("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/worker")
        return int(found["spec"]["replicas"])

    def put(self, jobs: int) -> None:
        """Put jobs in, with the fields of the analysis."""
        for number in range(jobs):
            self.queue("XADD", self.variables["QUEUE_STREAM"], "*", "workspace", "acme", "graph_id", f"graph-{number}")


def _rendered(folder: Path) -> Rendered:
    (folder / "stacks").mkdir()
    project = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (folder / "stacks" / "Pulumi.mine.yaml").write_text(yaml.safe_dump(changed(ONPREM, TO_SAAS)))
    return render("mine", folder / "rendered", folder)


def _one(stack: Rendered, kind: str, name: str = "worker") -> dict[str, Any]:
    (found,) = (one for one in stack.of(kind) if one["metadata"]["name"] == name)
    return copy.deepcopy(dict(found))


def _scaled(stack: Rendered, port: int) -> dict[str, Any]:
    """Return the ScaledObject with the address of the Valkey that runs here, which is no Service of a cluster."""
    document = _one(stack, "ScaledObject")
    for trigger in document["spec"]["triggers"]:
        assert trigger["metadata"]["address"] == "valkey-0.valkey-headless.aethergraph-stores.svc.cluster.local:6379"
        trigger["metadata"]["address"] = f"127.0.0.1:{port}"
    return document


def _secrets(worker: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the Secrets that a site makes: KEDA resolves the variables of whatever it scales before all else."""
    keys: dict[str, set[str]] = {}
    for row in worker["spec"]["template"]["spec"]["containers"][0]["env"]:
        if "valueFrom" in row:
            keys.setdefault(row["valueFrom"]["secretKeyRef"]["name"], set()).add(
                row["valueFrom"]["secretKeyRef"]["key"]
            )
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "stringData": dict.fromkeys(sorted(wanted), PASSWORD),
        }
        for name, wanted in keys.items()
    ]


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Following]:
    stack, port = _rendered(tmp_path_factory.mktemp("project")), free_port()
    (crds,) = (one for one in crd_sets() if one.name == "keda")
    folder = tmp_path_factory.mktemp("queue")
    server = [program("valkey-server"), "--port", str(port), "--bind", "127.0.0.1", "--requirepass", PASSWORD]
    with (
        running([*server, "--dir", str(folder)], folder / "valkey.log"),
        KubeCluster(folder / "cluster", aggregates=True) as cluster,
    ):
        wait("Valkey", lambda: answers(port))
        cluster.install([crds])
        cluster.start_controllers(options={"horizontal-pod-autoscaler-sync-period": "2s"})
        cluster.start_kwok()
        site = Site(cluster.api())
        site.add_machines([Machines("execution", 9, 16, 64)], ("rack-a", "rack-b", "rack-c"))
        assert apply_all(site.api, [one for one in stack.documents if one["kind"] in NEEDED]).refused == []
        start_keda(cluster, crds, NAMESPACE)
        worker = _one(stack, "Deployment")
        apply_all(site.api, _secrets(worker))
        rows = worker["spec"]["template"]["spec"]["containers"][0]["env"]
        variables = {row["name"]: row["value"] for row in rows if "value" in row}
        queue = Resp("127.0.0.1", port, PASSWORD)
        queue("XGROUP", "CREATE", variables["QUEUE_STREAM"], variables["QUEUE_GROUP"], "$", "MKSTREAM")
        done = apply_all(site.api, [worker, _one(stack, "TriggerAuthentication"), _scaled(stack, port)])
        assert (done.refused, done.warned, done.accepted) == ([], [], 3)
        yield Following(site, queue, variables)
        queue.close()


def test_without_a_job_there_is_no_worker(following: Following) -> None:
    following.site.settle("no worker", lambda: following.replicas() == 0, SETTLED_S)


def test_the_first_job_brings_a_worker_and_more_bring_one_for_each_five(following: Following) -> None:
    following.put(1)
    first = following.site.settle("a worker", lambda: following.replicas() >= 1, SETTLED_S)
    following.put(22)
    more = following.site.settle("5 workers for 23 jobs", lambda: following.replicas() == 5, SETTLED_S)
    print(f"\n0 to 1 worker in {first:.1f} s, to 5 for 23 jobs in {more:.1f} s more")


def test_jobs_that_are_being_done_keep_their_workers(following: Following) -> None:
    stream, group = following.variables["QUEUE_STREAM"], following.variables["QUEUE_GROUP"]
    taken = following.queue("XREADGROUP", "GROUP", group, "one", "COUNT", "100", "STREAMS", stream, ">")
    assert len(taken[0][1]) == 23
    pending = following.queue("XPENDING", stream, group)
    assert pending[0] == 23
    following.put(77)
    following.site.settle("workers for what waits", lambda: following.replicas() >= 16, SETTLED_S)
    following.put(100)
    following.site.settle("never more than 20", lambda: following.replicas() == 20, SETTLED_S)
