"""Changes to what Sensei stands on, the shipped bases on each cloud, and what each must do."""

from __future__ import annotations

from typing import Final

from tests.simulators.lifecycle import CREATE, REFUSED, REPLACE, UPDATE, Change, Drift
from tests.simulators.stack_objects import AWS_BASE, AZURE_BASE, GCP_BASE, VENDOR_BASE

BASE_CHANGES: Final = {
    "a new version of Kubernetes": Change(
        {
            "sensei-base-cluster-eks": UPDATE,
            "sensei-base-cluster-meta-group": UPDATE,
            "sensei-base-cluster-system-group": UPDATE,
            "sensei-base-cluster-cognitive-group": UPDATE,
        },
        {"target.aws.kubernetes_version": "1.36"},
    ),
    "more machines in a pool": Change(
        {"sensei-base-cluster-meta-group": UPDATE}, {"meta.pool.minimum": 4, "meta.pool.maximum": 4}
    ),
    "more disk for the managed PostgreSQL": Change(
        {"sensei-base-postgres-instance": UPDATE}, {"meta.relational.storage_gib": 100}
    ),
}
"""What may be done to any base on AWS."""
BASE_REFUSED: Final = {
    "another engine of the managed PostgreSQL": Change(
        {"sensei-base-postgres-instance": REFUSED},
        source=(("components/aws/stores.py", 'engine="postgres"', 'engine="mariadb"'),),
    ),
    "pub/sub that is no longer encrypted at rest": Change(
        {"sensei-base-pubsub-group": REFUSED},
        source=(("components/aws/stores.py", "at_rest_encryption_enabled=True", "at_rest_encryption_enabled=False"),),
    ),
    "another type of machine, which no store stands on alone": Change(
        {"sensei-base-cluster-meta-group": REPLACE},
        {
            "meta.pool.machine.instance_type": "m6i.8xlarge",
            "meta.pool.machine.vcpu": 32,
            "meta.pool.machine.memory_gib": 128,
        },
    ),
}
HARMLESS: Final[dict[str, dict[str, Change]]] = {
    AZURE_BASE: {
        "a new version of Kubernetes": Change(
            {
                "sensei-base-cluster-aks": UPDATE,
                "sensei-base-cluster-meta": UPDATE,
                "sensei-base-cluster-execution": UPDATE,
                "sensei-base-cluster-cognitive": UPDATE,
            },
            {"target.azure.kubernetes_version": "1.36"},
        ),
        "more machines in a pool": Change(
            {"sensei-base-cluster-meta": UPDATE}, {"meta.pool.minimum": 4, "meta.pool.maximum": 4}
        ),
        "another day for Azure's own changes": Change(
            {"sensei-base-cluster-patches-window": UPDATE, "sensei-base-cluster-images-window": UPDATE},
            {"target.azure.aks": {"upgrade_day": "Saturday"}},
        ),
        "a new pool of machines": Change(
            {"sensei-base-cluster-channels": CREATE},
            source=(
                (
                    "components/azure/cluster.py",
                    "found = [(Tier.PLATFORM, system), ",
                    "found = [(Tier.PLATFORM, system), (Tier.CHANNELS, spec.meta.pool), ",
                ),
            ),
        ),
    },
    GCP_BASE: {
        "a new version of Kubernetes": Change(
            {"sensei-base-cluster-gke": UPDATE}, {"target.gcp.kubernetes_version": "1.36"}
        ),
        "more machines in a pool": Change(
            {"sensei-base-cluster-meta": UPDATE}, {"meta.pool.minimum": 4, "meta.pool.maximum": 4}
        ),
        "another type of machine": Change(
            {"sensei-base-cluster-execution": UPDATE},
            {"execution.pool.machine.vcpu": 16, "execution.pool.machine.memory_gib": 64},
        ),
        "more disk for the managed PostgreSQL": Change(
            {"sensei-base-postgres-instance": UPDATE}, {"meta.relational.storage_gib": 100}
        ),
        "a new pool of machines": Change(
            {"sensei-base-cluster-channels": CREATE},
            source=(
                (
                    "components/gcp/cluster.py",
                    "found = [(Tier.PLATFORM, system), ",
                    "found = [(Tier.CHANNELS, spec.meta.pool), (Tier.PLATFORM, system), ",
                ),
            ),
        ),
    },
    VENDOR_BASE: BASE_CHANGES,
    AWS_BASE: {
        **BASE_CHANGES,
        "a new pool of machines": Change(
            {"sensei-base-cluster-channels-template": CREATE, "sensei-base-cluster-channels-group": CREATE},
            source=(
                (
                    "components/aws/cluster.py",
                    "wanted = [(persistent_tier(spec), spec.meta.pool)]",
                    "wanted = [(Tier.META, spec.meta.pool), (Tier.CHANNELS, spec.meta.pool)]",
                ),
            ),
        ),
    },
}
"""Stack -> sentence -> a change that a deployment takes while its stores stay."""
HARMFUL: Final[dict[str, dict[str, Change]]] = {
    AZURE_BASE: {
        "objects under names that are paths": Change(
            {"senseiobjects": REFUSED, "sensei-base-objects-container": REFUSED},
            source=(
                (
                    "components/azure/objects.py",
                    "is_sftp_enabled=False,",
                    "is_sftp_enabled=False, is_hns_enabled=True,",
                ),
            ),
        ),
        "pub/sub on another port": Change(
            {"sensei-base-pubsub-database": REFUSED},
            source=(
                (
                    "components/azure/stores.py",
                    "            port=REDIS_PORT,\n            client",
                    "            port=10001,\n            client",
                ),
            ),
        ),
        "other GPUs, which no store stands on": Change(
            {"sensei-base-cluster-cognitive": REPLACE},
            {
                "cognitive.pool.machine.gpus": 4,
                "cognitive.pool.machine.gpu_memory_gib": 80,
                "cognitive.pool.machine.vcpu": 96,
                "cognitive.pool.machine.memory_gib": 880,
            },
        ),
    },
    GCP_BASE: {
        "another collation of the managed PostgreSQL": Change(
            {"sensei-base-postgres-instance": REFUSED},
            source=(
                ("components/gcp/stores.py", '"tier": POSTGRES_TIER,', '"tier": POSTGRES_TIER, "collation": "de_DE",'),
            ),
        ),
        "pub/sub that no longer speaks TLS": Change(
            {"sensei-base-pubsub-instance": REFUSED},
            source=(
                (
                    "components/gcp/stores.py",
                    'transit_encryption_mode="SERVER_AUTHENTICATION"',
                    'transit_encryption_mode="DISABLED"',
                ),
            ),
        ),
        "other GPUs, which no store stands on": Change(
            {"sensei-base-cluster-cognitive": REPLACE},
            {
                "cognitive.pool.machine.gpus": 4,
                "cognitive.pool.machine.gpu_memory_gib": 80,
                "cognitive.pool.machine.vcpu": 48,
                "cognitive.pool.machine.memory_gib": 640,
            },
        ),
    },
    AWS_BASE: BASE_REFUSED,
    VENDOR_BASE: BASE_REFUSED,
}
"""Stack -> sentence -> a change that would replace something; what keeps data refuses."""
DRIFTS: Final = {
    **dict.fromkeys(
        (AWS_BASE, VENDOR_BASE),
        Drift("sensei-base-postgres-instance", "backupRetentionPeriod", 1, "sensei-base-objects-private"),
    ),
    GCP_BASE: Drift(
        "sensei-base-postgres-instance",
        "settings.backupConfiguration.transactionLogRetentionDays",
        1,
        "sensei-base-network-gcr-names",
    ),
    AZURE_BASE: Drift("senseiobjects", "minimumTlsVersion", "TLS1_0", "sensei-base-objects-lifecycle"),
}
