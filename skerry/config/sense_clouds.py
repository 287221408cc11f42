"""What the fields of a deployment on a cloud must be to each other: places, networks, who may reach the API.

`cloud_problems` asks what every cloud asks, and then the cloud's own function, listed in `_OWN`.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from skerry.address_plan import aks_ranges, gke_ranges
from skerry.config.pools import type_of
from skerry.config.sense_eks import eks_problems
from skerry.config.spec import DeploymentSpec, Layer, Purchase, RelationalKind, System, TargetKind
from skerry.errors import CatalogError, ConfigError, Problem
from skerry.jurisdictions import region_of_zone, regions

EKS_ZONES: Final = (2, 7)
"""Zones of a network: EKS asks for two, and an eighth of the address range goes to each and to the public subnets.

Source: Amazon EKS "Networking requirements for VPC and subnets", read 2026-11.
"""

AKS_ZONES: Final = 2
"""The fewest zones of a deployment on AKS: a cluster with machines in one zone is lost with it."""

GKE_ZONES: Final = 2
"""The fewest zones of a deployment on GKE: a regional cluster with machines in one zone is lost with it."""

NOT_ON_DEMAND: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("a3-highgpu-1g", "a3-highgpu-2g", "a3-highgpu-4g"),
        "use a3-highgpu-8g, or spot where the work may be interrupted",
    ),
    "a4-highgpu-8g": "name target.gcp.gpu_reservation, or use spot where the work may be interrupted",
}
"""Types that Google rents out as spot machines or for some days, never on demand -> the remedy.

Source: dstackai/gpuhunt pull 176 and dstackai/dstack pull 3100, read 2026-11; Compute Engine "Accelerator-optimized
machine family", consumption options (not opened; check before relying on it).
"""

OTHER_PARTITIONS: Final = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")
"""How regions begin that are not of the partition `aws`. Source: botocore 1.44.5 data/partitions.json, read 2026-11."""

_NAMES: Final[Mapping[TargetKind, str]] = {
    TargetKind.AWS: "an AWS region",
    TargetKind.GCP: "a Google Cloud region",
    TargetKind.AZURE: "an Azure region",
}
_EXAMPLES: Final[Mapping[TargetKind, str]] = {
    TargetKind.AWS: "eu-central-1",
    TargetKind.GCP: "europe-west3",
    TargetKind.AZURE: "germanywestcentral",
}
_ZONE_EXAMPLES: Final[Mapping[TargetKind, str]] = {
    TargetKind.AWS: "{}a",
    TargetKind.GCP: "{}-a",
    TargetKind.AZURE: "{}-1",
}

# Source: terraform-provider-google at e03b7622, website/docs of google_compute_disk and google_storage_bucket, labels;
# Google Cloud "Requirements for labels" (not opened; check before relying on it)
_GCP_LABEL_KEY: Final = re.compile(r"^[a-z][a-z0-9_-]{0,62}$")
_GCP_LABEL_VALUE: Final = re.compile(r"^[a-z0-9_-]{0,63}$")


def cloud_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Yield everything that cannot be on the cloud that the target names."""
    target = spec.target
    cloud = target.kind.value
    if not target.region:
        yield Problem("target.region", f"is required on {cloud}", f"name a region such as {_EXAMPLES[target.kind]}")
    if not target.connected:
        yield Problem("target.connected", f"is false, but {cloud} is reached over the internet", "use kind: onprem")
    clusters = spec.system is System.SENSEI or spec.machines is not None
    if clusters and spec.layer is Layer.PLATFORM and not target.base_stack:
        yield Problem("target.base_stack", f"is required on {cloud}", "name the stack with layer: base")
    # What joins regions has neither network nor machines of its own.
    if spec.layer is not Layer.GLOBAL:
        yield from _OWN[target.kind](spec)


def _aws(spec: DeploymentSpec) -> Iterator[Problem]:
    target = spec.target
    try:
        network = ipaddress.ip_network(target.aws.vpc_cidr)
        if network.version != 4 or not 16 <= network.prefixlen <= 17:
            yield Problem("target.aws.vpc_cidr", f"'{network}' is too small for three zones", "use a /16 or /17")
    except ValueError as exc:
        yield Problem("target.aws.vpc_cidr", f"is not an address range: {exc}", "write it like 10.0.0.0/16")
    if target.region.startswith(OTHER_PARTITIONS):
        yield Problem(
            "target.region",
            f"'{target.region}' is of another partition of AWS, where roles and interfaces are named otherwise",
            "use a region of the partition aws",
        )
    else:
        yield from _places(spec)
    zones = target.failure_domains
    low, high = EKS_ZONES
    if not low <= len(zones) <= high:
        yield Problem(
            "target.failure_domains",
            f"{len(zones)} zones are named, EKS needs {low} and the network has room for {high}",
            f"name {low} to {high} zones",
        )
    yield from _api_clients("target.aws", target.aws.api_cidrs, target.aws.administrators)
    yield from eks_problems(spec)


def _gcp(spec: DeploymentSpec) -> Iterator[Problem]:
    target = spec.target
    if not target.gcp.project:
        yield Problem("target.gcp.project", "is required on gcp", "name the project that is to hold everything")
    yield from _places(spec)
    zones = target.failure_domains
    if len(zones) < GKE_ZONES:
        text = f"{len(zones)} zones are named, fewer than {GKE_ZONES} that fail apart"
        yield Problem("target.failure_domains", text, "name three zones of the region")
    yield from _gpu_zones("target.gcp.gpu_zones", target.gcp.gpu_zones, zones)
    yield from _not_on_demand(spec)
    try:
        gke_ranges(spec)
    except ConfigError as exc:
        yield from exc.problems
    yield from _api_clients("target.gcp", target.gcp.api_cidrs, target.gcp.administrators)
    for key, value in spec.tags.items():
        if not _GCP_LABEL_KEY.match(key) or not _GCP_LABEL_VALUE.match(value):
            form = "use lower-case letters, digits, '_' and '-', at most 63, the name beginning with a letter"
            yield Problem(f"tags.{key}", f"'{value}' cannot be a label on Google Cloud under that name", form)


def _not_on_demand(spec: DeploymentSpec) -> Iterator[Problem]:
    """Check that GPU machines can be had in the way in which they are to be paid."""
    for path, pool in (("cognitive.pool", spec.cognitive.pool), ("execution.small_pool", spec.execution.small_pool)):
        if pool is None or pool.purchase is Purchase.SPOT:
            continue
        try:
            name = type_of(TargetKind.GCP, pool.machine).name
        except CatalogError:
            continue  # said where machines are chosen
        if name in NOT_ON_DEMAND and not (name.startswith("a4-") and spec.target.gcp.gpu_reservation):
            yield Problem(f"{path}.machine", f"'{name}' is not rented out on demand", NOT_ON_DEMAND[name])


def _azure(spec: DeploymentSpec) -> Iterator[Problem]:
    target, azure = spec.target, spec.target.azure
    for field, value in (("subscription_id", azure.subscription_id), ("tenant_id", azure.tenant_id)):
        if value is None:
            yield Problem(f"target.azure.{field}", "is required on azure", "take it from `az account show`")
    if not azure.administrators and (spec.system is System.SENSEI or spec.machines is not None):
        text = "names nobody, and a cluster without local accounts obeys nobody else"
        yield Problem("target.azure.administrators", text, "name a group of Entra that the runner is in")
    yield from _places(spec)
    zones = target.failure_domains
    if len(zones) < AKS_ZONES:
        text = f"{len(zones)} zones are named, fewer than {AKS_ZONES} that fail apart"
        yield Problem("target.failure_domains", text, "name three zones of the region")
    yield from _gpu_zones("target.azure.gpu_zones", azure.gpu_zones, zones)
    try:
        aks_ranges(spec)
    except ConfigError as exc:
        yield from exc.problems
    yield from _api_clients("target.azure", (), azure.administrators)
    if spec.meta.relational_kind is RelationalKind.MANAGED and azure.postgres_admin_secret is None:
        text = "is required where Azure runs PostgreSQL: it takes no server without an administrator's password"
        yield Problem("target.azure.postgres_admin_secret", text, "name a secret config key")
    for key in spec.tags:
        if "/" in key:
            yield Problem(f"tags.{key}", "cannot be the name of a tag on Azure", "use a name without '/'")


def _gpu_zones(path: str, wanted: Sequence[str], zones: Sequence[str]) -> Iterator[Problem]:
    for zone in wanted:
        if zone not in zones:
            yield Problem(path, f"'{zone}' is not among target.failure_domains", f"use {', '.join(zones)}")


def _places(spec: DeploymentSpec) -> Iterator[Problem]:
    """Check that the region is one of the cloud, and the zones are of the region."""
    kind, region = spec.target.kind, spec.target.region
    known = [row.name for row in regions() if row.cloud == kind.value]
    if region and region not in known:
        near = difflib.get_close_matches(region, known, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
        yield Problem("target.region", f"'{region}' is not {_NAMES[kind]}", remedy)
    elif region:
        example = _ZONE_EXAMPLES[kind].format(region)
        for zone in spec.target.failure_domains:
            if zone == region or region_of_zone(kind.value, zone) != region:
                text = f"'{zone}' is not a zone of {region}"
                yield Problem("target.failure_domains", text, f"name zones such as {example}")


def _api_clients(path: str, blocks: Sequence[str], administrators: Sequence[str]) -> Iterator[Problem]:
    for index, block in enumerate(blocks):
        field = f"{path}.api_cidrs[{index}]"
        try:
            if not ipaddress.IPv4Network(block).is_private:
                yield Problem(field, f"'{block}' is public, and the cluster's API is not", "name a private range")
        except ValueError as exc:
            yield Problem(field, f"is not an address range: {exc}", "write it like 10.0.0.0/16")
    if len(set(administrators)) < len(administrators):
        yield Problem(f"{path}.administrators", "names one twice", "name each once")


_OWN: Final[Mapping[TargetKind, Callable[[DeploymentSpec], Iterator[Problem]]]] = {
    TargetKind.AWS: _aws,
    TargetKind.GCP: _gcp,
    TargetKind.AZURE: _azure,
}
