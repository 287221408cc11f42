"""Charts of the load test: every measured row has a mark, nothing else has, and the pages show these files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from skerry.agentdb.chart import CHARTS, to_svg, to_text
from skerry.errors import UsageError

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("name", CHARTS)
def test_the_picture_is_the_chart(name: str, request: pytest.FixtureRequest) -> None:
    path = DOCS / "img" / f"agentdb-{name}.svg"
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(to_svg(name), encoding="utf-8")
    assert to_svg(name) == path.read_text(encoding="utf-8")
    assert f"img/agentdb-{name}.svg" in (DOCS / "sizing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHARTS)
def test_each_measured_row_has_a_mark_inside_the_picture(name: str) -> None:
    root = ElementTree.fromstring(to_svg(name))
    marks = [one for one in root.iter() if one.tag.endswith("circle")]
    assert len(marks) == 21
    assert all(0 < float(one.attrib["cx"]) < 720 and 0 < float(one.attrib["cy"]) < 400 for one in marks)


def test_what_was_not_measured_has_no_mark() -> None:
    assert "50 at once" not in to_svg("throughput")
    assert ">20<" not in to_svg("success")


@pytest.mark.parametrize("name", CHARTS)
def test_the_text_has_every_row(name: str) -> None:
    bars = [line for line in to_text(name).splitlines() if "#" in line]
    assert len(bars) == 21
    assert max(line.count("#") for line in bars) == 40


def test_the_highest_value_has_the_highest_mark() -> None:
    root = ElementTree.fromstring(to_svg("memory"))
    marks = [one for one in root.iter() if one.tag.endswith("circle")]
    highest = min(marks, key=lambda one: float(one.attrib["cy"]))
    assert highest[0].text == "10,000: 18,800"


def test_another_chart_is_refused() -> None:
    with pytest.raises(UsageError, match="chart 'cpu' does not exist: choose one of throughput, memory, success"):
        to_text("cpu")
