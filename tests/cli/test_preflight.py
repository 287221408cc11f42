"""`skerry preflight` as a user runs it, over the stacks that come with Skerry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main

ROOT = Path(__file__).resolve().parents[2]
AIRGAPPED = ["preflight", "--project", str(ROOT), "--stack", "sensei-airgapped"]
AWS = ["preflight", "--project", str(ROOT), "--stack", "sensei-saas-aws-base"]

needs_aws = pytest.importorskip  # the SDK of a cloud is an extra


def test_a_site_lists_what_it_must_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(AIRGAPPED) == 0
    text = capsys.readouterr().out
    assert "128 machines of 32 vCPU exist, labelled and tainted for execution" in text
    assert "sensei-meta/qdrant-api-key" in text
    assert "[?] addresses: the site's network" in text
    assert "registry.site.example" in text


def test_what_could_not_be_told_fails_where_strict() -> None:
    assert main([*AIRGAPPED, "--strict"]) == 1


def test_a_base_on_aws_needs_the_quotas_of_its_guide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pulumi_aws")
    out = tmp_path / "preflight.json"
    assert main([*AWS, "--format", "json", "--out", str(out)]) == 0
    assert "0 things that would fail" in capsys.readouterr().err
    document = json.loads(out.read_text(encoding="utf-8"))
    quotas = {row["code"]: row["amounts"]["maximum"] for row in document["quotas"]}
    assert (quotas["L-417A185B"], quotas["L-0263D0A3"]) == (192, 3)
    choices = {row["tier"]: row for row in document["choices"]}
    assert choices["cognitive"]["taken"] == "p4d.24xlarge"
    assert "us-east-1 sold it on" in choices["cognitive"]["soldThere"]


def test_the_quotas_of_the_whole_deployment_on_aws(tmp_path: Path) -> None:
    """131 machines of 32 vCPU, two of 96 with eight A100 each, and three of 8 for what runs the cluster."""
    pytest.importorskip("pulumi_aws")
    out = tmp_path / "preflight.json"
    stack = ["preflight", "--project", str(ROOT), "--stack", "sensei-saas-aws"]
    assert main([*stack, "--format", "json", "--out", str(out)]) == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    quotas = {row["code"]: row["amounts"] for row in document["quotas"]}
    assert quotas["L-1216C47A"] == {"minimum": 248, "typical": 632, "maximum": 4216, "upgrading": 4456}
    assert quotas["L-417A185B"] == {"minimum": 192, "typical": 192, "maximum": 192, "upgrading": 192}
    ranges = {row["name"]: row for row in document["ranges"]}
    assert ranges["the largest plan, 140 machines"]["needs"] == 128 * 60 + 8 * 100 + 4 * 60


def test_the_rights_are_policies_that_iam_takes(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pulumi_aws")
    assert main([*AWS, "--permissions"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["unknown"] == []
    actions = {
        action
        for one in document["policies"]
        for row in one["Statement"]
        for action in (row["Action"] if isinstance(row["Action"], list) else [row["Action"]])
    }
    assert {"eks:CreateCluster", "ec2:CreateVpc", "kms:CreateKey", "iam:PassRole", "rds:CreateDBInstance"} <= actions
    assert "*" not in actions
    assert not {action for action in actions if action.endswith(":*")}


def test_rights_are_no_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AIRGAPPED, "--permissions", "--format", "markdown"]) == 2
    assert "--permissions is JSON" in capsys.readouterr().err


def graph_file(folder: Path) -> Path:
    graph = folder / "graph.json"
    assert (
        main(
            ["preview", "--project", str(ROOT), "--stack", "sensei-airgapped", "--format", "json", "--out", str(graph)]
        )
        == 0
    )
    return graph


def test_a_graph_that_was_written_is_examined_without_its_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = graph_file(tmp_path)
    capsys.readouterr()
    assert main(["preflight", "--graph", str(graph)]) == 0
    assert "could not tell: what was asked stands in a stack's configuration" in capsys.readouterr().out


STATE = {
    "version": 3,
    "deployment": {
        "manifest": {"time": "2026-11-01T00:00:00Z", "magic": "x", "version": "v3.250.0"},
        "resources": [
            {
                "urn": "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod",
                "custom": False,
                "type": "pulumi:pulumi:Stack",
            },
            {
                "urn": "urn:pulumi:prod::shop::aws:eks/cluster:Cluster::k",
                "custom": True,
                "id": "k",
                "type": "aws:eks/cluster:Cluster",
                "inputs": {"version": "1.33"},
                "outputs": {"version": "1.33"},
                "parent": "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod",
            },
        ],
    },
}


def test_a_minor_version_that_is_skipped_stops_the_upgrade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(json.dumps(STATE), encoding="utf-8")
    planned = json.loads(json.dumps(STATE).replace("1.33", "1.35"))
    after.write_text(json.dumps(planned), encoding="utf-8")
    assert main(["preflight", "--from-state", str(after), "--deployed", str(before)]) == 1
    text = capsys.readouterr().out
    assert (
        "[!] versions: k runs 1.33 and is to be 1.35: a minor version cannot be skipped; go to 1.34 first"
        in " ".join(text.split())
    )


def test_a_state_that_is_not_there_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AIRGAPPED, "--deployed", "/nowhere/state.json"]) == 2
    assert "--deployed '/nowhere/state.json' cannot be read" in capsys.readouterr().err
