"""What the channels between the tiers must be to each other."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.config.spec import DeploymentSpec
from skerry.errors import Problem


def channel_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about the channels of a deployment."""
    channels = spec.channels
    if not channels.pubsub_failover:
        return
    if channels.pubsub_replicas < 3 or channels.pubsub_replicas % 2 == 0:
        yield Problem(
            "channels.pubsub_replicas",
            f"is {channels.pubsub_replicas}, but Sentinels elect a primary by majority",
            "use 3, 5, 7 or 9",
        )
