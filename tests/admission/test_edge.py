"""The server side of edge mode before the real API server: every object is taken, on three kinds of target."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.admission.test_admission import admit
from tests.simulators.changed_stacks import changed_file
from tests.simulators.edge_stacks import EDGED
from tests.simulators.kube_manifests import ROOT, render

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


@pytest.mark.parametrize("case", EDGED)
def test_every_object_is_admitted_and_every_workload_gets_its_pods(
    case: str, tmp_path: Path, cluster_folder: Path
) -> None:
    stack, changes = EDGED[case]
    (tmp_path / "stacks").mkdir()
    project = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    for name in (stack, f"{stack}-base"):
        if (ROOT / "stacks" / f"Pulumi.{name}.yaml").exists():
            text = changed_file(name, changes)
            (tmp_path / "stacks" / f"Pulumi.{name}.yaml").write_text(text, encoding="utf-8")
    admit(cluster_folder, render(stack, tmp_path / "rendered", tmp_path))
