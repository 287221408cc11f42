"""What the layers of AgentDB must be to each other: how old answers are is one promise, what a loss takes another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from skerry.config.agentdb import AgentDbSpec
from skerry.config.application import Exposure, Runtime
from skerry.config.hybrid_edge import EdgeLayer
from skerry.config.spec import DeploymentSpec, Mode
from skerry.errors import Problem

PATH: Final = "agentdb.hybrid_edge"

MANAGED_RECOVERY_S: Final = 300
"""Of a managed PostgreSQL that is brought back to a moment (components/clouds/managed.py has the source)."""


def hybrid_edge_problems(spec: DeploymentSpec, agentdb: AgentDbSpec) -> Iterator[Problem]:
    """Return what cannot be about the layers of AgentDB.

    Args:
        spec: the deployment.
        agentdb: its configuration.
    """
    layers = agentdb.hybrid_edge
    if (spec.mode is Mode.HYBRID_EDGE) != (layers is not None):
        text = "is required and missing" if layers is None else f"has no meaning in mode {spec.mode.value}"
        yield Problem(PATH, text, "describe the layers" if layers is None else "remove it, or use mode hybrid-edge")
    if layers is None:
        return
    if agentdb.runtime is not Runtime.KUBERNETES:
        yield Problem("agentdb.runtime", "core and regions run on kubernetes", "use runtime: kubernetes")
    core = layers.layer is EdgeLayer.CORE
    if core and agentdb.database is None:
        text = "is left out, and the core is the source of truth: a PostgreSQL that the regions write to"
        yield Problem("agentdb.database", text, "describe it")
    if not core and agentdb.database is not None:
        yield Problem("agentdb.database", "is of the core, which alone holds everything", "remove it")
    if core and agentdb.exposure is Exposure.NONE:
        yield Problem("agentdb.exposure", "is none, and the regions could not call the core", "use internal or public")
    if core and agentdb.host != layers.core_host:
        text = f"'{agentdb.host}' is not the core_host '{layers.core_host}' that regions call"
        yield Problem("agentdb.host", text, "make both the same")
    if core and spec.target.jurisdiction != layers.core_jurisdiction:
        text = f"'{layers.core_jurisdiction}' is not the '{spec.target.jurisdiction}' of target.jurisdiction"
        yield Problem(f"{PATH}.core_jurisdiction", text, "make both the same")
    if layers.staleness_s is not None and layers.staleness_s < layers.oldest_s + layers.edge_cache_s:
        text = (
            f"{layers.staleness_s} s is less than the {layers.core_sync_s} + {layers.edge_sync_s} s of the two looks "
            f"and the {layers.edge_cache_s} s that an edge keeps an answer"
        )
        yield Problem(f"{PATH}.staleness_s", text, "look more often, or promise less; it is no recovery point")
    point = layers.recovery_point_s
    if point is not None and not core:
        yield Problem(f"{PATH}.recovery_point_s", "is of the core, whose backups decide it", "remove it")
    elif point is not None and point < MANAGED_RECOVERY_S:
        text = f"{point} s is less than the {MANAGED_RECOVERY_S} s in which PostgreSQL hands its log to the backup"
        yield Problem(f"{PATH}.recovery_point_s", text, f"promise {MANAGED_RECOVERY_S} s or more")
