"""Who answers prompts, in the order of asking: local servers, a second model, and providers that others run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi

from components.kubernetes.workload import EnvValue, SecretKey, host_name
from skerry.config.sense_models import HOSTED as HOSTED_PROVIDERS
from skerry.config.spec import CognitiveSpec, ModelProvider
from skerry.errors import Problem
from skerry.facts import EndpointFact

PORT: Final = 8000
"""Of vLLM's server. Source: vllm-project/vllm docs/serving/openai_compatible_server.md, read 2026-11."""

API_KEY_SECRET: Final = "llm-api-key"
"""The Kubernetes Secret (key `api-key`) for hosted providers, made of the stack's secret `api_key_secret`."""

HOSTED: Final = {ModelProvider.OPENAI: "api.openai.com", ModelProvider.ANTHROPIC: "api.anthropic.com"}
"""Source: openai/openai-python src/openai/_client.py and anthropics/anthropic-sdk-python src/anthropic/_client.py, the
default base_url, read 2026-11."""

RANGES: Final[Mapping[ModelProvider, tuple[str, ...]]] = {ModelProvider.ANTHROPIC: ("160.79.104.0/23",)}
"""Where a provider answers from, where it says so for firewalls; IPv4.

Source: platform.claude.com "IP addresses", Inbound IP addresses, read 2026-11. OpenAI names none for its API.
"""

SERVICES: Final = {ModelProvider.LOCAL: "vllm", ModelProvider.SECOND_LOCAL: "vllm-second"}
"""What the servers of a local provider are called in Kubernetes."""


def hosted_endpoints(spec: CognitiveSpec) -> tuple[EndpointFact, ...]:
    """Return the addresses that the tier must reach: none when all inference is local."""
    return tuple(
        EndpointFact(
            name=provider.value,
            host=HOSTED[provider],
            port=443,
            protocol="https",
            direction="egress",
            scope="internet",
            jurisdictions=spec.provider_jurisdictions.get(provider, ()),
            why="inference at a provider",
        )
        for provider in spec.providers
        if provider in HOSTED
    )


def hosted_ranges(spec: CognitiveSpec) -> dict[str, tuple[str, ...]]:
    """Return the address ranges of hosted providers, host -> ranges, where they are known."""
    known = {**RANGES, **spec.provider_cidrs}
    return {
        HOSTED[provider]: known[provider] for provider in spec.providers if provider in HOSTED and provider in known
    }


def key_secret(provider: ModelProvider, spec: CognitiveSpec) -> str:
    """Return the Kubernetes Secret with the key of a hosted provider: its own, else the one of all."""
    return f"{API_KEY_SECRET}-{provider.value}" if provider in spec.api_key_secrets else API_KEY_SECRET


def key_variables(spec: CognitiveSpec) -> dict[str, EnvValue]:
    """Return the variables of agents that hold keys: one a provider, and `LLM_API_KEY` where one is for several."""
    found: dict[str, EnvValue] = {}
    for provider in spec.providers:
        if provider in HOSTED:
            found[_variable(provider, spec)] = SecretKey(key_secret(provider, spec), "api-key")
    return found


def stack_keys(spec: CognitiveSpec) -> dict[str, tuple[str, str]]:
    """Return the secrets that the stack must set: Kubernetes Secret -> (secret key of the stack, path of its field)."""
    found: dict[str, tuple[str, str]] = {}
    for provider in spec.providers:
        if provider in spec.api_key_secrets:
            path = f"cognitive.api_key_secrets.{provider.value}"
            found[key_secret(provider, spec)] = (spec.api_key_secrets[provider], path)
        elif provider in HOSTED_PROVIDERS and spec.api_key_secret is not None:
            found[API_KEY_SECRET] = (spec.api_key_secret, "cognitive.api_key_secret")
    return found


def passed_keys(
    spec: CognitiveSpec, one_for_all: pulumi.Input[str] | None, own: Mapping[str, pulumi.Input[str]]
) -> tuple[dict[str, pulumi.Input[str]], list[Problem]]:
    """Return the keys that a program passes, Kubernetes Secret -> key, and what is wrong with them.

    Args:
        spec: of the tier; it names no key of a stack.
        one_for_all: for every hosted provider without a key of its own.
        own: provider -> its key.
    """
    hosted = [provider for provider in spec.providers if provider in HOSTED]
    names = [provider.value for provider in hosted]
    problems = [
        Problem(f"api_keys.{name}", "is the key of a provider that is not asked", f"use {', '.join(names) or 'none'}")
        for name in own
        if name not in names
    ]
    without = [name for name in names if name not in own]
    if without and one_for_all is None:
        problems.append(
            Problem("api_key", f"is required by the hosted provider {', '.join(without)}", "pass the key as a secret")
        )
    found = {f"{API_KEY_SECRET}-{name}": pulumi.Output.secret(key) for name, key in own.items()}
    if without and one_for_all is not None:
        found[API_KEY_SECRET] = pulumi.Output.secret(one_for_all)
    return {**found}, problems


def provider_rows(spec: CognitiveSpec, namespace: str) -> str:
    """Return the providers as agents read them, in the order in which they are asked: the next one when one fails."""
    second = spec.serving.second
    models = {ModelProvider.LOCAL: spec.model, ModelProvider.SECOND_LOCAL: second.model if second else None}
    rows: list[dict[str, str | None]] = []
    for provider in spec.providers:
        if provider in SERVICES:
            url = f"http://{host_name(SERVICES[provider], namespace)}:{PORT}/v1"
            rows.append({"name": provider.value, "url": url, "model": models[provider]})
        else:
            key = _variable(provider, spec)
            rows.append({"name": provider.value, "url": f"https://{HOSTED[provider]}", "model": None, "key": key})
    return json.dumps(rows, indent=2)


def first_hosted(endpoints: Sequence[EndpointFact]) -> str:
    """Return the host of the first hosted provider."""
    return endpoints[0].host


def _variable(provider: ModelProvider, spec: CognitiveSpec) -> str:
    """Return the variable that holds the key of a provider, which its own SDK reads."""
    return f"{provider.value.upper()}_API_KEY" if provider in spec.api_key_secrets else "LLM_API_KEY"
