"""JSON of others: what is no JSON by the standard is refused, even where Python would take it."""

from __future__ import annotations

import pytest

from skerry.json_text import loads

REFUSED = {
    "nothing": ("", "Expecting value"),
    "not a number": ('{"a": NaN}', "NaN is no number of JSON"),
    "infinity": ("[-Infinity]", "-Infinity is no number"),
    "a number beyond all": ("[1e999]", "1e999 is beyond all numbers"),
    "too many digits": ("9" * 5000, "digits"),
    "half of a character": (r'["\ud83d"]', "half of a character"),
    "the other half, in capitals": (r'["\uDE00"]', "half of a character"),
    "half of a character in a key": (r'{"\ud83d": 1}', "half of a character"),
    "nested without end": ("[" * 200_000, "nested too deep"),
    "two documents": ("{} {}", "Extra data"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_not_be_written_again_is_refused(case: str) -> None:
    text, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        loads(text)


def test_what_is_json_is_read() -> None:
    assert loads(r'{"a": [1, 2.5, "\ud83d\ude00", null, true]}') == {"a": [1, 2.5, "\U0001f600", None, True]}
