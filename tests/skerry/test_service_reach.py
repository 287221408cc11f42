"""What a service may do, whom it calls and which paths are let in: what cannot be is refused by its path."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.config.application import ApplicationsSpec
from skerry.config.load import load_spec
from skerry.config.sense_applications import plan_problems
from tests.simulators.aethergraph_stacks import ONPREM
from tests.simulators.changed_stacks import changed_deployment

DEFINITION: dict[str, Any] = {"ports": {"http": {"port": 8080}}, "needs": ["bucket", "database"]}

REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a right to what the service does not need": (
        {}, {"access": {"queue": "read"}},
        "x.services.shop.access.queue: says what may be done with a queue, which the service does not need; name "
        "bucket or queue, which are among its needs"),
    "a right that no store tells apart": (
        {}, {"access": {"database": "read"}},
        "x.services.shop.access.database: cannot tell apart what is done with a database; name bucket or queue, which "
        "are among its needs"),
    "paths that nobody can call": (
        {"paths": ["/api"]}, {},
        "x.services.shop.paths: have no meaning where nobody outside can call it; set exposure, or remove it"),
    "a host of the site without addresses": (
        {"site_endpoints": [{"host": "models.site.example", "cidrs": ["10.0.0.0/33"]}]}, {},
        "x.services.shop.site_endpoints[0].cidrs[0]: is not an address range: '10.0.0.0/33' does not appear to be an "
        "IPv4 or IPv6 network; write it like 10.0.0.0/24"),
}  # fmt: skip


def problems(row: dict[str, Any], definition: dict[str, Any]) -> list[str]:
    service = {
        "runtime": "kubernetes",
        "image": "registry.vendor.example/shop:1.0.0",
        "definition": {**DEFINITION, **definition},
        **row,
    }
    plan = ApplicationsSpec.model_validate({"services": {"shop": service}, "database": {}, "bucket": {}})
    spec = load_spec(changed_deployment(ONPREM, {}), ONPREM)
    return [str(problem) for problem in plan_problems(spec, plan, "x")]


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_remedy(case: str) -> None:
    row, definition, message = REFUSED[case]
    assert problems(row, definition) == [message]


def test_rights_and_hosts_that_can_be_are_taken() -> None:
    row = {"site_endpoints": [{"host": "models.site.example", "cidrs": ["10.0.0.0/24"], "port": 8443}]}
    assert problems(row, {"access": {"bucket": "read"}}) == []
