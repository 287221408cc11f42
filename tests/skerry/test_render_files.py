"""Files of machines without an orchestrator: what components carry, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.graph import UNKNOWN, Resource, ResourceGraph
from skerry.render.files import files


def graph(kind: str, inputs: dict[str, Any], *, custom: bool = False) -> ResourceGraph:
    urn = f"urn:pulumi:s::p::{kind}::it"
    return ResourceGraph("p", ("s",), (Resource(urn, kind, "it", custom, inputs=inputs),))


def test_files_are_named_by_their_component_and_sorted() -> None:
    found = files(graph("skerry:index:LocalProcess", {"files": {"b.env": "B=1\n", "a.yaml": "a: 1\n"}}))
    assert [(file.path, file.text) for file in found] == [("it/a.yaml", "a: 1\n"), ("it/b.env", "B=1\n")]


NONE: dict[str, ResourceGraph] = {
    "somebody's resource with an input of that name": graph("aws:x/y:Z", {"files": {"a": "b"}}, custom=True),
    "somebody's component": graph("their:index:Thing", {"files": {"a": "b"}}),
    "files that are not known": graph("skerry:index:LocalProcess", {"files": UNKNOWN}),
    "a text that is not known": graph("skerry:index:LocalProcess", {"files": {"a": UNKNOWN}}),
    "no mapping": graph("skerry:index:LocalProcess", {"files": ["a"]}),
    "none": graph("skerry:index:LocalProcess", {}),
}


@pytest.mark.parametrize("case", NONE)
def test_nothing_else_is_a_file(case: str) -> None:
    assert files(NONE[case]) == []
