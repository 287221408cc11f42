"""AetherGraph beside one user: its files are taken by the Compose specification's own loader, word for word."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.systems.aethergraph_local import local_files
from tests.simulators.aethergraph_stacks import LOCAL_WORKER, ONPREM, SIDECAR
from tests.simulators.changed_stacks import run_changed
from tests.simulators.odd_hosts import ODD_VALUES

Load = Callable[[Path], tuple[dict[str, Any], list[str], str]]


def laid(folder: Path, texts: dict[str, str]) -> Path:
    """Write the files, with the user's own environment beside them as Compose reads it, and return Compose's."""
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "compose.yaml"


@pytest.mark.parametrize("changes", [SIDECAR, LOCAL_WORKER], ids=["sidecar", "local worker"])
def test_the_loader_takes_the_files_of_each_mode(changes: dict[str, Any], tmp_path: Path, load_project: Load) -> None:
    graph = run_changed(ONPREM, changes)
    (row,) = [one for one in graph.resources if one.type.endswith(":LocalProcess")]
    given = json.loads(json.dumps(dict(row.inputs), default=dict))
    compose = laid(tmp_path, given["files"])
    asked = sorted(set(re.findall(r"\$\{([A-Z_]+):\?", given["files"]["compose.yaml"])))
    if asked:
        assert "set it in your own environment" in load_project(compose)[2]
        text = (tmp_path / "compose.yaml").read_text()
        for name in asked:
            text = text.replace(f"${{{name}:?set it in your own environment}}", "given")
        compose.write_text(text)
    document, order, refusal = load_project(compose)
    assert (refusal, order) == ("", ["aethergraph"])
    process = document["services"]["aethergraph"]
    assert {**given["environment"], **dict.fromkeys(asked, "given")} == process["environment"]
    assert (process["network_mode"], process["read_only"], process["cap_drop"]) == ("host", True, ["ALL"])
    assert "ports" not in process


def test_values_reach_the_process_as_they_are(tmp_path: Path, load_project: Load) -> None:
    values = dict(ODD_VALUES)
    texts = local_files("registry.example/a:1", "/srv/ag", values, ())
    document, _, refusal = load_project(laid(tmp_path, texts))
    assert refusal == ""
    assert values == document["services"]["aethergraph"]["environment"]
