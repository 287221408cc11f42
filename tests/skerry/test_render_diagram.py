"""The picture: well-formed, without anything that runs or loads, every tier in it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from skerry.facts import Tier
from skerry.graph import Resource, ResourceGraph
from skerry.render.diagram import TITLES, WIDTH, diagram_svg
from tests.simulators.stack_objects import AIRGAPPED, AWS_BASE, CUSTOMER, STACKS, VENDOR, WHOLE, graph_of

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("stack", STACKS)
def test_it_is_xml_and_holds_nothing_that_runs_or_loads(stack: str) -> None:
    root = ElementTree.fromstring(diagram_svg(graph_of(stack)))
    assert root.tag == f"{SVG}svg"
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {"svg", "title", "rect", "text"}
    names = {name.lower() for element in root.iter() for name in element.attrib}
    assert [name for name in names if name.startswith("on") or "href" in name or name == "style"] == []


@pytest.mark.parametrize("stack", WHOLE)
def test_every_tier_has_its_band(stack: str) -> None:
    shown = texts(diagram_svg(graph_of(stack)))
    # The shipped stacks serve no small model on machines of its own.
    assert set(TITLES.values()) - {TITLES[Tier.SMALL]} <= set(shown)


ABSENT = {AWS_BASE: {Tier.EXECUTION}, VENDOR: {Tier.EXECUTION}, CUSTOMER: {Tier.COGNITIVE, Tier.META}}


@pytest.mark.parametrize("stack", ABSENT)
def test_a_tier_without_components_has_no_band(stack: str) -> None:
    shown = texts(diagram_svg(graph_of(stack)))
    assert [tier for tier in ABSENT[stack] if TITLES[tier] in shown] == []
    assert TITLES[Tier.PLATFORM] in shown


def test_it_names_the_stack_and_where_it_stands() -> None:
    shown = texts(diagram_svg(graph_of(AIRGAPPED)))
    assert shown[:2] == ["sensei-airgapped", "sensei, air-gapped, onprem in DE, no connection to the outside"]


@pytest.mark.parametrize("stack", STACKS)
def test_everything_lies_inside_and_no_two_boxes_overlap(stack: str) -> None:
    root = ElementTree.fromstring(diagram_svg(graph_of(stack)))
    boxes = []
    for element in root.iter(f"{SVG}rect"):
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        width, height = float(element.get("width", 0)), float(element.get("height", 0))
        assert x >= 0 and y >= 0 and x + width <= WIDTH and y + height <= float(root.get("height", 0))
        if element.get("stroke"):
            boxes.append((x, y, x + width, y + height))
    assert len(boxes) > 5
    for index, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_names_of_users_cannot_break_out_of_their_text() -> None:
    name = '</text><script>alert("x")</script>&'
    urn = "urn:pulumi:dev::p::skerry:index:Store::x"
    found = Resource(urn=urn, type="skerry:index:Store", name=name, custom=False,
                     inputs={"tier": "meta", "role": "<b>store</b>", "stateful": True})  # fmt: skip
    svg = diagram_svg(ResourceGraph("p", ("<dev>",), (found,)))
    assert "<script" not in svg and "<b>" not in svg
    assert "<dev>" in texts(svg)


def test_long_names_are_cut_with_a_mark() -> None:
    urn = "urn:pulumi:dev::p::skerry:index:Store::x"
    found = Resource(urn=urn, type="skerry:index:Store", name="n" * 63, custom=False,
                     inputs={"tier": "meta", "role": "store"})  # fmt: skip
    assert "n" * 29 + "…" in texts(diagram_svg(ResourceGraph("p", ("dev",), (found,))))


def test_a_foreign_graph_gives_a_picture_too() -> None:
    found = Resource(
        urn="urn:pulumi:dev::p::aws:s3/bucket:Bucket::b", type="aws:s3/bucket:Bucket", name="b", custom=True
    )
    shown = texts(diagram_svg(ResourceGraph("p", ("dev",), (found,))))
    assert shown[1] == "1 resources"


def test_the_same_graph_gives_the_same_bytes() -> None:
    svg = diagram_svg(graph_of(AIRGAPPED))
    assert svg == diagram_svg(graph_of(AIRGAPPED))
    assert re.search(r"\d{4}-\d{2}-\d{2}", svg) is None, "no date: the picture changes with the graph only"
