"""The choice of machines in a preflight: what was asked, what was taken, what would not do and who sells it."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.config.load import load_spec
from skerry.preflight.choice import choices_of
from tests.simulators.changed_stacks import changed_deployment, shipped, without_options
from tests.simulators.stack_objects import AWS_BASE


def nobody_knows(cloud: str, region: str, name: str) -> str | None:
    return None


def test_a_choice_shows_what_was_asked_and_why_the_others_will_not_do() -> None:
    deployment = shipped(AWS_BASE)
    deployment["execution"]["pool"]["machine"] = {"vcpu": 16, "memory_gib": 32, "network_gbps": 6}
    by_tier = {one.tier: one for one in choices_of(load_spec(deployment, "test"), nobody_knows)}
    execution = by_tier["execution"]
    assert (execution.asked, execution.taken, execution.named) == (
        "16 vCPU, 32 GiB, 6 Gbit/s",
        "c6a.4xlarge",
        False,
    )
    assert execution.has == "16 vCPU, 32 GiB, 6.25 Gbit/s"
    assert execution.larger == "m6i.4xlarge: 16 vCPU, 64 GiB, 6.25 Gbit/s"
    assert {one.name: one.why for one in execution.rejected}["c5.4xlarge"] == "5 < 6 Gbit/s"
    assert execution.total == "4 x 16 = 64 vCPU to 128 x 16 = 2,048 vCPU"
    assert execution.sold_there == "whether us-east-1 sells it is not known here"
    cognitive = by_tier["cognitive"]
    assert (cognitive.taken, cognitive.named) == ("p4d.24xlarge", True)
    assert cognitive.total == "2 x 96 = 192 vCPU, 16 GPUs"
    assert cognitive.larger == "p4de.24xlarge: 96 vCPU, 1152 GiB, 8 x A100 of 80 GiB, 400 Gbit/s"


BOUNDARIES = {
    "one country": (["DE"], "; inside the boundary eu-central-1 (DE) did"),
    "a bloc": (["EU"], "; inside the boundary eu-central-1 (DE), eu-west-1 (IE) did"),
    "a country without another region": (["SE"], ""),
}


@pytest.mark.parametrize("case", BOUNDARIES)
def test_where_the_region_is_not_known_to_sell_a_machine_those_inside_the_boundary_are_named(case: str) -> None:
    places, expected = BOUNDARIES[case]
    deployment = changed_deployment(AWS_BASE, without_options(AWS_BASE))
    deployment["target"] |= {"region": "eu-north-1", "jurisdiction": "SE"}
    deployment["target"]["failure_domains"] = ["eu-north-1a", "eu-north-1b", "eu-north-1c"]
    deployment["residency"]["boundaries"] = [
        {"data_class": "internal", "jurisdictions": places},
        {"data_class": "restricted", "jurisdictions": ["US"]},
    ]
    spec = load_spec(deployment, "test")

    def sold(cloud: str, region: str, name: str) -> str | None:
        return "seen" if cloud == "aws" and region in ("eu-central-1", "eu-west-1", "us-east-1") else None

    assert {one.sold_there for one in choices_of(spec, sold)} == {
        f"whether eu-north-1 sells it is not known here{expected}"
    }


GRANULARITY = {
    "aws": ("p4d.24xlarge", "2 x 96 = 192 vCPU, 16 GPUs"),
    "gcp": ("a2-highgpu-1g", "2 x 12 = 24 vCPU, 2 GPUs"),
    "azure": ("Standard_NC24ads_A100_v4", "2 x 24 = 48 vCPU, 2 GPUs"),
}


@pytest.mark.parametrize("cloud", GRANULARITY)
def test_one_a100_a_node_is_eight_where_nobody_sells_one(cloud: str) -> None:
    """S000-53: what two nodes with an A100 are on each cloud."""
    places: dict[str, dict[str, Any]] = {
        "aws": {"region": "us-east-1", "failure_domains": ["us-east-1a", "us-east-1b", "us-east-1c"]},
        "gcp": {
            "region": "us-central1",
            "failure_domains": ["us-central1-a", "us-central1-b", "us-central1-c"],
            "gcp": {"project": "sensei-example"},
        },
        "azure": {
            "region": "eastus",
            "failure_domains": ["eastus-1", "eastus-2", "eastus-3"],
            "azure": {
                "subscription_id": "11111111-1111-1111-1111-111111111111",
                "tenant_id": "22222222-2222-2222-2222-222222222222",
                "administrators": ["33333333-3333-3333-3333-333333333333"],
            },
        },
    }
    deployment = changed_deployment(AWS_BASE, without_options(AWS_BASE))
    deployment["target"] = {"kind": cloud, "jurisdiction": "US", **places[cloud]}
    one_gpu = {"vcpu": 8, "memory_gib": 64, "gpu_model": "A100", "gpus": 1, "gpu_memory_gib": 40}
    deployment["cognitive"] |= {"model": "llama-3.1-8b-instruct", "precision": "bf16", "context_tokens": 4096}
    deployment["cognitive"]["pool"]["machine"] = one_gpu
    for tier in ("execution", "meta"):
        deployment[tier]["pool"]["machine"] = {"vcpu": 16, "memory_gib": 32}
    spec = load_spec(deployment, "test")
    choice = next(one for one in choices_of(spec, nobody_knows) if one.tier == "cognitive")
    assert (choice.taken, choice.total) == GRANULARITY[cloud]
