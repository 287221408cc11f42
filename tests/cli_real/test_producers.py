"""One stack through every producer: the engine, both forms of a preview, the events of an update, and the state."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret, is_known
from skerry.graph_json import from_json
from skerry.readers.preview_json import read_preview
from skerry.readers.state import read_state
from tests.simulators.graph_equality import differences
from tests.simulators.pulumi_cli import ROOT, PulumiCli

STACK = "dev"
PLANTED = "planted-51c09b7e-never-to-be-seen"
STREAM = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
PROJECT = "name: paint\nruntime: {name: python, options: {virtualenv: .venv}}\n"
CONFIG = "config:\n  aws:region: eu-central-1\n  paint:size: 20\n"
PROGRAM = """
import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

config = pulumi.Config()


class Shop(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("paint:index:Shop", name, {"tier": "meta"}, opts)
        inside = ResourceOptions(parent=self)
        self.space = k8s.core.v1.Namespace(f"{name}-space", metadata={"name": "shop"}, opts=inside)
        self.web = k8s.apps.v1.Deployment(
            f"{name}-web",
            metadata={"name": "web", "namespace": "shop"},
            spec={
                "replicas": 2,
                "selector": {"match_labels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "web", "image": "registry.example/shop/web:1.2.3"}]},
                },
            },
            opts=ResourceOptions(parent=self, depends_on=[self.space], ignore_changes=["spec.replicas"]),
        )
        self.register_outputs({"tier": "meta"})


site = k8s.Provider("site", kubeconfig="{}")
shop = Shop("shop", ResourceOptions(providers=[site]))
k8s.core.v1.Secret(
    "login",
    metadata={"name": "login", "namespace": "shop"},
    string_data={"password": config.require_secret("password")},
    opts=ResourceOptions(provider=site),
)
store = aws.s3.Bucket("store", bucket="paint-store", opts=ResourceOptions(protect=True, retain_on_delete=True))
aws.ec2.Instance("worker", ami="ami-0123456789abcdef0", instance_type="m6i.large",
                 root_block_device={"volume_size": config.require_int("size"), "volume_type": "gp3"})
pulumi.export("store", store.bucket)
pulumi.export("password", config.require_secret("password"))
"""
VERBS = {
    "check": ["check", "--today", "2026-11-21"],
    "cost": ["cost", "--today", "2026-11-21"],
    "bundle plan": ["bundle", "plan"],
}


@dataclass
class Life:
    """What each producer wrote of one stack, as options of the verbs."""

    program: Path
    options: dict[str, list[str]]

    def graph(self, producer: str) -> ResourceGraph:
        """Return the graph that one of them leads to."""
        option, file = self.options[producer][:2]
        if option == "--program":
            raise AssertionError("the engine's graph is asked for by engine()")
        text = Path(file).read_text(encoding="utf-8")
        return read_state(text) if option == "--from-state" else read_preview(text)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    tmp = tmp_path_factory.mktemp("producers")
    project = tmp / "paint"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(PROJECT)
    (project / f"Pulumi.{STACK}.yaml").write_text(CONFIG)
    (project / "__main__.py").write_text(PROGRAM)
    cli = PulumiCli(tmp / "world")
    cli.set_secret(project, STACK, "password", PLANTED)
    stack = ["--stack", STACK]
    written = {
        "preview": cli.preview_json(project, STACK),
        "events": cli.check(cli.run(project, "preview", "--json", *stack, variables=STREAM)).stdout,
        "update": cli.check(cli.run(project, "up", "--yes", "--skip-preview", "--json", *stack)).stdout,
        "state": cli.stack_export(project, STACK),
        "preview again": cli.preview_json(project, STACK),
    }
    options = {"engine": ["--program", str(cli.copy_of(project)), *stack]}
    for name, text in written.items():
        assert PLANTED not in text, name
        (tmp / f"{name}.json").write_text(text, encoding="utf-8")
        options[name] = ["--from-state" if name == "state" else "--from-preview", str(tmp / f"{name}.json")]
    return Life(cli.copy_of(project), options)


def engine(life: Life, capsys: pytest.CaptureFixture[str]) -> ResourceGraph:
    assert main(["preview", *life.options["engine"], "--format", "json"]) == 0
    return from_json(capsys.readouterr().out)


def test_the_engine_s_graph_is_the_preview_s(life: Life, capsys: pytest.CaptureFixture[str]) -> None:
    found = differences(engine(life, capsys), life.graph("preview"))
    assert found.differences == []
    assert found.compared > 100


TOLD_BY_EVENTS = ("urn", "type", "name", "custom", "parent", "inputs", "protect", "retain_on_delete", "external")
NOT_TOLD_BY_EVENTS = ("dependencies", "property_dependencies", "ignore_changes", "additional_secret_outputs", "source")


def test_the_events_tell_what_the_document_tells_but_for_dependencies_and_options(life: Life) -> None:
    document, events = life.graph("preview"), life.graph("events")
    assert [r.urn for r in document.resources if r.custom] != []
    assert {r.urn for r in document.resources} == {r.urn for r in events.resources}
    for resource in document.resources:
        told = events[resource.urn]
        for name in (*TOLD_BY_EVENTS, "provider"):
            assert getattr(resource, name) == getattr(told, name), (resource.name, name)
    lost = {item.name for item in fields(Resource) for r in document.resources
            if getattr(r, item.name) != getattr(events[r.urn], item.name)}  # fmt: skip
    assert lost <= {*NOT_TOLD_BY_EVENTS, "outputs"}
    assert events.stack_outputs(STACK)["password"] == Secret(UNKNOWN)


@pytest.mark.parametrize("producer", ["update", "state", "preview again"])
def test_what_was_deployed_is_what_was_previewed(producer: str, life: Life) -> None:
    before, after = life.graph("preview"), life.graph(producer)
    assert {r.urn for r in before.resources} == {r.urn for r in after.resources}
    assert before.places == after.places == {STACK: {"aws:region": "eu-central-1"}}
    for resource in before.resources:
        now = after[resource.urn]
        told = TOLD_BY_EVENTS if producer == "update" else (*TOLD_BY_EVENTS, *NOT_TOLD_BY_EVENTS)
        for name in told:
            if name != "inputs" or all(is_known(value) for value in resource.inputs.values()):
                assert getattr(resource, name) == getattr(now, name), (resource.name, name)
        first, then = before.provider_of(resource), after.provider_of(now)
        assert (first.urn if first else "") == (then.urn if then else "")


def comparable(value: Any) -> Any:
    """Take off where in the program a finding stands, which events do not tell, and the order of registration."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key != "source"}
    return sorted((comparable(item) for item in value), key=json.dumps) if isinstance(value, list) else value


def report(verb: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    code = main([*VERBS[verb], *options, "--format", "json"])
    text = capsys.readouterr().out
    assert PLANTED not in text
    return code, comparable(json.loads(text))


@pytest.mark.parametrize("verb", VERBS)
def test_every_producer_leads_to_the_same_result(verb: str, life: Life, capsys: pytest.CaptureFixture[str]) -> None:
    expected = report(verb, life.options["engine"], capsys)
    assert len(json.dumps(expected)) > 300, "an empty result would prove nothing"
    for producer in ("preview", "events", "update", "state", "preview again"):
        assert report(verb, life.options[producer], capsys) == expected, producer


AIRGAPPED = "sensei-airgapped"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return a shipped stack through the engine and both forms of a preview."""
    tmp = tmp_path_factory.mktemp("shipped")
    cli = PulumiCli(tmp / "world")
    (tmp / "preview.json").write_text(cli.preview_json(ROOT, AIRGAPPED), encoding="utf-8")
    done = cli.check(cli.run(ROOT, "preview", "--json", "--stack", AIRGAPPED, variables=STREAM))
    (tmp / "events.json").write_text(done.stdout, encoding="utf-8")
    return {
        "engine": ["--project", str(ROOT), "--stack", AIRGAPPED],
        "preview": ["--from-preview", str(tmp / "preview.json")],
        "events": ["--from-preview", str(tmp / "events.json")],
    }


@pytest.mark.parametrize("verb", VERBS)
def test_a_shipped_stack_is_the_same_from_its_preview(
    verb: str, shipped: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    expected = report(verb, shipped["engine"], capsys)
    for producer in ("preview", "events"):
        assert report(verb, shipped[producer], capsys) == expected, producer
