"""The component package with the real command: its schema, a program using it through its life, its refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret, find
from skerry.readers.preview_json import read_preview
from skerry.readers.state import read_state
from tests.conftest import ROOT
from tests.simulators.graph_equality import differences
from tests.simulators.package_programs import HEAD, LIFE, every_component, program_of, write_project
from tests.simulators.pulumi_cli import Done, PulumiCli, PulumiCliError
from tests.simulators.schema_changes import report

STACK = "dev"
PLANTED = "planted-51d0c6a9-never-to-be-seen"
GOLDEN = ROOT / "tests" / "golden" / "package-schema.json"


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> PulumiCli:
    return PulumiCli(tmp_path_factory.mktemp("package"))


def test_the_schema_is_the_one_on_record(cli: PulumiCli, request: pytest.FixtureRequest) -> None:
    text = cli.package_schema()
    old = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.is_file() else None
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(text, encoding="utf-8")
        return
    assert old is not None, "no golden file package-schema.json: run `make golden` and read it"
    assert GOLDEN.read_text(encoding="utf-8") == text, report(old, json.loads(text))


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
    changed: Done
    cloud_after_change: list[dict[str, Any]]
    destroyed: Done
    cloud_at_end: list[dict[str, Any]]


@pytest.fixture(scope="module")
def life(cli: PulumiCli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("life") / "remote"
    project = write_project(folder, LIFE, cli.package(), STACK, '{"remote:replicas": "3"}')
    for key in ("key", "kubeconfig"):
        cli.set_secret(project, STACK, key, f"{PLANTED}-{key}")
    preview = cli.preview_json(project, STACK)
    up, cloud, state = cli.check(cli.up(project, STACK)), cli.in_cloud(), cli.stack_export(project, STACK)
    again = cli.check(cli.up(project, STACK))
    cli.check(cli.run(project, "config", "set", "--stack", STACK, "replicas", "5"))
    changed, after = cli.check(cli.up(project, STACK)), cli.in_cloud()
    cli.unprotect_all(project, STACK)
    destroyed = cli.check(cli.destroy(project, STACK))
    yield Life(
        cli, project, preview, up, cloud, state, again, changed, after, destroyed, cli.in_cloud()
    )  # fmt: skip


def named(graph: ResourceGraph, name: str) -> Resource:
    (found,) = [resource for resource in graph.resources if resource.name == name]
    return found


def names(cloud: list[dict[str, Any]]) -> list[str]:
    return sorted(resource["urn"].split("::")[-1] for resource in cloud)


def test_the_engine_s_graph_is_the_command_s(life: Life) -> None:
    keys = ("remote:key", "remote:kubeconfig")
    config = StackConfig({"remote:replicas": "3", **dict.fromkeys(keys, PLANTED)}, frozenset(keys))
    engine = run_program(life.cli.copy_of(life.project), STACK, config)
    found = differences(engine, read_preview(life.preview))
    assert found.differences == []
    assert found.compared > 500


def test_it_is_made_once_and_then_nothing_changes(life: Life) -> None:
    assert "created" in life.up.text
    assert f"{len(read_state(life.state).resources)} unchanged" in life.again.text
    assert {"db-cluster", "tracker-server", "cognitive-api-key", "space-namespace", "outside"} <= set(names(life.cloud))


def test_a_changed_argument_changes_one_resource_and_the_facts_of_its_component(life: Life) -> None:
    def instances(cloud: list[dict[str, Any]]) -> list[Any]:
        return [one["inputs"]["spec"]["instances"] for one in cloud if one["urn"].endswith("::db-cluster")]

    assert [instances(life.cloud), instances(life.cloud_after_change)] == [[3], [5]]
    # The other is the component, whose facts say how many there are.
    assert "2 updated" in life.changed.text


def test_destroy_leaves_what_is_retained(life: Life) -> None:
    assert names(life.cloud_at_end) == ["db-cluster", "own-objects-master", "own-objects-volume"]
    assert "destroyed" in life.destroyed.text or "deleted" in life.destroyed.text


def test_children_have_the_parent_and_the_provider_that_the_program_gave(life: Life) -> None:
    state = read_state(life.state)
    for name, path in {
        "tracker-server": "remote-dev > tracker > tracker-server",
        "cognitive-scout-deployment": "remote-dev > cognitive > cognitive-scout > cognitive-scout-deployment",
        "db-cluster": "remote-dev > db > db-cluster",
    }.items():
        made = named(state, name)
        provider = state.provider_of(made)
        assert [path, "cluster"] == [state.path(made), provider and provider.name]


def test_facts_are_those_of_our_own_programs(life: Life) -> None:
    facts = facts_of(named(read_preview(life.preview), "db"))
    assert facts is not None
    assert [facts.role, facts.replicas, facts.failure_domains] == ["relational-store", 3, 3]
    assert facts.images[0].deployed_as.startswith("registry.example/")


def test_what_is_unknown_stays_unknown_and_keeps_where_it_comes_from(life: Life) -> None:
    preview, state = read_preview(life.preview), read_state(life.state)
    server = named(preview, "tracker-server")
    rows = find(server.inputs, "spec.template.spec.containers")[0]["env"]
    (bucket,) = [row["value"] for row in rows if row["name"] == "BUCKET"]
    assert UNKNOWN is bucket
    sources = {urn.rsplit("::", 1)[-1] for urn in named(state, "tracker-server").property_dependencies["spec"]}
    assert {"outside", "db"} <= sources
    rows = find(named(state, "tracker-server").inputs, "spec.template.spec.containers")[0]["env"]
    assert [str(row["value"]).startswith("sim-") for row in rows if row["name"] == "BUCKET"] == [True]


def test_what_an_output_turns_out_not_to_have_is_no_variable(life: Life) -> None:
    def variables(name: str) -> dict[str, Any]:
        containers = find(named(read_state(life.state), name).inputs, "spec.template.spec.containers")
        return {row["name"]: row.get("value", row.get("valueFrom")) for row in containers[0]["env"]}

    of_store = {"BUCKET", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    cloud, own = variables("cloud-tracker-server"), variables("own-tracker-server")
    assert [cloud.get("AWS_ENDPOINT_URL"), cloud["AWS_S3_US_EAST_1_REGIONAL_ENDPOINT"]] == [None, "regional"]
    assert of_store & set(cloud) == {"BUCKET", "AWS_REGION"}
    assert of_store <= set(own)
    assert own["AWS_ACCESS_KEY_ID"] == {"secretKeyRef": {"name": "object-store", "key": "access-key"}}
    assert "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT" not in own


def test_secrets_stay_secret(life: Life) -> None:
    held = [one for one in life.cloud if PLANTED in json.dumps(one)]
    assert names(held) == [
        "cognitive-api-key",
        "cognitive-architect-deployment",
        "cognitive-scout-deployment",
    ], "the secret must have travelled, or the searches below prove nothing"
    texts = {"preview": life.preview, "up": life.up.text, "state": life.state, "again": life.again.text}
    backend = {str(path): path.read_text(errors="replace") for path in life.cli.state.rglob("*") if path.is_file()}
    assert backend
    assert [where for where, text in {**texts, **backend}.items() if PLANTED in text] == []
    secret = named(read_preview(life.preview), "cognitive-api-key")
    assert isinstance(find(secret.inputs, "stringData"), Secret)


def test_the_program_reads_the_outputs(life: Life) -> None:
    outputs = dict(read_state(life.state).stack_outputs(STACK))
    assert outputs == {
        "database": "db-rw.meta.svc.cluster.local:5432",
        "secret": "db-app",
        "metrics": "http://db-rw.meta.svc.cluster.local:9187/metrics",
        "namespace": "meta",
    }


def test_every_public_component_is_made_by_the_command_as_by_the_engine(cli: PulumiCli, tmp_path: Path) -> None:
    project = write_project(tmp_path / "every", program_of(every_component()), cli.package(), STACK)
    command = read_preview(cli.preview_json(project, STACK))
    found = differences(run_program(cli.copy_of(project), STACK), command)
    assert found.differences == []
    kinds = {one.type.removeprefix("skerry:index:") for one in command.resources if one.name.startswith("my-")}
    assert set(every_component()) <= kinds


REFUSED: dict[str, tuple[str, str, list[str]]] = {
    "several at once, each with its path": (
        "VectorStore",
        '{"cluster": {"storageClas": "x", "dataClass": "restrictd"}, "namespace": "n", "size": {"replicas": 1.5}}',
        [
            "VectorStore 'it' has 3 problems in its arguments",
            "property cluster.storageClas with value '{x}' has a problem: is not a field of Cluster; did you mean "
            "'storageClass'?",
            "property cluster.dataClass with value '{restrictd}' has a problem: 'restrictd' is not one of public, "
            "internal, confidential, restricted; did you mean 'restricted'?",
            "property size.replicas with value '{1.5}' has a problem: must be an integer, got 1.5",
        ],
    ),
    "a missing one": (
        "GraphStore",
        '{"cluster": {}}',
        ["property namespace has a problem: is required by GraphStore and missing; add it"],
    ),
    "a value out of bounds": (
        "GraphStore",
        '{"cluster": {}, "namespace": "n", "size": {"replicas": 99}}',
        ["property size.replicas with value '{99}' has a problem: input should be less than or equal to 9, got 99"],
    ),
    "an output where the shape is decided": (
        "GraphStore",
        '{"cluster": {}, "namespace": aws.s3.Bucket("b").bucket}',
        ["property namespace has a problem: is an output, or not known yet; it decides which resources are made"],
    ),
    "a secret in the wrong place is not shown": (
        "GraphStore",
        f'{{"cluster": {{}}, "namespace": pulumi.Output.secret("{PLANTED}")}}',
        ["property namespace has a problem"],
    ),
    "a secret beside a mistake is not shown": (
        "AgentGroup",
        '{"cluster": {}, "namespace": "n", "tier": "meta", "kind": "a", "agent": {"image": "a/b:1"}, '
        f'"environment": {{"A": pulumi.Output.secret("{PLANTED}"), "B": ["x"]}}}}',
        ["property environment.B has a problem: must be a string, got a list"],
    ),
    "a name that Kubernetes refuses": (
        "OnPremCluster",
        "{}",
        ["property deployment has a problem: is required by OnPremCluster and missing"],
    ),
    "a component that there is not": (
        "VectorStor",
        "{}",
        ["skerry:index:VectorStor is no component of this package: it has AetherGraph"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_arguments_are_refused_by_name_without_a_trace(case: str, cli: PulumiCli, tmp_path: Path) -> None:
    kind, inputs, words = REFUSED[case]
    program = f'{HEAD}import pulumi_aws as aws\nRemote("{kind}", "it", (), {inputs})\n'
    project = write_project(tmp_path / f"refused-{list(REFUSED).index(case)}", program, cli.package(), STACK)
    done = cli.preview(project, STACK)
    assert done.returncode != 0
    # What follows is the SDK of the calling program, which reports that the engine left it.
    told = done.text.split("Diagnostics:")[-1].partition("Program failed")[0]
    assert [word for word in words if word not in told] == []
    assert "Traceback" not in told
    assert PLANTED not in done.text


def test_only_this_repository_s_own_package_is_let_in(cli: PulumiCli, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    project = write_project(tmp_path / "p", HEAD, stranger, STACK)
    with pytest.raises(PulumiCliError, match="names plugins or packages"):
        cli.up(project, STACK)
