"""Who deploys on Google Cloud, and that what is asked for GPU machines is in Google's own API."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from skerry.errors import ConfigError
from skerry.graph import plain
from skerry.preflight.permissions import rights_of
from tests.simulators.changed_stacks import run_changed
from tests.simulators.provider_graphs import refusals
from tests.simulators.stack_objects import graph_of

BASE = "sensei-saas-gcp-base"
ACCOUNT = "deploys@sensei-saas-example.iam.gserviceaccount.com"
POOL = "gcp:container/nodePool:NodePool"


def provider_of(changes: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in run_changed(BASE, changes).resources if one.type == "pulumi:providers:gcp"]
    return dict(plain(found.inputs))


def test_an_account_deploys_where_one_is_named() -> None:
    assert provider_of({"target.gcp.deployment_account": ACCOUNT})["impersonateServiceAccount"] == ACCOUNT
    assert "impersonateServiceAccount" not in provider_of({})


@pytest.mark.parametrize("name", ["me@example.com", "user:me@example.com", "deploys@x.iam.gserviceaccount.com"])
def test_only_a_service_account_of_a_project_deploys(name: str) -> None:
    with pytest.raises(ConfigError, match=r"target\.gcp\.deployment_account"):
        run_changed(BASE, {"target.gcp.deployment_account": name})


def test_the_roles_of_whoever_deploys_follow_from_the_plan() -> None:
    rights = rights_of(graph_of(BASE))
    assert rights.unknown == ()
    assert {"roles/container.admin", "roles/cloudkms.admin", "roles/iam.serviceAccountUser"} <= set(rights.roles)


@cache
def schemas() -> dict[str, Any]:
    api = pytest.importorskip("googleapiclient")
    file = Path(api.__file__).parent / "discovery_cache" / "documents" / "container.v1.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["schemas"]
    return found


def gpu_pool(changes: dict[str, Any]) -> dict[str, Any]:
    graph = run_changed(BASE, changes)
    assert refusals(graph) == []
    (found,) = [one for one in graph.of_type(POOL) if "cognitive" in one.name]
    return dict(plain(found.inputs))


def test_reserved_gpu_machines_are_asked_for_in_the_words_of_the_api() -> None:
    affinity = gpu_pool({"target.gcp.gpu_reservation": "a100-block"})["nodeConfig"]["reservationAffinity"]
    schema = schemas()["ReservationAffinity"]["properties"]
    assert set(affinity) == {"consumeReservationType", "key", "values"} <= set(schema)
    assert affinity["consumeReservationType"] in schema["consumeReservationType"]["enum"]
    assert affinity["values"] == ["a100-block"]


def test_accelerators_and_the_pools_own_autoscaler_are_in_the_api() -> None:
    pool = gpu_pool({})
    (accelerator,) = pool["nodeConfig"]["guestAccelerators"]
    known = schemas()["AcceleratorConfig"]["properties"]
    assert {"acceleratorType", "acceleratorCount", "gpuDriverInstallationConfig"} <= set(known)
    assert accelerator["count"] == 8
    scaling = schemas()["NodePoolAutoscaling"]["properties"]
    assert set(pool["autoscaling"]) <= set(scaling)
    assert pool["autoscaling"]["locationPolicy"] in scaling["locationPolicy"]["enum"]
    assert {"workloadIdentityConfig", "databaseEncryption", "privateClusterConfig"} <= set(
        schemas()["Cluster"]["properties"]
    )
