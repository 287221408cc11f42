"""docs/azure.md: its figures are those of the plan, and its names those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from components.azure.cluster import pools_of
from components.azure.nodes import machine_of
from skerry.address_plan import aks_parts
from skerry.config.load import load_spec
from skerry.config.spec import AzureTargetSpec, DeploymentSpec
from tests.simulators.azure_stacks import deployment
from tests.simulators.stack_objects import AWS_BASE

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "azure.md").read_text(encoding="utf-8")


def spec() -> DeploymentSpec:
    return load_spec(deployment(AWS_BASE), "test")


def rows() -> dict[str, str]:
    """Return the first cell of each row of a table -> the whole row."""
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip(): line for line in lines}


def test_the_quotas_are_those_of_the_pools_at_their_largest() -> None:
    cpus: dict[str, int] = {}
    for _, pool in pools_of(spec()):
        machine = machine_of(pool)
        cpus[machine.name] = cpus.get(machine.name, 0) + pool.maximum * machine.vcpu
    found = rows()
    assert f"| {cpus['Standard_F32s_v2']:,} |" in found["Standard FSv2 Family vCPUs"]
    assert f"| {cpus['Standard_D4s_v5']:,} |" in found["Standard DSv5 Family vCPUs"]
    assert f"| {cpus['Standard_ND96amsr_A100_v4']:,} |" in found["Standard NDAMSv4_A100Family vCPUs"]
    assert f"| {sum(cpus.values()):,} |" in found["Total Regional vCPUs"]


def test_the_ranges_are_those_of_the_plan() -> None:
    found = rows()
    names = {"nodes": "machines", "control-plane": "control plane"}
    for part in aks_parts(spec()):
        assert f"| /{part.prefix} |" in found[names.get(part.name, part.name)], part.name
    (nodes,) = (part for part in aks_parts(spec()) if part.name == "nodes")
    assert f"= {nodes.addresses} |" in found["machines"]


def test_every_option_is_named() -> None:
    silent = [word for word in AzureTargetSpec.model_fields if not re.search(rf"\b{word}\b", TEXT)]
    assert silent == []


def test_the_example_is_a_target_that_can_be() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    found = deployment(AWS_BASE)
    found["target"] = yaml.safe_load(example)["target"]
    assert load_spec(found, "test").target.region == "eastus"
