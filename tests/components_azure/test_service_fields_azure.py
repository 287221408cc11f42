"""As tests/components/test_service_fields.py, on Azure Functions: in a file of its own, since each graph takes longer."""

from __future__ import annotations

from tests.simulators.service_field_changes import CHANGES, QUIET
from tests.simulators.service_fields import state_of


def test_no_field_is_silently_dropped() -> None:
    graphs: dict[str, str] = {}
    states = {field: state_of("functions", field, graphs) for field in CHANGES}
    assert {field: state for field, state in states.items() if state not in ("used", "refused", "quiet")} == {}
    assert {field for field, state in states.items() if state == "quiet"} == set(QUIET["functions"])
