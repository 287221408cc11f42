"""Waivers in a file of their own, for programs that have no stack file of Skerry's (`skerry.waivers/1`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from skerry.config.load import load_part
from skerry.config.spec import WaiverSpec
from skerry.config.words import Spec
from skerry.errors import ConfigError, Problem
from skerry.facts import WaiverFact

WAIVERS_SCHEMA: Final = "skerry.waivers/1"
"""Name and version of the file's form."""

MAX_BYTES: Final = 1024 * 1024
"""Waivers are written by hand; anything larger is another file."""


class WaiversSpec(Spec):
    """The file: its form, and the rows that also stand in stack files."""

    waivers: tuple[WaiverSpec, ...]
    """Findings that somebody answers for."""


def load_waivers(path: Path) -> tuple[WaiverFact, ...]:
    """Read a file of waivers.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong; it lists all that is wrong.
    """
    data = _load(path)
    schema = data.pop("schema", None)
    if schema != WAIVERS_SCHEMA:
        raise ConfigError(path.name, [Problem("schema", f"{schema!r} is not known", f"write {WAIVERS_SCHEMA}")])
    found = load_part(WaiversSpec, data, path.name)
    return tuple(WaiverFact(**row.model_dump()) for row in found.waivers)


def _load(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(path.name, [Problem("", f"is larger than {MAX_BYTES} bytes: this is no file of waivers")])
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark is not None else ""
        text = getattr(exc, "problem", None) or str(exc).splitlines()[0]
        raise ConfigError(path.name, [Problem(where, f"cannot be used: {text}")]) from exc
    except (OSError, ValueError, RecursionError) as exc:
        raise ConfigError(path.name, [Problem("", f"cannot be read: {exc}")]) from exc
    if not isinstance(data, dict):
        kind = "nothing" if data is None else f"a {type(data).__name__}"
        raise ConfigError(
            path.name, [Problem("", f"holds {kind} where a mapping is needed", "write schema and waivers")]
        )
    return data
