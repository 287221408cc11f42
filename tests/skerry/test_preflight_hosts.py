"""What the preflight says of machines without an orchestrator: log-ins, what is carried, secrets that people make."""

from __future__ import annotations

import pytest

from skerry.preflight.host_steps import host_steps
from tests.simulators.changed_stacks import run_changed

SAYS: dict[str, tuple[str, str, str | None]] = {
    "a machine that is reached": (
        "mesh-small-team",
        "gate answers SSH at 10.1.0.10 with the key that the stack pins",
        None,
    ),
    "a machine that people go to": (
        "mesh-small-team",
        "people carry the files of mac (macos) there, as `skerry render` wrote them",
        "skerry render --stack mesh-small-team --out rendered",
    ),
    "what a medium brings": (
        "mesh-airgapped",
        f"agent_mesh {'1' * 40} (wheels) is brought to node-a: what its requirements.txt names; "
        "pip asks nobody at the site",
        "skerry bundle plan --stack mesh-airgapped",
    ),
    "secrets": (
        "mesh-small-team",
        "the stack has the secrets backupKey, mesh-token: made at the site, never by the program",
        "pulumi config --stack mesh-small-team",
    ),
}


@pytest.mark.parametrize("case", SAYS)
def test_it_says(case: str) -> None:
    stack, text, command = SAYS[case]
    found = {step.text: step.command for step in host_steps(run_changed(stack, {}))}
    assert (text in found, found.get(text)) == (True, command)


def test_a_key_that_is_not_pinned_is_said() -> None:
    graph = run_changed("mesh-small-team", {"hosts.machines.gate.ssh": {}})
    assert "gate answers SSH at 10.1.0.10 with a key that nobody pinned" in {step.text for step in host_steps(graph)}


def test_nothing_of_a_stack_without_such_machines() -> None:
    assert list(host_steps(run_changed("agentdb-onprem", {}))) == []
