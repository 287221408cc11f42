"""The price book: what it refuses, what it finds, and what it will not stand in for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cost.book_format import COLUMNS, SCHEMA
from cost.pricebook import Price, PriceNotFound, load_book, read_book
from skerry.errors import CostError

HEAD = f"# {SCHEMA}\n{','.join(COLUMNS)}\n"
GOOD = "aws,us-east-1,m6i.large,hour,0.096,on-demand,a page,2026-07-20\n"

REFUSED = {
    "no schema line": (",".join(COLUMNS) + "\n" + GOOD, "book.csv:1:"),
    "a schema of another version": (f"# {SCHEMA[:-1]}2\n{','.join(COLUMNS)}\n{GOOD}", "book.csv:1:"),
    "other columns": (f"# {SCHEMA}\ncloud,region\n{GOOD}", "book.csv:2:"),
    "no columns at all": (f"# {SCHEMA}\n", "book.csv:2:"),
    "a price of zero": (HEAD + GOOD.replace("0.096", "0"), "book.csv:3:"),
    "a price below zero": (HEAD + GOOD.replace("0.096", "-1"), "book.csv:3:"),
    "a price that is not a number": (HEAD + GOOD.replace("0.096", "NaN"), "book.csv:3:"),
    "a price without end": (HEAD + GOOD.replace("0.096", "Infinity"), "book.csv:3:"),
    "a price in words": (HEAD + GOOD.replace("0.096", "cheap"), "book.csv:3:"),
    "a price with a comma": (HEAD + GOOD.replace("0.096", "0,096"), "book.csv:3:"),
    "no source": (HEAD + GOOD.replace("a page", " "), "book.csv:3:"),
    "no date": (HEAD + GOOD.replace("2026-07-20", ""), "book.csv:3:"),
    "a date in words": (HEAD + GOOD.replace("2026-07-20", "July 2026"), "book.csv:3:"),
    "no region": (HEAD + GOOD.replace("us-east-1", ""), "book.csv:3:"),
    "no sku": (HEAD + GOOD.replace("m6i.large", ""), "book.csv:3:"),
    "an unknown unit": (HEAD + GOOD.replace("hour", "fortnight"), "book.csv:3:"),
    "an unknown term": (HEAD + GOOD.replace("on-demand", "maybe"), "book.csv:3:"),
    "an unknown cloud": (HEAD + GOOD.replace("aws", "nimbus"), "book.csv:3:"),
    "a cell too few": (HEAD + "aws,us-east-1,m6i.large,hour,0.096,on-demand,a page\n", "book.csv:3:"),
    "a cell too many": (HEAD + GOOD.replace("\n", ",more\n"), "book.csv:3:"),
    "a quote that never closes": (HEAD + GOOD + 'aws,us-east-1,"m6i\n', "book.csv:"),
    "the same key twice": (HEAD + GOOD + GOOD.replace("0.096", "0.1"), "book.csv:4:"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_row_that_cannot_be_used_is_named_by_file_and_line(case: str) -> None:
    text, where = REFUSED[case]
    with pytest.raises(CostError) as caught:
        read_book({"book.csv": text})
    assert where == str(caught.value)[: len(where)]


def test_the_same_key_in_two_files_is_refused_with_both_places() -> None:
    with pytest.raises(CostError) as caught:
        read_book({"a.csv": HEAD + GOOD, "b.csv": HEAD + GOOD})
    assert "b.csv:3" in str(caught.value)
    assert "a.csv:3" in str(caught.value)


def test_a_price_is_the_row_exactly() -> None:
    found = read_book({"book.csv": HEAD + GOOD}).find("aws", "us-east-1", "m6i.large", "hour")
    assert isinstance(found, Price)
    assert Decimal("0.096") == found.usd
    assert date(2026, 7, 20) == found.read_on
    assert found.source == "a page"


NOT_FOUND = {
    "another region": ("aws", "eu-central-1", "m6i.large", "hour", "on-demand"),
    "another size of the same family": ("aws", "us-east-1", "m6i.xlarge", "hour", "on-demand"),
    "another unit": ("aws", "us-east-1", "m6i.large", "month", "on-demand"),
    "another term": ("aws", "us-east-1", "m6i.large", "hour", "spot"),
    "another cloud": ("gcp", "us-east-1", "m6i.large", "hour", "on-demand"),
    "no region": ("aws", "", "m6i.large", "hour", "on-demand"),
}


@pytest.mark.parametrize("case", NOT_FOUND)
def test_nothing_stands_in_for_a_missing_row(case: str) -> None:
    found = read_book({"book.csv": HEAD + GOOD}).find(*NOT_FOUND[case])
    assert isinstance(found, PriceNotFound)
    assert "m6i" in found.reason


def test_a_price_for_every_region_does_not_reach_government_regions() -> None:
    book = read_book({"book.csv": HEAD + GOOD.replace("us-east-1", "*")})
    assert isinstance(book.find("aws", "eu-west-1", "m6i.large", "hour"), Price)
    assert isinstance(book.find("aws", "us-gov-west-1", "m6i.large", "hour"), PriceNotFound)


UNREADABLE = {
    "an empty folder": None,
    "bytes that are no UTF-8": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_book_that_cannot_be_read_is_a_cost_error(case: str, tmp_path: Path) -> None:
    content = UNREADABLE[case]
    if content is not None:
        (tmp_path / "aws.csv").write_bytes(content)
    with pytest.raises(CostError):
        load_book(tmp_path)


def test_our_own_book_is_valid_and_every_row_is_dated_and_sourced() -> None:
    book = load_book()
    assert len(book.prices) > 6_500
    assert all(price.usd > 0 and price.source for price in book.prices)
    assert isinstance(book.find("aws", "us-east-1", "p4d.24xlarge", "hour"), Price)
