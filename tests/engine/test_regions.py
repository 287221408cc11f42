"""A region that no table knows is told: the provider would refuse it, and here no provider starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.engine.answers import aws_regions, builtin_answers
from skerry.engine.run import run_program

MakeProject = Callable[..., Path]

AWS = "import pulumi_aws as aws\n"
BUCKET = AWS + "aws.s3.Bucket('b')\n"
EXPLICIT = AWS + "aws.Provider('p', region='{region}')\n"
CASES: dict[str, tuple[str, str, list[str]]] = {
    "a region that exists": (BUCKET, "eu-central-1", []),
    "a region that is spelt wrong": (
        BUCKET,
        "eu-centrl-1",
        ["warning: aws:region 'eu-centrl-1' is no region that is known here: did you mean 'eu-central-1'?"],
    ),
    "a region like no other": (
        BUCKET, "moon", ["warning: aws:region 'moon' is no region that is known here"]
    ),
    "a program that makes nothing there": ("pulumi.export('a', 1)\n", "moon", []),
    "an explicit provider": (
        EXPLICIT.format(region="eu-wst-1"),
        "",
        [
            "warning: the region of provider 'p' 'eu-wst-1' is no region that is known here: did you mean 'eu-west-1'?"
        ],
    ),
    "an explicit provider whose region exists": (EXPLICIT.format(region="cn-north-1"), "", []),
}  # fmt: skip


@pytest.mark.parametrize(("program", "region", "expected"), list(CASES.values()), ids=list(CASES))
def test_a_region_is_looked_at(
    make_project: MakeProject, caplog: pytest.LogCaptureFixture, program: str, region: str, expected: list[str]
) -> None:
    config = f"config: {{aws:region: {region}}}\n" if region else "{}\n"
    run_program(make_project(program, {"dev": config}), "dev")
    found = [record.getMessage() for record in caplog.records if record.name == "skerry.engine.regions"]
    assert expected == found


def test_the_short_way_knows_the_same_regions_as_the_table() -> None:
    known = builtin_answers().table("aws.regions")
    assert len(known) > 30
    assert {name: (name,) for name in known} == {name: aws_regions(name) for name in known}
    assert tuple(known) == aws_regions("names")
