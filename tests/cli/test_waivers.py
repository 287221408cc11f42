"""Waivers of a program without a stack file of Skerry's stand in a file, and are judged like all others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main

PROGRAM = """
import pulumi_aws as aws
aws.ec2.SecurityGroup("open", vpc_id="vpc-0123456789abcdef0", ingress=[
    {"protocol": "tcp", "from_port": 5432, "to_port": 5432, "cidr_blocks": ["0.0.0.0/0"]}])
"""
ROW = "{rule: NET004, resource: open, owner: Ada, reason: the honey pot of the lab, expires: '2099-12-31'}"
WRONG = {
    "no file": (None, "cannot be read"),
    "another form": ("waivers: []", "schema: None is not known; write skerry.waivers/1"),
    "a list": ("- rule: NET004", "holds a list where a mapping is needed"),
    "not YAML": ("schema: [", "cannot be used"),
    "a row without an owner": (
        "schema: skerry.waivers/1\nwaivers: [{rule: NET004, resource: x, reason: long enough, expires: '2026-12-31'}]",
        "waivers[0].owner: is required and missing",
    ),
    "a field too many": ("schema: skerry.waivers/1\nwaivers: []\nwaiver: []", "did you mean 'waivers'?"),
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-west-1}\n")
    (folder / "__main__.py").write_text(PROGRAM)
    return folder


def test_a_finding_of_a_foreign_program_can_be_answered_for(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--program", str(program)]) == 1
    assert "add to waivers in a file for --waivers: {rule" in " ".join(capsys.readouterr().out.split())
    file = program / "waivers.yaml"
    file.write_text(f"schema: skerry.waivers/1\nwaivers: [{ROW}]\n")
    assert main(["check", "--program", str(program), "--waivers", str(file), "--format", "json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    expected = {"owner": "Ada", "reason": "the honey pot of the lab", "expires": "2099-12-31", "was": "violation"}
    assert [expected] == [one["waiver"] for one in findings if one["rule"] == "NET004" and one["verdict"] == "waived"]


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_cannot_be_used_is_refused(case: str, program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = WRONG[case]
    file = program / "waivers.yaml"
    if text is not None:
        file.write_text(text)
    assert main(["check", "--program", str(program), "--waivers", str(file)]) == 2
    assert expected in " ".join(capsys.readouterr().err.split())
