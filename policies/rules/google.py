"""What the rules must know of Google Cloud's resource types; each rule calls what concerns it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.reading import read, rows
from policies.verdict import Judgement, ok, undetermined, violation
from skerry.graph import UNKNOWN, Resource, ResourceGraph, is_known

_WORLD: Final = ("0.0.0.0/0", "::/0")
_WEB: Final = ("tcp port 80", "tcp port 443")

_OVER_ZONES: Final = {
    "gcp:sql/databaseInstance:DatabaseInstance": ("settings.availabilityType", "REGIONAL"),
    "gcp:redis/instance:Instance": ("tier", "STANDARD_HA"),
}
"""Google's types -> the input that puts them into more than one zone, and its value.

Source: the discovery documents sqladmin.v1 and redis.v1 of google-api-python-client 2.202.0, read 2026-11.
"""


def one_zone(graph: ResourceGraph) -> Iterator[Judgement]:
    """Judge whether what Google runs stands in more than one zone."""
    for resource in graph.of_type(*_OVER_ZONES):
        path, wanted = _OVER_ZONES[resource.type]
        value = read(resource.inputs, path)
        if value is UNKNOWN:
            yield undetermined(resource, f"its input {path} is not known before a deployment", path)
        elif value == wanted:
            yield ok(resource)
        else:
            yield violation(resource, f"it stands in one zone: {path} is not {wanted}", path)


def firewall(resource: Resource, *, facing: bool) -> Iterator[Judgement]:
    """Judge a rule of a VPC of Google's: one that lets in, from nowhere named, lets in the whole world.

    Ports 80 and 443 may be open where the component is internet-facing.

    Source: terraform-provider-google at e03b7622, google_compute_firewall, source_ranges, read 2026-11.
    """
    if read(resource.inputs, "direction", "INGRESS") == "EGRESS" or not rows(resource.inputs, "allows"):
        return
    sources = read(resource.inputs, "sourceRanges", [])
    narrowed = any(resource.inputs.get(key) for key in ("sourceTags", "sourceServiceAccounts"))
    if not is_known(sources) or not isinstance(sources, list | tuple):
        yield undetermined(resource, "the addresses that may enter are not known before a deployment", "sourceRanges")
    elif any(block in _WORLD for block in sources) or not (sources or narrowed):
        opened = _opened(resource)
        if facing and opened and all(text in _WEB for text in opened):
            yield ok(resource)
        else:
            yield violation(resource, f"the whole world may enter at {', '.join(opened)}", "sourceRanges")
    else:
        yield ok(resource)


def _opened(resource: Resource) -> list[str]:
    """Return what a rule opens, as `tcp port 22`; a protocol without ports is open at all of them."""
    allows = rows(resource.inputs, "allows")
    if not is_known(allows):
        return ["ports that are not known before a deployment"]
    found = []
    for row in allows:
        protocol, ports = read(row, "protocol"), read(row, "ports", [])
        name = "every protocol" if protocol == "all" else f"{protocol}"
        found += [f"{name} port {port}" for port in ports] or [
            name if protocol in ("all", "icmp") else f"every {name} port"
        ]
    return found


def public_databases(graph: ResourceGraph) -> Iterator[Judgement]:
    """Judge Cloud SQL, which has a public address unless somebody says otherwise.

    Source: terraform-provider-google at e03b7622, resource_sql_database_instance.go, ipv4_enabled, read 2026-11.
    """
    path = "settings.ipConfiguration.ipv4Enabled"
    for resource in graph.of_type("gcp:sql/databaseInstance:DatabaseInstance"):
        value = read(resource.inputs, path)
        if value is UNKNOWN:
            yield undetermined(resource, f"its input {path} is not known before a deployment", path)
        elif value is False:
            yield ok(resource)
        else:
            yield violation(resource, "the database has a public address", path)
