"""GPUs in a deployment: what is installed, what pods ask for, what namespaces may take, who may read and who queues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from components.kubernetes.gpu_devices import plugin_config
from skerry.config.gpu import GpuSharingMode, GpuSharingSpec
from skerry.facts import ComponentFacts, facts_of
from skerry.graph import Resource, ResourceGraph
from tests.simulators.changed_stacks import run_core
from tests.simulators.moved_stacks import gcp_base, gcp_platform
from tests.simulators.stack_objects import AIRGAPPED, AWS, ONPREM, inputs, objects, pods

SMALL: Mapping[str, Any] = {
    "cognitive.model": "llama-3.1-8b-instruct",
    "cognitive.context_tokens": 8192,
    "cognitive.serving": {"cache_tokens": 8192},
}
A100_80 = {"vcpu": 96, "memory_gib": 1152, "gpu_model": "A100", "gpus": 8, "gpu_memory_gib": 80}
MIXED = {
    "mode": "mig",
    "strategy": "mixed",
    "profile": "3g.40gb",
    "layout": {"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2},
}
CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "slicing": (
        ONPREM,
        {
            **SMALL,
            "cognitive.pool.sharing": {"mode": "time-slicing", "replicas": 2},
            "gpu": {"devices": "device-plugin", "metrics": True, "metrics_readers": ["watch"]},
        },
    ),
    "mps": (ONPREM, {**SMALL, "cognitive.pool.sharing": {"mode": "mps", "shares": [50, 50]},
                     "gpu": {"devices": "device-plugin"}}),
    "mig": (AIRGAPPED, {**SMALL, "cognitive.pool.machine": A100_80, "cognitive.pool.sharing": MIXED,
                        "gpu": {"devices": "operator", "metrics": True}}),
    "mig of the site": (ONPREM, {**SMALL, "cognitive.pool.machine": A100_80,
                                 "cognitive.pool.sharing": {"mode": "mig", "profile": "3g.40gb"}}),
    "claims": (AWS, {"cognitive.pool.sharing": {"mode": "dra"}}),
    "queue": (ONPREM, {"cognitive.serving": {"servers": 2}, "gpu": {"queue": {"tiers": ["meta", "execution"]}}}),
    "driver": (ONPREM, {"gpu": {"devices": "operator", "driver": "operator",
                                "driver_image": "nvcr.io/nvidia/driver@sha256:" + "ab" * 32}}),
}  # fmt: skip


@cache
def graph(case: str) -> ResourceGraph:
    return run_core(*CASES[case])


def named(case: str, kind: str, name: str) -> dict[str, Any]:
    """Return the only object of that kind and name."""
    (found,) = [inputs(r) for r in objects(graph(case), kind) if inputs(r)["metadata"]["name"] == name]
    return found


def server(case: str, name: str = "vllm") -> dict[str, Any]:
    return dict(named(case, "Deployment", name)["spec"]["template"]["spec"])


def limits(case: str) -> dict[str, str]:
    found: dict[str, str] = server(case)["containers"][0]["resources"]["limits"]
    return {key: value for key, value in found.items() if key != "memory"}


def quota(case: str, tier: str) -> dict[str, str]:
    (found,) = [
        inputs(r)["spec"]["hard"]
        for r in objects(graph(case), "ResourceQuota")
        if inputs(r)["metadata"]["namespace"] == f"sensei-{tier}"
    ]
    return {key: value for key, value in found.items() if "nvidia" in key}


def facts(case: str, name: str) -> ComponentFacts:
    (found,) = [facts_of(r) for r in graph(case).resources if r.name == name and not r.custom]
    assert found is not None
    return found


def release(case: str, name: str) -> dict[str, Any]:
    (found,) = [inputs(r) for r in objects(graph(case), "Release") if r.name == f"{name}-release"]
    return found


LIMITS = {
    "slicing": {"nvidia.com/gpu.shared": "1"},
    "mps": {"nvidia.com/gpu.shared": "1"},
    "mig": {"nvidia.com/mig-3g.40gb": "1"},
    "mig of the site": {"nvidia.com/gpu": "1"},
    "claims": {},
    "queue": {"nvidia.com/gpu": "8"},
}


@pytest.mark.parametrize("case", LIMITS)
def test_servers_ask_for_what_the_machines_then_have(case: str) -> None:
    assert limits(case) == LIMITS[case]
    requests = server(case)["containers"][0]["resources"]["requests"]
    assert LIMITS[case].items() <= requests.items(), "an extended resource is requested as it is limited"


QUOTAS = {
    "slicing": {"requests.nvidia.com/gpu": "0", "requests.nvidia.com/gpu.shared": "64"},
    "mig": {"requests.nvidia.com/gpu": "0", "requests.nvidia.com/mig-3g.40gb": "64"},
    "claims": {"requests.nvidia.com/gpu": "0", "gpu.nvidia.com.deviceclass.resource.k8s.io/devices": "16"},
    "queue": {"requests.nvidia.com/gpu": "32"},
}


@pytest.mark.parametrize("case", QUOTAS)
def test_the_namespace_may_take_what_there_is_and_no_other_gpu(case: str) -> None:
    assert quota(case, "cognitive") == QUOTAS[case]
    if case != "queue":
        assert quota(case, "meta") == {"requests.nvidia.com/gpu": "0"}


def test_servers_fill_the_parts_of_the_machines_that_are_sure_to_be_there() -> None:
    replicas = {case: named(case, "Deployment", "vllm")["spec"]["replicas"] for case in ("slicing", "mig", "claims")}
    assert replicas == {"slicing": 2 * 8 * 2, "mig": 2 * 8 * 1, "claims": 2}


def test_a_part_has_its_part_of_memory_and_of_the_machine() -> None:
    container = server("slicing")["containers"][0]
    arguments = container["args"]
    assert arguments[arguments.index("--gpu-memory-utilization") + 1] == "0.4500", "0.90 for two servers of one GPU"
    assert container["resources"]["requests"]["cpu"] == "4000m"
    assert int(container["resources"]["limits"]["memory"].removesuffix("Mi")) * 16 <= 1152 * 1024
    whole = server("queue")["containers"][0]["args"]
    assert whole[whole.index("--gpu-memory-utilization") + 1] == "0.90"
    slice_of = server("mig")["containers"][0]["args"]
    assert slice_of[slice_of.index("--gpu-memory-utilization") + 1] == "0.90", "a slice's memory is its own"


def test_with_mps_the_plugin_mounts_shared_memory_and_nobody_else() -> None:
    assert "shm" not in [volume["name"] for volume in server("mps")["volumes"]]
    assert "shm" in [volume["name"] for volume in server("queue")["volumes"]]


def test_the_plugin_is_told_how_gpus_are_shared() -> None:
    told = json.loads(named("slicing", "ConfigMap", "nvidia-device-plugin")["data"]["config.yaml"])
    row = {"name": "nvidia.com/gpu", "replicas": 2}
    shared = {"renameByDefault": True, "failRequestsGreaterThanOne": True, "resources": [row]}
    assert told == {"version": "v1", "sharing": {"timeSlicing": shared}}
    mps = json.loads(named("mps", "ConfigMap", "nvidia-device-plugin")["data"]["config.yaml"])
    assert mps == {"version": "v1", "sharing": {"mps": shared}}
    pod = named("slicing", "DaemonSet", "nvidia-device-plugin")["spec"]["template"]["spec"]
    assert {"name": "CONFIG_FILE", "value": "/config/config.yaml"} in pod["containers"][0]["env"]


@pytest.mark.parametrize("mode", [GpuSharingMode.NONE, GpuSharingMode.MIG, GpuSharingMode.DRA])
def test_whole_gpus_and_slices_need_no_configuration(mode: GpuSharingMode) -> None:
    assert plugin_config(GpuSharingSpec(mode=mode)) is None


def test_only_mps_brings_its_daemon() -> None:
    sets = {
        case: {inputs(r)["metadata"]["name"] for r in objects(graph(case), "DaemonSet")} for case in ("mps", "slicing")
    }
    assert sets == {
        "mps": {"nvidia-device-plugin", "nvidia-mps-control"},
        "slicing": {"nvidia-device-plugin", "dcgm-exporter"},
    }
    daemon = named("mps", "DaemonSet", "nvidia-mps-control")["spec"]["template"]["spec"]
    assert [one["command"] for one in daemon["initContainers"]] == [["mps-control-daemon", "mount-shm"]]
    roots = {volume["name"]: volume["hostPath"]["path"] for volume in daemon["volumes"] if "hostPath" in volume}
    assert roots == {"mps": "/run/nvidia/mps", "mps-shm": "/run/nvidia/mps/shm"}


def test_metrics_stand_on_every_gpu_machine_and_are_read_by_whom_the_configuration_names() -> None:
    pod = named("slicing", "DaemonSet", "dcgm-exporter")["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"skerry.dev/tier": "cognitive"}
    assert {row["key"] for row in pod["tolerations"]} == {"skerry.dev/tier", "nvidia.com/gpu"}
    assert [port["name"] for port in pod["containers"][0]["ports"]] == ["metrics"]
    policy = named("slicing", "NetworkPolicy", "allow-metrics-readers")["spec"]
    assert policy["ingress"] == [
        {
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}}],
            "ports": [{"port": 9400, "protocol": "TCP"}],
        }
    ]
    closed = [
        inputs(r) for r in objects(graph("mig"), "NetworkPolicy") if inputs(r)["metadata"]["namespace"] == "sensei-gpus"
    ]
    assert {row["metadata"]["name"] for row in closed} == {"default-deny", "allow-api"}, "nobody was named there"


def test_the_operator_cuts_gpus_as_the_configuration_says_and_runs_nothing_undeclared() -> None:
    values = release("mig", "gpu-operator")["values"]
    layouts = json.loads(values["migManager"]["config"]["data"]["config.yaml"])
    cut = {"devices": "all", "mig-enabled": True, "mig-devices": {"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2}}
    assert layouts == {"version": "v1", "mig-configs": {"skerry": [cut]}}
    assert (values["mig"], values["migManager"]["config"]["default"]) == ({"strategy": "mixed"}, "skerry")
    assert (values["driver"], values["toolkit"]["enabled"]) == ({"enabled": False}, True)
    off = {part for part, row in values.items() if isinstance(row, dict) and row == {"enabled": False}}
    assert off >= {"ccManager", "vgpuDeviceManager", "vfioManager", "sandboxDevicePlugin", "dcgm", "dcgmExporter"}
    declared = {image.deployed_as.partition("@")[0] for image in facts("mig", "gpu-operator").images}
    assert declared == _images_of(values) - {""}
    assert "nvidia-driver-manager" not in {image.name for image in facts("mig", "gpu-operator").images}


def _images_of(values: Mapping[str, Any]) -> set[str]:
    """Return the images that parts of the operator's values name, of parts that are on."""
    found = set()
    for part in values.values():
        if not isinstance(part, dict) or (part.get("enabled") is False and "image" not in part):
            continue
        if isinstance(part.get("image"), dict):
            found.add(f"{part['image']['repository']}:{part['image']['tag']}")
        elif "image" in part:
            found.add(f"{part['repository']}/{part['image']}:{part['version']}")
    return found


def test_a_driver_that_the_operator_brings_is_declared_by_its_digest() -> None:
    driver = release("driver", "gpu-operator")["values"]["driver"]
    assert (driver["image"], driver["version"]) == ("driver", "sha256:" + "ab" * 32)
    names = {image.name for image in facts("driver", "gpu-operator").images}
    assert {"nvidia-driver", "nvidia-driver-manager", "gpu-operator"} <= names


def test_only_pods_that_build_the_driver_fetch_packages() -> None:
    def ways_out(case: str) -> set[str]:
        found = [inputs(r) for r in objects(graph(case), "NetworkPolicy")]
        return {one["metadata"]["name"] for one in found if one["metadata"]["namespace"] == "sensei-gpus"}

    assert ways_out("driver") - ways_out("mig") == {"allow-driver-packages"}
    policy = named("driver", "NetworkPolicy", "allow-driver-packages")["spec"]
    assert policy["podSelector"] == {"matchLabels": {"app": "nvidia-driver-daemonset"}}


def test_pods_claim_whole_gpus_where_devices_are_claimed() -> None:
    template = named("claims", "ResourceClaimTemplate", "vllm-gpus")["spec"]["spec"]["devices"]
    exactly = {"deviceClassName": "gpu.nvidia.com", "allocationMode": "ExactCount", "count": 8}
    assert template == {"requests": [{"name": "gpus", "exactly": exactly}]}
    pod = server("claims")
    assert pod["resourceClaims"] == [{"name": "gpus", "resourceClaimTemplateName": "vllm-gpus"}]
    assert pod["containers"][0]["resources"]["claims"] == [{"name": "gpus"}]
    assert objects(graph("claims"), "DaemonSet") == [], "the plugin and the driver of claims exclude each other"
    values = release("claims", "gpu-claims")["values"]
    assert (values["gpuResourcesEnabledOverride"], values["resources"]["computeDomains"]["enabled"]) == (True, False)


def test_the_queue_gives_out_what_serving_leaves() -> None:
    (group,) = named("queue", "ClusterQueue", "gpu")["spec"]["resourceGroups"]
    rows = {row["name"]: row["nominalQuota"] for row in group["flavors"][0]["resources"]}
    # 4 machines x 8 GPUs - 2 servers x 8; 4 x (96 - 2) - (64 + 4 agents x 0.5); 4 x (1152 - 8) - (384 + 4 agents x 1)
    assert rows == {"cpu": "310", "memory": "4188Gi", "nvidia.com/gpu": "16"}
    assert group["coveredResources"] == list(rows)
    assert {tier: quota("queue", tier) for tier in ("meta", "execution", "channels")} == {
        "meta": {"requests.nvidia.com/gpu": "16"},
        "execution": {"requests.nvidia.com/gpu": "16"},
        "channels": {"requests.nvidia.com/gpu": "0"},
    }


def test_namespaces_that_take_part_are_labelled_and_have_a_queue() -> None:
    labelled = {
        inputs(r)["metadata"]["name"]
        for r in objects(graph("queue"), "Namespace")
        if inputs(r)["metadata"]["labels"].get("skerry.dev/gpu-queue") == "gpu"
    }
    queues = {inputs(r)["metadata"]["namespace"] for r in objects(graph("queue"), "LocalQueue")}
    assert labelled == queues == {"sensei-meta", "sensei-execution"}
    selector = named("queue", "ClusterQueue", "gpu")["spec"]["namespaceSelector"]
    config = json.loads(release("queue", "kueue")["values"]["managerConfig"]["controllerManagerConfigYaml"])
    assert selector == config["managedJobsNamespaceSelector"] == {"matchLabels": {"skerry.dev/gpu-queue": "gpu"}}
    assert not {"pod", "deployment", "statefulset"} & set(config["integrations"]["frameworks"])


def test_the_queue_sends_jobs_to_the_machines_with_gpus() -> None:
    flavor = named("queue", "ResourceFlavor", "gpu")["spec"]
    assert flavor["nodeLabels"] == {"skerry.dev/tier": "cognitive"}
    assert {row["key"] for row in flavor["tolerations"]} == {"skerry.dev/tier", "nvidia.com/gpu"}
    ranks = {
        inputs(r)["metadata"]["name"]: inputs(r)["value"] for r in objects(graph("queue"), "WorkloadPriorityClass")
    }
    assert ranks == {"gpu-urgent": 1000, "gpu-normal": 500, "gpu-idle": 100}


def test_the_image_of_the_queue_is_not_the_chart_s_staging_one() -> None:
    image = release("queue", "kueue")["values"]["controllerManager"]["manager"]["image"]
    assert image["repository"].endswith("/registry.k8s.io/kueue/kueue")
    assert image["tag"].partition("@")[0] == "v0.19.2"


@pytest.mark.parametrize("stack", [AIRGAPPED, AWS, ONPREM])
def test_nothing_of_it_is_made_where_nothing_is_asked(stack: str) -> None:
    made: list[Resource] = [r for r in run_core(stack, {}).resources if r.name.startswith(("gpu-", "gpus", "kueue"))]
    assert made == []


GKE: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "time-slicing": (
        {"mode": "time-slicing", "replicas": 2},
        {"gpuSharingConfig": {"gpuSharingStrategy": "TIME_SHARING", "maxSharedClientsPerGpu": 2}},
    ),
    "mps": (
        {"mode": "mps", "replicas": 2},
        {"gpuSharingConfig": {"gpuSharingStrategy": "MPS", "maxSharedClientsPerGpu": 2}},
    ),
}


@pytest.mark.parametrize(("sharing", "wanted"), GKE.values(), ids=GKE.keys())
def test_google_shares_gpus_by_its_own_pool_and_keeps_their_name(
    sharing: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    changes = {**SMALL, "cognitive.pool.sharing": sharing}
    accelerators = [
        row
        for pool in gcp_base(changes).resources
        if pool.type == "gcp:container/nodePool:NodePool"
        for row in inputs(pool)["nodeConfig"].get("guestAccelerators", [])
    ]
    assert len(accelerators) == 1
    assert wanted.items() <= accelerators[0].items()
    vllm = next(pod for pod in pods(gcp_platform(changes)) if pod.labels.get("app.kubernetes.io/name") == "vllm")
    assert vllm.spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
