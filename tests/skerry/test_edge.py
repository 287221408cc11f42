"""What devices hold and send, as numbers with their arithmetic; and what an edge configuration is refused for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.config.load import load_spec
from skerry.config.sense_edge import edge_problems
from skerry.config.spec import System
from skerry.edge_sizing import device_sum, reconnection, reconnection_sum
from skerry.errors import ConfigError
from tests.simulators.changed_stacks import changed_deployment
from tests.simulators.edge_stacks import EDGED, edge
from tests.simulators.hybrid_stacks import VENDOR, deployment

HELD = {
    "all parts are known": (
        (700_000_000, 150_000_000, 2_000_000, 30),
        910_000_000,
        "model 700,000,000 + knowledge 150,000,000 + changes 30 days x 2,000,000 = 60,000,000 = 910,000,000 bytes",
    ),
    "no model": ((0, 10, 1, 30), 40, "model 0 + knowledge 10 + changes 30 days x 1 = 30 = 40 bytes"),
    "nobody measured the model": (
        (None, 10, 1, 30),
        None,
        "model not known + knowledge 10 + changes 30 days x 1 = 30 = not known bytes",
    ),
    "nobody knows how fast the log grows": (
        (5, 10, None, 30),
        None,
        "model 5 + knowledge 10 + changes not known = not known bytes",
    ),
}


@pytest.mark.parametrize("case", HELD)
def test_what_a_device_holds_is_a_sum(case: str) -> None:
    given, total, text = HELD[case]
    found = device_sum(*given)
    assert (found.total, found.text) == (total, text)


def test_what_all_devices_send_at_once_is_devices_by_days_by_bytes() -> None:
    found = reconnection_sum(5000, 30, 1_000_000)
    assert found.total == 5000 * 30 * 1_000_000
    assert found.text == "5,000 devices x 30 days x 1,000,000 bytes a day = 150,000,000,000 bytes"
    assert reconnection_sum(5000, 30, None).total is None


def test_a_log_goes_in_whole_requests_and_the_tighter_limit_decides() -> None:
    # 60,000,000 bytes in requests of 2,097,152 are 28.6, so 29; 2000 x 29 / 200 a second = 290 s.
    all_of_them = reconnection(2000, 30, 2_000_000, 2_097_152, 200, 60)
    assert (round(all_of_them.hours * 3600), all_of_them.limit) == (290, "requests_per_second")
    # One device alone: 29 requests at one a minute are 29 minutes.
    alone = reconnection(1, 30, 2_000_000, 2_097_152, 200, 1)
    assert (round(alone.hours * 60), alone.limit) == (29, "device_requests_per_minute")


def test_a_log_that_does_not_grow_still_asks_once() -> None:
    assert round(reconnection(3600, 30, 0, 1024, 1, 60).hours, 3) == 1.0


REFUSED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "more than 30 days alone": ({"device__days_offline": 31}, "31 days alone is more than the 30"),
    "more than 1 GB of a device": (
        {"device__storage_bytes": 1_073_741_824},
        "1,073,741,824 bytes is more than the 1 GB (1,000,000,000 bytes)",
    ),
    "a device that does not hold its model, its knowledge and its changes": (
        {"device__model_bytes": 800_000_000},
        "model 800,000,000 + knowledge 150,000,000 + changes 30 days x 2,000,000 = 60,000,000 = 1,010,000,000 bytes",
    ),
    "a model that is too large, whatever else there is": (
        {"device__model_bytes": 1_000_000_001, "device__knowledge_bytes": None, "device__bytes_per_day": None},
        "what is known, 1,000,000,001 bytes, is more than the 1,000,000,000",
    ),
    "a smaller device than the sum": (
        {"device__storage_bytes": 900_000_000},
        "910,000,000 bytes, is more than the 900,000,000",
    ),
    "a model that nobody knows": (
        {"device__model": "llama-9", "device__model_bytes": None},
        "edge.device.model",
    ),
    "an object store that does not take what all send at once": (
        {"devices": 12_000},
        "12,000 devices x 30 days x 2,000,000 bytes a day = 720,000,000,000 bytes, more than the object store of 500 "
        "GiB = 536,870,912,000 bytes; set channels.object_store_gib to 671 or more",
    ),
    "limits that keep devices out for longer than is planned": (
        {"limits__requests_per_second": 2, "limits__reconnect_hours": 16},
        "2,000 devices x 58 at 2 a second = 16.1 hours, more than the 16 of reconnect_hours",
    ),
    "a limit of one device that keeps it out for longer than is planned": (
        {"device__bytes_per_day": 4_000_000, "limits__request_bytes": 1024, "limits__requests_per_second": 100_000},
        "edge.limits.device_requests_per_minute",
    ),
    "fewer requests than proxies": ({"limits__requests_per_second": 1}, "1 cannot be shared out among 2 proxies"),
    "proxies that would hold more than their memory": (
        {"limits__request_bytes": 2_097_152},
        "400 connections of a proxy x 2,097,152 bytes = 838,860,800, more than the 536,870,912",
    ),
    "more at a time than connections": (
        {"limits__concurrent_syncs": 401},
        "401 at once and as many waiting are more than 800 connections",
    ),
    "a certificate that ends while the device is alone": (
        {"certificate_days": 30},
        "30 days is not more than the 30 that a device may be alone: it could not come back",
    ),
    "nobody can be shut out": ({"revocation_secret": None}, "nobody could shut out a device that is lost"),
    "a lost device is let in for long": (
        {"revocation_secret": None, "certificate_days": 90},
        "90 days without a revocation list",
    ),
    "fewest replicas above the most": ({"sync__minimum": 9}, "9 <= 8 does not hold"),
    "an image that is none": ({"sync__image": "Registry/UPPER"}, "edge.sync.image"),
    "a country that is none": ({"jurisdictions": ["Germany"]}, "edge.jurisdictions[0]"),
    "a country twice": ({"jurisdictions": ["DE", "DE"]}, "'DE' is named twice"),
    "an address that is not private": ({"client_cidrs": ["198.51.100.0/24", "10.7.0.0/16"]}, "edge.client_cidrs[0]"),
    "an address that is none": ({"client_cidrs": ["10.7.0.0/33"]}, "is not an address range"),
    "devices of a fleet that could not be told apart": (
        {"certificates": "fleet", "client_cidrs": ["10.7.0.0/16", "fd00:7::/64"]},
        "edge.client_cidrs[1]: 'fd00:7::/64' is of IPv6",
    ),
    "no certificate of the endpoint": ({"tls_secret": None}, "the endpoint would have no certificate"),
    "no authority": ({"authority_secret": None}, "edge.authority_secret: is required and missing"),
}


def load(stack: str, changes: Mapping[str, Any]) -> Any:
    return load_spec(changed_deployment(stack, changes), "stack")


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(case: str) -> None:
    changes, text = REFUSED[case]
    more = {"edge": edge(**changes), "services": {}, "channels.object_store_gib": 500}
    with pytest.raises(ConfigError) as caught:
        load("sensei-private-onprem", more)
    assert text in str(caught.value)
    assert all(problem.path.startswith("edge.") for problem in caught.value.problems)


def test_an_unconnected_site_has_no_devices_on_the_internet() -> None:
    with pytest.raises(ConfigError, match="is internet, but the site has no connection"):
        load("sensei-airgapped", {"edge": edge(exposure="internet"), "services": {}})


def test_another_system_has_no_devices() -> None:
    problems = list(
        edge_problems(load("sensei-airgapped", {"edge": edge()}).model_copy(update={"system": System.AGENTDB}))
    )
    assert [(one.path, one.message) for one in problems] == [("edge", "has no meaning for agentdb")]


def test_mode_hybrid_has_no_side_for_devices() -> None:
    with pytest.raises(ConfigError, match="has no side in mode hybrid"):
        load_spec(deployment(VENDOR, {"edge": edge()}), "stack")


@pytest.mark.parametrize("case", EDGED)
def test_is_taken(case: str) -> None:
    stack, changes = EDGED[case]
    assert load(stack, changes).edge.host == "sync.edge.customer.example"


def test_what_nobody_knows_is_left_to_the_rules() -> None:
    unknown = edge(device__model_bytes=None, device__knowledge_bytes=None, device__bytes_per_day=None)
    found = load("sensei-private-onprem", {"edge": unknown, "services": {}})
    assert found.edge.device.bytes_per_day is None


def test_the_store_of_a_cloud_has_no_bound() -> None:
    aws = edge(exposure="internet", jurisdictions=["US"], devices=100_000, limits__requests_per_second=2000)
    assert load("sensei-saas-aws", {"edge": aws, "services": {}}).edge.devices == 100_000
