"""Two machines that share one platform: groups of services, each with its part of the GPU."""

from __future__ import annotations

from skerry.config.words import DnsLabel, Spec


class DualHostSpec(Spec):
    """The platform on two machines."""

    main: DnsLabel
    """The machine with the larger GPU."""
    second: DnsLabel
    """The other machine."""
