"""A component that gets another name, type or parent keeps its resources if it says what it was called before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from skerry.engine.run import run_program
from tests.simulators.pulumi_cli import PulumiCli

PROJECT = "name: renames\nruntime: {name: python, options: {virtualenv: .venv}}\n"
PROGRAM = """
import pulumi
import pulumi_aws as aws
from pulumi import Alias, ResourceOptions


class Shelf(pulumi.ComponentResource):
    def __init__(self, name, opts=None, kind="renames:index:Shelf"):
        super().__init__(kind, name, None, opts)
        self.queue = aws.sqs.Queue(
            f"{name}-queue", delay_seconds=3, opts=ResourceOptions(parent=self, protect=True)
        )
        allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": self.queue.arn}
        policy = pulumi.Output.json_dumps({"Statement": [allowed]})
        aws.sqs.QueuePolicy(
            f"{name}-policy", queue_url=self.queue.url, policy=policy, opts=ResourceOptions(parent=self)
        )


"""
FIRST: Final = 'Shelf("shelf")\n'
NEITHER: Final = {"same"}


@dataclass(frozen=True)
class Rename:
    """What the program says now, and the operations of a preview."""

    program: str
    operations: set[str]


RENAMES: Final = {
    "nothing is renamed": Rename(FIRST, NEITHER),
    "another name, the old one told": Rename(
        'Shelf("case", ResourceOptions(aliases=[Alias(name="shelf")]))\n', NEITHER
    ),
    "another name, the old URN told": Rename(
        'Shelf("case", ResourceOptions(aliases=["urn:pulumi:dev::renames::renames:index:Shelf::shelf"]))\n', NEITHER
    ),
    "another type, the old one told": Rename(
        'Shelf("shelf", ResourceOptions(aliases=[Alias(type_="renames:index:Shelf")]), "renames:index:Rack")\n', NEITHER
    ),
    "under a parent, the old place told": Rename(
        "room = pulumi.ComponentResource('renames:index:Room', 'room')\n"
        'Shelf("shelf", ResourceOptions(parent=room, aliases=[Alias(parent=pulumi.ROOT_STACK_RESOURCE)]))\n',
        {"same", "create"},
    ),
    "another name and nothing told": Rename('Shelf("case")\n', {"create", "delete", "same"}),
}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> tuple[PulumiCli, Path]:
    """Deploy the program under its first name."""
    tmp = tmp_path_factory.mktemp("renames")
    project = tmp / "renames"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(PROJECT)
    (project / "Pulumi.dev.yaml").write_text("config: {}\n")
    (project / "__main__.py").write_text(PROGRAM + FIRST)
    cli = PulumiCli(tmp / "world")
    cli.check(cli.up(project, "dev"))
    return cli, project


@pytest.mark.parametrize("sentence", RENAMES)
def test_a_renamed_component_keeps_what_it_says_it_had(deployed: tuple[PulumiCli, Path], sentence: str) -> None:
    cli, project = deployed
    rename = RENAMES[sentence]
    (cli.copy_of(project) / "__main__.py").write_text(PROGRAM + rename.program)
    done = cli.run(project, "preview", "--json", "--show-sames", "--stack", "dev")
    steps = json.loads(done.stdout)["steps"]
    assert rename.operations == {step["op"] for step in steps}
    made = [step["urn"].rsplit("::", 1)[-1] for step in steps if step["op"] == "create"]
    if "delete" in rename.operations:
        assert done.returncode != 0, "the queue is protected, so that forgetting an alias does not delete it"
        assert "case-queue" in made
    else:
        assert done.returncode == 0
        assert made in ([], ["room"])
    engine = run_program(cli.copy_of(project), "dev")
    assert {step["urn"] for step in steps if step["op"] != "delete"} == {r.urn for r in engine.resources}
