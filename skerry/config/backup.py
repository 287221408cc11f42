"""What a user can say about backups: when they are made, how long they are kept, and in whose country."""

from __future__ import annotations

from enum import Enum
from typing import Final

from pydantic import Field

from skerry.config.words import CountryCode, DnsLabel, Spec

BACKUP_SECRET: Final = "backup-store"
"""The Kubernetes Secret with `access-key` and `secret-key` where nothing else is named."""


class StoreEncryption(str, Enum):
    """How a store of backups is asked to encrypt."""

    AES256 = "AES256"
    """By keys of the store itself (SSE-S3)."""
    KMS = "aws:kms"
    """By a key of AWS's key service, the bucket's default one."""


class BackupStoreSpec(Spec):
    """A bucket that speaks S3, outside what it is the backup of."""

    endpoint_url: str = Field(pattern=r"^https?://[a-z0-9.-]+(:\d{1,5})?$", max_length=255)
    """Where it answers, without a path; buckets are addressed by path, as every S3-compatible server takes it."""
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    """The bucket, which exists."""
    prefix: str = Field(default="skerry", pattern=r"^[A-Za-z0-9][A-Za-z0-9/_-]{0,99}$")
    """The folder within it; two deployments must not share one."""
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,40}$")
    """The region that clients sign for; servers without regions take the default."""
    jurisdiction: CountryCode
    """ISO 3166 code of the country whose law holds where the bucket stands."""
    secret: DnsLabel = BACKUP_SECRET
    """The Kubernetes Secret with `access-key` and `secret-key` that the site makes in each namespace with a store."""
    authority: bool = False
    """True where that Secret holds, as `ca.crt`, the certificate of the authority that vouches for the server."""
    encryption: StoreEncryption | None = None
    """What the server is asked to encrypt with; left out, it does as the bucket says."""
    encrypted: bool | None = None
    """Whether the bucket encrypts what it is given without being asked; left out, reports say that it is not known."""
    cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """Address ranges of the server, as pods reach it; left out, only its port is opened."""


class BackupSpec(Spec):
    """Backups of every store of the deployment."""

    schedule: str = Field(default="0 2 * * *", pattern=r"^[0-9*/,-]+( [0-9*/,-]+){2} [0-9*/,-]+ [0-9*/,-]+$")
    """When a whole backup is made: minute, hour, day, month, day of the week, in UTC."""
    retention_days: int = Field(default=30, ge=1, le=3650)
    """For how many days each is kept, and PostgreSQL can be brought back to any moment of them."""
    archive_timeout_s: int = Field(default=300, ge=30, le=3600)
    """The longest that a change in PostgreSQL waits before it is archived: its recovery point."""
    store: BackupStoreSpec | None = None
    """Where they go; left out, into the cloud's bucket of the deployment, where there is one with keys."""
    certificates_by_site: bool = False
    """True where the site makes the certificates of the plugin of CloudNativePG; left out, cert-manager makes them."""
