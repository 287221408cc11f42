"""Outputs of stacks that are not run here, read from a file: they answer the program's stack references."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from skerry.errors import ConfigError, GraphError, Problem
from skerry.graph import UNKNOWN, Secret
from skerry.readers.state import read_state

MAX_BYTES: Final = 256 * 1024 * 1024
"""The largest state that is read."""

_MASK: Final = "[secret]"
"""What the command prints in place of a secret unless it is asked to show it."""


def load_stack_outputs(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read the outputs of stacks: name -> outputs, or what `pulumi stack export` printed.

    A name is written as the program refers to the stack (`organization/project/stack`), or shorter: `project/stack`,
    or `stack` for one of the program's own project. The outputs are as `pulumi stack output --json --show-secrets`
    prints them; a masked one is a secret unknown.

    Raises:
        ConfigError: the file cannot be read or is neither of the two.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(
                path.name, [Problem("", f"is larger than {MAX_BYTES} bytes: this holds no stack outputs")]
            )
        text = path.read_text(encoding="utf-8-sig")
        data = json.loads(text)
    except (OSError, ValueError, RecursionError) as exc:
        raise ConfigError(path.name, [Problem("", f"cannot be read as JSON: {exc}")]) from exc
    if not isinstance(data, dict):
        raise ConfigError(path.name, [_wrong("", data)])
    if isinstance(data.get("deployment"), dict) and "version" in data:
        return _of_state(path, text)
    problems = [_wrong(str(name), outputs) for name, outputs in data.items() if not isinstance(outputs, dict)]
    if problems:
        raise ConfigError(path.name, problems)
    return {str(name): {key: _value(value) for key, value in outputs.items()} for name, outputs in data.items()}


def _of_state(path: Path, text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        graph = read_state(text)
    except GraphError as exc:
        raise ConfigError(path.name, [Problem("", str(exc))]) from exc
    return {f"{graph.project}/{stack}": graph.stack_outputs(stack) for stack in graph.stacks}


def _wrong(place: str, value: Any) -> Problem:
    kind = type(value).__name__
    return Problem(place, f"a {kind} where a mapping is needed", "write {stack name: {output name: value}}")


def _value(value: Any) -> Any:
    if value == _MASK:
        return Secret(UNKNOWN)
    if isinstance(value, dict):
        return {str(key): _value(item) for key, item in value.items()}
    return [_value(item) for item in value] if isinstance(value, list) else value
