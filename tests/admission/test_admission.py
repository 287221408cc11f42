"""Every manifest of every Kubernetes stack is taken by a real API server, and so are the pods that follow from it.

Server-side apply refuses a field that no schema declares. The controller manager then makes the pods, so that Pod
Security, quotas, limit ranges, service accounts and priorities have their say too. No pod is placed or run here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.simulators.kube_api import ApiError
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all, render
from tests.simulators.kube_site import Site
from tests.simulators.kube_tools import crd_sets, skew

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

STACKS: Final = sorted(path.stem.removeprefix("Pulumi.") for path in (ROOT / "stacks").glob("Pulumi.*.yaml"))


def _has_a_cluster(stack: str) -> bool:
    """Say whether a stack file asks for something inside Kubernetes."""
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    deployment = document["config"]["skerry:deployment"]
    tiers = deployment["system"] == "sensei"
    return deployment.get("layer", "platform") == "platform" and (tiers or "machines" in deployment)


BASES: Final = [stack for stack in STACKS if not _has_a_cluster(stack)]
KINDS: Final = ("RayCluster", "Cluster")
PODS_S: Final = 120.0


def admit(folder: Path, stack: Rendered) -> None:
    """Apply everything to an empty cluster and expect no refusal, no warning, and a pod of every workload."""
    with KubeCluster(folder) as cluster:
        installed = cluster.install(stack.crds, {str(one["kind"]) for one in stack.documents})
        cluster.start_controllers(scheduler=False)
        api = cluster.api()
        done = apply_all(api, stack.documents)
        assert done.refused == []
        assert done.warned == []
        assert len(stack.documents) == done.accepted + len(done.left_out)
        site = Site(api)
        took = site.settle("a pod of every workload", lambda: not site.podless(), PODS_S)
        pods = len(site.pods())
    sets = ", ".join(f"{crds.name} {crds.version} ({skew(crds)})" for crds in stack.crds) or "none"
    print(f"\n{done.accepted} objects admitted, {pods} pods made in {took:.1f} s; {installed} CRDs: {sets}")
    print(f"left out: charts {list(stack.charts)}, webhooks {[one for crds in stack.crds for one in crds.left_out]}")


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack not in BASES])
def test_every_manifest_of_a_shipped_stack_is_admitted(
    stack: str, rendered: Callable[[str], Rendered], cluster_folder: Path
) -> None:
    assert rendered(stack).documents, "it asks for machines of a cluster, and has no object for it"
    admit(cluster_folder, rendered(stack))


@pytest.mark.parametrize("stack", BASES)
def test_a_stack_that_asks_for_nothing_inside_a_cluster_has_no_object_for_kubernetes(
    stack: str, rendered: Callable[[str], Rendered]
) -> None:
    assert rendered(stack).documents == ()


def changed(base: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shipped stack file with other values; a key is a path below `skerry:deployment`."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{base}.yaml").read_text(encoding="utf-8"))
    for path, value in changes.items():
        place = document["config"]["skerry:deployment"]
        *above, last = path.split(".")
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    return document


NOT_SHIPPED: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "own machines, four racks, other GPUs, small model on CPUs, four vector stores, mirrored images": (
        "sensei-private-onprem",
        {
            "target.failure_domains": ["rack-a", "rack-b", "rack-c", "rack-d"],
            "target.image_access": "mirror",
            "target.api_server_cidrs": ["10.1.2.3/32"],
            "cognitive.precision": "fp8",
            "cognitive.context_tokens": 8192,
            "cognitive.pool.minimum": 3,
            "cognitive.pool.maximum": 3,
            "cognitive.pool.machine": {
                "vcpu": 64, "memory_gib": 512, "gpu_model": "H100", "gpus": 4, "gpu_memory_gib": 80,
            },
            "execution.small_model": "cpu",
            "execution.model": "llama-3.1-8b-instruct-q4",
            "execution.pool.machine": {"vcpu": 16, "memory_gib": 32},
            "execution.worker.replicas": 7,
            "meta.pool.minimum": 4,
            "meta.pool.maximum": 4,
            "meta.vector": {"replicas": 4, "storage_gib": 37},
            "meta.relational": {"replicas": 1, "storage_gib": 11},
            "channels.temporal_replicas": 1,
            "channels.pubsub_replicas": 5,
            "channels.object_store_replicas": 4,
        },
    ),
    "AWS in Frankfurt, everything inside the cluster, spot machines, hosted models, EFA": (
        "sensei-saas-aws",
        {
            "target.region": "eu-central-1",
            "target.jurisdiction": "DE",
            "target.failure_domains": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
            "target.aws.node_image": "al2023@v20260101",
            "target.aws.eks": {
                "efa": True, "gpu_zone": "eu-central-1b", "prefix_delegation": True, "system_machines": {"count": 2},
            },
            "meta.relational_kind": "cloudnative-pg",
            "channels.pubsub": "valkey",
            "channels.object_store": "seaweedfs",
            # Copies do not lie where the database lies of which they are.
            "backup.store": {
                "endpoint_url": "https://s3.other.example", "bucket": "copies", "jurisdiction": "DE", "encrypted": True,
                "cidrs": ["192.0.2.32/28"],
            },
            "execution.interruptible": True,
            "execution.pool.purchase": "spot",
            "execution.small_model": "gpu",
            "execution.model": "mistral-7b-instruct",
            "execution.small_pool": {
                "minimum": 2, "maximum": 2,
                "machine": {"vcpu": 8, "memory_gib": 32, "gpu_model": "L4", "gpus": 1, "gpu_memory_gib": 22},
            },
            "execution.data_endpoints": [
                {
                    "name": "orders", "side": "source", "engine": "mysql", "host": "orders.acme.example",
                    "cidrs": ["10.200.0.0/24"], "jurisdiction": "DE", "route": "peering",
                    "peer": "vpc-0123456789abcdef0", "credentials": "orders-login",
                },
            ],
            "cognitive.providers": ["local", "openai"],
            "cognitive.api_key_secret": "openai-key",
        },
    ),
    "own racks, every store backed up, Sentinels": (
        "sensei-private-onprem",
        {
            "backup": {"schedule": "15 3 * * 0", "retention_days": 14, "store": {
                "endpoint_url": "https://s3.other.example", "bucket": "copies", "jurisdiction": "AT",
                "authority": True, "encryption": "AES256", "cidrs": ["10.8.0.0/16"]}},
            "channels.pubsub_failover": True,
        },
    ),
    "an air-gapped site, vectors in PostgreSQL, backups without an authority of their own": (
        "sensei-airgapped",
        {
            "meta.vector_store": "pgvector",
            "backup": {"certificates_by_site": True, "store": {
                "endpoint_url": "http://s3.second.example:8333", "bucket": "copies", "jurisdiction": "DE"}},
        },
    ),
    "AWS in Tokyo, slices of H100 by the operator, a small model, vectors in RDS, agents that follow their queue": (
        "sensei-saas-aws",
        {
            "target.region": "ap-northeast-1",
            "target.jurisdiction": "JP",
            "target.failure_domains": ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"],
            "target.aws.kubernetes_version": "1.34",
            "target.aws.eks.gpu_zone": "ap-northeast-1a",
            "cognitive.model": "llama-3.1-8b-instruct",
            "cognitive.pool": {
                "minimum": 2, "maximum": 2, "sharing": {"mode": "mig", "profile": "7g.80gb"},
                "machine": {"vcpu": 64, "memory_gib": 512, "gpu_model": "H100", "gpus": 8, "gpu_memory_gib": 80},
            },
            "gpu": {"devices": "operator", "metrics": True, "metrics_readers": ["sensei-monitoring"]},
            "meta.vector_store": "pgvector",
            "meta.relational_kind": "managed",
            "execution.worker.autoscale": {"minimum": 0, "maximum": 40},
        },
    ),
    "Google Cloud in the Netherlands, GPU machines of a reservation in one zone, two local models": (
        "sensei-saas-gcp",
        {
            "target.region": "europe-west4",
            "target.jurisdiction": "NL",
            "target.failure_domains": ["europe-west4-a", "europe-west4-b", "europe-west4-c"],
            "target.gcp.gpu_zones": ["europe-west4-b"],
            "target.gcp.gpu_reservation": "llm",
            "target.gcp.encrypt_pods": True,
            "target.gcp.network_cidr": "10.64.0.0/14",
            "gpu": {},
            "cognitive.providers": ["local", "second-local"],
            "cognitive.serving": {"second": {"model": "llama-3.1-8b-instruct"}},
            "cognitive.pool.machine": {
                "vcpu": 12, "memory_gib": 85, "gpu_model": "A100", "gpus": 8, "gpu_memory_gib": 40,
            },
        },
    ),
    "Azure in Ireland, its own PostgreSQL, spot machines, a queue for GPUs and machines for a small model": (
        "sensei-saas-azure",
        {
            "target.region": "northeurope",
            "target.jurisdiction": "IE",
            "target.failure_domains": ["northeurope-1", "northeurope-2", "northeurope-3"],
            "target.azure.postgres_admin_secret": "openai-key",
            "meta.relational_kind": "managed",
            "meta.vector_store": "pgvector",
            "execution.interruptible": True,
            "execution.pool.purchase": "spot",
            "execution.small_model": "gpu",
            "execution.model": "mistral-7b-instruct",
            "execution.small_pool": {
                "minimum": 2, "maximum": 2,
                "machine": {"vcpu": 8, "memory_gib": 32, "gpu_model": "A10", "gpus": 1, "gpu_memory_gib": 24},
            },
            "cognitive.pool.minimum": 3,
            "cognitive.pool.maximum": 3,
            "cognitive.serving": {"servers": 2},
            "gpu": {
                "metrics": True, "metrics_readers": ["sensei-monitoring"], "queue": {"tiers": ["meta"]},
            },
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_SHIPPED)
def test_every_manifest_of_a_stack_that_nobody_ships_is_admitted(
    case: str, tmp_path: Path, cluster_folder: Path
) -> None:
    base, changes = NOT_SHIPPED[case]
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"})
    )
    # The base stack of a cloud belongs to it: both have one configuration but for the layer.
    for layer, name in (("base", f"{base}-base"), ("platform", base)):
        if layer == "platform" or (ROOT / "stacks" / f"Pulumi.{name}.yaml").exists():
            document = changed(name, changes)
            document["config"]["skerry:openai-key"] = {"secure": "v1:AAAA:AAAA"}
            (tmp_path / "stacks" / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(document))
    admit(cluster_folder, render(base, tmp_path / "rendered", tmp_path))


def test_the_server_refuses_what_is_wrong_with_a_manifest(
    rendered: Callable[[str], Rendered], cluster_folder: Path
) -> None:
    """The other tests would pass with a server that takes anything: this one would not."""
    stack = rendered("sensei-airgapped")
    qdrant = next(one for one in stack.of("StatefulSet") if one["metadata"]["name"] == "qdrant")
    ray, database = stack.of("RayCluster")[0], stack.of("Cluster")[0]
    wrong: dict[str, tuple[Mapping[str, Any], str]] = {
        "a misspelt field of a container": (_with(qdrant, "spec.template.spec.imagePullSecret", []), "not declared"),
        "a number that is a text": (_with(qdrant, "spec.replicas", "three"), "expected numeric"),
        "a selector that the pods do not match": (
            _with(qdrant, "spec.selector.matchLabels", {"app": "other"}), "`selector` does not match template"),
        "a port beyond the last": (
            _with(stack.of("Service")[0], "spec.ports", [{"port": 70000}]), "must be between 1 and 65535"),
        "a field that RayCluster has not": (_with(ray, "spec.workers", 4), "not declared"),
        "a word that CloudNativePG does not know": (
            _with(database, "spec.primaryUpdateStrategy", "whenever"), "Unsupported value"),
        "a quantity that is none": (
            _with(stack.of("ResourceQuota")[0], "spec.hard", {"requests.cpu": "many"}), "quantities must match"),
    }  # fmt: skip
    with KubeCluster(cluster_folder) as cluster:
        cluster.install([crds for crds in crd_sets() if crds.name in ("kuberay", "cloudnative-pg")], KINDS)
        api = cluster.api()
        assert apply_all(api, stack.of("Namespace")).refused == []
        for case, (document, reason) in wrong.items():
            with pytest.raises(ApiError) as error:
                api.apply(document)
            assert reason in error.value.message, case
        unknown = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}}
        assert apply_all(api, [unknown]).refused == ["Thing /x: 404: the server has no kind Thing in example.com/v1"]


def test_a_pod_that_pod_security_forbids_is_told_with_its_reason(
    rendered: Callable[[str], Rendered], cluster_folder: Path
) -> None:
    stack = rendered("sensei-airgapped")
    first = next(one for one in stack.of("Deployment") if one["metadata"]["name"] == "scout")
    privileged = _with(first, "spec.template.spec.hostNetwork", True)
    with KubeCluster(cluster_folder) as cluster:
        cluster.start_controllers(scheduler=False)
        api = cluster.api()
        needed = [one for one in stack.documents if one["kind"] in ("Namespace", "PriorityClass", "ServiceAccount")]
        assert apply_all(api, needed).refused == []
        done = apply_all(api, [privileged])
        assert (done.refused, len(done.warned)) == ([], 1), "the object itself is taken, with a warning"
        site = Site(api)
        site.settle("a refusal", lambda: bool(site.not_created()), PODS_S)
        assert 'violates PodSecurity "restricted:latest": host namespaces' in site.not_created()[0]
        assert site.podless()


def _with(document: Mapping[str, Any], path: str, value: object) -> Mapping[str, Any]:
    """Return a copy of a manifest with one field changed."""
    name, _, rest = path.partition(".")
    return {**document, name: _with(document.get(name, {}), rest, value) if rest else value}
