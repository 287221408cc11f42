"""How AgentDB's program copies, writes and keeps what it read: numbers that it is told by variables.

The words and numbers are those of its scalability analysis; the image reads the variables (docs/agentdb.md).
"""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from skerry.config.words import Spec


class ReplicaConsistency(str, Enum):
    """When a write counts as done."""

    EVENTUAL = "eventual"
    """The primary has it; the others follow."""
    STRONG = "strong"
    """The others have it too."""


class SqliteSync(str, Enum):
    """When SQLite asks the disk whether it has what was written."""

    NORMAL = "normal"
    """At a checkpoint of its log: the last writes may be lost with the power, and nothing else."""
    FULL = "full"
    """At each write."""


class ReplicationSpec(Spec):
    """How replicas that are joined by QUIC follow the one that writes."""

    interval_ms: int = Field(default=1000, ge=10, le=600_000)
    """Milliseconds between two copies, and between two heartbeats."""
    consistency: ReplicaConsistency = ReplicaConsistency.EVENTUAL
    """When a write counts as done."""
    missed_heartbeats: int = Field(default=3, ge=1, le=100)
    """Heartbeats in a row that are missed until a primary counts as lost."""


class ProgramSpec(Spec):
    """How the program writes its files, which always have a write-ahead log, and keeps what it read."""

    batch_size: int = Field(default=100, ge=1, le=10_000)
    """Operations that one transaction takes together."""
    cache_s: int = Field(default=60, ge=0, le=86_400)
    """Seconds that an answer is kept; 0 keeps none."""
    sqlite_sync: SqliteSync = SqliteSync.NORMAL
    """When SQLite asks the disk whether it has what was written."""
    checkpoint_pages: int = Field(default=1000, ge=1, le=1_000_000)
    """Pages of the write-ahead log that are carried into the file together."""
