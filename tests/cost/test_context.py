"""Where a resource stands, and how inputs are read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from cost.context import InputNotKnownError, list_at, number_at, text_at, value_at
from skerry.facts import Tier
from skerry.graph import UNKNOWN, Secret
from tests.simulators.cost_round_numbers import context, on_aws
from tests.simulators.policy_graphs import Builder

INSTANCE = "aws:ec2/instance:Instance"


def region_of(builder: Builder, urn: str) -> str:
    found = context(builder)
    return found.region(found.graph[urn])


def test_the_region_is_the_resources_own_then_its_providers_then_the_deployments() -> None:
    builder = on_aws()
    provider = builder.add("pulumi:providers:aws", "west", {"region": "us-west-2"})
    own = builder.add(INSTANCE, "own", {"region": "eu-central-1"}, provider=f"{provider}::id")
    explicit = builder.add(INSTANCE, "explicit", {}, provider=f"{provider}::id")
    default = builder.add(INSTANCE, "default", {})
    assert [region_of(builder, urn) for urn in (own, explicit, default)] == ["eu-central-1", "us-west-2", "us-east-1"]


def test_the_region_of_a_foreign_program_without_one_is_empty() -> None:
    builder = Builder()
    urn = builder.add(INSTANCE, "it", {"region": UNKNOWN})
    assert region_of(builder, urn) == ""


def test_the_tier_is_the_nearest_components() -> None:
    builder = on_aws()
    outer = builder.component("outer", tier=Tier.META)
    inner = builder.component("inner", outer)
    nearest = builder.component("nearest", outer, tier=Tier.CHANNELS)
    one = builder.add(INSTANCE, "one", {}, parent=inner)
    two = builder.add(INSTANCE, "two", {}, parent=nearest)
    three = builder.add(INSTANCE, "three", {})
    found = context(builder)
    assert [found.tier(found.graph[urn]) for urn in (one, two, three)] == [Tier.META, Tier.CHANNELS, None]


READ: Mapping[str, tuple[Any, Any, Any]] = {
    "a number in a text": (number_at, {"a": {"b": "12.5"}}, Decimal("12.5")),
    "a float as it is written": (number_at, {"a": {"b": 0.1}}, Decimal("0.1")),
    "a secret text": (text_at, {"a": {"b": Secret("x")}}, "x"),
    "a list": (list_at, {"a": {"b": [1]}}, [1]),
    "no list is an empty one": (list_at, {}, []),
    "any value": (value_at, {"a": {"b": None, "c": 1}}, "is not stated"),
    "an unknown": (value_at, {"a": UNKNOWN}, "is not known before a deployment"),
    "an unknown secret": (text_at, {"a": {"b": Secret(UNKNOWN)}}, "is not known before a deployment"),
    "a truth is no number": (number_at, {"a": {"b": True}}, "is no number"),
    "a number without end": (number_at, {"a": {"b": "inf"}}, "is no number"),
    "a number below zero": (number_at, {"a": {"b": -1}}, "is no number"),
    "a number is no text": (text_at, {"a": {"b": 1}}, "is no text"),
    "a text is no list": (list_at, {"a": {"b": "x"}}, "is no list"),
}


@pytest.mark.parametrize("sentence", READ)
def test_an_input_is_read_or_said_not_to_be_known(sentence: str) -> None:
    read, inputs, expected = READ[sentence]
    if isinstance(expected, str) and expected.startswith("is "):
        with pytest.raises(InputNotKnownError) as raised:
            read(inputs, "a.b")
        assert f"a.b {expected}" == str(raised.value)
    else:
        assert expected == read(inputs, "a.b")
