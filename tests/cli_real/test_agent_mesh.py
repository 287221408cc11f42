"""The agent mesh with the real command: the same graph as the engine's."""

from __future__ import annotations

from pathlib import Path

from tests.simulators.come_up import told_alike
from tests.simulators.pulumi_cli import PulumiCli


def test_the_engine_s_graph_of_the_enterprise_mesh_is_the_command_s(tmp_path: Path) -> None:
    told_alike(PulumiCli(tmp_path / "world"), "mesh-enterprise", {})
