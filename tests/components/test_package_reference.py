"""The tables of docs/components.md are those of the schema on record, so that they cannot go stale."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from components.package.listing import NOT_PUBLIC
from components.package.reference import reference
from tests.conftest import ROOT

PAGE: Final = ROOT / "docs" / "components.md"
BEGIN: Final = "<!-- begin: made from the schema by `make golden` -->\n"
END: Final = "<!-- end -->\n"


def on_record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "tests" / "golden" / "package-schema.json").read_text(encoding="utf-8"))
    return found


def test_the_page_has_the_tables_of_the_schema(request: pytest.FixtureRequest) -> None:
    head, begun, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    old, ended, tail = rest.partition(END)
    assert [bool(begun), bool(ended)] == [True, True]
    new = f"\n{reference(on_record())}\n"
    if request.config.getoption("--update-golden"):
        PAGE.write_text(head + BEGIN + new + END + tail, encoding="utf-8")
        return
    assert new == old, "docs/components.md is older than the schema: run `make golden`"


def test_every_component_and_every_field_has_its_row() -> None:
    schema, text = on_record(), reference(on_record())
    parts = {**schema["resources"], **schema["types"]}
    assert [token for token in parts if f"#### {token.rpartition(':')[2]}\n" not in text] == []
    fields = [one for part in parts.values() for key in ("inputProperties", "properties") for one in part.get(key, {})]
    assert len(fields) == sum(line.startswith("| `") for line in text.splitlines())


def test_the_page_names_what_is_not_public() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name, why in NOT_PUBLIC.items() if f"| `{name}` | {why} |" not in page] == []


ROWS = {
    "a secret": ({"type": "string", "secret": True}, "string, secret"),
    "a list of maps": (
        {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "integer"}}},
        "list of map of integer",
    ),
    "a type": ({"$ref": "#/types/skerry:index:Bucket"}, "Bucket"),
    "anything": ({"$ref": "pulumi.json#/Any"}, "anything"),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_says_type_and_need(case: str) -> None:
    one, expected = ROWS[case]
    schema = {
        "resources": {
            "p:index:A": {
                "description": "Has one\n\n  input.",
                "inputProperties": {"x": {**one, "description": "a | b, <c>"}},
                "requiredInputs": ["x"],
            }
        },
        "types": {},
    }
    lines = reference(schema).splitlines()
    assert f"| `x` | {expected} | yes | a \\| b, &lt;c> |" in lines
    assert "Has one input." in lines
