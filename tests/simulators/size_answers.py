"""What `skerry size --format json` answers, and values in it by path: `load.measured.concurrency=10.p50.value`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from typing import Any

from cli.main import main


def command(options: Mapping[str, Any]) -> list[str]:
    """Return the words of the command; `system` is agentdb where it is left out."""
    words = ["size", str(options.get("system", "agentdb"))]
    for key, value in options.items():
        if key == "system":
            continue
        option = f"--{key.replace('_', '-')}"
        words += [option] if value is True else [option, str(value)]
    return words


@cache
def _run(words: tuple[str, ...]) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*words, "--format", "json"])
    return code, out.getvalue(), err.getvalue()


def size_problems(check: Mapping[str, Any], holds: Any) -> Iterator[str]:
    """Return what is not as a check says; `holds` compares a value with the check."""
    code, text, message = _run(tuple(command(check["size"])))
    if "refused" in check:
        if code == 0 or check["refused"] not in " ".join(message.split()):
            yield f"was not refused so: exit code {code}: {message}"
        return
    if code != 0:
        yield f"exit code {code}: {message}"
        return
    value = at(json.loads(text), check["path"])
    if not holds(value, check):
        yield f"{check['path']} is {value!r}"


def at(document: Any, path: str) -> Any:
    """Return the value at a path; a part `key=value,key=value` picks the first element of a list; None: none."""
    value = document
    for part in _parts(path):
        if isinstance(value, list):
            value = _element(value, part)
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def _parts(path: str) -> list[str]:
    """Split at dots, but not inside a number of a condition (`ops_s=6.34`)."""
    found: list[str] = []
    for part in path.split("."):
        if found and "=" in found[-1] and found[-1][-1:].isdigit() and part[:1].isdigit():
            found[-1] += f".{part}"
        else:
            found.append(part)
    return found


def _element(rows: list[Any], part: str) -> Any:
    if part.isdigit():
        return rows[int(part)] if int(part) < len(rows) else None
    wanted = [condition.partition("=") for condition in part.split(",")]
    fits = (row for row in rows if all(str(row.get(key)) == value for key, _, value in wanted))
    return next(fits, None)
