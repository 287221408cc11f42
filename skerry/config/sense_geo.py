"""What several regions must be to each other, and what no number of them can promise."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from skerry.config.agentdb import AgentDbSpec
from skerry.config.application import Exposure, Runtime
from skerry.config.geo import GeoRegionSpec, GeoSpec
from skerry.config.services import IssuerKind
from skerry.config.spec import DeploymentSpec, Layer, Mode, TargetKind
from skerry.errors import Problem

MONTH_MINUTES: Final = 30 * 24 * 60
RECOVERY_MINUTES: Final = 5
"""Of one loss, as the analysis has it (003:1536 to 1560, mean time to recovery below 5 minutes)."""

ACHIEVED_PERCENT: Final = 99.95
"""As the analysis has it (003:1536 to 1560)."""

PATH: Final = "agentdb.geo"


def geo_problems(spec: DeploymentSpec, agentdb: AgentDbSpec) -> Iterator[Problem]:
    """Return what cannot be about the regions of AgentDB.

    Args:
        spec: the deployment.
        agentdb: its configuration.
    """
    geo = agentdb.geo
    if (spec.mode is Mode.GEO) != (geo is not None):
        text = "is required and missing" if geo is None else f"has no meaning in mode {spec.mode.value}"
        yield Problem(PATH, text, "describe the regions" if geo is None else "remove it, or use mode geo")
    if spec.layer is Layer.GLOBAL and geo is None:
        yield Problem("layer", "global is of mode geo, whose regions it joins", "use base or platform")
    if geo is None:
        return
    if spec.target.kind is not TargetKind.AWS or agentdb.runtime is not Runtime.KUBERNETES:
        text = "joins regions of AWS with runtime kubernetes, whose pods have addresses of the network"
        yield Problem("mode", f"geo {text}", "use target.kind: aws and runtime: kubernetes")
        return
    yield from _networks(geo)
    yield from _names(geo)
    yield from _promise(geo)
    yield from _global(spec, geo) if spec.layer is Layer.GLOBAL else _here(spec, agentdb, geo)


def _networks(geo: GeoSpec) -> Iterator[Problem]:
    found = {}
    for name, row in geo.regions.items():
        try:
            found[name] = ipaddress.IPv4Network(row.network_cidr)
        except ValueError as exc:
            path = f"{PATH}.regions.{name}.network_cidr"
            yield Problem(path, f"is not an address range: {exc}", "write it like 10.40.0.0/16")
    for (first, one), (second, other) in combinations(found.items(), 2):
        if one.overlaps(other):
            text = f"'{other}' overlaps '{one}' of region '{first}': no packet could find its way"
            yield Problem(f"{PATH}.regions.{second}.network_cidr", text, "give each region a range of its own")
    taken: dict[str, str] = {}
    for name, row in geo.regions.items():
        for continent in row.continents:
            if continent.value in taken:
                text = f"'{continent.value}' is also of region '{taken[continent.value]}'"
                yield Problem(f"{PATH}.regions.{name}.continents", text, "give each continent to one region")
            taken[continent.value] = name


def _names(geo: GeoSpec) -> Iterator[Problem]:
    hosts = {f"{PATH}.host": (geo.host, geo.zone)}
    for name, row in geo.regions.items():
        hosts[f"{PATH}.regions.{name}.host"] = (row.host, geo.zone)
        hosts[f"{PATH}.regions.{name}.mesh_host"] = (row.mesh_host, geo.mesh_zone)
    for path, (host, zone) in hosts.items():
        if not host.endswith(f".{zone}"):
            yield Problem(path, f"'{host}' is not a name of the zone '{zone}'", "choose a name within it")
    if geo.health_interval_s not in (10, 30):
        text = f"{geo.health_interval_s} is none of Route 53's"
        yield Problem(f"{PATH}.health_interval_s", text, "use 10 or 30")


def _promise(geo: GeoSpec) -> Iterator[Problem]:
    if geo.sla_percent is None:
        return
    minutes = (100 - geo.sla_percent) / 100 * MONTH_MINUTES
    if minutes < RECOVERY_MINUTES:
        text = (
            f"{geo.sla_percent:g} % leaves {minutes:.2f} minutes of 30 days, less than one recovery of "
            f"{RECOVERY_MINUTES}; the analysis itself achieved {ACHIEVED_PERCENT} %"
        )
        yield Problem(f"{PATH}.sla_percent", text, f"promise {ACHIEVED_PERCENT} or less")


def _global(spec: DeploymentSpec, geo: GeoSpec) -> Iterator[Problem]:
    if geo.here is not None:
        yield Problem(f"{PATH}.here", "has no meaning in the stack that joins the regions", "remove it")
    if spec.machines is not None:
        yield Problem("machines", "has no meaning in the stack that joins the regions", "remove it")
    for name, row in geo.regions.items():
        for field in ("address", "mesh_address"):
            if getattr(row, field) is None:
                text = "is not known: the region has to stand first"
                remedy = "take it from the Gateway, or the Service agentdb-mesh, of that region"
                yield Problem(f"{PATH}.regions.{name}.{field}", text, remedy)


def _here(spec: DeploymentSpec, agentdb: AgentDbSpec, geo: GeoSpec) -> Iterator[Problem]:
    if geo.here not in geo.regions:
        known = ", ".join(geo.regions)
        yield Problem(f"{PATH}.here", f"'{geo.here}' is none of the regions", f"use one of {known}")
        return
    yield from _stands(spec, geo.regions[geo.here], f"{PATH}.regions.{geo.here}")
    if agentdb.exposure is not Exposure.PUBLIC:
        text = "is not public, so that nobody outside could see whether the region lives"
        yield Problem("agentdb.exposure", text, "use exposure: public")
    certificates = spec.services.certificates
    if certificates is not None and certificates.issuer is IssuerKind.OWN_CA:
        text = "is own-ca, an authority of each cluster's own: replicas of two regions would not trust each other"
        yield Problem("services.certificates.issuer", text, "use ca-secret with one authority for all regions")


def _stands(spec: DeploymentSpec, row: GeoRegionSpec, path: str) -> Iterator[Problem]:
    said = {
        "region": (row.region, spec.target.region, "target.region"),
        "jurisdiction": (row.jurisdiction, spec.target.jurisdiction, "target.jurisdiction"),
        "network_cidr": (row.network_cidr, spec.target.aws.vpc_cidr, "target.aws.vpc_cidr"),
    }
    if spec.layer is Layer.PLATFORM:
        said["base_stack"] = (row.base_stack, f"{spec.target.base_stack}", "target.base_stack")
    for field, (here, there, where) in said.items():
        if here != there:
            yield Problem(f"{path}.{field}", f"'{here}' is not the '{there}' of {where}", "make both the same")
