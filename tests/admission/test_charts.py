"""Real charts, rendered by the real Helm with the values of stacks: what they run is declared, and a server takes it.

The charts are those that Go modules carry; of the others a stack's declaration is all that is seen here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from airgap_bundle.chart_images import RELEASE, check_charts, find_chart, render_chart
from skerry.graph import Resource, ResourceGraph, plain
from skerry.render.manifests import manifests
from tests.simulators.changed_stacks import run_changed
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import apply_all, in_order, unmasked
from tests.simulators.kube_site import Site
from tests.simulators.kube_tools import chart_folder, crd_sets, module_program
from tests.simulators.service_stacks import SERVED

HELM: Final = module_program("helm")
CARRIED: Final = {
    "karpenter-aws": "karpenter", "kueue": "kueue", "cert-manager": "cert-manager",
    "external-secrets": "external-secrets",
}  # fmt: skip
"""CRD set, whose module carries the chart -> the chart."""
KUBERNETES: Final = "1.34.0"
PODS_S: Final = 120.0

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(600),
    pytest.mark.skipif(isinstance(HELM, str), reason=str(HELM)),
]

ONPREM: Final = "own machines: everything, an authority of its own, secrets of the site's vault"
PLACE: Final = ("Namespace", "PriorityClass", "ServiceAccount", "ResourceQuota", "LimitRange")
"""What has a say about pods."""
CASES: Final[Mapping[str, tuple[str, Mapping[str, Any], set[str]]]] = {
    "own machines, every service, a queue for GPUs": (
        "sensei-private-onprem",
        {**SERVED[ONPREM][1], "gpu.queue": {"tiers": ["cognitive"]}, "cognitive.pool.maximum": 4},
        {"kueue", "cert-manager", "external-secrets"},
    ),
    "AWS": ("sensei-saas-aws", {}, {"karpenter"}),
}


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder with every chart that the cache holds."""
    folder = tmp_path_factory.mktemp("charts")
    for crds, name in CARRIED.items():
        found = chart_folder(crds)
        if found is None:
            message = f"the chart {name} is not unpacked: run `make cluster-tools`"
            if os.environ.get("SKERRY_REQUIRE_CLUSTER"):
                pytest.fail(message)
            pytest.skip(message)
        shutil.copytree(found / name, folder / name)
    return folder


def releases(graph: ResourceGraph, names: set[str]) -> list[Resource]:
    return [one for one in graph.of_type(RELEASE) if plain(one.inputs["chart"]).rpartition("/")[2] in names]


@pytest.mark.parametrize("case", CASES)
def test_charts_run_what_is_declared_and_a_server_takes_them(case: str, charts: Path, cluster_folder: Path) -> None:
    stack, changes, names = CASES[case]
    graph = run_changed(stack, changes)
    told = {one.chart: one for one in check_charts(graph, charts, str(HELM), KUBERNETES) if one.chart in names}
    assert dict.fromkeys(names, ("same", ())) == {name: (one.outcome, one.undeclared) for name, one in told.items()}
    own = [unmasked(one.document) for one in manifests(graph) if not one.path.startswith("_charts/")]
    rendered: list[Mapping[str, Any]] = []
    for release in releases(graph, names):
        namespace = plain(release.inputs["namespace"])
        path = find_chart(charts, plain(release.inputs["chart"]).rpartition("/")[2], "")
        assert path is not None
        for document in render_chart(release, path, str(HELM), KUBERNETES)[0]:
            rendered.append(_placed(document, str(namespace)))
    with KubeCluster(cluster_folder) as cluster:
        cluster.install(crd_sets(), {str(one["kind"]) for one in rendered})
        cluster.start_controllers(scheduler=False)
        api = cluster.api()
        assert apply_all(api, in_order(one for one in own if one["kind"] in PLACE)).refused == []
        done = apply_all(api, in_order(one for one in rendered if one["kind"] != "CustomResourceDefinition"))
        assert (done.refused, done.warned) == ([], [])
        site = Site(api)
        workloads = {
            (one["metadata"]["namespace"], one["metadata"]["name"]) for one in rendered if one["kind"] == "Deployment"
        }
        site.settle("a pod of every workload of the charts", lambda: not _without(site, workloads), PODS_S)
        print(f"\n{done.accepted} objects of {len(names)} charts admitted; {len(workloads)} workloads have their pods")


def _placed(document: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Return an object with the namespace that Helm would put it into."""
    if document["kind"] in ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "PriorityClass"):
        return document
    if document["kind"].endswith("WebhookConfiguration") or document["kind"] in ("APIService", "Namespace"):
        return document
    return {**document, "metadata": {"namespace": namespace, **document["metadata"]}}


def _without(site: Site, workloads: set[tuple[str, str]]) -> set[tuple[str, str]]:
    pods = [(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in site.pods()]
    return {
        (space, name) for space, name in workloads if not any(p[0] == space and p[1].startswith(name) for p in pods)
    }
