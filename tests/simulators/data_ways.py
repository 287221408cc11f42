"""Databases of a customer on each cloud: two in a network to peer with, one behind a private link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_AZURE: Final = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acme/providers"
_PEERS: Final = {
    "aws": "vpc-0123456789abcdef0",
    "gcp": "projects/acme-data/global/networks/data",
    "azure": f"{_AZURE}/Microsoft.Network/virtualNetworks/data",
}
_SERVICES: Final = {
    "aws": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
    "gcp": "projects/acme-data/regions/europe-west3/serviceAttachments/lake",
    "azure": f"{_AZURE}/Microsoft.DBforPostgreSQL/flexibleServers/lake",
}
_ADDRESSES: Final = {
    "aws": ["10.20.31.250/32", "10.20.63.250/32"],
    "gcp": ["10.20.148.200/32"],
    "azure": ["10.20.5.20/32"],
}
"""Free addresses of the shipped stacks' own networks."""


def _ways(cloud: str) -> dict[str, Any]:
    peered = {
        "side": "source", "engine": "oracle", "jurisdiction": "DE", "route": "peering", "peer": _PEERS[cloud],
        "host": "orders.acme.example",
    }  # fmt: skip
    linked = {
        "name": "lake", "side": "target", "engine": "postgresql", "host": "lake.acme.example", "jurisdiction": "DE",
        "cidrs": _ADDRESSES[cloud], "route": "private-link", "service": _SERVICES[cloud],
    }  # fmt: skip
    if cloud == "azure":
        linked["service_group"] = "postgresqlServer"
    rows = [
        {**peered, "name": "orders", "cidrs": ["10.200.0.0/24"]},
        {**peered, "name": "billing", "cidrs": ["10.200.0.0/24", "10.200.1.0/24"]},
        linked,
    ]
    return {"execution.data_endpoints": rows}


WAYS: Final[Mapping[str, Mapping[str, Any]]] = {cloud: _ways(cloud) for cloud in _PEERS}
"""Cloud -> what is other than in its shipped base stack."""
