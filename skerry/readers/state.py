"""Reads `pulumi stack export` into a resource graph: what was deployed, as Pulumi remembers it."""

# Source: pulumi/pulumi sdk/go/common/apitype/core.go (UntypedDeployment, DeploymentV3, ResourceV3), read 2026-11.

from __future__ import annotations

import logging
from typing import Final

from skerry.errors import GraphError
from skerry.graph import ResourceGraph
from skerry.readers.checkpoint import graph_of, read_json, rows_of

_LOG: Final = logging.getLogger(__name__)
_WHAT: Final = "the state"
_VERSIONS: Final = (3, 4)


def read_state(text: str) -> ResourceGraph:
    """Return the resources of a state; those that only wait for their deletion are left out.

    Raises:
        GraphError: `text` is no exported state, or of a version that this reader does not know.
    """
    document = read_json(text, _WHAT)
    version = document.get("version")
    if version not in _VERSIONS:
        known = " and ".join(str(number) for number in _VERSIONS)
        raise GraphError(f"the state has the version {version!r}: this reader knows {known} of `pulumi stack export`")
    deployment = document.get("deployment")
    if not isinstance(deployment, dict):
        raise GraphError("the state has no deployment: give what `pulumi stack export` printed")
    if pending := rows_of(deployment, "pending_operations", _WHAT):
        _LOG.warning("the state has %d operations that never ended: run `pulumi refresh`", len(pending))
    rows = [row for row in rows_of(deployment, "resources", _WHAT) if not row.get("delete")]
    return graph_of(rows, "state", _WHAT, states=True)
