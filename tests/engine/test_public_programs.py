"""What public programs showed the engine to get wrong, each as the smallest program that shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.engine.run import run_deployment
from skerry.graph import UNKNOWN, ResourceGraph

MakeProject = Callable[..., Path]


def run(make_project: MakeProject, main: str, **options: object) -> ResourceGraph:
    return run_deployment(make_project(main, **options), "dev")


WAITING = """
database = Thing("database")
server = Provider("server", {{"endpoint": {endpoint}}})
user = Thing("user", {{"made": "somebody"}}, Opts(provider=server))
Thing("grant", {{"user": user.made}}, Opts(provider=server))
"""
ENDPOINTS = {
    "an output of a resource that is not there yet": ("database.made", UNKNOWN),
    "an output inside a text": ("Output.concat('tcp://', database.made)", UNKNOWN),
    "plain text": ("'db.example'", "somebody"),
    "a value that nothing made": ("Output.from_input(pulumi.output.UNKNOWN)", "somebody"),
}


@pytest.mark.parametrize("case", ENDPOINTS)
def test_a_provider_that_waits_for_a_resource_tells_no_output(make_project: MakeProject, case: str) -> None:
    endpoint, expected = ENDPOINTS[case]
    graph = run(make_project, WAITING.format(endpoint=endpoint))
    grant = next(resource for resource in graph.resources if resource.name == "grant")
    assert grant.inputs["user"] == expected


def test_what_is_stashed_comes_out_on_a_first_preview(make_project: MakeProject) -> None:
    graph = run(make_project, "kept = pulumi.Stash('kept', input={'a': 1})\nThing('t', {'given': kept.output})\n")
    assert next(resource for resource in graph.resources if resource.name == "t").inputs["given"] == {"a": 1}


def test_a_provider_tells_the_version_that_it_was_asked_for(make_project: MakeProject) -> None:
    main = """
    class Versioned(pulumi.ProviderResource):
        version: Output[str]

        def __init__(self, name, opts):
            super().__init__("sim", name, {"version": None}, opts)


    Thing("t", {"given": Versioned("made", Opts(version="9.0.0")).version})
    """
    graph = run(make_project, main)
    assert next(resource for resource in graph.resources if resource.name == "t").inputs["given"] == "9.0.0"


def test_an_input_whose_output_has_another_shape_is_unknown_as_an_output(make_project: MakeProject) -> None:
    main = """
    from typing import Mapping

    class Cluster(pulumi.CustomResource):
        users: Output[Mapping[str, str]]
        size: Output[int]

        def __init__(self, name):
            super().__init__("sim:core:Cluster", name, {"users": ["u-1"], "size": 3})

        def translate_output_property(self, prop):
            return prop


    cluster = Cluster("cluster")
    Thing("t", {"users": cluster.users, "size": cluster.size})
    """
    thing = next(resource for resource in run(make_project, main).resources if resource.name == "t")
    assert (thing.inputs["users"], thing.inputs["size"]) == (UNKNOWN, 3)
