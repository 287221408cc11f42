"""The one volume that all replicas of a service share, where its files bear that."""

from __future__ import annotations

from pulumi_kubernetes.core.v1 import PersistentVolumeClaim

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import NAME_LABEL
from skerry.application import Application


def shared_volume(
    parent: SkerryComponent, cluster: Cluster, application: Application, namespace: str
) -> dict[str, str]:
    """Make it, and return its name in a pod -> where it is mounted; nothing for a service without files.

    Its StorageClass must be one whose volumes several machines mount, such as those of a file service.
    """
    path = application.definition.data_path
    if path is None:
        return {}
    spec: dict[str, object] = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": f"{application.spec.storage_gib}Gi"}},
    }
    if cluster.storage_class is not None:
        spec["storageClassName"] = cluster.storage_class
    PersistentVolumeClaim(
        parent.child_name("files"),
        metadata={
            "name": application.name,
            "namespace": namespace,
            "labels": {**dict(cluster.labels), NAME_LABEL: application.name},
        },
        spec=spec,
        opts=parent.store_options(),
    )
    return {"files": path}
