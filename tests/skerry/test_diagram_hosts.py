"""The picture of machines without an orchestrator: a band a machine, with its address, and what listens where."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from skerry.render.diagram import diagram_svg
from tests.simulators.stack_objects import graph_of


def texts(stack: str) -> list[str]:
    svg = diagram_svg(graph_of(stack))
    return [f"{node.text}" for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


SAYS = {
    "mesh-enterprise": (
        "gate-a: 10.2.1.10, debian, 8 vCPU, 16 GiB, room-a", "agent-mesh-gateway", "8787 http, 8790 http", "443 https",
    ),
    "dual-host": ("mainpc: 10.3.0.10, ubuntu, 32 vCPU, 32 GiB, 1 x RTX 4090 24 GiB", "service-registry"),
    "agentdb-multi-node": ("entry: 10.0.1.9, debian, 2 vCPU, 2 GiB, rack-a", "8080 https", "8080 http, 4433 quic"),
}  # fmt: skip


@pytest.mark.parametrize("stack", SAYS)
def test_each_machine_is_a_band_with_what_stands_on_it(stack: str) -> None:
    found = texts(stack)
    assert [one for one in SAYS[stack] if one not in found] == []
    assert not {"Execution tier", "Platform", "Channels between the tiers"} & set(found)
