"""A site for manifests: nodes that KWOK plays, volumes that nobody holds, and the drain of a zone.

There is no CSI driver, so `Site.provision` does what its provisioner does with the API: for a claim that waits, it
makes a volume in the zone of the node that the scheduler chose. Binding the two, and keeping pods with their volume's
zone, is the work of the real controller and the real scheduler.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.simulators.kube_api import KubeApi
from tests.simulators.kube_cluster import KWOK_LABEL, ClusterError

ZONE: Final = "topology.kubernetes.io/zone"
TIER: Final = "skerry.dev/tier"
HOST: Final = "kubernetes.io/hostname"
_DRIVER: Final = "disk.skerry.test"
_PROVISIONER: Final = "volume.kubernetes.io/storage-provisioner"
_SELECTED: Final = "volume.kubernetes.io/selected-node"
_KEPT_CPU_M: Final = 200
_KEPT_SHARE: Final = 0.08
"""What a kubelet keeps for itself; a stand-in, less than the components leave free."""


@dataclass(frozen=True, slots=True)
class Machines:
    """A pool of equal nodes of one tier, spread over the zones in turn."""

    tier: str
    count: int
    vcpu: int
    memory_gib: float
    gpus: int = 0

    def nodes(self, zones: Sequence[str]) -> list[dict[str, Any]]:
        """Return the nodes as a kubelet registers them."""
        return [self._node(f"{self.tier}-{number}", zones[number % len(zones)]) for number in range(self.count)]

    def _node(self, name: str, zone: str) -> dict[str, Any]:
        gpus = {"nvidia.com/gpu": str(self.gpus)} if self.gpus else {}
        capacity = {"cpu": str(self.vcpu), "memory": f"{int(self.memory_gib * 1024)}Mi", "pods": "110", **gpus}
        free = f"{int(self.memory_gib * 1024 * (1 - _KEPT_SHARE))}Mi"
        taints = [{"key": TIER, "value": self.tier, "effect": "NoSchedule"}]
        if self.gpus:
            taints.append({"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"})
        labels = {
            KWOK_LABEL: "true",
            HOST: name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            ZONE: zone,
            TIER: self.tier,
        }
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {"taints": taints},
            "status": {
                "capacity": capacity,
                "allocatable": {**capacity, "cpu": f"{self.vcpu * 1000 - _KEPT_CPU_M}m", "memory": free},
                "nodeInfo": _NODE_INFO,
            },
        }


_NODE_INFO: Final = dict.fromkeys(
    ("bootID", "containerRuntimeVersion", "kernelVersion", "machineID", "osImage", "systemUUID"), "kwok"
) | {
    "architecture": "amd64",
    "operatingSystem": "linux",
    "kubeletVersion": "kwok",
    "kubeProxyVersion": "",
}


@dataclass(slots=True)
class Drained:
    """What the drain of a zone did."""

    seconds: float
    evicted: int
    refused: int
    """Evictions that a PodDisruptionBudget put off or refused."""
    left: list[str] = field(default_factory=list)
    """`<namespace>/<name>` of pods that stayed."""
    lowest: dict[str, int] = field(default_factory=dict)
    """Budget -> the fewest healthy pods that were seen."""


class Site:
    """Nodes, volumes and workloads of one cluster, seen through one connection."""

    def __init__(self, api: KubeApi) -> None:
        """Remember the connection."""
        self.api = api
        self._provisioned: set[str] = set()

    def add_machines(self, pools: Sequence[Machines], zones: Sequence[str]) -> int:
        """Register nodes and wait until each is ready; return how many there are."""
        nodes = [node for pool in pools for node in pool.nodes(zones)]
        for node in nodes:
            self.api.ask("POST", "/api/v1/nodes", node)
        self.settle("nodes", lambda: all(_usable(node) for node in self.api.list("/api/v1/nodes")), 120)
        return len(nodes)

    def add_storage_class(self, name: str) -> None:
        """Make the StorageClass that a site brings; volumes lie in the zone of the pod that wants them."""
        self.api.apply(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": name},
                "provisioner": _DRIVER,
                "volumeBindingMode": "WaitForFirstConsumer",
            }
        )

    def settle(self, what: str, check: Callable[[], bool], limit_s: float) -> float:
        """Make volumes until `check` holds; return the seconds it took.

        Raises:
            ClusterError: it did not hold in time; the message lists the pods that wait and why.
        """
        began = time.monotonic()
        while True:
            self.provision()
            if check():
                return time.monotonic() - began
            if time.monotonic() - began > limit_s:
                said = "\n".join([*self.podless(), *self.not_created(), *self.waiting()])
                raise ClusterError(f"{what}: not within {limit_s:.0f} s\n{said}")
            time.sleep(0.3)

    def provision(self) -> None:
        """Make a volume for each claim that waits for one."""
        for claim in self.api.list("/api/v1/persistentvolumeclaims"):
            meta = claim["metadata"]
            notes = meta.get("annotations") or {}
            if claim["status"]["phase"] != "Pending" or _PROVISIONER not in notes or meta["uid"] in self._provisioned:
                continue
            name = claim["spec"]["storageClassName"]
            binding = self.api.ask("GET", f"/apis/storage.k8s.io/v1/storageclasses/{name}")["volumeBindingMode"]
            node = notes.get(_SELECTED)
            if binding == "Immediate" or node:
                self.api.ask("POST", "/api/v1/persistentvolumes", self._volume(claim, node))
                self._provisioned.add(meta["uid"])

    def unready(self) -> list[str]:
        """Return the Deployments, StatefulSets and DaemonSets whose pods are not all ready."""
        found = []
        for kind in ("deployments", "statefulsets"):
            for one in self.api.list(f"/apis/apps/v1/{kind}"):
                wanted, ready = one["spec"]["replicas"], one["status"].get("readyReplicas", 0)
                if wanted != ready or one["status"].get("observedGeneration") != one["metadata"]["generation"]:
                    found.append(f"{kind} {_name(one)}: {ready} of {wanted}")
        for one in self.api.list("/apis/apps/v1/daemonsets"):
            status = one["status"]
            if status["numberReady"] != status["desiredNumberScheduled"] or "observedGeneration" not in status:
                found.append(f"daemonsets {_name(one)}: {status['numberReady']} of {status['desiredNumberScheduled']}")
        return found

    def podless(self) -> list[str]:
        """Return the workloads whose controllers have not made the pods that they should make at once.

        An ordered StatefulSet makes one and waits for it; a DaemonSet makes one a node.
        """
        found = []
        for one in self.api.list("/apis/apps/v1/replicasets"):
            made, wanted = one["status"]["replicas"], one["spec"]["replicas"]
            if made != wanted:
                found.append(f"replicasets {_name(one)}: {made} of {wanted}")
        for kind, key in (("deployments", "replicas"), ("statefulsets", "replicas")):
            for one in self.api.list(f"/apis/apps/v1/{kind}"):
                made = one["status"].get(key, 0)
                if made == 0 and one["spec"]["replicas"] > 0:
                    found.append(f"{kind} {_name(one)}: {made} of {one['spec']['replicas']}")
        for one in self.api.list("/apis/batch/v1/jobs"):
            if not any(one["status"].get(key) for key in ("active", "succeeded", "failed")):
                found.append(f"jobs {_name(one)}: no pod")
        return found

    def waiting(self) -> list[str]:
        """Return the pods without a node and what the scheduler says of each, and claims without a volume."""
        found = []
        for pod in self.api.list("/api/v1/pods", fieldSelector="spec.nodeName="):
            reasons = [one.get("message", "") for one in pod["status"].get("conditions") or []]
            found.append(f"pod {_name(pod)}: {'; '.join(reasons)}")
        for claim in self.api.list("/api/v1/persistentvolumeclaims"):
            if claim["status"]["phase"] != "Bound":
                found.append(f"claim {_name(claim)}: {claim['status']['phase']}")
        return found

    def not_created(self) -> list[str]:
        """Return what the controllers were refused when they made pods or claims, one line a reason."""
        events = self.api.list("/api/v1/events", fieldSelector="reason=FailedCreate")
        lines = {
            f"{event['involvedObject']['kind']} {event['metadata']['namespace']}/{event['involvedObject']['name']}: "
            f"{event['message']}"
            for event in events
        }
        return sorted(lines)

    def pods(self, namespace: str = "", **labels: str) -> Sequence[Mapping[str, Any]]:
        """Return pods, those of a namespace and with labels where given."""
        path = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return self.api.list(path, **({"labelSelector": selector} if selector else {}))

    def zones(self) -> dict[str, str]:
        """Return node -> zone."""
        return {node["metadata"]["name"]: node["metadata"]["labels"][ZONE] for node in self.api.list("/api/v1/nodes")}

    def spread(self, pods: Sequence[Mapping[str, Any]]) -> Counter[str]:
        """Return how many of the pods stand in each zone."""
        zones = self.zones()
        return Counter(zones[pod["spec"]["nodeName"]] for pod in pods if pod["spec"].get("nodeName"))

    def cordon(self, zone: str, closed: bool = True) -> None:
        """Close a zone to new pods, or open it again."""
        for node, where in self.zones().items():
            if where == zone:
                self.api.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": closed}})

    def drain(self, zone: str, limit_s: float) -> Drained:
        """Cordon a zone and evict its pods, as `kubectl drain --ignore-daemonsets --delete-emptydir-data` does.

        Ends when no pod is left, or at the limit with those that no budget let go.
        """
        began = time.monotonic()
        self.cordon(zone)
        nodes = {node for node, where in self.zones().items() if where == zone}
        done = Drained(0.0, 0, 0)
        while True:
            left = [pod for pod in self.pods() if pod["spec"].get("nodeName") in nodes and _evictable(pod)]
            for pod in left:
                if self.api.evict(pod):
                    done.evicted += 1
                else:
                    done.refused += 1
            self._watch_budgets(done.lowest)
            done.seconds = time.monotonic() - began
            done.left = [_name(pod) for pod in left]
            if not left or done.seconds > limit_s:
                return done
            self.provision()
            time.sleep(0.3)

    def _watch_budgets(self, lowest: dict[str, int]) -> None:
        for budget in self.api.list("/apis/policy/v1/poddisruptionbudgets"):
            name, healthy = _name(budget), budget["status"]["currentHealthy"]
            lowest[name] = min(lowest.get(name, healthy), healthy)

    def _volume(self, claim: Mapping[str, Any], node: str | None) -> dict[str, Any]:
        meta, spec = claim["metadata"], claim["spec"]
        keys = ("name", "namespace", "uid")
        volume: dict[str, Any] = {
            "capacity": spec["resources"]["requests"],
            "accessModes": spec["accessModes"],
            "storageClassName": spec["storageClassName"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **{key: meta[key] for key in keys}},
            "csi": {"driver": _DRIVER, "volumeHandle": meta["uid"]},
        }
        if node:
            expression = {"key": ZONE, "operator": "In", "values": [self.zones()[node]]}
            terms = [{"matchExpressions": [expression]}]
            volume["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
        name = f"pvc-{meta['uid']}"
        return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume}


def ready(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod is ready and not on its way out."""
    conditions = pod["status"].get("conditions") or []
    return "deletionTimestamp" not in pod["metadata"] and any(
        one["type"] == "Ready" and one["status"] == "True" for one in conditions
    )


def _usable(node: Mapping[str, Any]) -> bool:
    unready = any(taint["key"].startswith("node.kubernetes.io/") for taint in node["spec"].get("taints") or [])
    return ready(node) and not unready


def _evictable(pod: Mapping[str, Any]) -> bool:
    owners = {one["kind"] for one in pod["metadata"].get("ownerReferences") or []}
    return "DaemonSet" not in owners and pod["status"]["phase"] not in ("Succeeded", "Failed")


def _name(document: Mapping[str, Any]) -> str:
    return f"{document['metadata']['namespace']}/{document['metadata']['name']}"
