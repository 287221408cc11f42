"""What caches at the edge must be: hosts that can do it, places of a known country, regions that are described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from skerry.config.agentdb import AgentDbSpec
from skerry.config.hybrid_edge import EdgeCacheSpec, EdgeHost, EdgeLayer
from skerry.config.spec import DeploymentSpec
from skerry.errors import Problem
from skerry.systems.edge_places import (
    FUNCTIONS,
    OF_ONE_PLACE,
    bounds_of,
    country_of_place,
    memory_of,
    places_of,
    render_plan,
)

PATH: Final = "agentdb.hybrid_edge"

FLY_STEP_MIB: Final = 256
FLY_MOST_MIB: Final = 16_384
"""Of machines whose CPUs are shared: eight of them have 2 GB each at most.

Source: fly.io docs, "App configuration (fly.toml)" at superfly/docs fafeeb82, read 2026-11; the bounds are those of
`shared-cpu-8x` (not opened; check before relying on it).
"""

VERCEL_STEP_MIB: Final = 64
VERCEL_MIB: Final = (128, 3_008)
"""Source: vercel.com/docs/configuration, "functions" (memory, in intervals of 64), read 2026-11."""


NETLIFY_MIB: Final = (1_024, 4_096)
"""The least is the default; the most that of two virtual CPUs, half of which has 1,024.

Source: docs.netlify.com/build/functions/configuration and npm @netlify/functions 5.3.0 (0.5 to 2 vCPU), read 2026-11;
that memory goes with CPU so is not said there (check before relying on it).
"""

NETLIFY_LONGEST_S: Final = 60
"""Source: docs.netlify.com/build/functions/configuration, read 2026-11."""


def edge_layer_problems(spec: DeploymentSpec, agentdb: AgentDbSpec) -> Iterator[Problem]:
    """Return what cannot be about the caches of a stack.

    Args:
        spec: the deployment.
        agentdb: its configuration.
    """
    layers = agentdb.hybrid_edge
    if layers is None:
        return
    if layers.layer is not EdgeLayer.EDGE:
        for field, given in (("regions", layers.regions), ("caches", layers.caches)):
            if given:
                yield Problem(f"{PATH}.{field}", f"has no meaning in layer {layers.layer.value}", "remove it")
        return
    for field, given in (("regions", layers.regions), ("caches", layers.caches)):
        if not given:
            yield Problem(f"{PATH}.{field}", "is empty, and the edge reads from regions by caches", "describe them")
    if agentdb.bucket is not None:
        yield Problem("agentdb.bucket", "is of the regions: the edge only reads", "remove it")
    if spec.machines is not None:
        yield Problem("machines", "has no meaning in layer edge, which runs on machines of its hosts", "remove it")
    names: dict[str, str] = {}
    for name, cache in layers.caches.items():
        path = f"{PATH}.caches.{name}"
        if cache.host in names:
            text = f"'{cache.host}' is that of '{names[cache.host]}' too"
            yield Problem(f"{path}.host", text, "give each cache a name of its own")
        names[cache.host] = name
        yield from _places(path, cache, tuple(layers.regions))
        yield from _scale(path, cache)
        yield from _bundle(path, cache)
        yield from _memory(cache, agentdb)
        if cache.runs_on is EdgeHost.NETLIFY and agentdb.longest_request_s > NETLIFY_LONGEST_S:
            text = f"{agentdb.longest_request_s} s is more than a function of Netlify runs, {NETLIFY_LONGEST_S} s"
            yield Problem("agentdb.longest_request_s", text, "use less, or another host")


def _places(path: str, cache: EdgeCacheSpec, regions: tuple[str, ...]) -> Iterator[Problem]:
    described = ", ".join(regions) or "none"
    wanted = {f"{path}.reads.{place}": region for place, region in cache.reads.items()}
    if cache.writes_to is not None:
        wanted[f"{path}.writes_to"] = cache.writes_to
    for where, region in wanted.items():
        if region not in regions:
            yield Problem(where, f"'{region}' is no region of {PATH}.regions ({described})", "name one of them")
    if cache.runs_on in OF_ONE_PLACE and len(cache.reads) > 1:
        text = f"has {len(cache.reads)} places, and a name of {cache.runs_on.value} leads to one"
        yield Problem(f"{path}.reads", text, "make a cache of each place")
    if cache.primary is None and len(cache.reads) > 1 and cache.runs_on not in OF_ONE_PLACE:
        text = f"is required of {len(cache.reads)} places"
        yield Problem(f"{path}.primary", text, f"name one of {', '.join(sorted(cache.reads))}")
    elif cache.primary is not None and cache.primary not in cache.reads:
        text = f"'{cache.primary}' is no place of `reads`"
        yield Problem(f"{path}.primary", text, f"name one of {', '.join(sorted(cache.reads))}")
    known = places_of(cache.runs_on)
    for place in cache.reads:
        stated, told = cache.countries.get(place), known.get(place)
        if country_of_place(cache, place) is None:
            text = f"nobody knows in which country '{place}' of {cache.runs_on.value} is"
            yield Problem(f"{path}.reads.{place}", text, f"say it in countries, or use one of {', '.join(known)}")
        elif stated is not None and told is not None and stated != told:
            text = f"'{stated}' is not the '{told}' where {cache.runs_on.value} has '{place}'"
            yield Problem(f"{path}.countries.{place}", text, "remove it")
    for place in set(cache.countries) - set(cache.reads):
        yield Problem(f"{path}.countries.{place}", "is no place of `reads`", "remove it")


def _scale(path: str, cache: EdgeCacheSpec) -> Iterator[Problem]:
    host = cache.runs_on
    if host in FUNCTIONS:
        for field, given in (("minimum", cache.minimum), ("maximum", cache.maximum)):
            if given is not None:
                text = f"has no meaning on {host.value}, which starts functions as they are called"
                yield Problem(f"{path}.{field}", text, "remove it")
        return
    low, high = bounds_of(cache)
    if low > high:
        yield Problem(f"{path}.minimum", f"{low} is more than the maximum {high}", "lower it, or raise the maximum")
    if host is EdgeHost.FLY and 0 < low < high and len(cache.reads) > 1:
        text = f"is {low}, and Fly.io keeps a minimum in the primary one of {len(cache.reads)} places alone"
        yield Problem(f"{path}.minimum", text, "use 0 or the maximum, or make a cache of each place")
    if host is EdgeHost.RENDER and low == 0:
        yield Problem(f"{path}.minimum", "is 0, and Render scales to no less than one instance", "use 1 or more")
    if host is EdgeHost.RAILWAY and low not in (0, high):
        text = f"{low} is neither 0 nor the maximum {high}: Railway runs a fixed number, which may sleep"
        yield Problem(f"{path}.minimum", text, "use 0 (asleep without traffic) or the maximum")


def _bundle(path: str, cache: EdgeCacheSpec) -> Iterator[Problem]:
    host = cache.runs_on
    if cache.bundle is not None and host not in FUNCTIONS:
        yield Problem(f"{path}.bundle", f"has no meaning on {host.value}, which runs the image", "remove it")
    if cache.bundle is None and host in (EdgeHost.VERCEL, EdgeHost.NETLIFY):
        text = f"is required on {host.value}, which runs functions and no image"
        yield Problem(f"{path}.bundle", text, "name the module that answers, such as api/index.mjs")
    if cache.registry_login is not None and host is not EdgeHost.RENDER:
        yield Problem(f"{path}.registry_login", f"has no meaning on {host.value}", "log in by the host's own command")


def _memory(cache: EdgeCacheSpec, agentdb: AgentDbSpec) -> Iterator[Problem]:
    size, where = memory_of(agentdb), "agentdb.memory_mib"
    match cache.runs_on:
        case EdgeHost.FLY if size % FLY_STEP_MIB or size > FLY_MOST_MIB:
            text = f"{size} MiB is not what a machine of Fly.io has: {FLY_STEP_MIB} to {FLY_MOST_MIB} in steps of 256"
            yield Problem(where, text, "use such a size")
        case EdgeHost.VERCEL if size % VERCEL_STEP_MIB or not VERCEL_MIB[0] <= size <= VERCEL_MIB[1]:
            text = f"{size} MiB is not what a function of Vercel has: {VERCEL_MIB[0]} to {VERCEL_MIB[1]} in steps of 64"
            yield Problem(where, text, "use such a size")
        case EdgeHost.NETLIFY if not NETLIFY_MIB[0] <= size <= NETLIFY_MIB[1]:
            text = f"{size} MiB is not what a function of Netlify has: {NETLIFY_MIB[0]} to {NETLIFY_MIB[1]}"
            yield Problem(where, text, "use such a size")
        case EdgeHost.RENDER if render_plan(size) is None:
            yield Problem(where, f"{size} MiB is more than Render's largest plan has", "use a smaller size")
