"""Every object of the services is taken by a real API server, against the CRDs of their own operators."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.simulators.changed_stacks import changed_file
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, Rendered, apply_all, render
from tests.simulators.kube_tools import skew
from tests.simulators.service_stacks import SERVED

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


def rendered_of(case: str, folder: Path) -> Rendered:
    """Render the platform stack of a case in a project of its own."""
    base, changes = SERVED[case]
    (folder / "stacks").mkdir()
    (folder / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"})
    )
    for name in (base, f"{base}-base"):
        if (ROOT / "stacks" / f"Pulumi.{name}.yaml").exists():
            text = changed_file(name, changes)
            (folder / "stacks" / f"Pulumi.{name}.yaml").write_text(text, encoding="utf-8")
    return render(base, folder / "rendered", folder)


@pytest.mark.parametrize("case", SERVED)
def test_every_object_of_the_services_is_admitted(case: str, tmp_path: Path, cluster_folder: Path) -> None:
    stack = rendered_of(case, tmp_path)
    with KubeCluster(cluster_folder) as cluster:
        cluster.install(stack.crds, {str(one["kind"]) for one in stack.documents})
        done = apply_all(cluster.api(), stack.documents)
        assert done.refused == []
        assert done.warned == []
        assert len(stack.documents) == done.accepted + len(done.left_out)
    print(f"\n{done.accepted} objects admitted; charts left out: {list(stack.charts)}")
    print("CRDs:", ", ".join(f"{crds.name} {crds.version} ({skew(crds)})" for crds in stack.crds))
