"""The fields of `skerry.config.delivery` and `carried_model` as every Pulumi language writes them, word for word.

As specs_applications.py: a test holds names, types and descriptions equal to the spec, which checks the values.
"""

from typing import NotRequired, TypedDict

from skerry.config.delivery import Strategy


class Delivery(TypedDict):
    """How a new version comes in; a change of the image is one, and so is a change of what it is told."""

    strategy: NotRequired[Strategy]
    """What becomes of callers meanwhile."""
    percent: NotRequired[int]
    """Of `canary`: the share of callers that meets the new version."""
    watch_minutes: NotRequired[int]
    """On ECS, which goes on by itself: how long both are watched before the rest follows and the old one goes."""
    stable: NotRequired[str]
    """Elsewhere: the version that keeps the other callers: Lambda's number of it, or the name of a revision."""


class CarriedModel(TypedDict):
    """Weights that are carried to where the service runs."""

    name: str
    """The row of images/models.yaml; `skerry bundle` carries it."""
    claim: str
    """The volume claim beside the service that somebody has put its files into, in a folder of that name."""
    path: NotRequired[str]
    """Where it is mounted, read only."""
