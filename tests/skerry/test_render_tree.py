"""The tree of a preview: every resource once, no deeper than asked, and what is unknown is said."""

from __future__ import annotations

import pytest

from skerry.graph import UNKNOWN, Invoke, Resource, ResourceGraph, Secret
from skerry.render.tree import UNKNOWN_LINES, preview_text
from tests.simulators.stack_objects import AIRGAPPED, AWS, STACKS, graph_of

STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"


def chain(depth: int, **leaf: object) -> ResourceGraph:
    """Return a stack with components one inside the other, and one bucket in the innermost."""
    rows = [Resource(urn=STACK, type="pulumi:pulumi:Stack", name="p-dev", custom=False)]
    for level in range(depth):
        urn = f"urn:pulumi:dev::p::a:b:C{level}::level-{level}"
        rows.append(Resource(urn=urn, type=f"a:b:C{level}", name=f"level-{level}", custom=False, parent=rows[-1].urn))
    urn = "urn:pulumi:dev::p::aws:s3/bucket:Bucket::leaf"
    rows.append(
        Resource(urn=urn, type="aws:s3/bucket:Bucket", name="leaf", custom=True, parent=rows[-1].urn, inputs=leaf)
    )
    return ResourceGraph("p", ("dev",), tuple(rows))


def test_the_tree_of_a_small_stack() -> None:
    assert preview_text(chain(2)) == (
        "p-dev  (stack)\n"
        "└─ level-0  C0\n"
        "   └─ level-1  C1\n"
        "      └─ leaf  Bucket\n"
        "\n"
        "1 resource (1 aws) in 2 components, 1 stack; 0 protected; 0 read\n"
        "unknown until deployed: 0 inputs of 0 resources\n"
    )


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 9])
def test_depth_cuts_and_says_how_much_lies_below(depth: int) -> None:
    text = preview_text(chain(2), depth=depth)
    for level, name in enumerate(["level-0", "level-1", "leaf"]):
        assert (f"{name}  " in text) == (level < depth)
    assert (f"… {3 - depth} more below" in text) == (depth < 3)
    assert "1 resource (1 aws) in 2 components" in text, "counts are of all, not of what is shown"


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_stands_in_the_tree_once(stack: str) -> None:
    graph = graph_of(stack)
    tree = preview_text(graph).split("\n\n")[: len(graph.stacks)]
    lines = [line for part in tree for line in part.splitlines() if line]
    assert len(lines) == len(graph.resources)


def test_marks_of_a_resource_are_named() -> None:
    urn = "urn:pulumi:dev::p::aws:s3/bucket:Bucket::b"
    kept = Resource(urn=urn, type="aws:s3/bucket:Bucket", name="b", custom=True, protect=True, retain_on_delete=True)
    assert "b  Bucket  [protected, retained]" in preview_text(ResourceGraph("p", ("dev",), (kept,)))
    read = Resource(urn=urn, type="aws:s3/bucket:Bucket", name="b", custom=True, external=True)
    text = preview_text(ResourceGraph("p", ("dev",), (read,)))
    assert "b  Bucket  [read, not managed]" in text and "; 1 read" in text


def test_unknown_inputs_are_listed_and_counted() -> None:
    text = preview_text(chain(0, **{f"k{index:02}": UNKNOWN for index in range(UNKNOWN_LINES + 3)}))
    assert f"unknown until deployed: {UNKNOWN_LINES + 3} inputs of 1 resource" in text
    assert "  leaf: k00\n" in text
    assert "… and 3 more (--format json lists all)" in text


def test_unknown_inputs_of_two_resources_of_one_name_are_told_apart() -> None:
    kinds = ("aws:ec2/securityGroup:SecurityGroup", "aws:lb/targetGroup:TargetGroup")
    both = tuple(
        Resource(urn=f"urn:pulumi:dev::p::{kind}::web", type=kind, name="web", custom=True, inputs={"vpcId": UNKNOWN})
        for kind in kinds
    )
    text = preview_text(ResourceGraph("p", ("dev",), both))
    assert "  web (SecurityGroup): vpcId\n  web (TargetGroup): vpcId" in text


def test_unanswered_calls_are_named() -> None:
    base = chain(0)
    graph = ResourceGraph("p", ("dev",), base.resources, (Invoke("aws:ec2/getAmi:getAmi", "dev", answered=False),))
    assert "Without an answer here, so what comes of it is unknown" in preview_text(graph)
    assert "\n  aws:ec2/getAmi:getAmi\n" in preview_text(graph)


def test_no_value_is_shown_at_all() -> None:
    assert "hunter2" not in preview_text(chain(1, password=Secret("hunter2"), plain="hunter2"))


def test_the_summary_names_target_and_profile() -> None:
    text = preview_text(graph_of(AIRGAPPED), depth=1)
    assert "mode air-gapped, on onprem in DE (site without a connection), residency profile classified-site" in text
    both = preview_text(graph_of(AWS), depth=1)
    assert "2 stacks" in both and "(us-east-1)" in both
