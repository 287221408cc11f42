"""GPUs before a real API server: every way of sharing is admitted, and every server is within its quota."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.simulators.changed_stacks import changed_file
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all, render
from tests.simulators.kube_site import Site

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

SETTLED_S: Final = 120.0
STACK: Final = "sensei-private-onprem"
SMALL: Final[Mapping[str, Any]] = {
    "cognitive.model": "llama-3.1-8b-instruct",
    "cognitive.context_tokens": 8192,
}
A100_80: Final = {"vcpu": 96, "memory_gib": 1152, "gpu_model": "A100", "gpus": 8, "gpu_memory_gib": 80}
QUEUE: Final[Mapping[str, Any]] = {"cognitive.serving": {"servers": 2}, "gpu": {"queue": {"tiers": ["meta"]}}}
CASES: Final[Mapping[str, Mapping[str, Any]]] = {
    "equal parts by MPS, the plugin, metrics, and weights on a volume of our own": {
        **SMALL,
        "cognitive.serving": {
            "cache_tokens": 8192,
            "weights": {"source": "volume", "storage_class": "shared-files"},
        },
        "cognitive.pool.sharing": {"mode": "mps", "shares": [50, 50]},
        "gpu": {"devices": "device-plugin", "metrics": True, "metrics_readers": ["watch", "sensei-monitoring"]},
    },
    "slices of several sizes by the operator, weights on a volume of the site": {
        **SMALL,
        "cognitive.serving": {"weights": {"source": "volume", "volume_claim": "models"}},
        "cognitive.pool.machine": A100_80,
        "cognitive.pool.sharing": {
            "mode": "mig", "strategy": "mixed", "profile": "3g.40gb",
            "layout": {"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2},
        },
        "gpu": {"devices": "operator", "metrics": True, "metrics_readers": ["sensei-monitoring"]},
    },
    "claims, a second local model, and two providers with keys of their own": {
        "cognitive.precision": "fp8",
        "cognitive.providers": ["local", "second-local", "openai", "anthropic"],
        "cognitive.api_key_secrets": {"openai": "openai-key", "anthropic": "anthropic-key"},
        "cognitive.serving": {"second": {"model": "llama-3.1-8b-instruct", "servers": 2}},
        "cognitive.pool.sharing": {"mode": "dra"},
        "gpu": {"kubernetes_version": "1.34"},
    },
    "a queue": QUEUE,
}  # fmt: skip


def rendered(folder: Path, changes: Mapping[str, Any]) -> Rendered:
    """Return the manifests of a shipped stack that was changed."""
    (folder / "stacks").mkdir()
    program = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    document = yaml.safe_load(changed_file(STACK, changes))
    document["config"] |= {f"skerry:{name}-key": {"secure": "v1:AAAA:AAAA"} for name in ("openai", "anthropic")}
    (folder / "stacks" / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(document))
    return render(STACK, folder / "rendered", folder)


@pytest.mark.parametrize("case", CASES)
def test_every_manifest_of_each_way_is_admitted(case: str, tmp_path: Path, cluster_folder: Path) -> None:
    stack = rendered(tmp_path, CASES[case])
    with KubeCluster(cluster_folder) as cluster:
        cluster.install(stack.crds, {str(one["kind"]) for one in stack.documents})
        cluster.start_controllers(scheduler=False)
        api = cluster.api()
        done = apply_all(api, stack.documents)
        assert (done.refused, done.warned) == ([], [])
        site = Site(api)
        site.settle("a pod of every workload", lambda: not site.podless(), SETTLED_S)
        assert site.not_created() == []
        servers = [name for one in stack.of("Deployment") if (name := one["metadata"]["name"]).startswith("vllm")]
        for name in servers:
            assert site.pods("sensei-cognitive", **{"app.kubernetes.io/name": name}), f"{name} is within its quota"
