"""AgentDB's program is told its numbers by variables: those of the analysis, or what a stack says instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.systems.agentdb import plan_of, service_name
from tests.simulators.aws_service_stacks import PROGRAM_DEFAULTS, REPLICATION_DEFAULTS
from tests.simulators.changed_stacks import changed_deployment

ONPREM, RUN, EDGE_REGION = "agentdb-onprem", "agentdb-cloud-run-gcp", "agentdb-edge-us-west"
NUMBERS = {**PROGRAM_DEFAULTS, **REPLICATION_DEFAULTS}


def told(stack: str, changes: Mapping[str, Any]) -> dict[str, str]:
    """Return which of these variables the service of a stack is told."""
    agentdb = load_spec(changed_deployment(stack, changes), stack).agentdb
    assert agentdb is not None
    row = plan_of(agentdb).services[service_name(agentdb)]
    assert row.definition is not None
    environment = {**row.definition.environment, **row.environment}
    return {key: value for key, value in environment.items() if key in NUMBERS}


TOLD: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, str]]] = {
    "replicas that QUIC joins are told all numbers of the analysis": (ONPREM, {}, NUMBERS),
    "where nothing joins replicas, only those of the program": (RUN, {}, PROGRAM_DEFAULTS),
    "so where a stack switches QUIC off": (ONPREM, {"agentdb.quic": False}, PROGRAM_DEFAULTS),
    "a region that hands on its writes has replicas of its own": (EDGE_REGION, {}, NUMBERS),
    "what a stack says counts": (
        ONPREM,
        {
            "agentdb.replication": {"interval_ms": 250, "consistency": "strong", "missed_heartbeats": 5},
            "agentdb.program": {"batch_size": 10, "cache_s": 0, "sqlite_sync": "full", "checkpoint_pages": 4000},
        },
        {
            "BATCH_SIZE": "10",
            "CACHE_S": "0",
            "SQLITE_JOURNAL_MODE": "WAL",
            "SQLITE_SYNCHRONOUS": "FULL",
            "SQLITE_WAL_CHECKPOINT_PAGES": "4000",
            "REPLICA_SYNC_MS": "250",
            "REPLICA_CONSISTENCY": "strong",
            "REPLICA_MISSED_HEARTBEATS": "5",
        },
    ),
    "a variable of the user's own comes last": (
        ONPREM, {"agentdb.environment": {"CACHE_S": "5"}}, {**NUMBERS, "CACHE_S": "5"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TOLD)
def test_the_program_is_told(case: str) -> None:
    stack, changes, expected = TOLD[case]
    assert expected == told(stack, changes)


REFUSED: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "copies where nothing joins replicas": (
        RUN,
        {"agentdb.replication": {"consistency": "strong"}},
        "agentdb.replication: has no meaning where nothing joins replicas (quic is off); remove it, or use runtime "
        "kubernetes or ecs with quic on",
    ),
    "a consistency that nobody knows": (
        ONPREM,
        {"agentdb.replication": {"consistency": "linear"}},
        "agentdb.replication.consistency: 'linear' is not one of 'eventual' or 'strong'",
    ),
    "no operation in a transaction": (
        ONPREM,
        {"agentdb.program": {"batch_size": 0}},
        "agentdb.program.batch_size: input should be greater than or equal to 1, got 0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_program_cannot_be_told_is_refused(case: str) -> None:
    stack, changes, message = REFUSED[case]
    with pytest.raises(ConfigError) as error:
        load_spec(changed_deployment(stack, changes), stack)
    assert [message] == [str(problem) for problem in error.value.problems]
