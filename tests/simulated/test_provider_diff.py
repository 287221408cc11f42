"""What a change comes to: the paths, update or replacement by the table that is asked, and which goes first."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from tests.simulators.provider_check import SECRET, SIGNATURE, UNKNOWN
from tests.simulators.provider_diff import changed, difference

KINDS = provider_pb2.PropertyDiff


def asked(token: str, path: str) -> bool | None:
    return {"name": True, "engine.version": True, "size": False, 'tags["a.b"]': True}.get(path)


PATHS: dict[str, tuple[Any, Any, list[tuple[str, str]]]] = {
    "nothing": ({"a": 1}, {"a": 1}, []),
    "a value": ({"a": 1}, {"a": 2}, [("a", "update")]),
    "what came and what went": ({"a": 1}, {"b": 1}, [("a", "delete"), ("b", "add")]),
    "an element": ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a[1]", "update"), ("a[2]", "add")]),
    "a shorter list": ({"a": [1, 2]}, {"a": [1]}, [("a[1]", "delete")]),
    "something deep": ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 2}]}}, [("a.b[0].c", "update")]),
    "a key that is no name": ({"a": {"b.c": 1}}, {"a": {"b.c": 2}}, [('a["b.c"]', "update")]),
    "what is not known yet": ({"a": 1}, {"a": UNKNOWN}, [("a", "update")]),
    "null and nothing are the same": ({"a": None}, {}, []),
}


@pytest.mark.parametrize("sentence", PATHS)
def test_the_paths_that_differ(sentence: str) -> None:
    old, new, expected = PATHS[sentence]
    assert list(changed(old, new)) == expected


KIND: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, int], bool]] = {
    "an update": ({"size": 1}, {"size": 2}, {"size": KINDS.UPDATE}, False),
    "what the table does not know is an update": ({"x": 1}, {"x": 2}, {"x": KINDS.UPDATE}, False),
    "a replacement under another name": ({"name": "a"}, {"name": "b"}, {"name": KINDS.UPDATE_REPLACE}, False),
    "a replacement under the same name deletes first": (
        {"name": "a", "engine": {"version": 1}}, {"name": "a", "engine": {"version": 2}},
        {"engine.version": KINDS.UPDATE_REPLACE}, True,
    ),
    "a replacement of what has no name of its own": (
        {"engine": {"version": 1}}, {"engine": {}}, {"engine.version": KINDS.DELETE_REPLACE}, False
    ),
    "a Kubernetes object's name is in its metadata": (
        {"metadata": {"name": "n"}, "engine": {}}, {"metadata": {"name": "n"}, "engine": {"version": 1}},
        {"engine.version": KINDS.ADD_REPLACE}, True,
    ),
    "a secret is compared by its value": (
        {"size": 1}, {"size": {SIGNATURE: SECRET, "value": 1}}, {}, False
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", KIND)
def test_update_or_replacement(sentence: str) -> None:
    old, new, expected, first = KIND[sentence]
    found = difference("any:m:T", old, new, asked)
    assert {path: one.kind for path, one in found.detailedDiff.items()} == expected
    assert found.deleteBeforeReplace == first
    assert (found.changes == provider_pb2.DiffResponse.DIFF_SOME) == bool(expected)


def test_the_table_from_outside_is_asked_where_no_other_is_given() -> None:
    old = {"storageEncrypted": True, "allocatedStorage": 10}
    found = difference("aws:rds/instance:Instance", old, {"storageEncrypted": False, "allocatedStorage": 20})
    assert (list(found.replaces), sorted(found.diffs)) == (
        ["storageEncrypted"],
        ["allocatedStorage", "storageEncrypted"],
    )
