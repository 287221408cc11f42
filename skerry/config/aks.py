"""What a user can say about an AKS cluster beyond its version: when Azure changes it, and where Entra answers."""

from __future__ import annotations

from enum import Enum
from typing import Final

from pydantic import Field

from skerry.config.words import Spec

ENTRA_CIDRS: Final = ("20.20.32.0/19", "20.190.128.0/18", "20.231.128.0/19", "40.126.0.0/18")
"""Where Entra answers. Source: Microsoft 365 "URLs and IP address ranges", row 56, read 2026-11 as others quote it."""


class Weekday(str, Enum):
    """A day of the week, as Azure calls it."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


class AksSpec(Spec):
    """What only AKS needs; left out, Azure changes the cluster on Sundays."""

    upgrade_day: Weekday = Weekday.SUNDAY
    """The day on which Azure brings patches and images of machines."""
    upgrade_hour_utc: int = Field(default=1, ge=0, le=23)
    """The hour at which it begins."""
    upgrade_hours: int = Field(default=6, ge=4, le=24)
    """How many hours it has; what is not done then waits a week."""
    identity_cidrs: tuple[str, ...] = Field(default=ENTRA_CIDRS, min_length=1, max_length=32)
    """Address ranges of Entra, which pods reach to get their identity; left out, those that Microsoft publishes."""
