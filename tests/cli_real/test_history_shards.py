"""Temporal's number of history shards is fixed for life: the real command refuses another before anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulators.changed_stacks import changed_file
from tests.simulators.pulumi_cli import ROOT, PulumiCli

STACK = "sensei-airgapped"
pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(400)]


def test_another_number_of_history_shards_is_an_error_of_the_preview_and_the_old_one_is_none(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    file = cli.copy_of(ROOT) / "stacks" / f"Pulumi.{STACK}.yaml"
    cli.init(ROOT, STACK)
    cli.check(cli.up(ROOT, STACK))

    file.write_text(changed_file(STACK, {"channels.temporal_history_shards": 1024}), encoding="utf-8")
    done = cli.preview(ROOT, STACK)
    assert done.returncode != 0
    assert "workflows-history-shards" in done.text
    assert "marked for protection" in done.text

    file.write_text(changed_file(STACK, {}), encoding="utf-8")
    done = cli.preview(ROOT, STACK, "--expect-no-changes")
    assert done.returncode == 0, done.text[-2000:]
