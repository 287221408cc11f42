"""The execution tier with what shipped stacks leave out: the engine tells of it what the real command tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from skerry.engine.run import run_program
from tests.simulators.changed_stacks import changed_file
from tests.simulators.data_ways import WAYS
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import ROOT, PulumiCli

SITE: Final = "sensei-private-onprem"
ON_SITE: Final[Mapping[str, Any]] = {
    "execution.worker.autoscale": {"minimum": 2, "maximum": 40, "tls_secret": "temporal-tls"},
    "execution.validator.autoscale": {"minimum": 0, "maximum": 8},
    "execution.small_model": "cpu",
    "execution.model": "mistral-7b-instruct-q4",
    "execution.data_endpoints": [
        {
            "name": "orders", "side": "source", "engine": "oracle", "host": "orders.site.example",
            "cidrs": ["10.20.0.0/24"], "jurisdiction": "DE", "route": "on-site", "username": "reader",
            "password_secret": "orders-password",
        },
    ],
}  # fmt: skip
STACKS: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    SITE: (ON_SITE, "kubernetes:keda.sh/v1alpha1:ScaledObject"),
    "sensei-saas-aws-base": (WAYS["aws"], "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"),
    "sensei-saas-gcp-base": (WAYS["gcp"], "gcp:compute/forwardingRule:ForwardingRule"),
    "sensei-saas-azure-base": (WAYS["azure"], "azure-native:network:VirtualNetworkPeering"),
}


@pytest.mark.parametrize("stack", STACKS)
def test_both_engines_tell_the_same_of_the_execution_tier_s_options(tmp_path: Path, stack: str) -> None:
    changes, kind = STACKS[stack]
    cli, plan = PulumiCli(tmp_path / "world"), tmp_path / "plan.json"
    copy = cli.copy_of(ROOT)
    whole = yaml.safe_load(changed_file(stack, changes))
    whole["config"]["skerry:orders-password"] = "only-of-this-test"
    (copy / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    preview = cli.preview_json(ROOT, stack, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(copy, stack)
    assert kind in {r.type for r in engine.resources}
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)
