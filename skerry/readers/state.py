"""Reads a state into a resource graph: what was deployed, as Pulumi remembers it.

Two forms are taken: what `pulumi stack export` prints, and the checkpoint file of a backend that is a folder or bucket.
"""

# Source: pulumi/pulumi sdk/go/common/apitype/core.go (UntypedDeployment, VersionedCheckpoint, DeploymentV3, ResourceV3)
# and pkg/resource/stack/deployment.go (the names of features), read 2026-11.

from __future__ import annotations

import logging
from typing import Any, Final

from skerry.errors import GraphError
from skerry.graph import ResourceGraph
from skerry.readers.checkpoint import graph_of, read_json, rows_of

_LOG: Final = logging.getLogger(__name__)
_WHAT: Final = "the state"
_VERSIONS: Final = (3, 4)
_OLD: Final = (1, 2)
_FEATURES: Final = frozenset(
    {"byteString", "extensionParameterization", "hooks", "refreshBeforeUpdate", "replaceWith", "snippets-prototype",
     "taint", "views"}
)  # fmt: skip
"""What a state of version 4 may use without this reader misreading it: none changes what a resource is, and a value of
a new kind is unknown."""
_SHOWN: Final = 5
"""Names in one message."""


def read_state(text: str) -> ResourceGraph:
    """Return the resources of a state; those that only wait for their deletion are left out.

    Raises:
        GraphError: `text` is no state, or of a version or with a feature that this reader does not know.
    """
    document = read_json(text, _WHAT)
    if "steps" in document or "sequence" in document or "changeSummary" in document:
        raise GraphError("this is a preview and no state: --from-preview reads it")
    if "schema" in document:
        raise GraphError("this is a graph of Skerry's and no state: --graph reads it")
    if "deployment" not in document and "checkpoint" not in document:
        raise GraphError(f"this is no state: give what `pulumi stack export` printed{_other(document)}")
    version = document.get("version")
    if version not in _VERSIONS or isinstance(version, bool):
        known = " and ".join(str(number) for number in _VERSIONS)
        raise GraphError(
            f"the state has the version {version!r}: this reader knows {known} of `pulumi stack export`; "
            + ("export it with a current command" if version in _OLD else "a newer Skerry may know it")
        )
    _check_features(document.get("features"))
    deployment = _deployment(document)
    _tell_unfinished(deployment)
    rows = [row for row in rows_of(deployment, "resources", _WHAT) if not row.get("delete")]
    return graph_of(rows, "state", _WHAT, states=True)


def _other(document: dict[str, Any]) -> str:
    """Name what was given in place of a state."""
    if "resources" in document and "manifest" in document:
        return '; this is the inside of one: put it into {"version": 3, "deployment": ...}'
    if "terraform_version" in document or "format_version" in document:
        return "; this is of Terraform, which no reader here knows"
    return ""


def _deployment(document: dict[str, Any]) -> dict[str, Any]:
    checkpoint = document.get("checkpoint")
    found = checkpoint.get("latest") if isinstance(checkpoint, dict) else document.get("deployment")
    if isinstance(checkpoint, dict) and found is None:
        raise GraphError("the state holds no resource: the stack was never deployed")
    if not isinstance(found, dict):
        raise GraphError("the state has no deployment: give what `pulumi stack export` printed")
    return found


def _check_features(features: Any) -> None:
    if features is None:
        return
    if not isinstance(features, list) or not all(isinstance(feature, str) for feature in features):
        raise GraphError("'features' of the state is not a list of texts")
    if unknown := sorted(set(features) - _FEATURES):
        raise GraphError(
            f"the state uses {', '.join(unknown[:_SHOWN])}, which this reader does not know: known are "
            f"{', '.join(sorted(_FEATURES))}; a newer Skerry may know it"
        )


def _tell_unfinished(deployment: dict[str, Any]) -> None:
    pending = rows_of(deployment, "pending_operations", _WHAT)
    if pending:
        named = [f"{row.get('type')} {_urn_of(row.get('resource'))}" for row in pending[:_SHOWN]]
        more = f" and {len(pending) - _SHOWN} more" if len(pending) > _SHOWN else ""
        _LOG.warning(
            "the state has %d operations that never ended, so what they made may not be in it: %s%s; run "
            "`pulumi refresh`", len(pending), ", ".join(named), more,
        )  # fmt: skip
    for row in rows_of(deployment, "resources", _WHAT):
        if row.get("pendingReplacement"):
            _LOG.warning("%s was deleted and not yet made anew: run `pulumi up`", row.get("urn"))


def _urn_of(resource: Any) -> str:
    return str(resource.get("urn")) if isinstance(resource, dict) else "a resource"
