"""What a report calls a total, and what it never does."""

from __future__ import annotations

import json

from cost.report import to_json, to_text
from tests.simulators.cost_round_numbers import TODAY, on_aws, priced, site

EIP = "aws:ec2/eip:Eip"


def test_a_total_with_an_unknown_part_is_never_called_a_total() -> None:
    builder = on_aws()
    builder.add(EIP, "address", {})
    builder.add("aws:braket/quantum:Computer", "quantum", {})
    text = to_text(priced(builder), today=TODAY)
    assert "  at least, plus 1 unknown" in text
    assert [line for line in text.splitlines() if line.startswith("  total")] == []


def test_a_complete_estimate_has_a_total_and_no_unknowns() -> None:
    builder = on_aws()
    builder.add(EIP, "address", {})
    text = to_text(priced(builder), today=TODAY)
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("  total")] == ["3.65"]
    assert "nknown" not in text


def test_a_deployment_of_which_nothing_has_a_price_has_no_amount_at_all() -> None:
    text = to_text(priced(site()), today=TODAY).split("Comparable rental")[0]
    assert "total: unknown; none of the 3 parts has a price" in text
    assert "0.00" not in text


def test_nothing_billed_is_said() -> None:
    assert "Nothing here is billed." in to_text(priced(on_aws()), today=TODAY)


def test_the_brief_report_names_a_type_in_full() -> None:
    builder = on_aws()
    builder.add("aws:braket/quantum:Computer", "quantum", {})
    assert "nothing prices the type aws:braket/quantum:Computer" in to_text(priced(builder), today=TODAY, brief=True)


def test_json_amounts_are_exact_text() -> None:
    builder = on_aws()
    builder.add("aws:sqs/queue:Queue", "queue", {})
    document = json.loads(to_json(priced(builder, {"queue": {"requests": 3}}), today=TODAY))
    assert document["known"]["maximum"] == "0.0000012"
    assert document["lines"][0]["price"]["usd"] == "0.0000004"
    assert (document["schema"], document["currency"], document["complete"]) == ("skerry.cost/1", "USD", True)
