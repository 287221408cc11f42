"""CloudNativePG's own operator takes the database clusters of the stacks, and its webhooks refuse wrong ones.

The operator runs outside the cluster; the API server really calls its webhooks. It then makes services, claims, the
job that initialises and the first member. No PostgreSQL runs: nobody answers when the operator asks the member.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.simulators.kube_api import ApiError
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import Rendered, apply_all
from tests.simulators.kube_operators import start_postgres_operator
from tests.simulators.kube_site import TIER, Machines, Site
from tests.simulators.kube_tools import crd_sets

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

STACK: Final = "sensei-airgapped"
WRONG: Final[dict[str, tuple[str, Any, str]]] = {
    "more synchronous members than there are standbys": (
        "postgresql.synchronous", {"method": "any", "number": 3}, "number of synchronous replicas"),
    "a parameter that the operator keeps for itself": (
        "postgresql.parameters", {"port": "5433"}, "Can't set fixed configuration parameter"),
    "a volume without a size": ("storage.size", "", "Size not configured"),
}  # fmt: skip
NEEDED: Final = ("Namespace", "PriorityClass", "ServiceAccount", "ResourceQuota", "LimitRange", "NetworkPolicy")


def test_the_operator_takes_our_database_clusters_and_its_webhooks_refuse_wrong_ones(
    rendered: Callable[[str], Rendered], cluster_folder: Path
) -> None:
    stack = rendered(STACK)
    (crds,) = (one for one in crd_sets() if one.name == "cloudnative-pg")
    databases = [without_plugins(one) for one in stack.of("Cluster")]
    with KubeCluster(cluster_folder) as cluster:
        cluster.install([crds])
        cluster.start_controllers()
        cluster.start_kwok()
        site = Site(cluster.api())
        site.add_machines([Machines("meta", 3, 32, 128)], ("a", "b", "c"))
        site.add_storage_class(databases[0]["spec"]["storage"]["storageClass"])
        start_postgres_operator(cluster, crds)
        assert apply_all(site.api, [one for one in stack.documents if one["kind"] in NEEDED]).refused == []

        for case, (path, value, reason) in WRONG.items():
            document: Any = copy.deepcopy(databases[0])
            place = document["spec"]
            *above, last = path.split(".")
            for name in above:
                place = place.setdefault(name, {})
            place[last] = value
            with pytest.raises(ApiError) as error:
                site.api.apply(document)
            assert "vcluster.cnpg.io" in error.value.message, case
            assert reason in error.value.message, case

        done = apply_all(site.api, [*databases, *stack.of("Database")])
        assert (done.refused, done.warned) == ([], [])

        names = {f"{one['metadata']['namespace']}/{one['metadata']['name']}-1" for one in databases}
        took = site.settle("the first members", lambda: names <= placed(site).keys(), 120)
        tiers = {pod["spec"]["nodeSelector"][TIER] for pod in placed(site).values()}
        bound = {one["status"]["phase"] for one in site.api.list("/api/v1/persistentvolumeclaims")}
        assert (tiers, bound, site.not_created()) == ({"meta"}, {"Bound"}, [])
        for database in databases:
            meta = database["metadata"]
            for role in ("rw", "ro", "r"):
                assert (
                    site.api.get(f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}-{role}") is not None
                )
    print(f"\n{len(databases)} database clusters taken; first members made and placed {took:.1f} s later")


def without_plugins(database: dict[str, Any]) -> dict[str, Any]:
    """Return a database cluster that nobody copies: its operator would wait for a plugin (test_postgres_backup)."""
    spec = {key: value for key, value in database["spec"].items() if key != "plugins"}
    return {**database, "spec": spec}


def placed(site: Site) -> dict[str, Any]:
    """Return the pods of the operator that have a node: jobs that initialise, and members."""
    pods = [pod for pod in site.pods() if pod["spec"].get("nodeName")]
    return {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": pod for pod in pods}
