"""URNs of AgentDB's stacks without a cluster on Google Cloud and Azure: each stands on record."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulators.serverless_stacks import STACKS
from tests.simulators.stack_objects import graph_of


@pytest.mark.parametrize("stack", STACKS)
def test_the_resources_of_a_stack_have_the_names_on_record(stack: str, golden: Callable[[str, str], None]) -> None:
    rows = [f"{r.type}  {r.urn}" for r in graph_of(stack).resources if r.stack == stack]
    golden(f"urns-{stack}.txt", "\n".join(rows) + "\n")
