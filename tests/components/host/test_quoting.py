"""Words and values as each program reads them back."""

from __future__ import annotations

import random
import shlex
import string
from typing import Any

import pytest
import yaml

from components.host.quoting import environment_text, one_line, shell, unit_command, unit_word, variable_name, yaml_text
from skerry.errors import UsageError
from tests.simulators.odd_hosts import ODD_VALUES

WORDS: dict[str, tuple[Any, ...]] = {
    "a plain word stays as it is": ("--port=8787", {}, "--port=8787"),
    "a percent sign is no specifier": ("100%", {}, '"100%%"'),
    "an instance is one in a template": ("%i", {"template": True}, '"%i"'),
    "an instance is text elsewhere": ("%i", {}, '"%%i"'),
    "a dollar sign is no variable": ("$HOME", {}, '"$$HOME"'),
    "a variable of its own is one": ("redis://:${PASS}@h/$x", {"expands": ("PASS",)}, '"redis://:${PASS}@h/$$x"'),
    "a dollar sign is text where nothing expands": ("A=$x", {"variables": False}, '"A=$x"'),
    "quotes and backslashes are escaped": ('a"b\\c', {}, '"a\\"b\\\\c"'),
    "a line break is escaped": ("a\nb", {}, '"a\\nb"'),
    "other control characters are escaped": ("\x01", {}, '"\\x01"'),
    "no word is two quotes": ("", {}, '""'),
    "a separator of commands is a word": (";", {}, '";"'),
}


@pytest.mark.parametrize("sentence", WORDS)
def test_a_word_of_a_unit(sentence: str) -> None:
    text, options, expected = WORDS[sentence]
    assert expected == unit_word(text, **options)


REFUSED: dict[str, tuple[Any, ...]] = {
    "a variable that begins with a digit": (lambda: variable_name("1A", "x"), "'1A' is no name of a variable"),
    "a variable with a hyphen": (lambda: environment_text({"A-B": ""}, "x"), "'A-B' is no name of a variable"),
    "a value with a zero byte": (lambda: environment_text({"A": "\0"}, "x"), "holds a zero byte"),
    "a word with a zero byte": (lambda: unit_word("a\0"), "holds a zero byte"),
    "a command without a full path": (lambda: unit_command(("python", "x")), "by its full path: begin it with /"),
    "no command": (lambda: unit_command(()), "by its full path: begin it with /"),
    "a comment on two lines": (lambda: one_line("a\nb", "a comment"), "a comment holds the control character '\\n'"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_written_is_refused(sentence: str) -> None:
    call, expected = REFUSED[sentence]
    with pytest.raises(UsageError) as caught:
        call()
    assert expected in str(caught.value)


def test_a_file_of_variables_escapes_what_both_readers_change() -> None:
    assert environment_text({"B": "", "A": '\\ " $x `y` #'}, "x") == 'A="\\\\ \\" \\$x `y` #"\nB=""\n'


def test_yaml_reads_every_text_back_as_text() -> None:
    given = {name: {"value": value, "list": [value]} for name, value in ODD_VALUES.items()}
    text = yaml_text({**given, "number": 1.5, "truth": True, "words": "0x1f"})
    assert {**given, "number": 1.5, "truth": True, "words": "0x1f"} == yaml.safe_load(text)


def test_a_text_that_another_version_of_yaml_reads_as_a_number_is_quoted() -> None:
    texts = ("1e3", "0o17", "0x1f", ".inf", "12:30", "1_000", "~", "no", "Off", "null", "2026-11-21", "=", "<<")
    assert [f'a: "{text}"\n' for text in texts] == [yaml_text({"a": text}) for text in texts]


def test_a_shell_reads_random_words_back() -> None:
    chance = random.Random(7)
    words = ["".join(chance.choices(string.printable, k=chance.randint(0, 12))) for _ in range(300)]
    assert words == shlex.split(shell(words))
