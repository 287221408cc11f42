"""The stacks of this repository with the real command: the same graph as the engine's, and the policy pack.

Those that test_lifecycle.py deploys are compared there: their previews are the first stage of their lives.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from skerry.engine.run import run_program
from tests.simulators import aethergraph_stacks, aws_service_stacks, cluster_service_stacks, serverless_stacks
from tests.simulators.changed_stacks import changed_file
from tests.simulators.come_up import told_alike
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import ROOT, Done, PulumiCli

AIRGAPPED, ONPREM = "sensei-airgapped", "sensei-private-onprem"
GCP_BASE, AZURE_BASE = "sensei-saas-gcp-base", "sensei-saas-azure-base"
ON_MACHINES = ("agentdb-single-node", "agentdb-multi-node", "agentdb-vps")
VENDOR_BASE, CUSTOMER = "sensei-hybrid-vendor-base", "sensei-hybrid-customer"


@pytest.mark.parametrize("stack", [ONPREM, CUSTOMER, GCP_BASE, AZURE_BASE, VENDOR_BASE])
def test_the_engine_s_graph_of_a_stack_that_is_not_deployed_is_the_command_s(tmp_path: Path, stack: str) -> None:
    told_alike(PulumiCli(tmp_path / "world"), stack, {})


def test_every_shipped_stack_of_services_is_brought_up_by_a_test() -> None:
    """In test_cluster_services.py, test_aethergraph.py, test_aws_services.py and test_serverless.py.

    Those of machines: test_agentdb_hosts.py, and tests/components/host gives their files to the programs.
    """
    found = {path.stem.removeprefix("Pulumi.") for path in (ROOT / "stacks").glob("Pulumi.*.yaml")}
    shipped = {stack for stack in found if stack.startswith(("agentdb-", "aethergraph-"))}
    over = {stack for world in (*cluster_service_stacks.WORLDS, *aethergraph_stacks.WORLDS) for stack in world}
    assert shipped == over | {*aws_service_stacks.STACKS, *serverless_stacks.STACKS, *ON_MACHINES}


AZURE_OPTIONS: Final[dict[str, Any]] = {
    "target.azure.postgres_admin_secret": "postgresAdmin",
    "target.azure.gpu_zones": ["swedencentral-1"],
    "target.azure.aks": {"upgrade_day": "Friday"},
    "execution.pool.purchase": "spot",
    "execution.interruptible": True,
}


def test_with_what_the_shipped_file_leaves_out_on_azure_both_engines_tell_the_same(tmp_path: Path) -> None:
    """PostgreSQL of Azure's, whose password stands beside the deployment, spot machines, one zone of GPUs."""
    cli, plan = PulumiCli(tmp_path / "world"), tmp_path / "plan.json"
    copy = cli.copy_of(ROOT)
    whole = yaml.safe_load(changed_file(AZURE_BASE, AZURE_OPTIONS))
    whole["config"]["skerry:postgresAdmin"] = "only-of-this-test"
    (copy / "stacks" / f"Pulumi.{AZURE_BASE}.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    preview = cli.preview_json(ROOT, AZURE_BASE, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(copy, AZURE_BASE)
    assert "azure-native:dbforpostgresql:Server" in {r.type for r in engine.resources}
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Done]:
    """Preview the air-gapped stack under the policy pack, with one text of its file replaced."""
    cli = PulumiCli(tmp_path_factory.mktemp("pack"))
    copy = cli.copy_of(ROOT)
    file = copy / "stacks" / f"Pulumi.{AIRGAPPED}.yaml"
    cli.init(ROOT, AIRGAPPED)
    whole = file.read_text()

    def preview(old: str, new: str) -> Done:
        assert old in whole
        file.write_text(whole.replace(old, new))
        return cli.preview(ROOT, AIRGAPPED, "--policy-pack", str(copy / "policies"))

    return preview


def test_the_policy_pack_lets_a_clean_stack_pass(pack: Callable[[str, str], Done]) -> None:
    done = pack("jurisdictions: [DE]", "jurisdictions: [DE]")
    assert (done.returncode, "[mandatory]" in done.text) == (0, False), done.text[-3000:]
    assert "skerry@v" in done.text, "the pack was not loaded"


def test_the_policy_pack_stops_a_stack_outside_its_boundary(pack: Callable[[str, str], Done]) -> None:
    done = pack("jurisdictions: [DE]", "jurisdictions: [FR]")
    assert done.returncode != 0
    assert "[mandatory]" in done.text
    assert "RES001" in done.text
