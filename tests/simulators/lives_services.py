"""Changes to the shipped stacks of services, with and without a cluster, and what each must do."""

from __future__ import annotations

from typing import Final

from tests.simulators.lifecycle import REFUSED, UPDATE, Change, Drift

ECS, CLOUD_RUN, FUNCTIONS = "agentdb-ecs-aws", "agentdb-cloud-run-gcp", "agentdb-functions-azure"
AETHERGRAPH: Final = "aethergraph-server-onprem"

HARMLESS: Final[dict[str, dict[str, Change]]] = {
    ECS: {
        "more tasks at most": Change({"agentdb-scaling": UPDATE}, {"agentdb.scale.maximum": 24}),
        "more disk for the managed PostgreSQL": Change(
            {"applications-postgres-instance": UPDATE}, {"agentdb.database.storage_gib": 120}
        ),
    },
    CLOUD_RUN: {
        "more instances at most": Change({"applications-agentdb-service": UPDATE}, {"agentdb.scale.maximum": 120}),
        "another tag of the image": Change(
            {"applications-agentdb-service": UPDATE},
            {"agentdb.image": "us-central1-docker.pkg.dev/skerry-example/agentdb/agentdb:2.0.1"},
        ),
    },
    FUNCTIONS: {
        "fewer instances at most": Change({"applications-agentdb-app": UPDATE}, {"agentdb.scale.maximum": 150}),
        "another tag of the image": Change(
            {"applications-agentdb-app": UPDATE},
            {"agentdb.image": "skerryexample.azurecr.io/agentdb/agentdb-function:2.0.1"},
        ),
    },
    AETHERGRAPH: {
        "another tag of the image": Change(
            {"server-deployment": UPDATE}, {"aethergraph.image": "registry.vendor.example/aethergraph/runtime:1.0.1"}
        ),
        "more disk for PostgreSQL, which its operator grows": Change(
            {"database-cluster": UPDATE}, {"aethergraph.stores.database.storage_gib": 120}
        ),
    },
}
"""Stack -> sentence -> a change that a deployment takes while its stores stay."""
HARMFUL: Final[dict[str, dict[str, Change]]] = {
    ECS: {
        "another engine of the managed PostgreSQL": Change(
            {"applications-postgres-instance": REFUSED},
            source=(("components/aws/stores.py", 'engine="postgres"', 'engine="mariadb"'),),
        ),
        "images under a key of Amazon's own": Change(
            {"applications-images-agentdb": REFUSED},
            source=(
                (
                    "components/aws/applications.py",
                    '[{"encryption_type": "KMS", "kms_key": self._key.arn}]',
                    '[{"encryption_type": "AES256"}]',
                ),
            ),
        ),
    },
    CLOUD_RUN: {
        "objects in another region": Change(
            {"applications-objects-bucket": REFUSED},
            source=(("components/gcp/stores.py", "location=spec.target.region,", 'location="us-east1",'),),
        ),
        "a key for another purpose": Change(
            {"applications-encryption-key": REFUSED},
            source=(("components/gcp/key.py", 'purpose="ENCRYPT_DECRYPT",', 'purpose="ASYMMETRIC_DECRYPT",'),),
        ),
    },
    FUNCTIONS: {
        "objects under names that are paths": Change(
            {
                "agentdbobjects": REFUSED,
                "applications-objects-container": REFUSED,
                "functionshost": REFUSED,
                "applications-host-container": REFUSED,
            },
            source=(
                (
                    "components/azure/objects.py",
                    "is_sftp_enabled=False,",
                    "is_sftp_enabled=False, is_hns_enabled=True,",
                ),
            ),
        ),
    },
    AETHERGRAPH: {
        "another storage class": Change(
            dict.fromkeys(("cache-set", "objects-master", "objects-volume"), REFUSED)
            | dict.fromkeys(("database-cluster", "objects-db-cluster"), UPDATE),
            {"target.storage_class": "fast-local"},
        ),
    },
}
"""Stack -> sentence -> a change that would replace something; what keeps data refuses."""
DRIFTS: Final = {
    ECS: Drift("applications-postgres-instance", "backupRetentionPeriod", 1, "entrance-public-logs-private"),
    CLOUD_RUN: Drift("applications-agentdb-service", "template.timeout", "5s", "applications-network-gcr-names"),
    FUNCTIONS: Drift("agentdbobjects", "minimumTlsVersion", "TLS1_0", "applications-objects-lifecycle"),
    AETHERGRAPH: Drift("server-deployment", "spec.replicas", 9, "server-service"),
}
