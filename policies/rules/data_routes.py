"""NET008: the customer's databases are reached by private ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.context import Context
from policies.verdict import Judgement, Rule, Severity, ok, violation
from skerry.graph import ResourceGraph

ROLE: Final = "data-endpoint"
"""What components say of themselves that stand for a database of a customer."""


def _private(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, facts in context.components():
        if facts.role != ROLE:
            continue
        for endpoint in facts.endpoints:
            if endpoint.scope == "internet":
                text = f"{endpoint.host}:{endpoint.port} is reached over the internet"
                yield violation(resource, text, f"endpoints.{endpoint.name}")
            else:
                yield ok(resource)


RULES: Final = (
    Rule(
        id="NET008",
        title="the customer's databases are reached by private ways",
        severity=Severity.HIGH,
        rationale="a database that answers on the internet is open to whoever has its password",
        remedy="reach it by a peering, a private link or the site's own network (execution.data_endpoints.route)",
        controls=("NIST SP 800-53 SC-7", "NIST SP 800-53 AC-4"),
        subject="databases of customers",
        check=_private,
    ),
)
