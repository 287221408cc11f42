"""A model that a service finds on a volume instead of fetching it from the internet."""

from __future__ import annotations

from pydantic import Field

from skerry.config.words import CatalogName, DnsLabel, Spec


class CarriedModelSpec(Spec):
    """Weights that are carried to where the service runs."""

    name: CatalogName
    """The row of images/models.yaml; `skerry bundle` carries it."""
    claim: DnsLabel
    """The volume claim beside the service that somebody has put its files into, in a folder of that name."""
    path: str = Field(default="/models", pattern=r"^/[A-Za-z0-9/_.-]+$", max_length=200)
    """Where it is mounted, read only."""
