"""The pub/sub channel: Valkey in the cluster, or the cloud's managed one.

At most once: a subscriber that is away misses a message. Latency under 1 ms is expected inside one cluster. It carries
broadcasts only, never migration state, which belongs to the workflows.
"""

from __future__ import annotations

from typing import Protocol

import pulumi

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster, ServiceAddress
from components.kubernetes.workload import (
    Container,
    SecretKey,
    Workload,
    host_name,
    service,
    stateful_set,
    tcp_probe,
)
from components.stores.facts import store_facts
from skerry.config.spec import ChannelsSpec, PubSubKind
from skerry.facts import ComponentFacts, ImageFact, Tier

AUTH_SECRET = "valkey-auth"
"""The Kubernetes Secret (key `password`) that the site makes in each namespace that talks to Valkey."""

PORT, METRICS_PORT = 6379, 9121
VOLUME_GIB = 10


class Broadcasts(ServiceAddress, Protocol):
    """A Redis or Valkey, whoever runs it."""

    @property
    def scheme(self) -> pulumi.Input[str]:
        """`redis`, or `rediss` where it speaks TLS."""


class PubSub(SkerryComponent):
    """Broadcasts between the tiers, and head state of Ray."""

    scheme: str
    """`redis`, or `rediss` where it speaks TLS."""
    authority: str | None = None
    """Key of its Secret with the certificate of the authority that vouches for it; None where clients know that one."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        channels: ChannelsSpec,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the channel, or take the managed one.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the channels.
            channels: who runs it, and its members.
            opts: Pulumi's options.
        """
        managed = cluster.pubsub if channels.pubsub is not PubSubKind.VALKEY else None
        if managed is not None:
            facts = ComponentFacts(
                tier=Tier.CHANNELS, role="pubsub-client", guarantee="at-most-once", encrypted_in_transit=True
            )
            super().__init__(name, facts, opts)
            self.scheme, self.authority = "rediss", managed.authority
            self.finish(
                endpoint=managed.endpoint, port=managed.port, secret_ref=managed.secret_ref, metrics_endpoint=None
            )
            return
        image = cluster.catalog.image("valkey", cluster.target, "pub/sub channel")
        exporter = cluster.catalog.image("valkey-exporter", cluster.target, "metrics of the pub/sub channel")
        super().__init__(name, _facts(cluster, channels, (image, exporter)), opts)
        self.scheme = "redis"
        workload = _members(cluster, namespace, channels, image, exporter)
        stateful_set(self, "set", cluster, workload, storage_gib=VOLUME_GIB, mount="/data")
        # Writers need the primary, which is always member 0; the Service is for readers and metrics.
        service(self, "service", cluster, workload)
        primary = f"valkey-0.valkey-headless.{namespace}.svc.cluster.local"
        self.finish(
            endpoint=primary,
            port=PORT,
            secret_ref=AUTH_SECRET,
            metrics_endpoint=f"http://{host_name('valkey', namespace)}:{METRICS_PORT}/metrics",
        )


_START = (
    'set -- valkey-server --dir /data --appendonly yes --requirepass "$PASSWORD" --masterauth "$PASSWORD"; '
    'if [ "${HOSTNAME##*-}" != 0 ]; then set -- "$@" --replicaof valkey-0.valkey-headless 6379; fi; exec "$@"'
)
"""Member 0 is the primary and the others follow; when its node is lost Kubernetes moves it, and broadcasts pause."""


def _facts(cluster: Cluster, channels: ChannelsSpec, images: tuple[ImageFact, ...]) -> ComponentFacts:
    return store_facts(
        cluster,
        tier=Tier.CHANNELS,
        role="pubsub",
        images=images,
        ports={"valkey": PORT, "metrics": METRICS_PORT},
        replicas=channels.pubsub_replicas,
        gib=VOLUME_GIB,
        # One primary that others follow: members do not vote.
        quorum=False,
        guarantee="at-most-once",
    )


def _members(
    cluster: Cluster, namespace: str, channels: ChannelsSpec, image: ImageFact, exporter: ImageFact
) -> Workload:
    secret = SecretKey(AUTH_SECRET, "password")
    return Workload(
        name="valkey",
        namespace=namespace,
        placement=cluster.placements[Tier.CHANNELS],
        replicas=channels.pubsub_replicas,
        fs_group=999,
        containers=(
            Container(
                name="valkey",
                image=image,
                cpu="500m",
                memory="2Gi",
                user=999,
                command=("/bin/sh", "-c"),
                args=(_START,),
                env={"PASSWORD": secret},
                ports={"valkey": PORT},
                readiness=tcp_probe("valkey", periodSeconds=5),
                liveness=tcp_probe("valkey", periodSeconds=20),
                mounts={"tmp": "/tmp"},
            ),
            Container(
                name="exporter",
                image=exporter,
                cpu="50m",
                memory="64Mi",
                env={"REDIS_ADDR": f"redis://localhost:{PORT}", "REDIS_PASSWORD": secret},
                ports={"metrics": METRICS_PORT},
            ),
        ),
    )
