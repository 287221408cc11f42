"""What other languages write is what a stack file says: no field, type or word of the two may drift apart."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from importlib import import_module
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin

import pytest
from pulumi.provider.experimental.analyzer import Analyzer
from pydantic import BaseModel

from components.base import SkerryComponent
from components.package import channels, cluster, specs, stores
from components.package.listing import NOT_PUBLIC, public_components
from components.package.remote import Remote
from components.package.schema import TYPE_NAMES
from skerry.config.spec import ChannelsSpec, DeploymentSpec, MetaSpec, TargetSpec
from skerry.config.words import Spec
from tests.conftest import ROOT
from tests.test_layers import MODULES


def name_of(model: type[BaseModel]) -> str:
    return TYPE_NAMES.get(model.__name__, model.__name__.removesuffix("Spec"))


def parts(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Return every model that a model is made of, by the name of its declaration."""
    found = {name_of(model): model}
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            found |= parts(inner)
    return found


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in models_in(argument)]


def declared(annotation: Any) -> Any:
    """Return the declaration of a spec's type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return declared(arguments[0])
    if origin in (Union, types.UnionType):
        (inner,) = [argument for argument in arguments if argument is not types.NoneType]
        return declared(inner)
    if origin is tuple:
        return Sequence[declared(arguments[0])]  # type: ignore[misc]  # built while the test runs
    if origin is dict:
        return Mapping[str, declared(arguments[1])]  # type: ignore[misc]  # built while the test runs
    if issubclass(annotation, BaseModel):
        return getattr(specs, name_of(annotation))
    return annotation


def fields_of(model: type[BaseModel]) -> dict[str, Any]:
    return {
        name: declared(field.annotation) if field.is_required() else NotRequired[declared(field.annotation)]
        for name, field in model.model_fields.items()
    }


PARTS = parts(DeploymentSpec)


def test_every_part_of_a_deployment_is_declared_and_nothing_else() -> None:
    there = {name for name, value in vars(specs).items() if typing.is_typeddict(value)}
    assert set(PARTS) == there
    assert len(there) > 15


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_the_fields_of_its_spec_word_for_word(name: str) -> None:
    model, declaration = PARTS[name], getattr(specs, name)
    assert fields_of(model) == declaration.__annotations__
    analyzer = Analyzer("skerry")
    words = {field: analyzer.get_docstring(declaration, field) for field in model.model_fields}
    assert {field: one.description for field, one in model.model_fields.items()} == words
    assert (model.__doc__ or "").strip() == (declaration.__doc__ or "").strip()


def test_a_drift_is_found() -> None:
    class Changed(Spec):
        vpc_cidr: int = 1
        """Another type."""

    assert fields_of(Changed) != {"vpc_cidr": specs.AwsTarget.__annotations__["vpc_cidr"]}
    assert fields_of(Changed) == {"vpc_cidr": NotRequired[int]}


def test_a_cluster_has_every_field_of_a_target_or_says_why_not() -> None:
    own = cluster.Cluster.__annotations__
    assert set(cluster.OF_TARGET) | set(cluster.NOT_OF_CLUSTER) == set(TargetSpec.model_fields)
    assert set(cluster.OF_TARGET) & set(cluster.NOT_OF_CLUSTER) == set()
    wanted = {name: one for name, one in fields_of(TargetSpec).items() if name in cluster.OF_TARGET}
    assert wanted == {name: own[name] for name in cluster.OF_TARGET}
    assert set(cluster.NOT_OF_CLUSTER) & set(own) == set()


def test_the_channels_take_every_field_of_their_spec_once() -> None:
    tables = [channels.PUBSUB_FIELDS, channels.WORKFLOWS_FIELDS, channels.OBJECT_STORE_FIELDS]
    named = sorted(field for table in tables for field in table.values())
    of_one_side = {"pool", "relational_kind", "relational"}
    assert named == sorted(set(ChannelsSpec.model_fields) - of_one_side)
    wanted = fields_of(ChannelsSpec)
    for arguments, table in zip(
        (channels.PubSubArgs, channels.WorkflowsArgs, channels.ObjectStoreArgs), tables, strict=True
    ):
        analyzer = Analyzer("skerry")
        for argument, field in table.items():
            assert wanted[field] == arguments.__annotations__[argument], (argument, field)
            assert ChannelsSpec.model_fields[field].description == analyzer.get_docstring(arguments, argument)


def test_the_stores_take_every_field_that_the_meta_tier_has_for_them() -> None:
    named = {field for table in stores.META_FIELDS.values() for field in table.values()}
    of_the_tier_itself = {"pool", "learning", "baseline", "relational_authority"}
    assert set(MetaSpec.model_fields) == named | of_the_tier_itself
    wanted, analyzer = fields_of(MetaSpec), Analyzer("skerry")
    for arguments, table in stores.META_FIELDS.items():
        declaration = getattr(stores, arguments)
        for argument, field in table.items():
            assert wanted[field] == declaration.__annotations__[argument], (arguments, field)
            assert MetaSpec.model_fields[field].description == analyzer.get_docstring(declaration, argument)


def components_of_the_house() -> dict[str, type[SkerryComponent]]:
    """Import every module of the room and return its component classes."""
    for name in MODULES:
        if name.startswith("components.") and not name.endswith("__main__"):
            __import__(name)
    waiting, found = [SkerryComponent], {}
    while waiting:
        for one in waiting.pop().__subclasses__():
            # Other tests make components of their own.
            if one.__module__.startswith("components."):
                assert found.get(one.__name__, one) is one, f"two components are named {one.__name__}"
                found[one.__name__] = one
            waiting.append(one)
    return found


def test_each_component_is_public_or_says_why_not() -> None:
    public = {one.__name__ for one in public_components()}
    there = set(components_of_the_house())
    assert there == public | set(NOT_PUBLIC)
    assert public & set(NOT_PUBLIC) == set()


SERVING = ("endpoint", "port", "secret_ref", "metrics_endpoint")
NOTHING_TO_SERVE = {
    "Sensei": "gives the endpoints of all",
    "AgentDb": "gives what its stack exports",
    "AetherGraph": "gives what its stack exports",
    "Applications": "gives what its stack exports",
    "Hosts": "gives what its stack exports",
    "OnPremCluster": "a cluster's API is the provider's business",
    "TierNamespace": "a namespace answers nothing",
    "PriorityClasses": "answer nothing",
    "Operator": "is called by the API server alone",
    "AwsBase": "gives what the platform layer reads",
    "AwsNetwork": "answers nothing",
    "AwsCluster": "gives a kubeconfig",
    "GcpBase": "gives what the platform layer reads",
    "AzureBase": "gives what the platform layer reads",
}


@pytest.mark.parametrize("declaration", public_components(), ids=lambda one: one.__name__)
def test_what_serves_has_the_same_four_outputs_everywhere(declaration: type[Remote]) -> None:
    outputs = [name for name in declaration.__annotations__ if name in SERVING]
    expected = [] if declaration.__name__ in NOTHING_TO_SERVE else list(SERVING)
    assert expected == outputs


@pytest.mark.parametrize("declaration", public_components(), ids=lambda one: one.__name__)
def test_the_arguments_bear_the_component_s_name(declaration: type[Remote]) -> None:
    arguments = declaration.__init__.__annotations__["args"]
    assert arguments.__name__ == f"{declaration.__name__}Args"
    assert typing.is_typeddict(arguments)


SPEC_MODULES = [
    import_module(f"components.package.{file.stem}") for file in (ROOT / "components" / "package").glob("specs*.py")
]


def test_choices_are_the_enums_of_the_specs() -> None:
    there = {
        name
        for module in SPEC_MODULES
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Enum)
    }
    used = {
        enum.__name__ for model in PARTS.values() for field in model.model_fields.values() for enum in enums_in(field)
    }
    assert used == there


def enums_in(field: Any) -> list[type[Enum]]:
    def inside(annotation: Any) -> list[type[Enum]]:
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return [annotation]
        return [enum for argument in get_args(annotation) for enum in inside(argument)]

    return inside(field.annotation)


def test_the_package_s_own_modules_evaluate_their_annotations() -> None:
    """A declaration in a module with future annotations would be read as strings and break the host."""
    for declaration in public_components():
        for annotation in [*declaration.__annotations__.values(), *declaration.__init__.__annotations__.values()]:
            assert not isinstance(annotation, str), (declaration.__name__, annotation)
    assert (ROOT / "components" / "package").is_dir()
