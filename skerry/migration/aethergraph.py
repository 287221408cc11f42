"""What a change of AetherGraph's mode asks beyond its resources: data of the four stores, and the work of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from skerry.config.spec import Mode
from skerry.facts import DeploymentFact
from skerry.migration.document import Fate, Move, Part
from skerry.systems.aethergraph import ON_ONE_MACHINE
from skerry.systems.aethergraph_environment import PRIMITIVES

_ROLES: Final[Mapping[str, str]] = {
    "blobStore": "object-store",
    "docStore": "relational-store",
    "eventLog": "relational-store",
    "vectorIndex": "relational-store",
    "kv": "pubsub",
}
"""Output -> the role of the component that keeps it."""

_TABLES_UNKNOWN: Final = (
    "it lies in SQLite, whose tables only the image knows: no migration job is provided; use the image's own export "
    "and import, or begin empty"
)
_VECTORS: Final = (
    "it lies in a local file that pgvector cannot read: none is provided; embed the documents again, or begin empty"
)
_BLOBS: Final = "it is a folder of files; the image must name its objects by the same keys in a bucket as in a folder"
_KV: Final = "it holds locks and events on their way, which end with the old processes"

_COPY_FILES: Final = ("aws s3 sync <aethergraph.local.folder>/blobs s3://<bucket>",)
_COPY_BUCKET: Final = ("aws s3 sync s3://<old bucket> s3://<new bucket>",)
_COPY_POSTGRES: Final = (
    "pg_dump --format=custom --no-owner --dbname=<old DOC_STORE_URL> --file=aethergraph.dump",
    "pg_restore --no-owner --dbname=<new DOC_STORE_URL> aethergraph.dump",
)
"""Source: PostgreSQL 17, pg_dump and pg_restore; AWS CLI, s3 sync (not opened; check before relying on it)."""


def aethergraph_moves(was: DeploymentFact, will: DeploymentFact, parts: tuple[Part, ...], in_place: bool) -> list[Move]:
    """Return for each of the stores whether its data must be moved, and by what."""
    local_before, local_after = is_local(was), is_local(will)
    moves = []
    for output in PRIMITIVES:
        if local_before and local_after:
            moves.append(Move(output, needed=False, why="it stays in the folder on the user's machine"))
        elif local_before:
            moves.append(_from_folder(output))
        elif local_after:
            why = "shared stores hold what many wrote, and nothing is provided that takes one user's part of it out"
            moves.append(Move(output, needed=output != "kv", why=_KV if output == "kv" else why))
        else:
            moves.append(_between(output, parts, in_place))
    return moves


def is_local(fact: DeploymentFact) -> bool:
    """Say whether its stores are a folder on a user's machine."""
    return Mode(fact.mode) in ON_ONE_MACHINE


def _from_folder(output: str) -> Move:
    match output:
        case "blobStore":
            return Move(output, needed=True, why=_BLOBS, how=_COPY_FILES, provided=True)
        case "vectorIndex":
            return Move(output, needed=True, why=_VECTORS)
        case "kv":
            return Move(output, needed=False, why=_KV)
        case _:
            return Move(output, needed=True, why=_TABLES_UNKNOWN)


def _from_shared(output: str) -> Move:
    """Return how data of shared stores reach other shared stores: all but blobs lie in one PostgreSQL."""
    if output == "kv":
        return Move(output, needed=False, why=_KV)
    if output == "blobStore":
        return Move(output, needed=True, why="the new bucket is empty", how=_COPY_BUCKET, provided=True)
    if output != "docStore":
        return Move(output, needed=True, why="it goes with the dump of docStore", provided=True)
    why = "the new database is empty; one dump holds documents, events and vectors"
    return Move(output, needed=True, why=why, how=_COPY_POSTGRES, provided=True)


def _between(output: str, parts: tuple[Part, ...], in_place: bool) -> Move:
    """Return whether data of one shared store must go to another: not where all that keeps them keeps its URN."""
    keepers = [part for part in parts if part.keeps_data and part.role == _ROLES[output]]
    if not keepers:
        return Move(output, needed=None, why="no store of it is in either graph, so nobody can tell")
    if in_place and all(part.fate in (Fate.STAYS, Fate.CHANGED) for part in keepers):
        return Move(output, needed=False, why="its store keeps its URN: the data stay where they are")
    return _from_shared(output)


def aethergraph_before(was: DeploymentFact, will: DeploymentFact) -> list[str]:
    """Return what people do before anything is changed."""
    found = []
    if is_local(was) and not is_local(will):
        found.append("let graphs that run end, and stop the sidecar: SQLite has one writer")
    if was.mode == Mode.SAAS.value and will.mode != Mode.SAAS.value:
        found.append("stop taking jobs, and wait until the queue and its place for failed jobs are empty")
    if not is_local(will) and is_local(was):
        found.append(
            "register the deployment at the issuer of `aethergraph.sso`, and set every secret key that it names"
        )
    if will.mode == Mode.SAAS.value and was.mode != Mode.SAAS.value:
        found.append("let graphs that run end: after the change workers run them, and none that has begun moves over")
    return found


def aethergraph_after(was: DeploymentFact, will: DeploymentFact) -> list[str]:
    """Return what people do once the new configuration stands."""
    found = []
    if will.mode == Mode.SAAS.value and was.mode != Mode.SAAS.value:
        found += [
            "give what one tenant wrote a workspace: rows from before have none, and objects no prefix; no job is "
            "provided, since only the image knows its tables",
            "point `aethergraph.host` at the public load balancer, and let Slack's app call it at "
            "/api/channel/slack/events",
            "give each workspace its own secrets under aethergraph.workspaces",
        ]
    elif is_local(was) and not is_local(will):
        found += [
            "point `aethergraph.host` at the load balancer inside the network",
            "let tools and people call https://<aethergraph.host> where they called http://localhost; paths stay",
        ]
    found.append("graphs and tools stay as they are: names of stores and paths of the API are those of every mode")
    return found
