"""RES002 for prompts: whom they go to is shown, with the boundary that they may leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from policies.rules.outside_models import PROVIDERS
from policies.rules.residency import RULES
from policies.runner import check
from skerry.config.sense_models import HOSTED
from skerry.facts import EndpointFact, Tier
from tests.simulators.changed_stacks import run_changed
from tests.simulators.policy_graphs import TODAY, Builder, run, told

RES002 = next(rule for rule in RULES if rule.id == "RES002")


def test_the_providers_are_those_that_the_configuration_knows() -> None:
    assert {one.value for one in HOSTED} == PROVIDERS


def way(**more: Any) -> EndpointFact:
    given = {
        "name": "openai", "host": "api.openai.com", "port": 443, "protocol": "https", "direction": "egress",
        "scope": "internet", "why": "inference",
    }  # fmt: skip
    return EndpointFact(**{**given, **more})


ASKED = "prompts go to api.openai.com, which may answer in any country; they must stay in EU"
KEPT = "a contract keeps prompts of api.openai.com in DE, EU"
CALLS: Final[Mapping[str, tuple[EndpointFact, list[tuple[str, str, str]]]]] = {
    "a provider on the internet": (way(), [("violation", "thinking", ASKED)]),
    "one that a contract keeps inside": (way(jurisdictions=("DE", "EU")), [("ok", "thinking", KEPT)]),
    "one that a contract keeps elsewhere": (
        way(jurisdictions=("DE", "US")),
        [("violation", "thinking", "prompts go to api.openai.com in US, but must stay in EU")],
    ),
    "a server of that name at the site": (way(scope="site"), []),
    "anything else on the internet": (way(name="monitoring", host="m.example"), []),
}


@pytest.mark.parametrize("case", CALLS)
def test_who_is_asked(case: str) -> None:
    endpoint, expected = CALLS[case]

    def build(builder: Builder) -> None:
        builder.component("thinking", builder.deployment(), tier=Tier.COGNITIVE, endpoints=(endpoint,))

    found = told(run(build, RES002))
    assert [one for one in found if one[0] != "not-applicable"] == expected


def test_without_a_boundary_for_its_class_nothing_is_said() -> None:
    def build(builder: Builder) -> None:
        builder.component("thinking", tier=Tier.COGNITIVE, endpoints=(way(),))

    assert [verdict for verdict, _, _ in told(run(build, RES002))] == ["not-applicable"]


def test_a_private_deployment_that_asks_a_provider_as_well_is_shown_with_the_path() -> None:
    changes = {"cognitive.providers": ["local", "anthropic"], "cognitive.api_key_secret": "llm"}
    report = check(run_changed("sensei-private-aws", changes, secrets=["skerry:llm"]), today=TODAY, rules=[RES002])
    (found,) = [one for one in report.findings if one.verdict.value == "violation"]
    assert (found.path, found.property_path) == ("skerry-sensei-private-aws > sensei > cognitive", "endpoints[0].host")
    assert found.message.endswith("they must stay in EU")
    inside = changes | {"cognitive.provider_jurisdictions": {"anthropic": ["EU"]}}
    kept = check(run_changed("sensei-private-aws", inside, secrets=["skerry:llm"]), today=TODAY, rules=[RES002])
    assert {one.verdict.value for one in kept.findings} == {"ok"}
    alone = check(run_changed("sensei-private-aws", {}), today=TODAY, rules=[RES002])
    assert {one.verdict.value for one in alone.findings} == {"ok"}
