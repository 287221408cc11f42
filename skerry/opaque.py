"""Resources of which a graph does not show what they make, because it is made elsewhere or later."""

from __future__ import annotations

import re
from typing import Final

from skerry.graph import Resource, ResourceGraph

_OPAQUE: Final = re.compile(
    r"^(kubernetes:helm\.sh/|kubernetes:yaml(/v2)?:|kubernetes:kustomize(/v2)?:|command:|docker(-build)?:"
    r"|pulumi-(nodejs|python):dynamic|terraform:)"
)


def is_opaque(graph: ResourceGraph, resource: Resource) -> bool:
    """Say whether what a resource makes cannot be seen; a component with children shows what it makes."""
    if not _OPAQUE.match(resource.type):
        return False
    return resource.custom or not graph.children(resource.urn)
