"""The wire format, forth and back."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine import values
from skerry.graph import UNKNOWN, Asset, ResourceRef, Secret

SIG = "4dabf18193072939515e22adb298388d"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def secret(value: Any) -> dict[str, Any]:
    return {SIG: "1b47061264138c4ac30d75fd1eb44270", "value": value}


def output(**parts: Any) -> dict[str, Any]:
    return {SIG: "d0e6a833031e9bbcd3f4e8bde6ca49a4", **parts}


DECODED: dict[str, tuple[Any, Any]] = {
    "scalars": (["s", 1, 1.5, True, None], ["s", 1, 1.5, True, None]),
    "an unknown": (UNKNOWN_TEXT, UNKNOWN),
    "an unknown as a part of a text is a text": (f"x{UNKNOWN_TEXT}", f"x{UNKNOWN_TEXT}"),
    "a secret": (secret({"a": [1]}), Secret({"a": [1]})),
    "a secret unknown": (secret(UNKNOWN_TEXT), Secret(UNKNOWN)),
    "a secret in a secret": (secret(secret(1)), Secret(1)),
    "a known output": (output(value=1), 1),
    "an unknown output": (output(), UNKNOWN),
    "a secret output": (output(value=[1], secret=True), Secret([1])),
    "an unknown secret output": (output(secret=True), Secret(UNKNOWN)),
    "a withheld secret": (values.WITHHELD, Secret(UNKNOWN)),
    "a text around a withheld secret": (f"postgres://u:{values.WITHHELD}@h", Secret(UNKNOWN)),
    "a file": ({SIG: "c44067f5952c0a294b673a41bacd8c17", "path": "a"}, Asset("file", "a")),
    "a text asset": ({SIG: "c44067f5952c0a294b673a41bacd8c17", "text": "long"}, Asset("text", "")),
    "a remote asset": ({SIG: "c44067f5952c0a294b673a41bacd8c17", "uri": "u"}, Asset("remote", "u")),
    "an archive": ({SIG: "0def7320c3a5731c473e5ecbe6d01bc7", "uri": "u"}, Asset("archive", "u")),
    "a resource": ({SIG: "5cf8f73096256a8f31e491e813e4eb8e", "urn": "u", "id": "i"}, ResourceRef("u")),
    "a signature from the future": ({SIG: "ffffffffffffffffffffffffffffffff", "value": 1}, UNKNOWN),
    "a signature that is no text": ({SIG: 7}, UNKNOWN),
}


@pytest.mark.parametrize(("wire", "expected"), list(DECODED.values()), ids=list(DECODED))
def test_decode(wire: Any, expected: Any) -> None:
    assert values.decode({"k": wire}) == {"k": expected}


def test_a_struct_survives_the_way_there_and_back() -> None:
    plain = {
        "i": 1,
        "f": 1.5,
        "big": 12345678901234567000,
        "b": False,
        "s": "",
        "n": None,
        "l": [1, [2], {}],
        "o": {"k": secret("s")},
    }
    found = values.to_plain(values.to_struct(plain))
    assert found == plain
    assert [type(found[key]) for key in ("i", "f", "b")] == [int, float, bool]


@pytest.mark.parametrize(
    "value", [UNKNOWN, Secret("s"), Secret(UNKNOWN), {"a": [Secret(1), UNKNOWN]}, ResourceRef("u"), (1, 2)]
)
def test_encode_is_the_inverse_of_decode(value: Any) -> None:
    expected = list(value) if isinstance(value, tuple) else value
    assert values.decode(values.to_plain(values.to_struct({"k": values.encode(value)}))) == {"k": expected}


def test_an_asset_is_unknown_to_another_stack() -> None:
    assert values.decode(values.encode(Asset("text", ""))) is UNKNOWN


def test_upgrade_and_downgrade() -> None:
    plain = {
        "s": secret("x"),
        "u": UNKNOWN_TEXT,
        "su": secret(UNKNOWN_TEXT),
        "l": [secret({"d": UNKNOWN_TEXT})],
        "p": 1,
    }
    upgraded = values.upgrade(plain)
    assert upgraded["s"] == output(secret=True, value="x")
    assert (upgraded["u"], upgraded["su"], upgraded["p"]) == (output(), output(secret=True), 1)
    assert values.downgrade(upgraded) == plain


def test_dependencies_of_output_values() -> None:
    wrapped = values.with_dependencies({"a": output(value=1, dependencies=["x"])}, {"x", "y"})
    assert values.output_dependencies(wrapped) == {"x", "y"}
    assert values.with_dependencies(wrapped, {"y"}) is wrapped
    assert values.with_dependencies(1, set()) == 1
