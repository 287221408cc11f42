"""What every store in the cluster says about itself."""

from __future__ import annotations

from collections.abc import Mapping

from components.kubernetes.cluster import Cluster
from skerry.facts import ComponentFacts, ImageFact, StorageFact, Tier


def store_facts(
    cluster: Cluster,
    *,
    role: str,
    images: tuple[ImageFact, ...],
    ports: Mapping[str, int],
    replicas: int,
    gib: float,
    quorum: bool,
    tier: Tier = Tier.META,
    guarantee: str | None = None,
    kind: str = "volume",
    copies: int | None = None,
) -> ComponentFacts:
    """Return the facts of a store whose members have volumes of the cluster's class.

    Args:
        cluster: where it runs; says which data it holds and whether disk and network encrypt.
        role: the field's word for it.
        images: what its pods run.
        ports: what it listens on.
        replicas: its members.
        gib: GiB of one copy.
        quorum: whether a majority of members must live.
        tier: whose it is.
        guarantee: of a channel.
        kind: `volume` or `bucket`.
        copies: how often the data are kept; one a member unless said otherwise.
    """
    storage = StorageFact(
        kind=kind,
        gib=gib,
        copies=replicas if copies is None else copies,
        storage_class=cluster.storage_class or "",
    )
    return ComponentFacts(
        tier=tier,
        data_class=cluster.data_class,
        role=role,
        stateful=True,
        replicas=replicas,
        failure_domains=cluster.failure_domains,
        quorum=quorum,
        encrypted_at_rest=cluster.storage_encrypted,
        encrypted_in_transit=cluster.network_encrypted,
        guarantee=guarantee,
        images=images,
        ports=dict(ports),
        storage=(storage,),
    )
