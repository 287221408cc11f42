"""Services of any kind on a real API server, and AgentDB at a site whose machines KWOK plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.simulators.cluster_service_stacks import ONPREM, new_services
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all, render
from tests.simulators.kube_site import TIER, Machines, Site

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

NAMESPACE, SET = "agentdb-services", "/apis/apps/v1/namespaces/agentdb-services/statefulsets/agentdb"
SETTLED_S = 240.0


def test_services_that_only_the_stack_describes_are_admitted(tmp_path: Path, cluster_folder: Path) -> None:
    (tmp_path / "stacks").mkdir()
    project = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    whole = yaml.safe_load(new_services())
    services = whole["config"]["skerry:deployment"]["applications"]["services"]
    services["orders"]["scale"]["vertical"] = "recommend"
    services["packer"]["scale"]["vertical"] = "auto"
    whole["config"]["skerry:deployment"]["services"]["monitoring"] = {"alertmanager_secret": "alerts-out"}
    (tmp_path / "stacks" / "Pulumi.shop.yaml").write_text(yaml.safe_dump(whole))
    stack = render("shop", tmp_path / "rendered", tmp_path)
    modes = {one["metadata"]["name"]: one["spec"]["updatePolicy"] for one in stack.of("VerticalPodAutoscaler")}
    assert modes == {"orders": {"updateMode": "Off"}, "packer": {"updateMode": "Recreate"}}
    with KubeCluster(cluster_folder) as cluster:
        cluster.install(stack.crds, {str(one["kind"]) for one in stack.documents})
        cluster.start_controllers(scheduler=False)
        done = apply_all(cluster.api(), stack.documents)
        assert (done.refused, done.warned) == ([], [])
        assert len(stack.documents) == done.accepted + len(done.left_out)
        site = Site(cluster.api())
        site.settle("a pod of every workload", lambda: not site.podless(), SETTLED_S)


@dataclass(frozen=True, slots=True)
class Standing:
    """AgentDB at its site."""

    site: Site
    stack: Rendered
    zones: tuple[str, ...]

    def replicas(self, wanted: int) -> float:
        """Ask for replicas, as the horizontal autoscaler does, and return the seconds until all are ready."""
        autoscaler = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/agentdb"
        self.site.api.merge(autoscaler, {"spec": {"minReplicas": wanted}})
        return self.site.settle(f"{wanted} replicas", lambda: self.ready() == wanted, SETTLED_S)

    def ready(self) -> int:
        found: dict[str, Any] = self.site.api.ask("GET", SET)
        return int(found["status"].get("readyReplicas", 0))


@pytest.fixture(scope="module")
def standing(rendered: Callable[[str], Rendered], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    stack = rendered(ONPREM)
    file = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{ONPREM}.yaml").read_text(encoding="utf-8"))
    deployment = file["config"]["skerry:deployment"]
    zones, pool = tuple(deployment["target"]["failure_domains"]), deployment["machines"]["stores"]
    with KubeCluster(tmp_path_factory.mktemp("agentdb") / "cluster") as cluster:
        cluster.install(stack.crds, {str(one["kind"]) for one in stack.documents})
        cluster.start_controllers()
        cluster.start_kwok()
        site = Site(cluster.api())
        machine = pool["machine"]
        site.add_machines([Machines("meta", pool["maximum"], machine["vcpu"], machine["memory_gib"])], zones)
        site.add_storage_class(deployment["target"]["storage_class"])
        assert apply_all(site.api, stack.documents).refused == []
        yield Standing(site, stack, zones)


def test_the_autoscaler_alone_says_how_many_run_and_starts_two(standing: Standing) -> None:
    """No manifest names a number, so one is made first; the autoscaler raises that to its minimum without a metric."""
    (written,) = [one for one in standing.stack.of("StatefulSet") if one["metadata"]["name"] == "agentdb"]
    assert "replicas" not in written["spec"]
    standing.site.settle("two replicas", lambda: standing.ready() == 2, SETTLED_S)


def test_fifty_replicas_find_machines_and_each_has_a_volume_of_its_own(standing: Standing) -> None:
    took = standing.replicas(50)
    pods = standing.site.pods(NAMESPACE, **{"app.kubernetes.io/name": "agentdb"})
    spread = standing.site.spread(pods)
    claims = standing.site.api.list(f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims")
    assert len(pods) == 50
    assert max(spread.values()) - min(spread.values()) <= 1
    assert {pod["spec"]["nodeSelector"][TIER] for pod in pods} == {"meta"}
    assert {(tuple(one["spec"]["accessModes"]), one["status"]["phase"]) for one in claims} == {
        (("ReadWriteOnce",), "Bound")
    }
    assert len(claims) == 50
    print(f"\n50 replicas ready {took:.1f} s after they were asked for: {dict(spread)}")


def test_the_primary_has_an_address_of_its_own_that_leads_to_one_replica(standing: Standing) -> None:
    api = standing.site.api

    def led_to() -> list[str]:
        slices = api.list(
            f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices",
            labelSelector="kubernetes.io/service-name=agentdb-primary",
        )
        return sorted(end["targetRef"]["name"] for one in slices for end in one.get("endpoints") or [])

    standing.site.settle("the primary's address", lambda: led_to() == ["agentdb-0"], SETTLED_S)


def test_the_budget_lets_one_replica_go_at_a_time(standing: Standing) -> None:
    standing.site.settle("all replicas", lambda: standing.ready() >= 2, SETTLED_S)
    first, second = standing.site.pods(NAMESPACE, **{"app.kubernetes.io/name": "agentdb"})[:2]
    assert (standing.site.api.evict(first), standing.site.api.evict(second)) == (True, False)
