"""Whose law holds where: the country of each cloud region, and the blocs that a boundary may name.

The regions are skerry/data/regions.csv, each with its source. A region without a row has no known country: readers
say so and never guess from its name.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from skerry.errors import UsageError

_TABLE = Path(__file__).resolve().parent / "data" / "regions.csv"
_CODE = re.compile(r"^[A-Z]{2}$")
_AWS_ZONE = re.compile(r"^((?:[a-z]+-){2,3}\d)[a-z]$")
_GCP_ZONE = re.compile(r"^([a-z]+-[a-z]+\d+)-[a-z]$")

# What the nodes of AKS carry as topology.kubernetes.io/zone: Azure itself names zones by their number alone.
_AZURE_ZONE = re.compile(r"^([a-z]+\d?)-[1-9]$")

# Source: food.ec.europa.eu "Approved rabies serology laboratories", EU countries (it writes DA and EL), read 2026-11
_EU: Final = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
# Source: developers.tiktok.com "Supported Countries" (EEA: the EU, Iceland, Liechtenstein, Norway), read 2026-11
_EEA: Final = _EU | {"IS", "LI", "NO"}

BLOCS: Final = {"EU": _EU, "EEA": _EEA}
"""The blocs that a boundary may name, with their members."""

_MISTAKEN: Final = {"UK": "GB", "EL": "GR"}
"""Codes that people and the EU's own style guide write, and the ISO 3166 code that is meant."""


@dataclass(frozen=True, slots=True)
class Region:
    """One region of a cloud."""

    cloud: str
    name: str
    jurisdiction: str
    """ISO 3166 code of the country where it stands."""
    place: str
    source: str
    read_on: str


@cache
def regions() -> tuple[Region, ...]:
    """Return every row of the table."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Region(row["cloud"], row["region"], row["jurisdiction"], row["place"], row["source"], row["read_on"])
            for row in csv.DictReader(file)
        )


@cache
def _by_name() -> dict[tuple[str, str], str]:
    return {(region.cloud, region.name): region.jurisdiction for region in regions()}


def region_of_zone(cloud: str, zone: str) -> str:
    """Return the region that a zone lies in; what is no zone of that cloud's form comes back as it is."""
    form = {"aws": _AWS_ZONE, "gcp": _GCP_ZONE, "azure": _AZURE_ZONE}.get(cloud)
    match = form.match(zone) if form else None
    return match.group(1) if match else zone


def jurisdiction_of(cloud: str, region: str) -> str | None:
    """Return the country of a region, or None where the table has no row; a zone's name is taken as well."""
    name = region.lower().replace(" ", "") if cloud == "azure" else region
    known = _by_name()
    return known.get((cloud, name)) or known.get((cloud, region_of_zone(cloud, name)))


def countries(code: str) -> frozenset[str]:
    """Return the countries that a code stands for: itself, or a bloc's members.

    Raises:
        UsageError: `code` is neither an ISO 3166 code nor a bloc.
    """
    if code in BLOCS:
        return BLOCS[code]
    if code in _MISTAKEN or not _CODE.match(code):
        hint = f"did you mean {_MISTAKEN[code]}" if code in _MISTAKEN else "write a code such as DE"
        raise UsageError(f"'{code}' is neither an ISO 3166 country code nor one of {', '.join(sorted(BLOCS))}: {hint}")
    return frozenset({code})


def inside(code: str, allowed: Iterable[str]) -> bool:
    """Say whether everything that `code` stands for lies within the allowed countries and blocs.

    Raises:
        UsageError: one of the codes is neither a country code nor a bloc.
    """
    permitted: frozenset[str] = frozenset().union(*(countries(one) for one in allowed))
    return countries(code) <= permitted
