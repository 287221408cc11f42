"""docs/gcp.md: its figures are those of the plan, and its names those of the program."""

from __future__ import annotations

from pathlib import Path

from components.gcp.cluster import pools_of
from components.gcp.network import GOOGLE_APIS, ZONES
from components.gcp.nodes import GPU_ROOT_GIB, ROOT_GIB, machine_of
from skerry.address_plan import gke_parts
from skerry.config.load import load_spec
from skerry.config.spec import DeploymentSpec, GcpTargetSpec
from skerry.facts import Tier
from tests.simulators.moved_stacks import GCP_TARGET, OUTPUTS, moved
from tests.simulators.stack_objects import AWS_BASE

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "gcp.md").read_text(encoding="utf-8")


def spec() -> DeploymentSpec:
    return load_spec(moved(AWS_BASE, GCP_TARGET), "test")


def rows() -> dict[str, str]:
    """Return the first cell of each row of a table -> the whole row."""
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip(): line for line in lines}


def found_in(text: str, word: str) -> list[str]:
    """Return how an option is named in the text: by itself, or under its target."""
    forms = (f"`{word}`", f"gcp.{word}`")
    return [form for form in forms if form in text]


def test_the_quotas_are_those_of_the_pools_at_their_largest() -> None:
    cpus: dict[str, int] = {}
    gpus = disks = 0
    for tier, pool in pools_of(spec()):
        machine = machine_of(pool)
        cpus[machine.name.split("-")[0]] = cpus.get(machine.name.split("-")[0], 0) + pool.maximum * machine.vcpu
        gpus += pool.maximum * machine.gpus
        disks += pool.maximum * (GPU_ROOT_GIB if tier is Tier.COGNITIVE else ROOT_GIB)
    found = rows()
    assert f"| {cpus['c2d']:,} |" in found["C2D CPUs"]
    assert f"| {cpus['e2']:,} |" in found["CPUs (E2)"]
    assert f"| {cpus['a2']:,} |" in found["A2 CPUs"]
    assert f"| {gpus:,} |" in found["NVIDIA A100 80GB GPUs, and GPUs (all regions)"]
    assert f"| {disks:,} |" in found["Persistent disk SSD (GB)"]


def test_the_ranges_are_those_of_the_plan() -> None:
    names = {"pods": "pods", "managed": "managed stores", "services": "services", "nodes": "machines"}
    names["control-plane"] = "control plane"
    found = rows()
    for part in gke_parts(spec()):
        assert f"| /{part.prefix} |" in found[names[part.name]], part.name
    needs = {part.name: part.addresses for part in gke_parts(spec())}
    assert f"= {needs['pods']:,} |" in found["pods"] and f"= {needs['nodes']} |" in found["machines"]


def test_options_outputs_and_addresses_are_named_as_they_are() -> None:
    silent = [word for word in GcpTargetSpec.model_fields if not found_in(TEXT, word)]
    assert silent == []
    (outputs,) = OUTPUTS.values()
    for name in ("postgresInstance", "postgresEndpoint", "pubsubInstance", "agentsAccount"):
        assert name in outputs and f"<{name}>" in TEXT
    assert GOOGLE_APIS in TEXT
    assert [domain for domain, _ in ZONES.values() if f"`{domain.rstrip('.')}`" not in TEXT] == []
