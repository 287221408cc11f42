"""Both sides of mode hybrid before the real API server: every object is taken, and every workload gets its pods."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from skerry.config.spec import CONFIG_KEY
from tests.admission.test_admission import admit
from tests.simulators.hybrid_stacks import CUSTOMER, VENDOR, deployment, on_aws
from tests.simulators.kube_manifests import ROOT, render

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

GATEWAY: Final = {"domain": "ui.vendor.example", "routes": ["mlflow"]}
SIDES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "the vendor on AWS, with user interfaces beside the entrance": (VENDOR, {"services.gateway": GATEWAY}),
    "the customer on own machines": (CUSTOMER, {}),
    "the customer on AWS": (CUSTOMER, on_aws()),
}


@pytest.mark.parametrize("case", SIDES)
def test_every_manifest_of_a_side_is_admitted(case: str, tmp_path: Path, cluster_folder: Path) -> None:
    stack, changes = SIDES[case]
    (tmp_path / "stacks").mkdir()
    project = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    names = [stack]
    if deployment(stack, changes)["target"]["kind"] != "onprem":
        names.append(f"{stack}-base")
    for name in names:
        whole = {"config": {CONFIG_KEY: deployment(name, changes)}}
        (tmp_path / "stacks" / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    admit(cluster_folder, render(stack, tmp_path / "rendered", tmp_path))
