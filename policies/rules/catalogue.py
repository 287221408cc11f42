"""Every rule, written out in the order in which reports show them, and the ids that are never given again."""

from __future__ import annotations

from typing import Final

from policies.rules import (
    access,
    aws_services,
    budget,
    data_routes,
    edge,
    encryption,
    entrances,
    gpu,
    hosts,
    hybrid,
    network,
    reliability,
    residency,
    shared_logins,
    supply_chain,
)
from policies.verdict import Rule

ALL_RULES: Final[tuple[Rule, ...]] = (
    *residency.RULES,
    *edge.RESIDENCY,
    *hosts.RESIDENCY,
    *network.RULES,
    *data_routes.RULES,
    *hybrid.RULES,
    *edge.RULES,
    *access.RULES,
    *entrances.ACCESS,
    *shared_logins.RULES,
    *encryption.RULES,
    *entrances.ENCRYPTION,
    *supply_chain.RULES,
    *reliability.RULES,
    *aws_services.RELIABILITY,
    *gpu.RULES,
    *hosts.RULES,
    *budget.RULES,
)
"""Every rule that is run."""

RETIRED: Final[dict[str, str]] = {}
"""Ids that no rule bears any more -> why; a waiver that names one is told so."""

FAMILIES: Final = {
    "RES": "Residency",
    "NET": "Network and air gap",
    "HYB": "Hybrid",
    "EDG": "Edge",
    "ACC": "Access",
    "ENC": "Encryption",
    "SUP": "Supply chain",
    "REL": "Reliability",
    "GPU": "GPUs",
    "HST": "Hosts",
    "BUD": "Budget",
    "WAV": "Waivers",
}
"""The three letters of an id -> the heading of its group."""
