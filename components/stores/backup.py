"""Where backups go, as pods reach it, and what every backup of a store says about itself.

The copies lie outside what they are copies of: SeaweedFS of the deployment keeps its list of files in the very
PostgreSQL that is backed up, so that it is refused as a place (skerry/config/sense_backup.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.channels.object_store import CHECKSUMS
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import EnvValue, SecretKey
from skerry.config.backup import BackupSpec
from skerry.facts import BackupFact, ComponentFacts, EndpointFact, ImageFact, Tier

AUTHORITY_KEY: Final = "ca.crt"
"""Key of the store's Secret with the certificate of its authority."""


@dataclass(frozen=True, slots=True)
class BackupStore:
    """A bucket for backups, and what is asked of them."""

    asked: BackupSpec
    url: str
    """Where it answers."""
    bucket: pulumi.Input[str]
    prefix: str
    region: str
    jurisdiction: str
    secret: pulumi.Input[str] | None
    """Name of the Kubernetes Secret with `access-key` and `secret-key`; None where pods have an identity."""
    authority: bool = False
    """Whether that Secret holds the certificate of the server's authority."""
    encryption: str | None = None
    """What the server is asked to encrypt with."""
    encrypted: bool | None = None
    """Whether it encrypts; None where nobody said."""
    cidrs: tuple[pulumi.Input[str], ...] = ()
    named: str = ""
    """The bucket for reports; its name, or what it is."""
    scope: str = "site"
    """`site`, or `internet` where the way there may lead over it."""

    @property
    def host(self) -> str:
        """Host name of the server."""
        return f"{urlsplit(self.url).hostname}"

    @property
    def port(self) -> int:
        """TCP port of the server."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def tls(self) -> bool:
        """Whether it is reached over TLS."""
        return self.url.startswith("https://")

    def client_environment(self) -> dict[str, EnvValue]:
        """Return the environment by which rclone reaches the bucket as the remote `store`.

        Source: rclone "S3" and "Environment Variables" (documentation of 1.60, read 2026-11, and tried).
        """
        found: dict[str, EnvValue] = {
            "RCLONE_CONFIG": "/tmp/rclone.conf",
            "RCLONE_CACHE_DIR": "/tmp",
            "RCLONE_CONFIG_STORE_TYPE": "s3",
            "RCLONE_CONFIG_STORE_PROVIDER": "Other",
            "RCLONE_CONFIG_STORE_ENDPOINT": self.url,
            "RCLONE_CONFIG_STORE_REGION": self.region,
            "RCLONE_CONFIG_STORE_FORCE_PATH_STYLE": "true",
            "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET": "true",
            "BUCKET": self.bucket,
        }
        if self.encryption is not None:
            found["RCLONE_CONFIG_STORE_SERVER_SIDE_ENCRYPTION"] = self.encryption
        if self.authority:
            found["RCLONE_CA_CERT"] = f"/authority/{AUTHORITY_KEY}"
        if self.secret is None:
            return found | {"RCLONE_CONFIG_STORE_ENV_AUTH": "true"}
        return found | {
            "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": SecretKey(self.secret, "access-key"),
            "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": SecretKey(self.secret, "secret-key"),
        }

    def barman(self) -> dict[str, Any]:
        """Return the spec of an `ObjectStore` of the Barman Cloud plugin.

        Source: plugin-barman-cloud v0.13.0 config/crd/bases and web/docs/object_stores.md, read 2026-11.
        """
        compressed: dict[str, Any] = {"compression": "gzip"}
        if self.encryption is not None:
            compressed["encryption"] = self.encryption
        configuration: dict[str, Any] = {
            "destinationPath": pulumi.Output.concat("s3://", self.bucket, f"/{self.prefix}/postgresql"),
            "endpointURL": self.url,
            "wal": compressed,
            "data": compressed,
        }
        if self.secret is None:
            configuration["s3Credentials"] = {"inheritFromIAMRole": True}
        else:
            configuration["s3Credentials"] = {
                "accessKeyId": {"name": self.secret, "key": "access-key"},
                "secretAccessKey": {"name": self.secret, "key": "secret-key"},
            }
        if self.authority:
            configuration["endpointCA"] = {"name": self.secret, "key": AUTHORITY_KEY}
        # Servers other than Amazon's refuse the checksums that clients add by themselves since 2025.
        more = [{"name": name, "value": "when_required"} for name in CHECKSUMS]
        return {
            "configuration": configuration,
            "retentionPolicy": f"{self.asked.retention_days}d",
            "instanceSidecarConfiguration": {
                "env": [{"name": "AWS_DEFAULT_REGION", "value": self.region}, *more],
                "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
            },
        }

    def facts(
        self, cluster: Cluster, tier: Tier, *, method: str, images: tuple[ImageFact, ...], recovery_point_s: int
    ) -> ComponentFacts:
        """Return what a backup says about itself."""
        return ComponentFacts(
            tier=tier,
            data_class=cluster.data_class,
            role="backup",
            stateful=True,
            encrypted_at_rest=True if self.encryption is not None else self.encrypted,
            encrypted_in_transit=True if self.tls else cluster.network_encrypted,
            images=images,
            endpoints=(
                EndpointFact(
                    name="backup-store",
                    host=self.host,
                    port=self.port,
                    protocol="https" if self.tls else "http",
                    direction="egress",
                    scope=self.scope,
                    why="backups",
                ),
            ),
            backup=BackupFact(
                method=method,
                destination=f"{self.url} {self.named}",
                jurisdiction=self.jurisdiction,
                schedule=self.asked.schedule,
                retention_days=self.asked.retention_days,
                recovery_point_s=recovery_point_s,
            ),
        )

    def open_way(self, parent: SkerryComponent, cluster: Cluster, namespace: str, labels: dict[str, str]) -> None:
        """Let the pods that bear these labels, and no others, reach the bucket."""
        rule: dict[str, Any] = {"ports": [{"port": self.port, "protocol": "TCP"}]}
        if self.cidrs:
            rule["to"] = [{"ipBlock": {"cidr": cidr}} for cidr in self.cidrs]
        NetworkPolicy(
            parent.child_name("way"),
            metadata={
                "name": parent.child_name("way"),
                "namespace": namespace,
                "labels": dict(cluster.labels),
            },
            spec={"podSelector": {"matchLabels": labels}, "policyTypes": ["Egress"], "egress": [rule]},
            opts=parent.child_options(),
        )
