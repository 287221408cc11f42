"""As tests/components/test_service_fields.py, on Azure Functions.

A graph of Azure's takes five times as long, so only those fields are tried by a graph that Azure's components treat in
a way of their own; all others are tried for a refusal.
"""

from __future__ import annotations

import pytest

from tests.simulators.service_field_changes import CHANGES, QUIET
from tests.simulators.service_fields import change_of, changed, problems, state_of

OWN = (
    "ApplicationSpec.allow_cidrs",
    "ApplicationSpec.anonymous",
    "ApplicationSpec.delivery",
    "ApplicationSpec.more_hosts",
    "ApplicationSpec.rate_per_second",
    "BucketSpec.gib",
    "QueueSpec.attempts",
    "ScaleSpec.prepared",
    "ScaleSpec.queue_depth",
    "ServiceDefinition.drain_s",
    "ServiceDefinition.largest_body_mib",
    "ServiceDefinition.sticky",
    "SiteEndpointSpec.host",
)
REFUSED = (
    "ApplicationSpec.copies",
    "ApplicationSpec.database_secret",
    "ApplicationSpec.mesh",
    "ApplicationSpec.model",
    "ApplicationSpec.paths",
    "ApplicationSpec.shared_files",
    "ApplicationSpec.storage_gib",
    "ApplicationSpec.storage_iops",
    "CacheSpec.password_secret",
    "CacheSpec.replicas",
    "ScaleSpec.cpu_percent",
    "ScaleSpec.prepared_maximum",
    "ScaleSpec.spot_share",
    "ScaleSpec.vertical",
    "ServiceDefinition.primary",
    "SiteSpec.name",
    "SiteSpec.repositories",
)


def test_what_azure_treats_on_its_own_is_used_and_what_is_quiet_has_a_reason() -> None:
    graphs: dict[str, str] = {}
    tried = [field for field in (*OWN, *QUIET["functions"]) if field != "ServiceDefinition.single_writer"]
    states = {field: state_of("functions", field, graphs) for field in tried}
    assert states == {field: "used" if field in OWN else "quiet" for field in tried} | {
        # The web service only puts jobs in.
        "ScaleSpec.queue_depth": "refused",
    }


@pytest.mark.parametrize("field", REFUSED)
def test_what_azure_has_not_is_refused(field: str) -> None:
    change = change_of("functions", field)
    old = problems(changed("functions", change, only_before=True))
    assert set(problems(changed("functions", change))) - set(old)


def test_every_field_that_is_named_here_is_one() -> None:
    assert {*OWN, *REFUSED} <= set(CHANGES)
