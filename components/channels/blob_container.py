"""A container of Azure's Blob Storage as pods reach it: by the identity of their service account, without a key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pulumi

from components.kubernetes.workload import EnvValue


class ObjectProtocol(str, Enum):
    """What clients of an object store speak."""

    S3 = "s3"
    """S3, which SeaweedFS and Cloud Storage speak as well."""
    BLOB = "blob"
    """Azure's Blob Storage, which speaks no S3."""


@dataclass(frozen=True, slots=True)
class BlobContainer:
    """A container as pods reach it.

    The identity comes from the service account: Azure's webhook tells pods with the right label client, tenant and
    token, and the default credential of Azure's libraries takes them.

    Source: MLflow mlflow/store/artifact/azure_blob_artifact_repo.py and vLLM "Loading models with Run:ai Model
    Streamer", read 2026-11.
    """

    account: pulumi.Input[str]
    """The name of the storage account."""
    container: pulumi.Input[str]
    """The name of the container."""

    @property
    def protocol(self) -> ObjectProtocol:
        """What clients speak."""
        return ObjectProtocol.BLOB

    @property
    def by_identity(self) -> bool:
        """Whether pods reach it by the identity of their service account."""
        return True

    @property
    def bucket(self) -> pulumi.Input[str]:
        """What a bucket is called elsewhere."""
        return self.container

    def client_environment(self) -> dict[str, EnvValue]:
        """Return the environment that clients read; the streamer of weights has another name for the account.

        Source: run-ai/runai-model-streamer docs/src/env-vars.md at f73a19ac, read 2026-11.
        """
        return {
            "AZURE_STORAGE_ACCOUNT": self.account,
            "AZURE_STORAGE_ACCOUNT_NAME": self.account,
            "AZURE_STORAGE_CONTAINER": self.container,
        }
