"""docs/cost.md: its examples are read by the code, and it names every key that the code knows."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest
import yaml

from cost.book_format import CLOUDS, COLUMNS, TERMS, UNITS
from cost.book_format import SCHEMA as BOOK
from cost.rates import SCHEMA as RATES
from cost.rates import parse_rates
from cost.report import SCHEMA as REPORT
from cost.report import to_json
from cost.usage import SCHEMA as USAGE
from cost.usage import Metered, parse_usage
from tests.simulators.cost_round_numbers import TODAY, on_aws, priced, site

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")


def example(schema: str) -> object:
    """Return the indented block that begins with a schema, parsed."""
    found = re.search(rf"^    schema: {re.escape(schema)}\n(?:    .*\n)+", TEXT, re.MULTILINE)
    assert found is not None
    return yaml.safe_load(textwrap.dedent(found.group()))


def test_the_usage_example_is_read() -> None:
    usage = parse_usage(example(USAGE), "docs/cost.md")
    assert {"*-nat-*", "sensei-base-objects-bucket"} == set(usage.resources)


def test_the_rates_example_is_read() -> None:
    rates = parse_rates(example(RATES), "docs/cost.md")
    assert list(rates.pools) == ["*-cognitive", "*"]
    assert rates.storage is not None


NAMES = {
    "what a usage file may give": [key.value for key in Metered],
    "columns of the book": list(COLUMNS),
    "units of the book": sorted(UNITS),
    "terms of the book": sorted(TERMS),
    "clouds of the book": sorted(CLOUDS),
    "schemas": [BOOK, USAGE, RATES, REPORT],
}


@pytest.mark.parametrize("what", NAMES)
def test_every_name_is_described(what: str) -> None:
    assert [name for name in NAMES[what] if f"`{name}`" not in TEXT] == []


def test_every_key_of_the_json_form_is_described() -> None:
    rates = {"pools": {"gpus": {"usd_per_machine_month": 1, "source": "test"}}}
    builder = on_aws()
    builder.add("aws:ec2/eip:Eip", "address", {})
    documents = [json.loads(to_json(found, today=TODAY)) for found in (priced(site(), rates=rates), priced(builder))]
    parts = []
    for document in documents:
        parts += [document, *document["tiers"], *document["lines"], *document["comparisons"]]
        parts += [line["price"] for line in document["lines"] if line["price"]]
    keys = sorted({key for part in parts for key in part})
    assert [key for key in keys if f"`{key}`" not in TEXT and f"`{key}[]`" not in TEXT] == []
