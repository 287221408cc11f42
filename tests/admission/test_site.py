"""A whole stack on stand-in machines: the real scheduler places it, the real KubeRay operator makes Ray's workers.

128 machines for Ray, machines with GPUs and machines for the stores stand in three zones. KWOK plays their kubelets: it
says that a pod runs as soon as it is placed. So this shows what is admitted, made, placed, bound, pre-empted and
evicted, and that budgets hold; never that a program starts, finds its peers or keeps its data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
import yaml

from tests.simulators.kube_api import ApiError
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all
from tests.simulators.kube_site import TIER, Machines, Site, ready

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

STACK: Final = "sensei-airgapped"
WORKERS: Final = 128
SETTLED_S: Final = 240.0
"""Everything stands after about 20 s on an idle machine of two cores."""
RAY: Final = "/apis/ray.io/v1/namespaces/sensei-execution/rayclusters/ray"
STORES: Final = ("mongodb", "neo4j", "qdrant")
EXTRA: Final = ("RayCronJob", "RayJob", "RayService")
"""Kinds that the operator watches, whether a stack has one or not."""


@dataclass(frozen=True, slots=True)
class Running:
    """A stack that stands."""

    cluster: KubeCluster
    site: Site
    stack: Rendered
    zones: tuple[str, ...]
    seconds: Mapping[str, float]

    @property
    def ray(self) -> Mapping[str, Any]:
        """Return the RayCluster as the server has it."""
        found: Mapping[str, Any] = self.site.api.ask("GET", RAY)
        return found

    def ask_ray(self, workers: int) -> None:
        """Ask for workers with the patch that Ray's autoscaler sends; it replaces a field, so one must be there.

        Source: ray-project/ray python/ray/autoscaler/_private/kuberay/node_provider.py, read 2026-11.
        """
        self.site.api.replace(RAY, "/spec/workerGroupSpecs/0/replicas", workers)

    def scale_ray(self, workers: int) -> float:
        """Ask for workers, and return the seconds until the operator calls all of them ready."""
        self.ask_ray(workers)
        return self.site.settle(f"{workers} Ray workers", lambda: ray_is(self.ray, workers), SETTLED_S)


def ray_is(cluster: Mapping[str, Any], workers: int) -> bool:
    status = cluster.get("status") or {}
    provisioned = {one["type"]: one["status"] for one in status.get("conditions") or []}
    return (
        status.get("state") == "ready"
        and status.get("readyWorkerReplicas") == workers
        and provisioned.get("HeadPodReady") == "True"
    )


def machines(stack: str, **counts: int) -> tuple[tuple[str, ...], list[Machines]]:
    """Return the zones and pools that a stack file asks for, with as many machines a tier as are named."""
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    deployment = document["config"]["skerry:deployment"]
    pools = []
    for tier, count in counts.items():
        machine = deployment[tier]["pool"]["machine"]
        pools.append(Machines(tier, count, machine["vcpu"], machine["memory_gib"], machine.get("gpus", 0)))
    return tuple(deployment["target"]["failure_domains"]), pools


def start(cluster: KubeCluster, name: str, stack: Rendered, more: Sequence[Machines] = (), **counts: int) -> Running:
    """Bring a stack up on stand-in machines, those of its pools and more, and wait until all of it is ready."""
    seconds = {}
    cluster.install(stack.crds, {str(one["kind"]) for one in stack.documents} | set(EXTRA))
    cluster.start_controllers()
    cluster.start_kwok()
    site = Site(cluster.api())
    zones, pools = machines(name, **counts)
    site.add_machines([*pools, *more], zones)
    if not stack.of("StorageClass"):
        claimed = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"))
        site.add_storage_class(claimed["config"]["skerry:deployment"]["target"]["storage_class"])
    assert apply_all(site.api, stack.documents).refused == []
    cluster.start_ray_operator()
    seconds["workloads"] = site.settle("every workload", lambda: not site.unready(), SETTLED_S)
    return Running(cluster, site, stack, zones, seconds)


@pytest.fixture(scope="module")
def running(rendered: Callable[[str], Rendered], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with KubeCluster(tmp_path_factory.mktemp("site") / "cluster") as cluster:
        yield start(cluster, STACK, rendered(STACK), cognitive=4, execution=WORKERS, meta=4)
        print(f"\nCPU seconds: { {name: round(used) for name, used in cluster.cpu_s().items()} }")


def test_everything_is_placed_on_the_machines_of_its_tier(running: Running) -> None:
    site = running.site
    tiers = {node["metadata"]["name"]: node["metadata"]["labels"][TIER] for node in site.api.list("/api/v1/nodes")}
    wrong = [
        f"{pod['metadata']['name']} on {pod['spec']['nodeName']}"
        for pod in site.pods()
        if pod["spec"]["nodeSelector"][TIER] != tiers[pod["spec"]["nodeName"]]
    ]
    assert (wrong, site.waiting()) == ([], [])
    print(f"\n{len(site.pods())} pods placed and called ready {running.seconds['workloads']:.1f} s after the apply")


def test_every_claim_has_a_volume_in_the_zone_of_its_pod(running: Running) -> None:
    site = running.site
    claims = site.api.list("/api/v1/persistentvolumeclaims")
    wanted = sum(
        len(one["spec"].get("volumeClaimTemplates", [])) * one["spec"]["replicas"]
        for one in running.stack.of("StatefulSet")
    )
    assert (wanted, {"Bound"}) == (len(claims), {claim["status"]["phase"] for claim in claims})


def test_replicas_stand_in_as_many_zones_as_their_constraint_asks(running: Running) -> None:
    site, checked = running.site, 0
    for kind in ("Deployment", "StatefulSet"):
        for one in running.stack.of(kind):
            constraints = one["spec"]["template"]["spec"].get("topologySpreadConstraints", [])
            hard = [item for item in constraints if item["whenUnsatisfiable"] == "DoNotSchedule"]
            for constraint in hard:
                counts = site.spread(
                    site.pods(one["metadata"]["namespace"], **constraint["labelSelector"]["matchLabels"])
                )
                # Zones without a machine of the tier do not count.
                held = [counts.get(zone, 0) for zone in running.zones]
                assert max(held) - min(held) <= constraint["maxSkew"], (one["metadata"]["name"], held)
                checked += 1
    assert checked > 10


def test_ray_grows_to_128_workers_and_is_ready(running: Running) -> None:
    first = running.site.settle("the first workers", lambda: ray_is(running.ray, 4), SETTLED_S)
    took = running.scale_ray(WORKERS)
    pods = running.site.pods("sensei-execution", **{"ray.io/group": "workers"})
    owners = Counter(owner["kind"] for pod in pods for owner in pod["metadata"]["ownerReferences"])
    nodes = {pod["spec"]["nodeName"] for pod in pods}
    assert (dict(owners), len(nodes)) == ({"RayCluster": WORKERS}, WORKERS), (
        "one worker a machine, made by the operator"
    )
    spread = running.site.spread(pods)
    assert max(spread.values()) - min(spread.values()) <= 1
    print(f"\nRay ready with 4 workers {first:.1f} s later, with {WORKERS} after {took:.1f} s more: {dict(spread)}")


def test_a_lost_worker_of_ray_is_replaced_and_none_beyond_the_maximum_is_made(running: Running) -> None:
    site = running.site
    running.ask_ray(200)
    lost = site.pods("sensei-execution", **{"ray.io/group": "workers"})[0]["metadata"]
    site.api.ask("DELETE", f"/api/v1/namespaces/sensei-execution/pods/{lost['name']}")

    def replaced() -> bool:
        pods = site.pods("sensei-execution", **{"ray.io/group": "workers"})
        return lost["uid"] not in {pod["metadata"]["uid"] for pod in pods} and sum(map(ready, pods)) >= WORKERS

    site.settle("another worker", replaced, SETTLED_S)
    site.settle("Ray", lambda: ray_is(running.ray, WORKERS), SETTLED_S)
    assert len(site.pods("sensei-execution", **{"ray.io/group": "workers"})) == WORKERS
    running.scale_ray(WORKERS)


def pod(namespace: str, tier: str, priority: str, **requests: str) -> dict[str, Any]:
    """Return a pod that Pod Security takes, with the requests that are given."""
    container = {
        "name": "one",
        "image": "registry.site.example:5000/x:1",
        "resources": {"requests": requests, "limits": {key: value for key, value in requests.items() if "/" in key}},
        "securityContext": {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }  # fmt: skip
    place = {"nodeSelector": {TIER: tier}, "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}]}
    spec = {"priorityClassName": priority, "containers": [container], **place}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asked", "namespace": namespace}, "spec": spec}


def test_a_quota_keeps_gpus_from_the_tiers_that_have_none(running: Running) -> None:
    greedy = {"nvidia.com/gpu": "1"}
    for namespace in ("sensei-execution", "sensei-meta", "sensei-channels"):
        with pytest.raises(ApiError) as error:
            running.site.api.apply(pod(namespace, "cognitive", "skerry-batch", **greedy), dry=True)
        assert (error.value.code, "exceeded quota: limits" in error.value.message) == (403, True)
    assert (
        200
        <= running.site.api.apply(pod("sensei-cognitive", "cognitive", "skerry-batch", **greedy), dry=True).code
        < 300
    )


def test_what_serves_takes_the_place_of_batch_work_and_gives_it_back(running: Running) -> None:
    api, path = running.site.api, "/api/v1/namespaces/sensei-execution/pods/asked"
    running.scale_ray(WORKERS)
    api.apply(pod("sensei-execution", "execution", "skerry-serving", cpu="16", memory="256Mi"))
    running.site.settle("the pod that serves", lambda: ready(api.ask("GET", path)), SETTLED_S)
    node = api.ask("GET", path)["spec"]["nodeName"]
    workers = running.site.pods("sensei-execution", **{"ray.io/group": "workers"})
    assert sum(ready(one) for one in workers) == WORKERS - 1, "one worker of Ray gave way"
    assert node not in {one["spec"].get("nodeName") for one in workers if ready(one)}
    api.ask("DELETE", path)
    running.site.settle("Ray's worker is back", lambda: ray_is(running.ray, WORKERS), SETTLED_S)


def test_a_zone_is_drained_and_every_store_keeps_its_majority(running: Running) -> None:
    site, (first, second, _) = running.site, running.zones
    before = {name: site.spread(site.pods("sensei-meta", **{"app.kubernetes.io/name": name})) for name in STORES}
    assert {name: dict.fromkeys(running.zones, 1) for name in STORES} == before

    drained = site.drain(first, SETTLED_S)
    assert drained.left == []
    majority = {f"sensei-meta/{name}": 2 for name in STORES}
    assert majority == {name: drained.lowest[name] for name in majority}
    # Volumes do not leave their zone, so the third member waits there; services without volumes have moved.
    assert {f"statefulsets sensei-meta/{name}: 2 of 3" for name in STORES} <= set(site.unready())
    deployments = {
        f"deployments {one['metadata']['namespace']}/{one['metadata']['name']}"
        for one in running.stack.of("Deployment")
    }
    site.settle(
        "services in the other zones",
        lambda: not [one for one in site.unready() if one.partition(":")[0] in deployments],
        SETTLED_S,
    )
    print(f"\nzone {first} empty after {drained.seconds:.1f} s: {drained.evicted} evictions, {drained.refused} put off")

    # An operator who goes on with the next zone is stopped by the budgets: no majority is lost.
    again = site.drain(second, 15)
    kept = [name for name in again.left if name.startswith("sensei-meta/")]
    assert sorted(STORES) == sorted(
        {name.removeprefix("sensei-meta/").rpartition("-")[0] for name in kept} & set(STORES)
    )
    assert majority == {name: again.lowest[name] for name in majority}
    assert again.refused > 0

    for zone in (first, second):
        site.cordon(zone, closed=False)
    site.settle("all is back", lambda: not site.unready() and ray_is(running.ray, WORKERS), SETTLED_S)
    assert before == {
        name: site.spread(site.pods("sensei-meta", **{"app.kubernetes.io/name": name})) for name in STORES
    }


# Of a base's own pool, m6i.2xlarge, e2-standard-4 and Standard_D4s_v5, where operators and Ray's head run.
SYSTEM: Final = {"aws": Machines("platform", 3, 8, 32), "gcp": Machines("platform", 3, 4, 16)}
CLOUDS: Final[Mapping[str, tuple[Machines, int]]] = {
    "sensei-private-aws": (SYSTEM["aws"], 2 * 2),
    "sensei-private-gcp": (SYSTEM["gcp"], 0),
    "sensei-private-azure": (SYSTEM["gcp"], 2),
}
"""Stack -> machines of the cluster's own pods, and pods of plugins: of GPUs and adapters, Google's own, of GPUs.

Those of mode saas have the same pods, but for one route, on the same pools.
"""


@pytest.mark.parametrize("name", CLOUDS)
def test_the_platform_stack_of_a_cloud_stands_on_the_machines_of_its_base(
    name: str, rendered: Callable[[str], Rendered], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nobody adds machines here, so the fewest that its pools may have stand there."""
    system, expected = CLOUDS[name]
    with KubeCluster(tmp_path_factory.mktemp("cloud") / "cluster") as cluster:
        running = start(cluster, name, rendered(name), [system], cognitive=2, execution=4, meta=3)
        running.site.settle("Ray", lambda: ray_is(running.ray, 4), SETTLED_S)
        plugins = running.site.pods("kube-system")
        assert len(plugins) == expected, "plugins stand on the machines with GPUs alone"
        assert running.site.waiting() == []
