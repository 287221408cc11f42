"""Keys that a program of another language passes, and which secrets of a stack a tier needs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.tiers.providers import hosted_ranges, passed_keys, stack_keys
from skerry.config.load import load_part
from skerry.config.spec import CognitiveSpec


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """Give outputs the loop that a program has."""
    found = asyncio.new_event_loop()
    asyncio.set_event_loop(found)
    yield
    asyncio.set_event_loop(None)
    found.close()


AGENTS = {"scout": {"image": "a.example/scout:1"}, "architect": {"image": "a.example/architect:1"}}


def tier(**more: Any) -> CognitiveSpec:
    return load_part(CognitiveSpec, {**AGENTS, **more}, "cognitive")


PASSED: Mapping[str, tuple[list[str], str | None, Mapping[str, str], set[str], list[str]]] = {
    "one for all": (["openai", "anthropic"], "k", {}, {"llm-api-key"}, []),
    "each its own": (
        ["openai", "anthropic"], None, {"openai": "a", "anthropic": "b"},
        {"llm-api-key-openai", "llm-api-key-anthropic"}, [],
    ),
    "one its own, the other the one of all": (
        ["openai", "anthropic"], "k", {"openai": "a"}, {"llm-api-key-openai", "llm-api-key"}, [],
    ),
    "none": (
        ["openai", "anthropic"], None, {"openai": "a"}, {"llm-api-key-openai"},
        ["api_key: is required by the hosted provider anthropic; pass the key as a secret"],
    ),
    "of a provider that nobody asks": (
        ["openai"], "k", {"anthropic": "b"}, {"llm-api-key-anthropic", "llm-api-key"},
        ["api_keys.anthropic: is the key of a provider that is not asked; use openai"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("providers", "one", "own", "secrets", "told"), PASSED.values(), ids=PASSED.keys())
def test_keys_that_a_program_passes(
    providers: list[str], one: str | None, own: Mapping[str, str], secrets: set[str], told: list[str]
) -> None:
    found, problems = passed_keys(tier(providers=providers), one, own)
    assert (set(found), [str(problem) for problem in problems]) == (secrets, told)


def test_the_stack_sets_the_secrets_that_the_configuration_names() -> None:
    both = tier(
        providers=["local", "openai", "anthropic"], api_key_secret="all", api_key_secrets={"openai": "openaiKey"}
    )
    assert stack_keys(both) == {
        "llm-api-key-openai": ("openaiKey", "cognitive.api_key_secrets.openai"),
        "llm-api-key": ("all", "cognitive.api_key_secret"),
    }
    assert stack_keys(tier(providers=["local"])) == {}


def test_ranges_of_the_configuration_count_more_than_those_that_are_known() -> None:
    asked = tier(providers=["anthropic"], api_key_secret="all")
    assert hosted_ranges(asked) == {"api.anthropic.com": ("160.79.104.0/23",)}
    said = tier(providers=["anthropic"], api_key_secret="all", provider_cidrs={"anthropic": ["192.0.2.0/24"]})
    assert hosted_ranges(said) == {"api.anthropic.com": ("192.0.2.0/24",)}
    assert hosted_ranges(tier(providers=["openai"], api_key_secret="all")) == {}
