"""The usage file: what can be said in it, and what is refused with a message."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cost.components import Range, fixed
from cost.usage import MAX_BYTES, Metered, parse_usage, read_usage
from skerry.errors import CostError

GOOD = """
schema: skerry.usage/1
resources:
  nat-a: {gb_processed: 100}
  nat-*: {gb_processed: {minimum: 1, typical: 10.1, maximum: 1000}}
  "*": {gb_processed: 7, read_requests: 5}
"""


def test_the_first_pattern_that_fits_counts(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text(GOOD, encoding="utf-8")
    usage = read_usage(path)
    assert ("nat-a", fixed(100)) == usage.amount("nat-a", Metered.GB_PROCESSED)
    assert ("nat-*", Range(Decimal(1), Decimal("10.1"), Decimal(1000))) == usage.amount("nat-b", Metered.GB_PROCESSED)
    assert ("*", fixed(5)) == usage.amount("nat-a", Metered.READ_REQUESTS)
    assert usage.amount("nat-a", Metered.LCU) is None


REFUSED: dict[str, tuple[Any, str]] = {
    "a word that is not metered": ({"resources": {"nat": {"gigabytes": 1}}}, "gigabytes"),
    "an amount below zero": ({"resources": {"nat": {"gb_processed": -1}}}, "greater than or equal to 0"),
    "an amount in words": ({"resources": {"nat": {"gb_processed": "much"}}}, "resources.nat.gb_processed"),
    "a truth": ({"resources": {"nat": {"gb_processed": True}}}, "resources.nat.gb_processed"),
    "no number": ({"resources": {"nat": {"gb_processed": float("nan")}}}, "resources.nat.gb_processed"),
    "without end": ({"resources": {"nat": {"gb_processed": float("inf")}}}, "resources.nat.gb_processed"),
    "sizes that fall": (
        {"resources": {"nat": {"gb_processed": {"minimum": 2, "typical": 1, "maximum": 3}}}},
        "must not fall",
    ),
    "a size missing": ({"resources": {"nat": {"gb_processed": {"minimum": 2, "maximum": 3}}}}, "typical"),
    "a schema of another version": ({"schema": "skerry.usage/2"}, "schema"),
    "an unknown key": ({"resource": {}}, "resource"),
    "a list": ([], "the document"),
    "nothing": (None, "the document"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_bad_usage_is_refused_by_path(sentence: str) -> None:
    document, part = REFUSED[sentence]
    with pytest.raises(CostError) as raised:
        parse_usage(document, "usage.yaml")
    assert str(raised.value).startswith("usage.yaml: ")
    assert part in str(raised.value)


FILES = {
    "no YAML": (b"resources: [", "is no YAML"),
    "not UTF-8": (b"\xff\xfe\x00", "cannot be read"),
    "too large": (b"#" * (MAX_BYTES + 1), "is larger than"),
    "a Python object": (b"!!python/object/apply:os.system [true]", "is no YAML"),
}


@pytest.mark.parametrize("sentence", FILES)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, sentence: str) -> None:
    content, part = FILES[sentence]
    path = tmp_path / "usage.yaml"
    path.write_bytes(content)
    with pytest.raises(CostError, match=part):
        read_usage(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CostError, match="cannot be read"):
        read_usage(tmp_path / "none.yaml")
