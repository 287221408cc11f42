"""One small program through its whole life with the real command; the engine sees what the command sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.run import run_program
from skerry.graph import UNKNOWN, Secret, find
from skerry.graph_json import to_json
from skerry.readers.preview_json import read_preview
from skerry.readers.state import read_state
from tests.simulators.graph_equality import NORMALISED, differences
from tests.simulators.pulumi_cli import Done, PulumiCli

STACK = "dev"
PLANTED = "planted-8c1f4e77-never-to-be-seen"
PROJECT = "name: small\nruntime: {name: python, options: {virtualenv: .venv}}\nstackConfigDir: stacks\n"
CONFIG = "config:\n  small:delay: 3\n"
PROGRAM = """
import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

config = pulumi.Config()


class Tier(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("small:index:Tier", name, {"tier": "meta", "replicas": 2}, opts)
        inside = ResourceOptions(parent=self)
        self.space = k8s.core.v1.Namespace(f"{name}-space", metadata={"labels": {"a": "b"}}, opts=inside)
        self.store = aws.s3.Bucket(
            f"{name}-store", tags={"t": "1"}, opts=ResourceOptions(parent=self, protect=True, retain_on_delete=True)
        )
        self.register_outputs({"store": self.store.bucket})


cluster = k8s.Provider("cluster", kubeconfig="{}")
tier = Tier("tier", ResourceOptions(providers=[cluster]))
k8s.core.v1.Secret(
    "login",
    metadata={"name": "login", "namespace": tier.space.metadata.name},
    string_data={"password": config.require_secret("password")},
    opts=ResourceOptions(provider=cluster),
)
queue = aws.sqs.Queue("queue", delay_seconds=config.require_int("delay"), opts=ResourceOptions(ignore_changes=["tags"]))
allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue.arn}
aws.sqs.QueuePolicy("policy", queue_url=queue.url, policy=pulumi.Output.json_dumps({"Statement": [allowed]}))
pulumi.export("store", tier.store.arn)
pulumi.export("password", config.require_secret("password"))
"""


@dataclass
class Life:
    """What each stage left behind; the stages run once."""

    cli: PulumiCli
    project: Path
    preview: str
    up: Done
    cloud: list[dict[str, Any]]
    state: str
    again: Done
    after: str
    refused: Done
    cloud_after_refused: list[dict[str, Any]]
    destroyed: Done
    cloud_at_end: list[dict[str, Any]]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    tmp = tmp_path_factory.mktemp("small")
    project = tmp / "small"
    (project / "stacks").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text(PROJECT)
    (project / "stacks" / f"Pulumi.{STACK}.yaml").write_text(CONFIG)
    (project / "__main__.py").write_text(PROGRAM)
    cli = PulumiCli(tmp / "world")
    cli.set_secret(project, STACK, "password", PLANTED)
    preview = cli.preview_json(project, STACK)
    up, cloud, state = cli.check(cli.up(project, STACK)), cli.in_cloud(), cli.stack_export(project, STACK)
    again, after = cli.check(cli.up(project, STACK)), cli.preview_json(project, STACK)
    refused, cloud_after_refused = cli.destroy(project, STACK), cli.in_cloud()
    cli.unprotect_all(project, STACK)
    destroyed, at_end = cli.check(cli.destroy(project, STACK)), cli.in_cloud()
    yield Life(
        cli, project, preview, up, cloud, state, again, after, refused, cloud_after_refused, destroyed, at_end
    )  # fmt: skip


def names(cloud: list[dict[str, Any]]) -> list[str]:
    return sorted(resource["urn"].split("::")[-1] for resource in cloud)


def test_the_engine_s_graph_is_the_command_s(life: Life) -> None:
    engine = run_program(life.cli.copy_of(life.project), STACK)
    found = differences(engine, read_preview(life.preview))
    assert found.differences == []
    assert len(engine.resources) == 8
    assert found.compared > 100
    assert set(found.touched) <= set(NORMALISED)


def test_a_changed_field_is_found_by_the_comparison(life: Life) -> None:
    changed = life.preview.replace('"replicas": 2', '"replicas": 3').replace('"protect": true', '"protect": false')
    found = differences(run_program(life.cli.copy_of(life.project), STACK), read_preview(changed))
    assert sorted(line.split(" ", 1)[1].removeprefix("inputs.") for line in found.differences) == [
        "protect: engine True, command False",
        "replicas: engine 2, command 3",
    ]


def test_a_deployment_makes_everything_once_and_then_changes_nothing(life: Life) -> None:
    assert names(life.cloud) == ["login", "policy", "queue", "tier-space", "tier-store"]
    assert "8 unchanged" in life.again.text
    steps = json.loads(life.after)["steps"]
    assert {"same"} == {step["op"] for step in steps}


def test_a_preview_of_a_deployed_stack_is_the_whole_graph(life: Life) -> None:
    before, after, state = read_preview(life.preview), read_preview(life.after), read_state(life.state)
    urns = {resource.urn for resource in before.resources}
    assert urns == {resource.urn for resource in after.resources} == {resource.urn for resource in state.resources}


def test_a_state_knows_what_a_preview_could_not(life: Life) -> None:
    before, state = read_preview(life.preview), read_state(life.state)
    urn = next(resource.urn for resource in state.resources if resource.name == "policy")
    assert UNKNOWN is before[urn].inputs["queueUrl"]
    assert str(state[urn].inputs["queueUrl"]).startswith("https://")
    assert state[urn].id
    assert "arn:" in str(state.stack_outputs(STACK)["store"])


def test_destroy_is_refused_with_nothing_deleted_while_a_store_is_protected(life: Life) -> None:
    assert life.refused.returncode != 0
    assert "protected" in life.refused.text
    assert life.cloud == life.cloud_after_refused


def test_destroy_goes_once_protection_is_lifted_and_the_store_stays(life: Life) -> None:
    assert life.destroyed.returncode == 0
    assert names(life.cloud_at_end) == ["tier-store"]


def test_a_planted_secret_reaches_the_cloud_and_nothing_else(life: Life) -> None:
    held = [resource for resource in life.cloud if PLANTED in json.dumps(resource)]
    assert names(held) == ["login"], "the secret must have travelled, or the searches below prove nothing"
    engine = to_json(run_program(life.cli.copy_of(life.project), STACK))
    texts = {
        "preview": life.preview,
        "state": life.state,
        "up": life.up.text,
        "up again": life.again.text,
        "destroy": life.destroyed.text,
        "engine": engine,
    }
    backend = {str(path): path.read_text(errors="replace") for path in life.cli.state.rglob("*") if path.is_file()}
    assert backend
    assert [where for where, text in {**texts, **backend}.items() if PLANTED in text] == []


def test_a_secret_stays_marked_in_every_producer(life: Life) -> None:
    for graph in (
        run_program(life.cli.copy_of(life.project), STACK),
        read_preview(life.preview),
        read_state(life.state),
    ):
        login = next(resource for resource in graph.resources if resource.name == "login")
        assert isinstance(find(login.inputs, "stringData"), Secret), graph.producer
