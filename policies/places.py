"""Where a cloud resource stands: its own input, its provider's, or the stack's configuration, in that order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from policies.context import Context
from skerry.graph import UNKNOWN, Resource, is_known, plain
from skerry.jurisdictions import jurisdiction_of, region_of_zone

CLOUDS: Final = {"aws": "aws", "aws-native": "aws", "gcp": "gcp", "azure-native": "azure", "azure": "azure"}
"""Package of a type token -> cloud."""

# Inputs that place a resource, the most exact first.
# Source: schema of pulumi-aws 7.51.1, read 2026-11; those of pulumi-gcp 10.2.0 and pulumi-azure-native 3.29.0
# (not opened; check before relying on it)
_INPUTS: Final = {
    "aws": ("region", "availabilityZone"),
    "gcp": ("location", "region", "zone"),
    "azure": ("location",),
}

# Services that have no region of their own.
# Source: AWS whitepaper "AWS Fault Isolation Boundaries", "Global services", read 2026-11;
# for the other clouds no page was opened: check before relying on it
_GLOBAL_MODULES: Final = frozenset({
    "aws:iam", "aws:route53", "aws:cloudfront", "aws:globalaccelerator", "aws:organizations", "aws:account",
    "gcp:projects", "gcp:serviceaccount", "gcp:dns", "gcp:organizations",
    "azure-native:authorization", "azure-native:dns", "azure-native:network/zone", "azure-native:privatedns",
})  # fmt: skip

_AZURE_PARENTS: Final = (
    "vaultName", "virtualNetworkName", "clusterName", "resourceName", "accountName", "serverName",
    "privateEndpointName", "resourceUri", "namespaceName",
)  # fmt: skip
"""Inputs by which a resource of Azure names the one that it is a part of, and stands where that stands.

Source: the types of pulumi-azure-native 3.29.0, read 2026-11.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource stands, as far as it can be told."""

    region: str | None
    """None: it cannot be told, and `origin` says why."""
    origin: str
    """Where that was read: an input, a provider or a configuration key."""
    property_path: str = ""


def cloud_of(resource: Resource) -> str | None:
    """Return the cloud of a custom resource, or None for anything else and for services without a region."""
    if not resource.custom or resource.is_provider:
        return None
    module = ":".join(resource.type.split("/")[0].split(":")[:2])
    if module in _GLOBAL_MODULES:
        return None
    return CLOUDS.get(resource.type.split(":", 1)[0])


def place_of(context: Context, resource: Resource, cloud: str) -> Place:
    """Return the effective region of a cloud resource."""
    for key in _INPUTS[cloud]:
        value = resource.inputs.get(key)
        if value is None:
            continue
        if not is_known(value):
            return Place(None, f"its input {key} is not known before a deployment", key)
        return Place(region_of_zone(cloud, str(plain(value))), f"its input {key}", key)
    if cloud == "azure":
        for key in _AZURE_PARENTS:
            for urn in resource.property_dependencies.get(key, ()):
                parent = context.graph[urn]
                value = parent.inputs.get("location")
                if value is not None and is_known(value):
                    return Place(region_of_zone(cloud, str(plain(value))), f"{parent.name}, which it is a part of", key)
        return Place(None, "it has no location of its own, and azure gives it that of its parent or group")
    provider = context.graph.provider_of(resource)
    if provider is not None:
        return _of_provider(provider, cloud)
    for found in context.graph.resources:
        if found.is_provider and found.name.startswith("default") and found.type.endswith(f":{_package(resource)}"):
            return _of_provider(found, cloud)
    key = f"{_package(resource)}:region"
    if key in context.config:
        return Place(context.config[key], f"the configuration {key}")
    return Place(None, f"neither it nor a provider in the graph names a region, and {key} is not at hand")


def _package(resource: Resource) -> str:
    return resource.type.split(":", 1)[0]


def _of_provider(provider: Resource, cloud: str) -> Place:
    value: Any = provider.inputs.get("region")
    if value is None and cloud == "gcp":
        value = provider.inputs.get("zone")
    if value is None:
        return Place(None, f"its provider {provider.name} names no region")
    if value is UNKNOWN or not is_known(value):
        return Place(None, f"the region of its provider {provider.name} is not known before a deployment")
    return Place(region_of_zone(cloud, str(plain(value))), f"its provider {provider.name}")


def country_of(cloud: str, region: str) -> str | None:
    """Return the country of a region, or None where no row is known."""
    return jurisdiction_of(cloud, region)
