"""AetherGraph with the real command: both engines tell the same, stacks come up, a change of mode keeps data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.readers.state import read_state
from tests.simulators.aethergraph_stacks import ECS, ONPREM, SAAS, SIDECAR, TO_SAAS, WORLDS
from tests.simulators.changed_stacks import changed_file
from tests.simulators.come_up import bring_up_all
from tests.simulators.pulumi_cli import ROOT, PulumiCli

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("stacks", WORLDS, ids=lambda stacks: stacks[-1])
def test_both_engines_tell_the_same_and_the_command_brings_it_up_once(tmp_path: Path, stacks: tuple[str, ...]) -> None:
    cli = PulumiCli(tmp_path / "world")
    bring_up_all(cli, stacks, packed=[SAAS])
    if SAAS in stacks:
        file = cli.copy_of(ROOT) / "stacks" / f"Pulumi.{SAAS}.yaml"
        whole = file.read_text(encoding="utf-8")
        assert whole.count("jurisdictions: [US]") == 1
        file.write_text(whole.replace("jurisdictions: [US]", "jurisdictions: [FR]"), encoding="utf-8")
        done = cli.preview(ROOT, SAAS, "--policy-pack", str(cli.copy_of(ROOT) / "policies"))
        assert (done.returncode != 0, "[mandatory]" in done.text, "RES001" in done.text) == (True, True, True)


def test_from_one_tenant_to_many_the_command_keeps_what_is_protected(tmp_path: Path) -> None:
    """The same stack with another mode: what keeps data is neither deleted nor made again."""
    cli = PulumiCli(tmp_path / "world")
    cli.check(cli.up(ROOT, ONPREM))
    before = {one["urn"]: one for one in _state(cli) if one.get("protect")}
    copy = cli.copy_of(ROOT)
    (copy / "stacks" / f"Pulumi.{ONPREM}.yaml").write_text(changed_file(ONPREM, TO_SAAS), encoding="utf-8")
    cli.check(cli.up(ROOT, ONPREM))
    after = {one["urn"]: one for one in _state(cli) if one.get("protect")}
    assert len(before) == 8
    assert {urn: one["id"] for urn, one in before.items()} == {urn: one["id"] for urn, one in after.items()}
    names = {one["urn"].rpartition("::")[2] for one in _state(cli)}
    assert {"control-plane-deployment", "worker-scaler"} <= names
    assert "server-deployment" not in names


def test_back_to_one_user_the_command_refuses_to_delete_what_is_protected(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    cli.check(cli.up(ROOT, ONPREM))
    copy = cli.copy_of(ROOT)
    (copy / "stacks" / f"Pulumi.{ONPREM}.yaml").write_text(changed_file(ONPREM, SIDECAR), encoding="utf-8")
    done = cli.up(ROOT, ONPREM)
    assert done.returncode != 0
    assert "cannot be deleted" in done.text or "protect" in done.text


def test_control_plane_and_workers_have_the_least_rights_on_jobs_and_blobs(tmp_path: Path) -> None:
    """What is known after a deployment: one puts jobs in, the other takes them out; without uploads one only reads."""
    cli = PulumiCli(tmp_path / "world")
    copy = cli.copy_of(ROOT)
    file = copy / "stacks" / f"Pulumi.{ECS}.yaml"
    file.write_text(changed_file(ECS, {"aethergraph.uploads": False}), encoding="utf-8")
    cli.check(cli.up(ROOT, ECS))
    graph = read_state(cli.stack_export(ROOT, ECS, "--show-secrets"))
    rights = {
        resource.name: _actions(json.loads(str(resource.inputs["policy"])))
        for resource in graph.resources
        if resource.type.endswith(":RolePolicy") and resource.name in ("control-plane-task", "worker-task")
    }
    plane, worker = rights["control-plane-task"], rights["worker-task"]
    assert ("sqs:SendMessage" in plane, "sqs:ReceiveMessage" in plane) == (True, False)
    assert ("sqs:SendMessage" in worker, "sqs:ReceiveMessage" in worker) == (False, True)
    assert ("s3:PutObject" in plane, "s3:GetObject" in plane) == (False, True)
    assert {"s3:PutObject", "s3:GetObject"} <= worker


def _actions(document: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for statement in document["Statement"]:
        actions = statement["Action"]
        found |= {actions} if isinstance(actions, str) else set(actions)
    return found


def _state(cli: PulumiCli) -> list[dict[str, Any]]:
    document = yaml.safe_load(cli.stack_export(ROOT, ONPREM, "--show-secrets"))
    return list(document["deployment"]["resources"])
