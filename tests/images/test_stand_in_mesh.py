"""The stand-in of the mesh's programs: it sees what answers, refuses a bundle of another node, and names itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def serving(service: Any) -> str:
    threading.Thread(target=service.server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{service.server.server_port}"


@pytest.fixture
def mesh(program: Callable[[str], ModuleType]) -> ModuleType:
    return program("stand-in/mesh.py")


def test_a_scan_lists_the_nodes_that_answer_and_no_others(mesh: ModuleType) -> None:
    given = {"NODE_ID": "a-8000", "NODE_HOST": "127.0.0.1", "NODE_PORT": "0", "NODE_REGION": "a"}
    place = serving(mesh.node(given))
    other = serving(mesh.anything({"PORT": "0", "HOST": "127.0.0.1"}))
    wanted = [{"node_id": "a-8000", "address": place, "region": "a"}]
    assert wanted == mesh.seen([place, other, "127.0.0.1:9"])
    assert mesh.seen([]) == []


def test_a_node_with_another_nodes_bundle_does_not_start(mesh: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps({"node_id": "b-8000"}))
    given = {"NODE_ID": "a-8000", "NODE_HOST": "127.0.0.1", "NODE_PORT": "0", "MESH_BUNDLE": str(path)}
    with pytest.raises(SystemExit, match="does not hold"):
        mesh.node(given)


def test_a_service_is_ill_as_long_as_its_file_is_there(mesh: ModuleType, tmp_path: Path) -> None:
    flag = tmp_path / "ill"
    service = mesh.anything({"PORT": "0", "HOST": "127.0.0.1", "SERVICE_NAME": "hub", "ILL_WHILE": str(flag)})
    assert service.answer("/health")[0] == 200
    flag.touch()
    assert service.answer("/health")[0] == 503
    assert service.answer("/run")[0] == 501
