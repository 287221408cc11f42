"""Every field of a service and of what services share is used or refused on every runtime, or it is said why not."""

from __future__ import annotations

import pytest

from tests.simulators.service_field_changes import CHANGES, QUIET
from tests.simulators.service_fields import fields, state_of

RUNTIMES = ("kubernetes", "ecs", "lambda", "cloud-run")


def test_every_field_is_changed_once() -> None:
    assert sorted(fields()) == sorted(CHANGES)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_no_field_is_silently_dropped(runtime: str) -> None:
    graphs: dict[str, str] = {}
    states = {field: state_of(runtime, field, graphs) for field in CHANGES}
    strange = {field: state for field, state in states.items() if state not in ("used", "refused", "quiet")}
    assert strange == {}
    assert {field for field, state in states.items() if state == "quiet"} == set(QUIET[runtime])
