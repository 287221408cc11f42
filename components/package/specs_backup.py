"""Backups as every Pulumi language writes them: the fields of `skerry.config.backup`, word for word."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from skerry.config.backup import StoreEncryption


class BackupStore(TypedDict):
    """A bucket that speaks S3, outside what it is the backup of."""

    endpoint_url: str
    """Where it answers, without a path; buckets are addressed by path, as every S3-compatible server takes it."""
    bucket: str
    """The bucket, which exists."""
    prefix: NotRequired[str]
    """The folder within it; two deployments must not share one."""
    region: NotRequired[str]
    """The region that clients sign for; servers without regions take the default."""
    jurisdiction: str
    """ISO 3166 code of the country whose law holds where the bucket stands."""
    secret: NotRequired[str]
    """The Kubernetes Secret with `access-key` and `secret-key` that the site makes in each namespace with a store."""
    authority: NotRequired[bool]
    """True where that Secret holds, as `ca.crt`, the certificate of the authority that vouches for the server."""
    encryption: NotRequired[StoreEncryption]
    """What the server is asked to encrypt with; left out, it does as the bucket says."""
    encrypted: NotRequired[bool]
    """Whether the bucket encrypts what it is given without being asked; left out, reports say that it is not known."""
    cidrs: NotRequired[Sequence[str]]
    """Address ranges of the server, as pods reach it; left out, only its port is opened."""


class Backup(TypedDict):
    """Backups of every store of the deployment."""

    schedule: NotRequired[str]
    """When a whole backup is made: minute, hour, day, month, day of the week, in UTC."""
    retention_days: NotRequired[int]
    """For how many days each is kept, and PostgreSQL can be brought back to any moment of them."""
    archive_timeout_s: NotRequired[int]
    """The longest that a change in PostgreSQL waits before it is archived: its recovery point."""
    store: NotRequired[BackupStore]
    """Where they go; left out, into the cloud's bucket of the deployment, where there is one with keys."""
    certificates_by_site: NotRequired[bool]
    """True where the site makes the certificates of the plugin of CloudNativePG; left out, cert-manager makes them."""
