"""`skerry migrate` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main
from tests.simulators.aethergraph_stacks import AIRGAPPED, ONPREM

ROOT = Path(__file__).resolve().parents[2]
OLD = ["migrate", "--program", str(ROOT), "--from", ONPREM]


def test_a_change_of_mode_is_told_with_all_of_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*OLD, "--change", "mode=saas", "--change", "aethergraph.host=graph.vendor.example"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Migration from {ONPREM} to {ONPREM} with mode=saas, aethergraph.host=graph.vendor.example")
    assert "8 that keep data, with the same URN" in text
    assert "docStore: not to be moved: its store keeps its URN" in text
    assert "control-plane: ClusterService" in text
    assert "0 of 5 stores have data to be moved" in text


def test_two_stacks_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "plan.json"
    assert main([*OLD, "--to", AIRGAPPED, "--format", "json", "--out", str(out)]) == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    assert (document["from"], document["to"]) == (ONPREM, AIRGAPPED)
    assert str(out) in capsys.readouterr().err


def test_an_empty_value_takes_a_field_away(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*OLD, "--change", "aethergraph.sso="]) == 2
    assert "aethergraph.sso: is required in mode single-tenant" in capsys.readouterr().err


WRONG: dict[str, tuple[list[str], str]] = {
    "no old one": (["migrate", "--to", ONPREM], "name what stands: either --from STACK or --from-state FILE"),
    "two old ones": (
        ["migrate", "--from", ONPREM, "--from-state", "x", "--to", ONPREM], "either --from STACK or --from-state FILE"),
    "no new one": (OLD, "name what it shall become: either --to STACK or --change FIELD=VALUE"),
    "two new ones": ([*OLD, "--to", AIRGAPPED, "--change", "mode=saas"], "either --to STACK or --change"),
    "a change of a state": (
        ["migrate", "--from-state", "x", "--change", "mode=saas"], "a state has none: name the stack"),
    "no value": (
        [*OLD, "--change", "mode"], "--change 'mode' is not FIELD=VALUE: write for example --change mode=saas"),
    "a value that is none": ([*OLD, "--change", "mode=[a"], "has a value that is no YAML: quote it"),
    "below a word": ([*OLD, "--change", "mode.x=1"], "--change mode.x: 'mode' has no fields"),
    "another system": ([*OLD, "--to", "sensei-airgapped"], "compare two of one system"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_told_with_its_remedy(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, message = WRONG[case]
    assert main(words) == 2
    assert message in capsys.readouterr().err
