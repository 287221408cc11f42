"""Where the hosts of the edge have machines, and what of them a cache gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from skerry.config.agentdb import AgentDbSpec
from skerry.config.hybrid_edge import EdgeCacheSpec, EdgeHost
from skerry.service_catalog import load_services

FUNCTIONS: Final = (EdgeHost.VERCEL, EdgeHost.NETLIFY, EdgeHost.CLOUDFLARE)
"""Hosts that run functions; the others run the image."""

OF_ONE_PLACE: Final = (EdgeHost.CLOUDFLARE, EdgeHost.RENDER, EdgeHost.NETLIFY)
"""Hosts where a name leads to one place: Regional Services bind a name to one region, and Render a service.

A function of Netlify is deployed to one region.
"""

MAXIMUM: Final = 2

# Source: fly.io docs, "Regions" at superfly/docs 0007f663, read 2026-11
_FLY: Final = {
    "ams": "NL", "cdg": "FR", "dfw": "US", "ewr": "US", "fra": "DE", "gru": "BR", "hkg": "HK", "iad": "US",
    "lax": "US", "lhr": "GB", "maa": "IN", "mad": "ES", "mia": "US", "nrt": "JP", "ord": "US", "scl": "CL",
    "sea": "US", "sin": "SG", "sjc": "US", "syd": "AU", "yul": "CA", "yyz": "CA",
}  # fmt: skip

# Source: vercel.com/docs/edge-network/regions, table of regions, read 2026-11
_VERCEL: Final = {
    "arn1": "SE", "bom1": "IN", "cdg1": "FR", "cle1": "US", "cpt1": "ZA", "dub1": "IE", "fra1": "DE", "gru1": "BR",
    "hkg1": "HK", "hnd1": "JP", "iad1": "US", "icn1": "KR", "kix1": "JP", "lhr1": "GB", "pdx1": "US", "sfo1": "US",
    "sin1": "SG", "syd1": "AU",
}  # fmt: skip

# Source: developers.cloudflare.com/data-localization/region-support, Regional Services, read 2026-11; keys of the
# regional hostnames API ("us", "eu", "ca") of the same documentation. `eu` stands for every member of the EU.
_CLOUDFLARE: Final = {"us": "US", "eu": "EU", "ca": "CA"}

# Source: docs.railway.com, "railway scale" (us-west2, us-east4, europe-west4, asia-southeast1), read 2026-11; the
# identifiers with an ending and the countries (not opened; check before relying on it)
_RAILWAY: Final = {
    "us-west2": "US",
    "us-east4-eqdc4a": "US",
    "europe-west4-drams3a": "NL",
    "asia-southeast1-eqsg3a": "SG",
}

# Source: render.com/docs/blueprint-spec, `region` (frankfurt, oregon), read 2026-11; the other three (not opened; check
# before relying on it)
_RENDER: Final = {"oregon": "US", "ohio": "US", "virginia": "US", "frankfurt": "DE", "singapore": "SG"}

# Source: npm @netlify/types 2.8.0, FunctionRegion (airport codes), read 2026-11
_NETLIFY: Final = {
    "cmh": "US", "dub": "IE", "fra": "DE", "gru": "BR", "iad": "US", "lhr": "GB", "nrt": "JP", "pdx": "US", "sfo": "US",
    "sin": "SG", "syd": "AU", "yul": "CA",
}  # fmt: skip

_PLACES: Final[Mapping[EdgeHost, Mapping[str, str]]] = {
    EdgeHost.FLY: _FLY,
    EdgeHost.VERCEL: _VERCEL,
    EdgeHost.NETLIFY: _NETLIFY,
    EdgeHost.CLOUDFLARE: _CLOUDFLARE,
    EdgeHost.RAILWAY: _RAILWAY,
    EdgeHost.RENDER: _RENDER,
}

_PLANS: Final = ((512, "starter"), (2_048, "standard"), (4_096, "pro"))
"""Memory of an instance in MiB -> Render's name of it.

Source: public summary of render.com/pricing, which has starter with 512 MB (api-evangelist/render), read 2026-11; the
two larger (not opened; check before relying on it).
"""


def places_of(host: EdgeHost) -> Mapping[str, str]:
    """Return the places of a host whose country is known: its own word -> ISO 3166 code, or a bloc."""
    return _PLACES[host]


def country_of_place(cache: EdgeCacheSpec, place: str) -> str | None:
    """Return the country of a place, or None where neither Skerry nor the configuration says it."""
    return places_of(cache.runs_on).get(place, cache.countries.get(place))


def ordered(cache: EdgeCacheSpec) -> dict[str, str]:
    """Return the places with the regions that they read, the primary one first.

    The order in which they are written says nothing: Pulumi's command sorts what it hands over.
    """
    first = cache.primary if cache.primary in cache.reads else None
    return {place: cache.reads[place] for place in sorted(cache.reads, key=lambda one: (one != first, one))}


def bounds_of(cache: EdgeCacheSpec) -> tuple[int, int]:
    """Return how many run in a place, at least and at most; what a host that runs functions has is its own."""
    fewest = 1 if cache.runs_on is EdgeHost.RENDER else 0
    low = fewest if cache.minimum is None else cache.minimum
    return low, max(MAXIMUM, low) if cache.maximum is None else cache.maximum


def memory_of(agentdb: AgentDbSpec) -> int:
    """Return the memory of a cache in MiB: what is asked for, or the service's.

    Raises:
        CatalogError: images/services.yaml has no row of it.
    """
    return agentdb.memory_mib or load_services()["agentdb"].definition.memory_mib


def render_plan(memory_mib: int) -> str | None:
    """Return the smallest of Render's plans with that memory, or None where none has it."""
    return next((name for most, name in _PLANS if memory_mib <= most), None)
