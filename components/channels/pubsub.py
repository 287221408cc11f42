"""The pub/sub channel: Valkey in the cluster, or the cloud's managed one.

At most once: a subscriber that is away misses a message. Latency under 1 ms is expected inside one cluster. It carries
broadcasts only, never migration state, which belongs to the workflows.

Valkey alone makes no other member the primary: Kubernetes brings member 0 back, and until then nobody publishes. With
`channels.pubsub_failover` Sentinels beside the members elect another one, and clients ask a Sentinel who it is.
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
    hosts_of,
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
SENTINEL_PORT = 26379
"""Source: valkey-io/valkey sentinel.conf, read 2026-11."""

SENTINEL_NAME = "broadcasts"
"""What Sentinels call the primary. Ray wants that there is one only (src/ray/gcs/store_client/redis_context.cc)."""

DOWN_MS, FAILOVER_MS = 5_000, 30_000
"""After how long a primary that is silent counts as lost, and how long an election may take."""

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
    sentinel: str | None = None
    """What Sentinels call the primary, where its address is that of Sentinels; None where it is the primary's own."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        channels: ChannelsSpec,
        memory: str = "2Gi",
        purpose: str = "pub/sub channel",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the channel, or take the managed one.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the channels.
            channels: who runs it, and its members.
            memory: of a member in the cluster, in Kubernetes' form.
            purpose: what its images are for, as people read it.
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
        image = cluster.catalog.image("valkey", cluster.target, purpose)
        exporter = cluster.catalog.image("valkey-exporter", cluster.target, f"metrics of the {purpose}")
        super().__init__(name, _facts(cluster, channels, (image, exporter)), opts)
        self.scheme = "redis"
        workload = _members(cluster, namespace, channels, (image, exporter), memory)
        stateful_set(self, "set", cluster, workload, storage_gib=VOLUME_GIB, mount="/data")
        # Writers need the primary, which is member 0 or the one that Sentinels name; the Service leads to any member.
        service(self, "service", cluster, workload)
        endpoint, port = hosts_of("valkey", namespace, 1)[0], PORT
        if channels.pubsub_failover:
            endpoint, port, self.sentinel = host_name("valkey", namespace), SENTINEL_PORT, SENTINEL_NAME
        self.finish(
            endpoint=endpoint,
            port=port,
            secret_ref=AUTH_SECRET,
            metrics_endpoint=f"http://{host_name('valkey', namespace)}:{METRICS_PORT}/metrics",
        )


_START = (
    'set -- valkey-server --dir /data --appendonly yes --requirepass "$PASSWORD" --masterauth "$PASSWORD"; '
    'if [ "${HOSTNAME##*-}" != 0 ]; then set -- "$@" --replicaof valkey-0.valkey-headless 6379; fi; exec "$@"'
)
"""Member 0 is the primary and the others follow; when its node is lost Kubernetes moves it, and broadcasts pause."""


_OWN = (
    'domain="valkey-headless.$NAMESPACE.svc.cluster.local"; own="$HOSTNAME.$domain"; '
    'primary="$(valkey-cli -h "valkey.$NAMESPACE.svc.cluster.local" -p 26379 -a "$PASSWORD" --no-auth-warning '
    f'SENTINEL GET-PRIMARY-ADDR-BY-NAME {SENTINEL_NAME} 2>/dev/null | head -n 1)"; '
    # No answer, or an error, while no Sentinel knows better: then it is the first member.
    'case "$primary" in valkey-*.$domain) ;; *) primary="valkey-0.$domain" ;; esac; '
)
"""Who the primary is, as Sentinels of other members know it.

Source: valkey-io/valkey src/commands/sentinel-get-primary-addr-by-name.json, read 2026-11.
"""

_START_FOLLOWING = (
    _OWN + 'set -- valkey-server --dir /data --appendonly yes --requirepass "$PASSWORD" --primaryauth "$PASSWORD" '
    '--replica-announce-ip "$own"; '
    'if [ "$primary" != "$own" ]; then set -- "$@" --replicaof "$primary" 6379; fi; exec "$@"'
)

_START_SENTINEL = (
    _OWN + "umask 077; { "
    f"echo port {SENTINEL_PORT}; echo sentinel resolve-hostnames yes; echo sentinel announce-hostnames yes; "
    'echo "sentinel announce-ip $own"; '
    # The same name after each start, or the others would count it twice.
    'echo "sentinel myid $(printf %s "$own" | sha1sum | cut -c1-40)"; '
    'echo "requirepass $PASSWORD"; echo "sentinel sentinel-pass $PASSWORD"; '
    f'echo "sentinel monitor {SENTINEL_NAME} $primary {PORT} $QUORUM"; '
    f'echo "sentinel auth-pass {SENTINEL_NAME} $PASSWORD"; '
    f"echo sentinel down-after-milliseconds {SENTINEL_NAME} {DOWN_MS}; "
    f"echo sentinel failover-timeout {SENTINEL_NAME} {FAILOVER_MS}; "
    "} > /sentinel/sentinel.conf; exec valkey-server /sentinel/sentinel.conf --sentinel"
)
"""Source: valkey-io/valkey sentinel.conf (hostnames, passwords), read 2026-11; tried with Valkey 9.1.2."""


def _sentinel(channels: ChannelsSpec, image: ImageFact, secret: SecretKey) -> Container:
    return Container(
        name="sentinel",
        image=image,
        cpu="50m",
        memory="64Mi",
        user=999,
        command=("/bin/sh", "-c"),
        args=(_START_SENTINEL,),
        env={"PASSWORD": secret, "QUORUM": str(channels.pubsub_replicas // 2 + 1)},
        fields={"NAMESPACE": "metadata.namespace", "HOSTNAME": "metadata.name"},
        ports={"sentinel": SENTINEL_PORT},
        readiness=tcp_probe("sentinel", periodSeconds=5),
        liveness=tcp_probe("sentinel", periodSeconds=20),
        mounts={"tmp": "/tmp", "sentinel": "/sentinel"},
    )


def _facts(cluster: Cluster, channels: ChannelsSpec, images: tuple[ImageFact, ...]) -> ComponentFacts:
    return store_facts(
        cluster,
        tier=Tier.CHANNELS,
        role="pubsub",
        images=images,
        ports={"valkey": PORT, "metrics": METRICS_PORT}
        | ({"sentinel": SENTINEL_PORT} if channels.pubsub_failover else {}),
        replicas=channels.pubsub_replicas,
        gib=VOLUME_GIB,
        # One primary that others follow: members do not vote, but Sentinels do.
        quorum=channels.pubsub_failover,
        guarantee="at-most-once",
    )


def _members(
    cluster: Cluster, namespace: str, channels: ChannelsSpec, images: tuple[ImageFact, ImageFact], memory: str
) -> Workload:
    image, exporter = images
    secret = SecretKey(AUTH_SECRET, "password")
    elects = channels.pubsub_failover
    return Workload(
        name="valkey",
        namespace=namespace,
        placement=cluster.placements[Tier.CHANNELS],
        replicas=channels.pubsub_replicas,
        fs_group=999,
        empty_dirs=("tmp", "sentinel") if elects else ("tmp",),
        containers=(
            Container(
                name="valkey",
                image=image,
                cpu="500m",
                memory=memory,
                user=999,
                command=("/bin/sh", "-c"),
                args=(_START_FOLLOWING if elects else _START,),
                env={"PASSWORD": secret},
                fields={"NAMESPACE": "metadata.namespace", "HOSTNAME": "metadata.name"} if elects else {},
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
            *((_sentinel(channels, image, secret),) if elects else ()),
        ),
    )
