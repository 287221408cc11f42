"""Manifests are decoded as the provider decodes them, and not at all where parsers differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.answers import builtin_answers
from skerry.engine.manifests import MAX_VALUES, ManifestError, objects
from skerry.engine.run import run_program

MakeProject = Callable[..., Path]

HEAD = "apiVersion: v1\nkind: Thing\n"
WORDS: dict[str, tuple[str, Any]] = {
    "a pair of numbers is a text": ("22:22", "22:22"),
    "a date is a text": ("2020-01-01", "2020-01-01"),
    "a word for true": ("on", True),
    "a word for false": ("No", False),
    "in quotes it is a text": ("'on'", "on"),
    "a power of ten": ("1e3", 1000.0),
    "octal as it was": ("010", 8),
    "hexadecimal": ("0x10", 16),
    "no octal after all": ("08", 8.0),
    "nothing": ("", None),
    "a tilde": ("~", None),
    "a quantity": ("500m", "500m"),
    "a version": ("1.2.3", "1.2.3"),
}


@pytest.mark.parametrize(("word", "expected"), list(WORDS.values()), ids=list(WORDS))
def test_a_plain_word(word: str, expected: object) -> None:
    (found,) = objects(f"{HEAD}x: {word}\n")
    assert (expected, type(expected)) == (found["x"], type(found["x"]))


def test_documents_in_order_without_what_is_no_object() -> None:
    text = f"---\n# only a comment\n---\n{HEAD}z: 1\n---\nkind: Loose\n---\n{HEAD}z: 2\n"
    assert [found["z"] for found in objects(text)] == [1, 2]


def test_keys_are_texts_and_anchors_are_followed() -> None:
    (found,) = objects(f"{HEAD}a: &a {{80: x}}\nb: {{<<: *a, true: z}}\n")
    assert (found["a"], found["b"]) == ({"80": "x"}, {"80": "x", "true": "z"})


REFUSED = {
    "a word that is a bool to some": f"{HEAD}x: y\n",
    "an octal number of the newer kind": f"{HEAD}x: 0o14\n",
    "infinity": f"{HEAD}x: .inf\n",
    "a list": "- a\n",
    "no YAML": "a: [\n",
    "a tag of Python's": f"{HEAD}x: !!python/object/apply:os.system [true]\n",
    "binary": f"{HEAD}x: !!binary aGk=\n",
    "a key that is a list": f"{HEAD}? [a]\n: b\n",
    "aliases of aliases": HEAD
    + "a0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
    "an alias of itself": f"{HEAD}x: &x [*x]\n",
    "deep nesting": HEAD + "x: " + "[" * 5000 + "]" * 5000,
}


@pytest.mark.parametrize("text", list(REFUSED.values()), ids=list(REFUSED))
def test_what_cannot_be_told_is_refused(text: str) -> None:
    with pytest.raises(ManifestError):
        objects(text)


def test_the_limit_is_beyond_any_manifest() -> None:
    assert MAX_VALUES > 100_000


@pytest.mark.parametrize("args", [{"text": HEAD, "defaultNamespace": "a"}, {"text": "x: ["}, {"text": 3}, {}])
def test_a_call_that_only_a_cluster_can_answer_is_not_answered(args: dict[str, Any]) -> None:
    assert builtin_answers().answer("kubernetes:yaml:decode", args) is None


def test_the_objects_of_a_file_stand_in_the_graph(make_project: MakeProject) -> None:
    program = "from pulumi_kubernetes.yaml import ConfigFile\nConfigFile('all', file='all.yaml')\n"
    manifest = (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
        "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: 3}\n"
    )
    graph = run_program(make_project(program, files={"all.yaml": manifest}), "dev")
    found = [(r.type, r.name) for r in graph.resources[1:]]
    assert found == [
        ("kubernetes:yaml:ConfigFile", "all"),
        ("kubernetes:core/v1:Namespace", "shop"),
        ("kubernetes:example.org/v1:Widget", "shop/w"),
    ]
    assert [call.answered_by for call in graph.invokes] == ["computed"]
