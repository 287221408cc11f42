"""The JSON Schema of a stack file takes what the loader takes, and says of every field what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml
from pydantic import BaseModel

from skerry.config import spec as spec_module
from skerry.config.load import json_schema, load_spec
from skerry.config.spec import CONFIG_KEY, DeploymentSpec
from skerry.config.words import Spec
from tests.simulators.stack_objects import AIRGAPPED, ROOT, STACKS


def document(stack: str) -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("stack", STACKS)
def test_the_json_schema_takes_the_shipped_stacks(stack: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(document(stack), json_schema())


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(modus="x"),
        lambda one: one.update(mode="airgapped"),
        lambda one: one["target"].pop("kind"),
        lambda one: one["meta"]["vector"].update(replicas="three"),
    ],
    ids=["unknown field", "wrong choice", "missing field", "wrong type"],
)
def test_the_json_schema_refuses_what_the_loader_refuses(change: Callable[[dict[str, Any]], object]) -> None:
    broken = document(AIRGAPPED)
    change(broken["config"][CONFIG_KEY])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, json_schema())


def specs() -> list[type[BaseModel]]:
    found = [item for item in vars(spec_module).values() if isinstance(item, type) and issubclass(item, Spec)]
    return [item for item in found if item is not Spec]


@pytest.mark.parametrize("model", specs(), ids=lambda model: model.__name__)
def test_every_field_is_described_for_editors(model: type[BaseModel]) -> None:
    assert model.__doc__
    bare = [name for name, field in model.model_fields.items() if not (field.description or "").strip()]
    assert bare == []


def test_a_configuration_cannot_be_changed_after_it_was_checked() -> None:
    checked = load_spec(document(AIRGAPPED)["config"][CONFIG_KEY], AIRGAPPED)
    with pytest.raises(Exception, match="frozen"):
        checked.production = True  # type: ignore[misc]  # the point of the test


def test_every_spec_hangs_together_under_the_deployment() -> None:
    named = set(DeploymentSpec.model_json_schema()["$defs"])
    assert {model.__name__ for model in specs()} - named == {"DeploymentSpec"}
