"""The reports: whole outputs in golden files, and what stands in them in the edge cases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from cost.report import to_json, to_text
from skerry.facts import NodesFact, ScalingFact, Tier
from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import TODAY, on_aws, priced, site, small_book
from tests.simulators.policy_graphs import Builder

Golden = Callable[[str, str], None]


def cloud() -> Builder:
    """Return a deployment on AWS with something of every kind of row."""
    builder = on_aws()
    platform = builder.component("platform-base", kind="Platform", tier=Tier.PLATFORM)
    builder.add("aws:eks/cluster:Cluster", "eks", {"version": "1.34"}, parent=platform)
    for zone in "abc":
        builder.add("aws:ec2/natGateway:NatGateway", f"nat-{zone}", {}, parent=platform)
    nodes = NodesFact(vcpu=2, memory_gib=8, instance_type="m6i.large", purchase="on-demand", priced_here=True)
    scaling = ScalingFact(minimum=1, typical=2, maximum=400, autoscaler="karpenter")
    builder.component("workers", kind="NodePool", tier=Tier.EXECUTION, nodes=nodes, scaling=scaling)
    mappings = [{"ebs": {"volumeSize": "100Gi", "volumeType": "gp3"}}]
    builder.add("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "workers", {"spec": {"blockDeviceMappings": mappings}})
    database = {"engine": "postgres", "instanceClass": "db.r6g.large", "allocatedStorage": 100, "storageType": "gp3"}
    store = builder.component("database", tier=Tier.CHANNELS)
    builder.add("aws:rds/instance:Instance", "database", {**database, "multiAz": True}, parent=store)
    builder.add("aws:braket/quantum:Computer", "quantum", {})
    builder.add("aws:iam/role:Role", "role", {})
    return builder


USAGE = {"nat-a": {"gb_processed": {"minimum": 0, "typical": 100, "maximum": 1000}}, "nat-z": {"gb_out": 1}}
RATES = {
    "pools": {
        "gpus": {"purchase_usd": 219000, "months": 60, "power_kw": 6.5, "usd_per_kwh": 0.2, "source": "invoice 4711"}
    }
}


def test_a_cloud_deployment_as_text(golden: Golden) -> None:
    golden("cost/cloud.text", to_text(priced(cloud(), USAGE), today=TODAY))


def test_a_cloud_deployment_in_brief(golden: Golden) -> None:
    golden("cost/cloud-brief.text", to_text(priced(cloud(), USAGE), today=TODAY, brief=True))


def test_a_cloud_deployment_as_json(golden: Golden) -> None:
    golden("cost/cloud.json", to_json(priced(cloud(), USAGE), today=TODAY))


def test_a_site_without_rates_as_text(golden: Golden) -> None:
    golden("cost/site.text", to_text(priced(site()), today=TODAY))


def test_a_site_with_rates_as_text(golden: Golden) -> None:
    golden("cost/site-rates.text", to_text(priced(site(), rates=RATES), today=TODAY))


@pytest.mark.parametrize("width", [72, 80, 100, 160])
@pytest.mark.parametrize("builder", [cloud, site])
def test_no_line_is_wider_than_asked(width: int, builder: Callable[[], Builder]) -> None:
    lines = to_text(priced(builder()), width, today=TODAY).splitlines()
    assert [line for line in lines if len(line) > width] == []


def test_old_prices_are_warned_of_by_name() -> None:
    builder = on_aws()
    builder.add("aws:ec2/eip:Eip", "address", {})
    found = priced(builder, book=small_book("2026-01-01"))
    assert "check them: public-ipv4" in to_text(found, today=date(2026, 7, 1))
    assert "warning" not in to_text(found, today=date(2026, 6, 30))
    assert json.loads(to_json(found, today=date(2026, 7, 1)))["stalePrices"] == 1


def test_a_total_with_an_unknown_part_is_never_called_a_total() -> None:
    text = to_text(priced(cloud()), today=TODAY)
    assert "at least, plus" in text
    assert not any(line.startswith("  total") for line in text.splitlines())


def test_a_complete_estimate_has_a_total_and_no_unknowns() -> None:
    builder = on_aws()
    builder.add("aws:ec2/eip:Eip", "address", {})
    text = to_text(priced(builder), today=TODAY)
    assert any(line.startswith("  total") and line.endswith("3.65") for line in text.splitlines())
    assert "nknown" not in text


def test_nothing_billed_is_said() -> None:
    assert "Nothing here is billed." in to_text(priced(on_aws()), today=TODAY)


def test_json_amounts_are_exact_text() -> None:
    builder = on_aws()
    builder.add("aws:sqs/queue:Queue", "queue", {})
    document = json.loads(to_json(priced(builder, {"queue": {"requests": 3}}), today=TODAY))
    assert document["known"]["maximum"] == "0.0000012"
    assert document["lines"][0]["price"]["usd"] == "0.0000004"
    assert (document["schema"], document["currency"], document["complete"]) == ("skerry.cost/1", "USD", True)


def test_a_name_cannot_command_the_terminal() -> None:
    builder = on_aws()
    builder.add("aws:ec2/eip:Eip", "evil\x1b[2Jname", {})
    builder.add("aws:ec2/vpcEndpoint:VpcEndpoint", "evil\rname", {"vpcEndpointType": "Interface", "subnetIds": UNKNOWN})
    text = to_text(priced(builder), today=TODAY)
    assert "\x1b" not in text
    assert "\r" not in text
