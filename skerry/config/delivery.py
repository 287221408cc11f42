"""How a new version of a service takes the place of the one that is called."""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from skerry.config.words import Spec


class Strategy(str, Enum):
    """What becomes of callers while two versions are there."""

    ROLLING = "rolling"
    """Replicas are exchanged one after another, and callers meet both versions meanwhile."""
    BLUE_GREEN = "blue-green"
    """The new version stands beside the old until all callers are sent to it at once."""
    CANARY = "canary"
    """A share of callers meets the new version first."""


class DeliverySpec(Spec):
    """How a new version comes in; a change of the image is one, and so is a change of what it is told."""

    strategy: Strategy = Strategy.ROLLING
    """What becomes of callers meanwhile."""
    percent: int | None = Field(default=None, ge=1, le=99)
    """Of `canary`: the share of callers that meets the new version."""
    watch_minutes: int = Field(default=60, ge=0, le=1440)
    """On ECS, which goes on by itself: how long both are watched before the rest follows and the old one goes."""
    stable: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")
    """Elsewhere: the version that keeps the other callers: Lambda's number of it, or the name of a revision."""
