"""A stand-in is no fact: every verb says where the program was answered with one, and where it was not answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main
from skerry.invokes import holds_stand_in

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

caller = aws.get_caller_identity()
image = aws.ec2.get_ami(most_recent=True, owners=["amazon"])
aws.ec2.Instance("web", ami=image.id, instance_type="t3.micro")
clusters = aws.rds.get_clusters_output()
aws.s3.Bucket("logs", tags={"first": clusters.cluster_identifiers[0]})
pulumi.StackReference("acme/network/prod").get_output("vpc")
k8s.core.v1.Pod("app", metadata={"name": "app", "namespace": "shop"}, spec={"containers": [
    {"name": "app", "image": f"{caller.account_id}.dkr.ecr.eu-west-1.amazonaws.com/app:1"}]})
"""
ANSWERS = """
schema: skerry.answers/1
answers:
  - token: aws:index/getCallerIdentity:getCallerIdentity
    result: {accountId: "210987654321", arn: "arn:aws:iam::210987654321:root", id: "210987654321", userId: X}
  - token: aws:ec2/getAmi:getAmi
    args: {mostRecent: any, owners: any}
    result: {id: ami-0123456789abcdef0, architecture: arm64}
"""
TOLD = {
    "Stand-ins: 2 answers are made of zeros",
    "aws:ec2/getAmi:getAmi",
    "aws:index/getCallerIdentity:getCallerIdentity",
    "in the inputs of 2 resources: web (ami), app (spec)",
    "aws:rds/getClusters:getClusters",
    "Outputs of other stacks that are not here, so unknown (--stack-outputs FILE gives them)",
    "acme/network/prod",
}
VERBS = {
    "preview": ["preview"],
    "check": ["check"],
    "cost": ["cost"],
    "cost in brief": ["cost", "--brief"],
    "bundle plan": ["bundle", "plan"],
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-west-1}\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (tmp_path / "answers.yaml").write_text(ANSWERS)
    return folder


def printed(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    main([*argv])
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_report_tells_which_answers_are_no_facts(
    verb: str, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(printed(capsys, *VERBS[verb], "--program", str(program)).split())
    assert {phrase for phrase in TOLD if phrase not in text} == set()


@pytest.mark.parametrize("verb", VERBS)
def test_with_answers_of_the_user_s_own_nothing_is_a_stand_in(
    verb: str, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ["--answers", str(program.parent / "answers.yaml")]
    assert "Stand-ins" not in printed(capsys, *VERBS[verb], "--program", str(program), *answers)


UNUSED = {
    "an argument that is not declared": (
        "token: aws:ec2/getAmi:getAmi\n    args: {mostRecent: any}",
        "aws:ec2/getAmi:getAmi was called with owners, which the row does not declare: add it to args, such as any",
    ),
    "another value": (
        "token: aws:ec2/getAmi:getAmi\n    args: {mostRecent: [false], owners: any}",
        "aws:ec2/getAmi:getAmi was called with another value of mostRecent than the row holds for",
    ),
    "an argument that is not given": (
        "token: aws:ec2/getAmi:getAmi\n    args: {mostRecent: any, owners: any}\n    needs: {nameRegex: any}",
        "aws:ec2/getAmi:getAmi was called without nameRegex, which the row needs",
    ),
    "a misspelt function": (
        "token: aws:ec2/getAMI:getAmi",
        "aws:ec2/getAMI:getAmi was never called: did you mean aws:ec2/getAmi:getAmi?",
    ),
}


@pytest.mark.parametrize("case", UNUSED)
def test_a_row_that_answers_nothing_is_told(case: str, program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row, expected = UNUSED[case]
    file = program.parent / "own.yaml"
    file.write_text(f"schema: skerry.answers/1\nanswers:\n  - {row}\n    result: {{id: ami-1}}\n")
    assert main(["preview", "--program", str(program), "--answers", str(file)]) == 0
    assert f"skerry: a row of {file} was not used: {expected}" in " ".join(capsys.readouterr().err.split())


def test_a_row_that_answers_is_not_told(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "--program", str(program), "--answers", str(program.parent / "answers.yaml")]) == 0
    assert "was not used" not in capsys.readouterr().err


def test_a_graph_in_a_file_tells_as_much(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = program.parent / "graph.json"
    main(["preview", "--program", str(program), "--format", "json", "--out", str(graph)])
    capsys.readouterr()
    assert printed(capsys, "cost", "--graph", str(graph)) == printed(capsys, "cost", "--program", str(program))


@pytest.mark.parametrize("verb", ["check", "cost", "bundle plan"])
def test_programs_are_told_as_well(verb: str, program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, *VERBS[verb], "--program", str(program), "--format", "json"))["functions"]
    assert [row["token"] for row in found["standIns"]] == [
        "aws:ec2/getAmi:getAmi", "aws:index/getCallerIdentity:getCallerIdentity",
    ]  # fmt: skip
    assert [row["token"] for row in found["unanswered"]] == [
        "aws:rds/getClusters:getClusters", "pulumi:pulumi:StackReference",
    ]  # fmt: skip
    assert [row["properties"] for row in found["standInHolders"]] == [["ami"], ["spec.containers[0].image"]]


def test_an_image_that_a_stand_in_names_makes_a_plan_incomplete(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "plan", "--program", str(program)]) == 1
    text = capsys.readouterr().out
    assert "the image 000000000000.dkr.ecr.eu-west-1.amazonaws.com/app:1 is named by a stand-in" in text
    assert "complete: facts and manifests" not in text


def test_a_finding_that_rests_on_a_stand_in_says_so(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "check", "--program", str(program), "--format", "json"))["findings"]
    resting = {row["urn"].rpartition("::")[2] for row in found if row.get("standIn")}
    assert "app" in resting and "logs" not in resting
    assert "(this holds a stand-in, see below)" in printed(capsys, "check", "--program", str(program))


def test_a_manifest_with_a_stand_in_says_so(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "render", "--program", str(program))
    assert "# Holds a stand-in of zeros for what your account decides: cannot be applied as it is.\n" in text
    document = json.loads(printed(capsys, "render", "--program", str(program), "--format", "json"))
    assert [(holds_stand_in(row["document"]), row["complete"]) for row in document["manifests"]] == [(True, False)]
