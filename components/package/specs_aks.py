"""What a user can say about an AKS cluster, as every Pulumi language writes it: see specs_target.py."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from skerry.config.aks import Weekday


class Aks(TypedDict):
    """What only AKS needs; left out, Azure changes the cluster on Sundays."""

    upgrade_day: NotRequired[Weekday]
    """The day on which Azure brings patches and images of machines."""
    upgrade_hour_utc: NotRequired[int]
    """The hour at which it begins."""
    upgrade_hours: NotRequired[int]
    """How many hours it has; what is not done then waits a week."""
    identity_cidrs: NotRequired[Sequence[str]]
    """Address ranges of Entra, which pods reach to get their identity; left out, those that Microsoft publishes."""
