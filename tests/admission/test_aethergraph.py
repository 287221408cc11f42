"""AetherGraph on a real API server: modes that are not shipped are admitted, pods find machines that KWOK plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.admission.test_admission import admit, changed
from tests.simulators.aethergraph_stacks import ONPREM, SAAS, SLACK_EVENTS, TENANTS, TO_SAAS, secrets_of
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all, render
from tests.simulators.kube_site import TIER, Machines, Site

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

NAMESPACE: Final = "aethergraph-services"
SETTLED_S: Final = 240.0

NOT_SHIPPED: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "one tenant, whom Slack may call at one path": (ONPREM, SLACK_EVENTS),
    "many tenants on own machines, a queue in Valkey": (
        ONPREM,
        {**TO_SAAS, **TENANTS, "aethergraph.workspaces.acme.worker_credential_secret": "acmeWorker"},
    ),
}


@pytest.mark.parametrize("case", NOT_SHIPPED)
def test_modes_that_are_not_shipped_are_admitted(case: str, tmp_path: Path, cluster_folder: Path) -> None:
    stack, changes = NOT_SHIPPED[case]
    whole = changed(stack, changes)
    whole["config"] |= dict.fromkeys(secrets_of(changes), "only-of-this-test")
    (tmp_path / "stacks").mkdir()
    project = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (tmp_path / "stacks" / "Pulumi.mine.yaml").write_text(yaml.safe_dump(whole))
    admit(cluster_folder, render("mine", tmp_path / "rendered", tmp_path))


@dataclass(frozen=True, slots=True)
class Standing:
    """A deployment of AetherGraph whose machines KWOK plays."""

    site: Site
    zones: tuple[str, ...]

    def ready(self, name: str) -> int:
        found: dict[str, Any] = self.site.api.ask("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}")
        return int(found["status"].get("readyReplicas", 0))

    def scale(self, name: str, wanted: int) -> float:
        """Ask for replicas, as KEDA does, and return the seconds until all are ready."""
        self.site.api.merge(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}", {"spec": {"replicas": wanted}})
        return self.site.settle(f"{wanted} of {name}", lambda: self.ready(name) == wanted, SETTLED_S)


@pytest.fixture(scope="module")
def standing(
    request: pytest.FixtureRequest, rendered: Callable[[str], Rendered], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Standing]]:
    stack = str(request.param)
    file = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    deployment = file["config"]["skerry:deployment"]
    zones, pools = tuple(deployment["target"]["failure_domains"]), deployment["machines"]
    with KubeCluster(tmp_path_factory.mktemp("aethergraph") / "cluster") as cluster:
        cluster.install(rendered(stack).crds, {str(one["kind"]) for one in rendered(stack).documents})
        cluster.start_controllers()
        cluster.start_kwok()
        site = Site(cluster.api())
        site.add_machines(
            [
                Machines(tier, pool["maximum"], pool["machine"]["vcpu"], pool["machine"]["memory_gib"])
                for tier, pool in (("execution", pools["services"]), ("meta", pools["stores"]))
            ],
            zones,
        )
        if "storage_class" in deployment["target"]:
            site.add_storage_class(deployment["target"]["storage_class"])
        assert apply_all(site.api, rendered(stack).documents).refused == []
        yield stack, Standing(site, zones)


@pytest.mark.parametrize("standing", [ONPREM, SAAS], indirect=True)
def test_replicas_stand_in_different_zones_on_machines_that_come_and_go(standing: tuple[str, Standing]) -> None:
    stack, found = standing
    name, wanted = ("server", 3) if stack == ONPREM else ("control-plane", 2)
    # The autoscaler raises to its minimum what the API server makes one of.
    found.site.settle(f"{wanted} of {name}", lambda: found.ready(name) == wanted, SETTLED_S)
    pods = found.site.pods(NAMESPACE, **{"app.kubernetes.io/name": name})
    assert {pod["spec"]["nodeSelector"][TIER] for pod in pods} == {"execution"}
    assert len(found.site.spread(pods)) == wanted


@pytest.mark.parametrize("standing", [SAAS], indirect=True)
def test_twenty_workers_find_machines_and_none_may_be_left(standing: tuple[str, Standing]) -> None:
    _, found = standing
    took = found.scale("worker", 20)
    pods = found.site.pods(NAMESPACE, **{"app.kubernetes.io/name": "worker"})
    spread = found.site.spread(pods)
    assert max(spread.values()) - min(spread.values()) <= 1
    print(f"\n20 workers ready {took:.1f} s after they were asked for: {dict(spread)}")
    found.scale("worker", 0)


@pytest.mark.parametrize("standing", [ONPREM], indirect=True)
def test_a_drained_zone_takes_one_replica_of_the_server_at_a_time(standing: tuple[str, Standing]) -> None:
    _, found = standing
    drained = found.site.drain(found.zones[0], SETTLED_S)
    assert drained.lowest[f"{NAMESPACE}/server"] >= 2
