"""Changes to the shipped stacks of Sensei inside a cluster, and what each must do."""

from __future__ import annotations

from typing import Final

from tests.simulators.lifecycle import REFUSED, UPDATE, Change, Drift
from tests.simulators.stack_objects import AIRGAPPED, AWS, AZURE, CUSTOMER, GCP, ONPREM, VENDOR

STATEFUL_SETS: Final = ("meta-vectors-set", "meta-graph-set", "meta-documents-set")
BACKUPS: Final = tuple(f"{name.removesuffix('-set')}-backup-schedule" for name in STATEFUL_SETS)
WORKER: Final = "registry.vendor.example/sensei/worker:1.0.1"

THINKING_CHANGES: Final = {
    "one more replica of an agent": Change({"cognitive-scout-deployment": UPDATE}, {"cognitive.scout.replicas": 3}),
    "one more member of a store": Change(
        {"meta-vectors-set": UPDATE, "meta-vectors-backup-schedule": UPDATE}, {"meta.vector.replicas": 5}
    ),
}
"""What may be done to any stack with the cognitive and the meta tier."""
WORKING_CHANGES: Final = {
    "another tag of an agent's image": Change(
        {"execution-worker-deployment": UPDATE}, {"execution.worker.image": WORKER}
    ),
    "more agents at most": Change({"execution-worker-queue-scaler": UPDATE}, {"execution.worker.autoscale.maximum": 8}),
}
"""What may be done to any stack with the execution tier."""
CLUSTER_CHANGES: Final = {**THINKING_CHANGES, **WORKING_CHANGES}
"""What may be done to any stack inside a cluster with all tiers."""
OWN_POSTGRES_CHANGES: Final = {
    "more disk for PostgreSQL, which its operator grows": Change(
        {"temporal-db-cluster": UPDATE, "experiments-db-cluster": UPDATE}, {"meta.relational.storage_gib": 80}
    ),
}
OWN_CLUSTER_CHANGES: Final = {
    **CLUSTER_CHANGES,
    "another number of machines for the executors": Change(
        {"execution-ray-cluster": UPDATE}, {"execution.pool.maximum": 28}
    ),
    **OWN_POSTGRES_CHANGES,
}
OWN_CLUSTER_REFUSED: Final = {
    "another storage class": Change(
        dict.fromkeys((*STATEFUL_SETS, "pubsub-set", "objects-master", "objects-volume"), REFUSED)
        | dict.fromkeys(
            ("temporal-db-cluster", "experiments-db-cluster", "monitoring-stack-release", *BACKUPS), UPDATE
        ),
        {"target.storage_class": "fast-local"},
    ),
}
STORES_REFUSED: Final = {
    "more disk for stores that Kubernetes cannot grow in place": Change(
        dict.fromkeys(STATEFUL_SETS, REFUSED) | dict.fromkeys(BACKUPS, UPDATE),
        {"meta.vector.storage_gib": 200, "meta.graph.storage_gib": 200, "meta.documents.storage_gib": 200},
    ),
}
HARMLESS: Final[dict[str, dict[str, Change]]] = {
    AIRGAPPED: OWN_CLUSTER_CHANGES,
    ONPREM: OWN_CLUSTER_CHANGES,
    AWS: CLUSTER_CHANGES,
    GCP: CLUSTER_CHANGES,
    AZURE: {**CLUSTER_CHANGES, **OWN_POSTGRES_CHANGES},
    VENDOR: THINKING_CHANGES,
    CUSTOMER: {
        **WORKING_CHANGES,
        "more machines for the executors": Change({"execution-ray-cluster": UPDATE}, {"execution.pool.maximum": 24}),
        "more disk for PostgreSQL, which its operator grows": Change(
            {"temporal-db-cluster": UPDATE}, {"channels.relational.storage_gib": 80}
        ),
    },
}
"""Stack -> sentence -> a change that a deployment takes while its stores stay."""
HARMFUL: Final[dict[str, dict[str, Change]]] = {
    AIRGAPPED: OWN_CLUSTER_REFUSED,
    ONPREM: OWN_CLUSTER_REFUSED,
    AWS: STORES_REFUSED,
    GCP: STORES_REFUSED,
    AZURE: STORES_REFUSED,
    VENDOR: STORES_REFUSED,
    CUSTOMER: {
        "another storage class": Change(
            dict.fromkeys(("pubsub-set", "objects-master", "objects-volume"), REFUSED)
            | dict.fromkeys(("temporal-db-cluster", "monitoring-stack-release"), UPDATE),
            {"target.storage_class": "fast-local"},
        ),
    },
}
"""Stack -> sentence -> a change that would replace something; what keeps data refuses."""
DRIFTS: Final = {
    CUSTOMER: Drift("execution-small-model-deployment", "spec.replicas", 9, "execution-small-model-service"),
    **dict.fromkeys(
        (AIRGAPPED, ONPREM, AWS, GCP, AZURE, VENDOR),
        Drift("cognitive-scout-deployment", "spec.replicas", 9, "cognitive-scout-service"),
    ),
}
