"""Files that users write for the estimate: YAML, read with every number as text, so that no price becomes binary."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from skerry.errors import ConfigError, Problem

MAX_BYTES: Final = 1024 * 1024
"""A file larger than this was not written by hand."""

Model = TypeVar("Model", bound=BaseModel)


def read_model(path: Path, model: type[Model]) -> Model:
    """Read a YAML file as `model`.

    Raises:
        ConfigError: it cannot be read, or is not what the model asks; names every problem.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(str(path), [Problem("", f"is larger than {MAX_BYTES} bytes", "write what is asked only")])
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(str(path), [Problem("", f"cannot be read: {exc}")]) from exc
    try:
        # BaseLoader makes text, lists and mappings only: it runs nothing, and 0.1 stays '0.1' for Decimal.
        document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  BaseLoader constructs no objects
    except (yaml.YAMLError, RecursionError) as exc:
        raise ConfigError(str(path), [Problem("", f"is no YAML: {exc}")]) from exc
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        raise ConfigError(str(path), [_problem(item["loc"], item["msg"]) for item in exc.errors()]) from exc


def _problem(where: tuple[int | str, ...], message: str) -> Problem:
    text = message.removeprefix("Value error, ")
    return Problem(".".join(str(part) for part in where) or "the file", text[:1].lower() + text[1:])
