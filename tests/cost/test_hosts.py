"""Machines without an orchestrator: rent, or purchase and power; never a zero for what nobody said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cost.estimate import estimate
from cost.pricebook import load_book
from cost.rates import Rates, parse_rates
from skerry.facts import ComponentFacts, DeploymentFact, NodesFact, StorageFact, TargetFact
from skerry.graph import Resource, ResourceGraph
from skerry.hosts.facts import HostFact

HOST: dict[str, Any] = {
    "address": "10.1.0.10", "os": "debian", "arch": "amd64", "vcpu": 4, "memory_gib": 8, "storage_gib": 50,
    "delivery": "ssh", "firewall": "nftables",
}  # fmt: skip


def graph(**changes: Any) -> ResourceGraph:
    deployment = DeploymentFact(
        system="agent-mesh", mode="small-team", production=False, residency_profile="eu", boundaries=(),
        target=TargetFact(kind="hosts", connected=True, jurisdiction="DE"), state_backend="file:///srv",
        state_jurisdiction="DE", secrets_provider="passphrase",
    )  # fmt: skip
    kind = "urn:pulumi:s::p::skerry:index:"
    nodes = NodesFact(
        vcpu=4, memory_gib=8, purchase="existing", priced_here=False, comparable_instance=changes.pop("compare", None)
    )
    host = ComponentFacts(role="host", host=HostFact(**{**HOST, **changes}), nodes=nodes)
    program = ComponentFacts(storage=(StorageFact(kind="volume", gib=20),))
    root = ComponentFacts(deployment=deployment).to_inputs()
    rows = (("Hosts", "m", root, None), ("Host", "gate", host.to_inputs(), "Hosts::m"))
    rows += (("HostProgram", "gate-db", program.to_inputs(), "Host::gate"),)
    made = [
        Resource(
            f"{kind}{cls}::{name}", f"skerry:index:{cls}", name, False, inputs=inputs,
            parent=f"{kind}{above}" if above else None,
        )
        for cls, name, inputs, above in rows
    ]  # fmt: skip
    return ResourceGraph("p", ("s",), tuple(made))


def lines(found: ResourceGraph, rates: Rates | None = None) -> dict[str, Decimal | None]:
    made = estimate(found, load_book(), rates=rates)
    return {
        line.component.name: line.component.monthly.typical if line.component.monthly else None for line in made.lines
    }


PRICES: dict[str, tuple[dict[str, Any], dict[str, Decimal | None]]] = {
    "rented": ({"usd_per_month": 24}, {"rented machine": Decimal(24)}),
    "bought, with its power": (
        {"purchase_usd": 2400, "lifetime_years": 4, "average_watts": 100, "usd_per_kwh": 0.30},
        {"purchase, spread": Decimal(50), "power": Decimal("21.9")},
    ),
    "bought, and nobody said what it draws": (
        {"purchase_usd": 1200, "lifetime_years": 2},
        {"purchase, spread": Decimal(50), "power": None},
    ),
    "nobody said anything": ({}, {"purchase, spread": None, "power": None}),
}


@pytest.mark.parametrize("case", PRICES)
def test_what_a_machine_costs(case: str) -> None:
    given, expected = PRICES[case]
    assert lines(graph(**given)) == expected


def test_finance_s_own_rate_counts_first() -> None:
    rates = parse_rates({"pools": {"gate": {"usd_per_machine_month": "31.5", "source": "invoice 4711"}}}, "test")
    assert lines(graph(usd_per_month=24), rates) == {"own machine": Decimal("31.5")}


def test_machines_of_like_size_are_compared() -> None:
    [row] = estimate(graph(compare="aws:eu-central-1:m6i.xlarge"), load_book()).comparisons
    assert (row.instance, row.machines.typical) == ("aws:eu-central-1:m6i.xlarge", Decimal(1))
