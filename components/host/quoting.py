"""How words and values are written for systemd, files of variables, YAML and shells, so that each reads them back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from skerry.errors import UsageError

_NAME: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_PLAIN_WORD: Final = re.compile(r"^[A-Za-z0-9_./:=,@+-]+$")
_PLAIN_YAML: Final = re.compile(r"^[A-Za-z_/][A-Za-z0-9_./-]*$")
_READ_AS_OTHERS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def variable_name(name: str, owner: str) -> str:
    """Return the name of a variable.

    Args:
        name: the name.
        owner: whose it is, for the message.

    Raises:
        UsageError: no program can have a variable of that name.
    """
    if not _NAME.match(name):
        raise UsageError(
            f"{owner}: '{name}' is no name of a variable: use letters, digits and underscores, no digit first"
        )
    return name


def one_line(text: str, what: str) -> str:
    """Return a text that stands on one line.

    Args:
        text: the text.
        what: what it is, for the message.

    Raises:
        UsageError: it holds a line break or another control character.
    """
    found = next((char for char in text if ord(char) < 32 or ord(char) == 127), None)
    if found is not None:
        raise UsageError(f"{what} holds the control character {found!r}: write it on one line, without such characters")
    return text


def environment_text(values: Mapping[str, str], owner: str) -> str:
    """Return a file of variables that systemd (EnvironmentFile) and Compose (env_file) read alike.

    Both take double quotes with a backslash before `"`, `$` and itself, and lines that go on inside the quotes.

    Args:
        values: variable -> value.
        owner: whose they are, for the message.

    Raises:
        UsageError: a name or a value cannot be written.
    """
    lines = []
    for name, value in sorted(values.items()):
        if "\0" in value:
            raise UsageError(f"{owner}: the value of {name} holds a zero byte: no program takes one in a variable")
        escaped = re.sub(r'([\\"$])', r"\\\1", value)
        lines.append(f'{variable_name(name, owner)}="{escaped}"\n')
    return "".join(lines)


def unit_word(text: str, *, template: bool = False, variables: bool = True, expands: Sequence[str] = ()) -> str:
    """Return a word of a unit as systemd reads it back.

    Args:
        text: the word.
        template: True where `%i` stands for the unit's instance.
        variables: True in commands, where a dollar sign would begin a variable.
        expands: variables that `${NAME}` stands for.

    Raises:
        UsageError: it holds a zero byte.
    """
    if "\0" in text:
        raise UsageError(f"{text!r} holds a zero byte: no command takes one")
    found = unit_percent(text, template=template)
    if variables:
        found = found.replace("$", "$$")
        for name in expands:
            found = found.replace(f"$${{{name}}}", f"${{{name}}}")
    if _PLAIN_WORD.match(text):
        return found
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(char) or _printed(char) for char in found) + '"'


def _printed(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 32 or ord(char) == 127 else char


def unit_percent(text: str, *, template: bool = False) -> str:
    """Return a text without systemd's specifiers, but for `%i` in a template."""
    found = text.replace("%", "%%")
    return found.replace("%%i", "%i") if template else found


def unit_command(words: Sequence[str], *, template: bool = False, expands: Sequence[str] = ()) -> str:
    """Return a command of a unit.

    Args:
        words: the program by its full path, and its arguments.
        template: True where `%i` stands for the unit's instance.
        expands: variables that `${NAME}` stands for.

    Raises:
        UsageError: its program is not given by full path, as systemd has it.
    """
    if not words or not words[0].startswith("/"):
        raise UsageError(f"systemd's command {list(words)} names no program by its full path: begin it with /")
    return " ".join(unit_word(word, template=template, expands=expands) for word in words)


def shell(words: Sequence[str]) -> str:
    """Return a command as a shell reads it back."""
    return " ".join(shlex.quote(word) for word in words)


class _Dumper(yaml.SafeDumper):
    """Quotes what any version of YAML could read as something else than a text."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = _PLAIN_YAML.match(value) and value.lower() not in _READ_AS_OTHERS
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(str, _text)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]


def yaml_text(document: Mapping[str, Any]) -> str:
    """Return a YAML file in the order of its document."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100_000, allow_unicode=True))
