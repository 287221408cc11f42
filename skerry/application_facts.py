"""What readers may know of a service, whatever runs it."""

from __future__ import annotations

from skerry.application import Application
from skerry.facts import EndpointFact


def site_endpoints(application: Application) -> list[EndpointFact]:
    """Return the hosts of the private network that a service calls."""
    return [
        EndpointFact(
            name=one.host.replace(".", "-"),
            host=one.host,
            port=one.port,
            protocol="https" if one.port == 443 else "tcp",
            direction="egress",
            scope="site",
            why=f"{application.name} calls it",
        )
        for one in application.spec.site_endpoints
    ]
