"""From a plain mapping to a `DeploymentSpec`, with every problem reported at once.

(1) The shape: unknown fields, missing fields, wrong types and values, each with its path and what is allowed.
(2) The sense: what each field allows alone but not together (`skerry.config.sense`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from skerry.config.sides import required_tiers
from skerry.config.spec import CONFIG_KEY, CONFIG_SCHEMA, DeploymentSpec
from skerry.config.words import Spec
from skerry.errors import ConfigError, Problem

SpecT = TypeVar("SpecT", bound=Spec)


def load_part(model: type[SpecT], value: Mapping[str, Any], path: str) -> SpecT:
    """Check the shape of one part of a deployment, for who takes less than the whole.

    Args:
        model: the part's own model.
        value: its fields.
        path: where it stands, for messages.

    Raises:
        ConfigError: a field of it cannot be used; it lists all of them.
    """
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        problems = [_problem(value, error, model) for error in exc.errors()]
        raise ConfigError(path, [replace(one, path=f"{path}.{one.path}") for one in problems]) from exc


def load_spec(value: object, source: str) -> DeploymentSpec:
    """Check `value` and return the deployment it describes.

    Args:
        value: the mapping under `skerry:deployment`.
        source: what to call it in messages, for example `stacks/Pulumi.dev.yaml`.

    Raises:
        ConfigError: anything is wrong; it lists all that is wrong.
    """
    if not isinstance(value, Mapping):
        got = "nothing" if value is None else type(value).__name__
        raise ConfigError(
            source,
            [
                Problem(
                    CONFIG_KEY, f"must be a mapping, got {got}", "see `skerry config schema` or copy a shipped stack"
                )
            ],
        )
    try:
        spec = DeploymentSpec.model_validate(value)
    except ValidationError as exc:
        raise ConfigError(source, [_problem(value, error) for error in exc.errors()]) from exc
    # Imported by need: the schema of a configuration asks for no check of one.
    from skerry.config.sense import sense_problems

    problems = sense_problems(spec)
    if problems:
        raise ConfigError(source, problems)
    return spec


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a stack file, for editors."""
    deployment = DeploymentSpec.model_json_schema()
    definitions = deployment.pop("$defs")
    deployment["allOf"] = required_tiers()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": CONFIG_SCHEMA,
        "title": "Skerry stack file",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {CONFIG_KEY: deployment},
                "required": [CONFIG_KEY],
            }
        },
        "required": ["config"],
        "$defs": definitions,
    }


def _path(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def _problem(value: Mapping[str, Any], error: ErrorDetails, root: type[BaseModel] = DeploymentSpec) -> Problem:
    loc, kind, got = error["loc"], error["type"], error["input"]
    path = _path(loc)
    context = error.get("ctx", {})
    match kind:
        case "extra_forbidden":
            fields = sorted(_model_at(loc[:-1], root).model_fields)
            near = difflib.get_close_matches(str(loc[-1]), fields, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"allowed are {', '.join(fields)}"
            return Problem(path, "is not a field of the configuration", hint)
        case "missing":
            return Problem(path, "is required and missing", "add it; `skerry config schema` describes every field")
        case "enum":
            allowed = str(context.get("expected", ""))
            names = [name.strip("' ") for name in allowed.replace(" or ", ",").split(",")]
            near = difflib.get_close_matches(str(got), names, n=1)
            return Problem(path, f"'{got}' is not one of {allowed}", f"did you mean '{near[0]}'?" if near else "")
        case "string_pattern_mismatch":
            return Problem(path, f"'{got}' does not have the form {context.get('pattern')}", "")
        case "too_short" | "too_long":
            least, most = context.get("min_length"), context.get("max_length")
            needed = f"at least {least} are needed" if least is not None else f"at most {most} are allowed"
            return Problem(path, f"has {context.get('actual_length')} entries, and {needed}, got {_short(got)}", "")
        case _:
            return Problem(path, f"{error['msg'][0].lower()}{error['msg'][1:]}, got {_short(got)}", "")


def _short(value: object) -> str:
    text = f"'{value.value}'" if isinstance(value, Enum) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _model_at(loc: tuple[int | str, ...], root: type[BaseModel]) -> type[BaseModel]:
    model = root
    for part in loc:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        found = _models_in(model.model_fields[part].annotation)
        model = found[0] if found else model
    return model


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]
