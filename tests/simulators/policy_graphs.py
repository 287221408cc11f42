"""Small resource graphs for rules, built by hand in registration order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from policies.runner import Report, check
from policies.verdict import Rule
from skerry.facts import BoundaryFact, ComponentFacts, DataClass, DeploymentFact, TargetFact
from skerry.graph import STACK_TYPE, Resource, ResourceGraph

TODAY = date(2026, 11, 20)
DIGEST = "sha256:" + "a" * 64

Facts = Mapping[str, Any]


class Builder:
    """Collects resources; every method returns the URN of what it added."""

    def __init__(self, stack: str = "dev") -> None:
        self.stack = stack
        self.resources: list[Resource] = []
        self.root = self.add(STACK_TYPE, f"demo-{stack}", custom=False)

    def add(
        self,
        kind: str,
        name: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        parent: str | None = None,
        custom: bool = True,
        **options: Any,
    ) -> str:
        urn = f"urn:pulumi:{self.stack}::demo::{kind}::{name}"
        above = "" if kind == STACK_TYPE else (parent or self.root)
        self.resources.append(Resource(urn, kind, name, custom, parent=above, inputs=inputs or {}, **options))
        return urn

    def component(self, name: str, parent: str | None = None, kind: str = "Store", **facts: Any) -> str:
        inputs = ComponentFacts(**facts).to_inputs()
        return self.add(f"skerry:index:{kind}", name, inputs, parent=parent, custom=False)

    def deployment(self, target: Facts | None = None, **facts: Any) -> str:
        """Add the root component: connected, on aws in DE, restricted data in the EU."""
        place = {"kind": "aws", "connected": True, "region": "eu-central-1", "jurisdiction": "DE", **(target or {})}
        given: dict[str, Any] = {
            "system": "sensei",
            "mode": "saas",
            "production": False,
            "residency_profile": "eu",
            "boundaries": (BoundaryFact(data_class=DataClass.RESTRICTED, jurisdictions=("EU",)),),
            "target": TargetFact(**place),
            "state_backend": "s3://state?region=eu-central-1",
            "state_jurisdiction": "DE",
            "secrets_provider": "passphrase",
            **facts,
        }
        return self.component("platform", kind="Sensei", deployment=DeploymentFact(**given))

    def graph(self) -> ResourceGraph:
        return ResourceGraph("demo", (self.stack,), tuple(self.resources), producer="test")


Build = Callable[[Builder], Any]


def run(build: Build, *rules: Rule, **options: Any) -> Report:
    """Run rules over what `build` makes."""
    builder = Builder()
    build(builder)
    return check(builder.graph(), today=TODAY, rules=rules, **options)


def told(report: Report) -> list[tuple[str, str, str]]:
    """Return verdict, resource name and message of each finding."""
    return [(one.verdict.value, one.urn.rsplit("::", 1)[-1], one.message) for one in report.findings]
