"""What the installed SDKs say of their resource types, against the SDKs themselves as Python imports them."""

from __future__ import annotations

import importlib
import inspect
import random
import shutil
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.simulators.sdk_types import Sdk, references, sdk_of

PACKAGES = ("aws", "azure-native", "gcp", "kubernetes")
SAMPLE = 14


def fresh(package: str, cache: Path | None = None) -> Sdk:
    found = sdk_of(package)
    assert found is not None
    return Sdk(found.folder, package, found.version, cache)


TYPES: dict[str, tuple[str, str, Any, bool]] = {
    "a plain property": ("aws:sqs/queue:Queue", "delaySeconds", "int", False),
    "a map": ("aws:sqs/queue:Queue", "tags", ["map", "str"], False),
    "one that must be given": ("aws:eks/cluster:Cluster", "roleArn", "str", True),
    "a nested type": ("aws:eks/cluster:Cluster", "vpcConfig", ["ref", "eks/_inputs.py:ClusterVpcConfigArgs"], True),
    "an archive": ("aws:lambda/function:Function", "code", "asset", False),
    "a constant": ("kubernetes:apps/v1:Deployment", "kind", ["enum", ["Deployment"]], False),
    "a type of another module": (
        "kubernetes:apps/v1:Deployment", "metadata", ["ref", "meta/v1/_inputs.py:ObjectMetaArgs"], False
    ),
    "a closed enum": (
        "azure-native:storage:StorageAccount", "accessTier", ["enum", ["Hot", "Cool", "Premium", "Cold"]], False
    ),
    "an enum that takes other texts": (
        "azure-native:storage:StorageAccount", "allowedCopyScope", ["open", ["PrivateLink", "AAD"]], False
    ),
    "a module whose Python name is another": (
        "aws:lambda/function:Function", "deadLetterConfig", ["ref", "lambda_/_inputs.py:FunctionDeadLetterConfigArgs"],
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", TYPES)
def test_a_property_has_the_type_that_the_sdk_gives_it(sentence: str) -> None:
    token, key, type_, required = TYPES[sentence]
    schema = fresh(token.split(":")[0]).resource(token)
    assert schema is not None
    assert schema["inputs"][key] == [type_, required]


def test_a_union_of_classes_is_read_branch_by_branch() -> None:
    schema = fresh("azure-native").resource("azure-native:datafactory:Pipeline")
    assert schema is not None
    assert schema["inputs"]["activities"][0][1][0] == "union"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_input_that_the_imported_class_takes_is_read_and_no_other(package: str) -> None:
    sdk = fresh(package)
    places = sdk.modules()
    chosen = random.Random(4).sample(sorted(places), SAMPLE)
    for token in chosen:
        module, name = places[token]
        imported = importlib.import_module(module)
        class_ = getattr(imported, f"{name}InitArgs", None) or getattr(imported, f"{name}Args")
        # What the SDK itself puts on the wire for an argument.
        wire = {
            str(getattr(function.fget, "_pulumi_name", "") or key)
            for key, function in inspect.getmembers(class_, lambda member: isinstance(member, property))
        }
        schema = sdk.resource(token)
        assert schema is not None, token
        assert set(schema["inputs"]) == wire, token


@pytest.mark.parametrize("package", PACKAGES)
def test_every_type_that_an_input_refers_to_is_there(package: str) -> None:
    sdk = fresh(package)
    for token in random.Random(7).sample(sorted(sdk.modules()), SAMPLE):
        schema = sdk.resource(token)
        if schema is None:
            # What the SDK makes of other resources never reaches a provider.
            module, name = sdk.modules()[token]
            assert issubclass(getattr(importlib.import_module(module), name), pulumi.ComponentResource)
            continue
        wanted = [type_ for type_, _ in schema["inputs"].values()]
        seen: set[str] = set()
        while wanted:
            for key in references(wanted.pop()):
                assert key in schema["types"], token
                if key not in seen:
                    seen.add(key)
                    wanted += [type_ for type_, _ in schema["types"][key].values()]


def test_a_token_that_the_sdk_does_not_have_has_no_schema() -> None:
    assert fresh("aws").resource("aws:sqs/queue:Quueue") is None


def test_a_package_without_an_sdk_has_none() -> None:
    assert sdk_of("nobody-wrote-this") is None


def test_what_was_read_is_kept_and_read_again_without_the_source(tmp_path: Path) -> None:
    token, copy = "aws:sqs/queue:Queue", tmp_path / "copy"
    whole = fresh("aws")
    copy.mkdir()
    shutil.copy(whole.folder / "__init__.py", copy)
    (copy / "sqs").mkdir()
    shutil.copy(whole.folder / "sqs" / "queue.py", copy / "sqs")
    first = Sdk(copy, "aws", "1", tmp_path / "cache").resource(token)
    shutil.rmtree(copy)
    assert Sdk(copy, "aws", "1", tmp_path / "cache").resource(token) == first
    with pytest.raises(FileNotFoundError):
        Sdk(copy, "aws", "2", tmp_path / "cache").resource(token)


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    first = fresh("aws", tmp_path).resource("aws:sqs/queue:Queue")
    (kept,) = tmp_path.rglob("*.json")
    kept.write_text("{")
    assert fresh("aws", tmp_path).resource("aws:sqs/queue:Queue") == first
    assert kept.read_text() != "{"
