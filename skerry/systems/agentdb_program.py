"""The variables by which AgentDB's program is told how it copies, writes and keeps what it read."""

from __future__ import annotations

from skerry.config.agentdb_program import ProgramSpec, ReplicationSpec


def program_environment(program: ProgramSpec) -> dict[str, str]:
    """Return what a program with files of its own is told."""
    return {
        "BATCH_SIZE": str(program.batch_size),
        "CACHE_S": str(program.cache_s),
        "SQLITE_JOURNAL_MODE": "WAL",
        "SQLITE_SYNCHRONOUS": program.sqlite_sync.value.upper(),
        "SQLITE_WAL_CHECKPOINT_PAGES": str(program.checkpoint_pages),
    }


def replication_environment(replication: ReplicationSpec) -> dict[str, str]:
    """Return what a replica is told that others are joined with."""
    return {
        "REPLICA_SYNC_MS": str(replication.interval_ms),
        "REPLICA_CONSISTENCY": replication.consistency.value,
        "REPLICA_MISSED_HEARTBEATS": str(replication.missed_heartbeats),
    }
