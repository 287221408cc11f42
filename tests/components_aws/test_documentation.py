"""What docs/aws.md, docs/preflight.md and docs/upgrades.md say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from skerry.config.eks import EksSpec
from skerry.config.load import load_spec
from skerry.facts import Tier
from skerry.instances import instance_type
from skerry.preflight.addresses import interfaces
from skerry.preflight.versions import SKEW
from tests.simulators.changed_stacks import shipped
from tests.simulators.stack_objects import AWS_BASE

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE, PREFLIGHT, UPGRADES = (
    (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("aws", "preflight", "upgrades")
)


def test_every_option_of_the_cluster_stands_in_the_guide_and_no_other() -> None:
    table = GUIDE.split("## What can be said of the cluster")[1].split("```")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(EksSpec.model_fields)


def test_the_example_of_the_guide_is_a_configuration() -> None:
    section = GUIDE.split("## What can be said of the cluster")[1]
    example: dict[str, Any] = yaml.safe_load(section.split("```yaml\n")[1].split("```")[0])
    deployment = shipped(AWS_BASE)
    deployment["target"]["aws"] |= example["aws"]
    spec = load_spec(deployment, "docs/aws.md")
    assert spec.target.aws.eks.efa
    assert spec.target.aws.deployment_role


def test_a_p4d_has_as_many_adapters_as_the_guide_says() -> None:
    assert instance_type("aws", "p4d.24xlarge").fabric_interfaces == 4
    assert "`p4d.24xlarge` has one interface with addresses and four for EFA alone" in GUIDE
    assert "vpc.amazonaws.com/efa: 4" in GUIDE


def test_the_numbers_of_the_preflight_s_page_are_those_of_the_tables() -> None:
    c6i, p4d = interfaces()["c6i.8xlarge"], interfaces()["p4d.24xlarge"]
    assert (2 * c6i.addresses, 2 * p4d.addresses, c6i.addresses - 1) == (60, 100, 29)
    needs = 128 * 60 + 8 * 100 + 4 * 60
    assert f"128 x 60 + 8 x 100 + 4 x 60 = {needs:,} of the {3 * (8192 - 5):,} addresses" in PREFLIGHT
    assert f"140 x 128 = {140 * 128:,} of {2**15:,} in a /17" in PREFLIGHT
    assert f"128 x `c6i.4xlarge` are {128 * instance_type('aws', 'c6i.4xlarge').vcpu:,} vCPU of Standard" in PREFLIGHT
    assert f"8 x `p4d.24xlarge` are {8 * instance_type('aws', 'p4d.24xlarge').vcpu} of P" in PREFLIGHT


def test_the_skew_of_the_runbook_is_the_rule_s() -> None:
    assert SKEW == 3
    assert "at most three minor versions older" in UPGRADES


def test_resources_that_the_runbooks_name_exist() -> None:
    assert "sensei-base-cluster-eks" in UPGRADES
    for tier in (Tier.META, Tier.EXECUTION, Tier.COGNITIVE):
        assert tier.value in UPGRADES
