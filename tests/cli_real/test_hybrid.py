"""Both sides of mode hybrid, previewed by the real command: the same graph as the engine's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from skerry.config.spec import CONFIG_KEY
from skerry.engine.run import run_program
from skerry.readers.state import read_state
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.hybrid_stacks import CUSTOMER, VENDOR, deployment, on_aws, on_gcp
from tests.simulators.pulumi_cli import ROOT, PulumiCli
from tests.simulators.stack_objects import inputs

BASES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "the vendor's base on AWS": (f"{VENDOR}-base", {}),
    "the vendor's base on Google Cloud": (f"{VENDOR}-base", on_gcp()),
    "the customer's base on AWS": (f"{CUSTOMER}-base", on_aws()),
    "the customer on own machines": (CUSTOMER, {}),
}


def write(folder: Path, stack: str, changes: Mapping[str, Any]) -> None:
    """Write the file of a side into a copy of the project."""
    whole = {
        "config": {"pulumi:disable-default-providers": ["*"], CONFIG_KEY: deployment(stack, changes)},
    }
    (folder / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")


@pytest.mark.parametrize("case", BASES)
def test_the_engine_tells_of_a_side_what_the_command_tells(tmp_path: Path, case: str) -> None:
    stack, changes = BASES[case]
    cli, plan = PulumiCli(tmp_path / "world"), tmp_path / "plan.json"
    copy = cli.copy_of(ROOT)
    write(copy, stack, changes)
    preview = cli.preview_json(ROOT, stack, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(copy, stack)
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)
    assert found.compared > 15 * len(engine.resources)


def test_the_customer_s_stack_reads_the_entrance_of_the_vendor_s(tmp_path: Path) -> None:
    """Two stacks of one state: the vendor's is deployed, over its base, and says where its entrance answers."""
    cli, plan = PulumiCli(tmp_path / "world"), tmp_path / "plan.json"
    copy = cli.copy_of(ROOT)
    joined = {"hybrid.entrance_cidrs": None, "hybrid.vendor_stack": f"organization/skerry/{VENDOR}"}
    write(copy, f"{VENDOR}-base", {})
    write(copy, VENDOR, {})
    write(copy, CUSTOMER, joined)
    for stack in (f"{VENDOR}-base", VENDOR):
        cli.check(cli.up(ROOT, stack))
    states = [read_state(cli.stack_export(ROOT, stack, "--show-secrets")) for stack in (f"{VENDOR}-base", VENDOR)]
    said = {stack: state.stack_outputs(stack) for state in states for stack in state.stacks}
    assert said[VENDOR]["hybrid"]["domain"] == "hybrid.vendor.example"
    preview = cli.preview_json(ROOT, CUSTOMER, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(copy, CUSTOMER, stack_outputs=said)
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    way = next(resource for resource in engine.resources if resource.name == "vendor-link-egress")
    blocks = [peer["ipBlock"]["cidr"] for peer in inputs(way)["spec"]["egress"][0]["to"]]
    assert blocks == ["192.0.2.10/32", "192.0.2.11/32", "192.0.2.12/32"]
    again = cli.up(ROOT, VENDOR, "--expect-no-changes")
    assert again.returncode == 0, again.text[-2000:]
