"""Where a blueprint's backups go: the bucket that the configuration names, or the cloud's of the deployment."""

from __future__ import annotations

from components.channels.object_store import GOOGLE_URL
from components.kubernetes.cluster import Cluster
from components.stores.backup import BackupStore
from skerry.config.spec import DeploymentSpec, TargetKind


def backup_store(spec: DeploymentSpec, cluster: Cluster) -> BackupStore | None:
    """Return where the backups of a deployment go; None where none is asked for."""
    asked = spec.backup
    if asked is None:
        return None
    store = asked.store
    if store is not None:
        return BackupStore(
            asked=asked,
            url=store.endpoint_url,
            bucket=store.bucket,
            prefix=store.prefix,
            region=store.region,
            jurisdiction=store.jurisdiction,
            secret=store.secret,
            authority=store.authority,
            encryption=store.encryption.value if store.encryption else None,
            encrypted=store.encrypted,
            cidrs=store.cidrs,
            named=store.bucket,
            scope="site" if spec.target.kind is TargetKind.ONPREM else "internet",
        )
    managed = cluster.object_store
    if managed is None:
        return None
    google = spec.target.kind is TargetKind.GCP
    return BackupStore(
        asked=asked,
        url=GOOGLE_URL if google else f"https://s3.{spec.target.region}.amazonaws.com",
        bucket=managed.endpoint,
        prefix="backups",
        region=spec.target.region,
        jurisdiction=spec.target.jurisdiction,
        secret=managed.secret_ref,
        # The base stack encrypts its bucket with the deployment's key.
        encrypted=True,
        # Where it answers from the network's own addresses, what copies needs no way to the internet.
        cidrs=() if managed.network is None else (managed.network, *managed.more_networks),
        named="the deployment's bucket",
        scope="internet",
    )
