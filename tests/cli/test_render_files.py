"""`skerry render` of what runs on a user's machine."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from cli.main import main
from tests.simulators.aethergraph_stacks import ONPREM, SIDECAR
from tests.simulators.changed_stacks import changed_deployment

ROOT = Path(__file__).resolve().parents[2]
RENDER = ["render", "--program", str(ROOT), "--stack", ONPREM]
BESIDE_A_USER = [*RENDER, "--config", f"skerry:deployment={json.dumps(changed_deployment(ONPREM, SIDECAR))}"]


def test_a_sidecar_is_written_as_files_that_start_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BESIDE_A_USER, "--out", str(tmp_path / "out")]) == 0
    folder = tmp_path / "out" / "files" / "sidecar"
    assert sorted(file.name for file in folder.iterdir()) == ["aethergraph.env", "compose.yaml"]
    assert "AETHERGRAPH_BIND=127.0.0.1:8080\n" in (folder / "aethergraph.env").read_text(encoding="utf-8")
    assert "written: 2 files of machines" in capsys.readouterr().err


def test_without_a_folder_they_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(BESIDE_A_USER) == 0
    shown = capsys.readouterr().out
    assert "# files/sidecar/compose.yaml\n" in shown
    assert "DOC_STORE_URL=sqlite:////var/lib/aethergraph/documents.db\n" in shown


def test_json_has_them_beside_the_manifests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BESIDE_A_USER, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["manifests"], [one["path"] for one in document["files"]]) == (
        [],
        ["sidecar/aethergraph.env", "sidecar/compose.yaml"],
    )


def test_a_stack_on_a_cluster_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RENDER, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == []


def test_a_machine_s_script_can_be_run_as_it_is_written(tmp_path: Path) -> None:
    argv = ["render", "--program", str(ROOT), "--stack", "dual-host", "--out", str(tmp_path / "out")]
    assert main(argv) == 0
    folder = tmp_path / "out" / "files" / "pc2"
    script, names = folder / "apply.sh", (folder / "secrets" / "README.md").read_text(encoding="utf-8")
    assert (script.stat().st_mode & 0o777, "- webKey\n" in names) == (0o755, True)
    done = subprocess.run([str(script), "--nonsense"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "usage: apply.sh [--dry-run | --status | --remove] [--secrets FOLDER]",
    )
