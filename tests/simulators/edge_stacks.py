"""Deployments with the server side of edge mode: one of each kind of target, none of which is shipped."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

EDGE: Final[Mapping[str, Any]] = {
    "domain": "edge.customer.example",
    "sync": {"image": "registry.vendor.example/sensei/sync:1.0.0"},
    "devices": 2000,
    "device": {"model_bytes": 700_000_000, "knowledge_bytes": 150_000_000, "bytes_per_day": 2_000_000},
    "jurisdictions": ["DE"],
    "authority_secret": "devices-ca",
    "revocation_secret": "devices-crl",
    "tls_secret": "edge-tls",
}
"""Devices of one customer in one country."""


def edge(**changes: Any) -> dict[str, Any]:
    """Return the part of a configuration with some fields changed: names joined by `__` -> value, None to leave out."""
    found = copy.deepcopy(dict(EDGE))
    for name, value in changes.items():
        *above, last = name.split("__")
        where = found
        for part in above:
            where = where.setdefault(part, {})
        if value is None:
            where.pop(last, None)
        else:
            where[last] = value
    return found


EDGED: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "own machines: beside the gateway of the user interfaces, watched": (
        "sensei-private-onprem",
        {
            "edge": edge(tls_secret=None),
            "services.gateway": {"domain": "sensei.customer.example", "routes": ["temporal-ui"]},
            "services.certificates": {},
            "services.monitoring": {},
        },
    ),
    "an air-gapped site: proxies of its own, devices on its network, a certificate for each fleet": (
        "sensei-airgapped",
        {
            "edge": edge(certificates="fleet", certificate_days=45, revocation_secret=None),
            "services": {},
        },
    ),
    "AWS: devices on the internet, what the cloud runs": (
        "sensei-saas-aws",
        {
            "edge": edge(exposure="internet", jurisdictions=["US"], proxies=3),
            "services": {},
        },
    ),
}
"""Sentence -> the shipped stack, and what is other than in its file."""
