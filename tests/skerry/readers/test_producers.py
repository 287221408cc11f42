"""Real output of the command for programs in TypeScript, Go and Java: every reader sees the same program."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.errors import GraphError
from skerry.graph import UNKNOWN, Asset, Resource, ResourceGraph, Secret, find, is_known, plain, walk
from skerry.graph_json import from_json, to_json
from skerry.readers.preview_json import read_preview
from skerry.readers.state import read_state

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "producers"
LANGUAGES = ("typescript", "go", "java")
NAMES = {
    "typescript": "shop-ts-dev default-ireland jobs login organization/base/dev paris password shop shop-page "
    "shop-private shop-store worker",
    "go": "shop-go-dev default-site organization/base/dev pet settings shop shop-login shop-space shop-web",
    "java": "shop-java-dev default-site organization/base/dev shop shop-login shop-space",
}
WHOLE = (
    "preview.json",
    "preview.events",
    "up.events",
    "state.json",
    "preview-deployed.json",
    "preview-deployed.events",
)
FILES = [f"{language}/{name}" for language in LANGUAGES for name in WHOLE]
PLANTED = "planted-8c1f4e77-never-to-be-seen"


def read(file: str) -> ResourceGraph:
    text = (GOLDEN / file).read_text(encoding="utf-8")
    return read_state(text) if "/state" in file else read_preview(text)


def named(graph: ResourceGraph, name: str) -> Resource:
    (found,) = (resource for resource in graph.resources if resource.name == name)
    return found


@pytest.mark.parametrize("file", FILES)
def test_every_resource_is_there_once_under_its_component(file: str) -> None:
    graph = read(file)
    assert sorted(NAMES[file.split("/")[0]].split()) == sorted(resource.name for resource in graph.resources)
    shop = named(graph, "shop")
    inside = {resource.name for resource in graph.children(shop.urn)}
    assert {resource.name for resource in graph.resources if resource.name.startswith("shop-")} - inside == {
        graph.resources[0].name
    }
    assert not shop.custom
    assert named(graph, "organization/base/dev").external


@pytest.mark.parametrize("file", FILES)
def test_an_explicit_provider_serves_what_is_inside_the_component_and_default_ones_are_no_nodes(file: str) -> None:
    graph = read(file)
    site = "default-ireland" if file.startswith("typescript") else "default-site"
    for resource in graph.children(named(graph, "shop").urn):
        provider = graph.provider_of(resource)
        assert provider is not None and provider.name == site
    assert {resource.name for resource in graph.resources if resource.is_provider} <= {site, "paris"}
    if file.startswith("typescript"):
        assert named(graph, "worker").provider == ""
        paris = graph.provider_of(named(graph, "jobs"))
        assert paris is not None and paris.inputs["region"] == "eu-west-3"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_provider_named_default_is_given_stands_in_the_state_alone(
    language: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = "default-ireland" if language == "typescript" else "default-site"
    assert named(read(f"{language}/state.json"), site).inputs
    assert not caplog.text
    assert named(read(f"{language}/preview.json"), site).inputs == {}
    assert f"the provider '{site}' is not printed" in caplog.text


@pytest.mark.parametrize("file", FILES)
def test_options_survive(file: str) -> None:
    graph = read(file)
    store = named(graph, "shop-store" if file.startswith("typescript") else "shop-space")
    assert (store.protect, store.retain_on_delete) == (True, True)


@pytest.mark.parametrize("file", [file for file in FILES if file.endswith(".json")])
def test_dependencies_and_ignored_changes_stand_in_previews_and_states(file: str) -> None:
    graph = read(file)
    if file.startswith("typescript"):
        store, page = named(graph, "shop-store"), named(graph, "shop-page")
        assert page.dependencies == (store.urn,)
        assert page.property_dependencies == {"bucket": (store.urn,)}
        assert page.ignore_changes == ("tags",)
        assert page.inputs["source"] == Asset("file", "page.html")
    else:
        space, login = named(graph, "shop-space"), named(graph, "shop-login")
        assert login.dependencies == (space.urn,)
        # The Java SDK sends no dependencies of a property while its value is not known.
        expected = {} if file == "java/preview.json" else {"metadata": (space.urn,)}
        assert login.property_dependencies == expected


@pytest.mark.parametrize("file", FILES)
def test_no_secret_is_shown(file: str) -> None:
    assert PLANTED not in (GOLDEN / file).read_text(encoding="utf-8")
    graph = read(file)
    login = named(graph, "login" if file.startswith("typescript") else "shop-login")
    held = find(login.inputs, "stringData")
    assert not is_known(held)
    if not (file.startswith("typescript") and file.split("/")[1].startswith("preview")):
        # The Node SDK makes one unknown of an object that holds an unknown, and the command prints it as such.
        assert isinstance(held, Secret) or isinstance(find(held, "planted"), Secret)
    back = from_json(to_json(graph))
    assert "$skerry" in to_json(graph)
    assert [path for path, _ in walk(named(back, login.name).inputs)] == [path for path, _ in walk(login.inputs)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_outputs_of_stacks_stand_in_events_and_states(language: str) -> None:
    keys = {"typescript": {"address", "planted", "secretAddress"}, "go": {"namespace", "planted"},
            "java": {"namespace", "planted", "zone"}}[language]  # fmt: skip
    for name in ("preview.events", "up.events", "state.json", "preview-deployed.events"):
        graph = read(f"{language}/{name}")
        outputs = graph.stack_outputs("dev")
        assert set(outputs) == keys, name
        assert outputs["planted"] == Secret(UNKNOWN), name
        assert set(named(graph, "shop").outputs) == {"tier", "address" if language == "typescript" else "namespace"}
    assert read(f"{language}/preview.json").stack_outputs("dev") == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_state_and_the_events_of_an_update_know_what_a_preview_could_not(language: str) -> None:
    before, state, update = (read(f"{language}/{name}") for name in ("preview.json", "state.json", "up.events"))
    store = "shop-store" if language == "typescript" else "shop-space"
    assert named(before, store).id == ""
    assert named(state, store).id.startswith("sim-")
    assert named(update, store).id == named(state, store).id
    assert plain(named(update, store).outputs) == plain(named(state, store).outputs)
    assert before.unknown_paths()
    left = {resource.name for resource, _ in state.unknown_paths()}
    assert left <= {"login", "shop-login"}, "only sealed secrets are unknown once everything stands"


def test_where_default_providers_put_things_is_known_to_every_producer() -> None:
    for name in WHOLE:
        assert read(f"typescript/{name}").places == {"dev": {"aws:region": "eu-central-1"}}, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_source_is_a_line_of_the_user_s_own(language: str) -> None:
    found = {resource.source.partition(":")[0] for resource in read(f"{language}/state.json").resources}
    file = {"typescript": "index.ts", "go": "main.go", "java": ""}[language]
    assert found - {""} == {file} - {""}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_preview_without_unchanged_resources_is_refused_with_the_remedy(language: str) -> None:
    with pytest.raises(
        GraphError, match=r"leaves out \d+ unchanged resources: run `pulumi preview --json --show-sames`"
    ):
        read(f"{language}/preview-without-sames.json")


THERE = ("box", "one", "policy", "shop-python-dev", "two")
RENAMED = ("box", "one", "policy", "shop-python-dev", "three")
EXISTING: dict[str, tuple[str, tuple[str, ...]]] = {
    "a replaced resource is there once": ("replace", THERE),
    "what is not targeted stays as it is": ("target-of-old", THERE),
    "a renamed resource is there, and its old self is gone": ("renamed", RENAMED),
    "a refresh before the program leaves each resource once": ("renamed-refresh", RENAMED),
}


@pytest.mark.parametrize("form", ["json", "events"])
@pytest.mark.parametrize("case", EXISTING)
def test_previews_of_an_existing_stack(case: str, form: str) -> None:
    name, expected = EXISTING[case]
    graph = read(f"python/{name}.{form}")
    assert expected == tuple(sorted(resource.name for resource in graph.resources))
    assert named(graph, expected[-1]).parent == named(graph, "box").urn
    assert named(graph, "policy").inputs["policy"] == "{}"


def test_a_refresh_is_what_is_there() -> None:
    assert sorted(resource.name for resource in read("python/refresh.events").resources) == list(THERE)


PARTS: dict[str, tuple[str, str]] = {
    "targets before the first deployment": ("target-of-new", "was asked for some targets and leaves out 2 new"),
    "targets with a new resource outside them": ("renamed-target", "was asked for some targets and leaves out 1 new"),
    "an exception": ("broken", "Program failed with an unhandled exception: ... ValueError: broken"),
    "a missing value": ("missing-config", "Missing required configuration variable 'shop-python:colour'"),
}


@pytest.mark.parametrize("form", ["json", "events"])
@pytest.mark.parametrize("case", PARTS)
def test_a_part_is_not_taken_for_the_whole(case: str, form: str) -> None:
    name, said = PARTS[case]
    with pytest.raises(GraphError) as caught:
        read(f"python/{name}.{form}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["python/destroy.events", "python/state-of-nothing.json"])
def test_a_stack_of_nothing_is_refused(file: str) -> None:
    with pytest.raises(GraphError, match="holds no resource: preview or deploy the stack first"):
        read(file)
