"""The customer's databases are reached by private ways (NET008), and stand inside the boundary (RES001)."""

from __future__ import annotations

import pytest

from policies.rules.data_routes import RULES
from policies.rules.residency import RULES as RESIDENCY
from skerry.facts import DataClass, EndpointFact
from tests.simulators.policy_graphs import Build, Builder, run, told

(NET008,) = RULES
RES001 = next(rule for rule in RESIDENCY if rule.id == "RES001")


def database(scope: str, country: str = "DE") -> Build:
    endpoint = EndpointFact(
        name="orders",
        host="orders.acme.example",
        port=1521,
        protocol="oracle",
        direction="egress",
        scope=scope,
        why="x",
    )

    def build(b: Builder) -> None:
        b.component(
            "orders", b.deployment(), kind="DataEndpoint", role="data-endpoint", jurisdiction=country,
            data_class=DataClass.RESTRICTED, endpoints=(endpoint,),
        )  # fmt: skip

    return build


def another(b: Builder) -> None:
    b.component("tier", b.deployment(), role="tier")


ROUTES: dict[str, tuple[Build, list[tuple[str, str, str]]]] = {
    "over the internet": (
        database("internet"),
        [("violation", "orders", "orders.acme.example:1521 is reached over the internet")],
    ),
    "by a private way": (database("site"), [("ok", "orders", "")]),
    "no database": (another, [("not-applicable", "", "no databases of customers in the graph")]),
}


@pytest.mark.parametrize("case", ROUTES)
def test_net008_databases_are_reached_by_private_ways(case: str) -> None:
    build, expected = ROUTES[case]
    assert expected == told(run(build, NET008))


@pytest.mark.parametrize(("country", "verdict"), [("DE", "ok"), ("US", "violation")])
def test_a_database_outside_the_boundary_is_a_finding(country: str, verdict: str) -> None:
    rows = [row for row in told(run(database("site", country), RES001)) if row[1] == "orders"]
    assert [verdict] == [row[0] for row in rows]
