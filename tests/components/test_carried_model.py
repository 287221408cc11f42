"""The embedding model of an AgentDB without a connection: carried by the bundle, mounted, and fetched by nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airgap_bundle.plan import ItemKind, plan
from skerry.catalog import LOCK_SCHEMA, Lock, load_catalog
from skerry.facts import facts_of
from tests.simulators.changed_stacks import changed_deployment, run_changed
from tests.simulators.cluster_service_stacks import AIRGAPPED
from tests.simulators.service_fields import described, problems, put
from tests.simulators.stack_objects import graph_of, pods


def pod() -> dict[str, Any]:
    (found,) = [one for one in pods(graph_of(AIRGAPPED)) if one.labels.get("app.kubernetes.io/name") == "agentdb"]
    return found.spec


def test_the_bundle_carries_it() -> None:
    made = plan(graph_of(AIRGAPPED), lock=Lock(schema_=LOCK_SCHEMA, images={}))
    (model,) = [item for item in made.items if item.kind is ItemKind.MODEL]
    row = load_catalog().models["all-minilm-l6-v2"]
    assert (model.name, model.source) == (row.name, row.source)
    assert row.licence == "Apache-2.0"


def test_it_is_mounted_where_nobody_can_write() -> None:
    spec = pod()
    claims = {row["name"]: row["persistentVolumeClaim"]["claimName"] for row in spec["volumes"] if _claimed(row)}
    assert claims == {"model": "models"}
    (mount,) = [row for row in spec["containers"][0]["volumeMounts"] if row["name"] == "model"]
    assert mount == {"name": "model", "mountPath": "/models", "readOnly": True}


def _claimed(row: dict[str, Any]) -> bool:
    return "persistentVolumeClaim" in row


def test_replicas_ask_nobody_for_it() -> None:
    told = {row["name"]: row.get("value") for row in pod()["containers"][0]["env"]}
    wanted = {
        "EMBEDDING_MODEL": "all-minilm-l6-v2",
        "EMBEDDING_MODEL_PATH": "/models/all-minilm-l6-v2",
        "EMBEDDING_ALLOW_REMOTE": "false",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
    assert wanted == {name: told[name] for name in wanted}


def test_nothing_of_the_stack_faces_the_internet() -> None:
    graph = graph_of(AIRGAPPED)
    scopes = {end.scope for row in graph.resources if (facts := facts_of(row)) is not None for end in facts.endpoints}
    assert "internet" not in scopes


@pytest.mark.parametrize("runtime", ["ecs", "lambda", "cloud-run", "functions"])
def test_a_runtime_without_volumes_refuses_it(runtime: str) -> None:
    deployment = described(runtime)
    put(deployment, "applications.services.web.model", {"name": "all-minilm-l6-v2", "claim": "models"})
    assert "applications.services.web.model" in problems(deployment)


def test_without_it_nothing_is_carried_and_nothing_is_told() -> None:
    deployment = changed_deployment(AIRGAPPED, {"agentdb.model": None})
    assert "model" not in deployment["agentdb"]
    graph = run_changed(AIRGAPPED, {"agentdb.model": None})
    assert [facts.models for row in graph.resources if (facts := facts_of(row)) is not None and facts.models] == []
    assert "EMBEDDING_MODEL" not in json.dumps([one.spec for one in pods(graph)])
