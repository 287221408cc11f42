"""What the build script left is what the pins say, and the docs say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulators.kube_api import ApiError
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT
from tests.simulators.kube_tools import crd_sets, crd_table, skew

pytestmark = pytest.mark.cluster

DOCS = ROOT / "docs" / "admission.md"


def test_the_table_of_crd_sets_in_the_docs_is_the_one_of_the_pins() -> None:
    text = DOCS.read_text(encoding="utf-8")
    table = text.partition("checks it -->\n")[2].partition("<!-- END crds")[0]
    assert table == crd_table()


def test_each_set_says_how_far_it_is_from_the_operator_that_reads_it() -> None:
    found = {crds.name: skew(crds) for crds in crd_sets()}
    for name, text in found.items():
        print(f"{name}: {text}")
    assert "" not in found.values()
    far = [name for name, text in found.items() if "major" in text or "cannot be compared" in text]
    # Newer ones of these modules cannot be had; their rows in images/crds.yaml say what that means for stacks.
    assert sorted(far) == ["external-secrets", "gpu-operator"]


def test_a_server_takes_a_request_only_from_who_holds_a_key_of_it(tmp_path: Path) -> None:
    with KubeCluster(tmp_path / "one") as one, KubeCluster(tmp_path / "two") as two:
        assert one.api().ask("GET", "/version")["gitVersion"].startswith("v1.")
        stranger = one.api()
        stranger._port = two.port
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            stranger.ask("GET", "/version")
        with pytest.raises(ApiError) as error:
            one.api("scheduler").ask("GET", "/api/v1/secrets")
        assert error.value.code == 403


def test_no_process_outlives_its_cluster(tmp_path: Path) -> None:
    with KubeCluster(tmp_path / "cluster") as cluster:
        ids = [process.pid for process in cluster._running.values()]
        assert all(Path(f"/proc/{number}").exists() for number in ids)
    assert not any(Path(f"/proc/{number}").exists() for number in ids)
