from pathlib import Path

from airgap_bundle.load import load
from airgap_bundle.proof import prove
from airgap_bundle.rehearsal_registry import LoopbackRegistry
from airgap_bundle.verify import Step, verify
from tests.simulators.registry_graphs import Signer, clock, rehearsal_plan, write_rehearsal


def test_a_rehearsal_goes_all_the_way(tmp_path: Path, signer: Signer) -> None:
    medium = tmp_path / "medium"
    report = write_rehearsal(medium, signer)
    assert [a.reference for a in report.manifest.artifacts] == [
        "skerry/baselines/patterns:2026.1",
        "skerry/charts/operator:1.2.3",
        "docker.io/qdrant/qdrant:v1.19.0",
        "quay.io/example/operator:v2",
        "skerry/models/llama:abc123",
    ]
    assert verify(medium, signer.trust, clock=clock).passed == tuple(Step)
    graph, _, _ = rehearsal_plan()
    with LoopbackRegistry() as site:
        before = prove(graph, site.address)
        assert [resolved.ok for resolved in before] == [False, False]
        loaded = load(medium, signer.trust, site.address, rehearsal_site=True, clock=clock)
        assert {one.state for one in loaded.artifacts} == {"pushed"}
        assert [resolved.ok for resolved in prove(graph, site.address)] == [True, True]
