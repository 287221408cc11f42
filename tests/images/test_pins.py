"""The rows of images/: whatever a component names has one, and whatever has one is named or says for what it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.catalog import load_catalog
from skerry.facts import ComponentFacts, facts_of
from skerry.images import ImageReference
from tests.simulators.stack_objects import STACKS, graph_of

ROOT = Path(__file__).resolve().parents[2]
AGENTS = {"scout", "architect", "worker", "validator", "learning"}
"""Their images are the user's own."""
ASKS = {"image": "images", "chart": "charts", "model": "models", "baseline": "baselines"}


def names(kind: str) -> set[str]:
    """Return what the components of all shipped stacks name."""
    graphs = [graph_of(stack) for stack in STACKS]
    facts = [facts_of(resource) or ComponentFacts() for graph in graphs for resource in graph.resources]
    return {row.name for one in facts for row in getattr(one, kind)}


def literals() -> Iterator[tuple[str, str, str]]:
    """Yield file, kind and name of each row that the source of a component names in plain text."""
    for path in sorted((ROOT / "components").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            kind = ASKS.get(called.removeprefix("cluster.catalog."), "") if ".catalog." in called else ""
            if kind and node.args and isinstance(node.args[0], ast.Constant):
                yield path.name, kind, node.args[0].value
            for keyword in node.keywords:
                if keyword.arg == "chart" and isinstance(keyword.value, ast.Constant):
                    yield path.name, "charts", keyword.value.value


@pytest.mark.parametrize("kind", ["images", "charts", "models", "baselines"])
def test_whatever_a_shipped_stack_names_has_a_row(kind: str) -> None:
    assert names(kind) - set(getattr(load_catalog(), kind)) == (AGENTS if kind == "images" else set())


def test_whatever_a_component_can_name_has_a_row() -> None:
    found = list(literals())
    assert {name for _, kind, name in found if kind == "images"} >= {"qdrant", "valkey", "vllm", "nvidia-device-plugin"}
    assert {name for _, kind, name in found if kind == "charts"} >= {"kuberay-operator", "cloudnative-pg"}
    catalog = load_catalog()
    assert [row for row in found if row[2] not in getattr(catalog, row[1])] == []


def test_no_row_is_dead_or_it_says_for_what_it_is() -> None:
    catalog = load_catalog()
    of_charts = {image for row in catalog.charts.values() for image in row.images}
    named = names("images") | of_charts | {name for _, kind, name in literals() if kind == "images"}
    assert {row.name for row in catalog.images.values() if row.used_by} == set(catalog.images) - named
    assert set(catalog.charts) == names("charts") | {name for _, kind, name in literals() if kind == "charts"}
    assert set(catalog.baselines) == names("baselines")


def test_a_model_that_no_shipped_stack_serves_is_a_choice_of_the_configuration() -> None:
    schema = (ROOT / "skerry" / "config" / "spec.py").read_text(encoding="utf-8")
    assert "The row of images/models.yaml that local inference serves." in schema
    assert names("models") <= set(load_catalog().models)


def test_no_two_rows_are_one_image_in_two_versions() -> None:
    parsed = [ImageReference.parse(row.reference) for row in load_catalog().images.values()]
    repositories = [f"{one.registry}/{one.repository}" for one in parsed]
    assert sorted(repositories) == sorted(set(repositories))


def test_every_crd_set_has_a_hash_and_its_operators_skew_is_told() -> None:
    catalog = load_catalog()
    assert {"kuberay", "cloudnative-pg", "karpenter-aws"} <= set(catalog.crds)
    installed = {row.chart for row in catalog.crds.values()} & set(catalog.charts)
    assert installed == set(catalog.charts), "every operator that a stack installs has its CRDs pinned"
    for row in catalog.crds.values():
        version = catalog.charts[row.chart].images if row.chart in catalog.charts else ()
        operator = {ImageReference.parse(catalog.images[name].reference).tag.removeprefix("v") for name in version}
        if operator and row.version.removeprefix("v") not in operator:
            assert re.search(r"newest|behind|ahead", row.note), f"{row.name} {row.version} beside {operator}"
