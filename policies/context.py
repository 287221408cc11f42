"""What a rule may know beside the graph: the day, prices, and indexes over the graph that many rules ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from skerry.facts import BoundaryFact, ComponentFacts, DataClass, DeploymentFact, facts_of
from skerry.graph import Resource, ResourceGraph

_INHERITED = ("tier", "data_class", "jurisdiction")


class Estimated(Protocol):
    """The part of a cost estimate that rules read."""

    @property
    def maximum_usd(self) -> Decimal:
        """The known part of a month at the largest size."""

    @property
    def is_complete(self) -> bool:
        """Whether everything that costs has a price."""


Estimator = Callable[[ResourceGraph], Estimated]


@dataclass(frozen=True, slots=True)
class Context:
    """The day, what the caller handed in, and indexes over one graph; made by `context_of`."""

    graph: ResourceGraph
    today: date
    estimate: Estimator | None = None
    """Prices a graph; None where the caller has no price book."""
    config: Mapping[str, str] = field(default_factory=dict)
    """Provider configuration of the stack, for example `aws:region`."""
    sees_secrets: bool = True
    """False where the producer cannot mark secrets."""
    sees_retain: bool = True
    """False where the producer does not hand on the option retainOnDelete."""
    own: Mapping[str, ComponentFacts] = field(default_factory=dict)
    """Facts of each Skerry component by URN."""
    around: Mapping[str, ComponentFacts] = field(default_factory=dict)
    """Facts of each resource by URN, with tier, data class and jurisdiction inherited."""
    roots: tuple[tuple[Resource, DeploymentFact], ...] = ()
    """The root component of each deployment with its facts."""

    def deployment_root(self, resource: Resource | None) -> tuple[Resource, DeploymentFact] | None:
        """Return the deployment that a resource belongs to: an ancestor, the one of its stack, or the only one."""
        if resource is not None:
            urns = {resource.urn, *(ancestor.urn for ancestor in self.graph.ancestors(resource))}
            for root in self.roots:
                if root[0].urn in urns:
                    return root
            for root in self.roots:
                if root[0].stack == resource.stack:
                    return root
        return self.roots[-1] if self.roots else None

    def deployment(self, resource: Resource | None) -> DeploymentFact | None:
        """Return the facts of the deployment that a resource belongs to; None for a foreign program."""
        root = self.deployment_root(resource)
        return root[1] if root else None

    def on_a_machine(self, resource: Resource) -> bool:
        """Say whether it stands on a machine without an orchestrator, whose facts and files tell the rest."""
        above = (self.own.get(one.urn) for one in self.graph.ancestors(resource))
        return any(facts is not None and facts.host is not None for facts in above)

    def facts(self, resource: Resource) -> ComponentFacts:
        """Return the facts around a resource: its own, with tier, data class and jurisdiction inherited."""
        return self.around.get(resource.urn) or ComponentFacts()

    def components(self) -> tuple[tuple[Resource, ComponentFacts], ...]:
        """Return every Skerry component with the facts around it, in order."""
        return tuple((self.graph[urn], self.around[urn]) for urn in self.own)


def boundary(deployment: DeploymentFact, data_class: DataClass | None) -> BoundaryFact | None:
    """Return where data of a class may be: its row, the next lower row, or None where no row reaches so low.

    Data whose class nobody named takes the row of the highest class: it could be anything.
    """
    rows = sorted(deployment.boundaries, key=lambda row: row.data_class.rank)
    if data_class is not None:
        rows = [row for row in rows if row.data_class.rank <= data_class.rank]
    return rows[-1] if rows else None


def context_of(
    graph: ResourceGraph,
    *,
    today: date,
    estimate: Estimator | None = None,
    config: Mapping[str, str] | None = None,
    sees_secrets: bool = True,
    sees_retain: bool = True,
) -> Context:
    """Index `graph` once for all rules.

    Raises:
        GraphError: the facts of a component cannot be read.
    """
    own: dict[str, ComponentFacts] = {}
    around: dict[str, ComponentFacts] = {}
    roots: list[tuple[Resource, DeploymentFact]] = []
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is not None:
            own[resource.urn] = facts
            if facts.deployment is not None:
                roots.append((resource, facts.deployment))
        above = around.get(resource.parent) or ComponentFacts()
        mine = facts or ComponentFacts()
        inherited = {key: getattr(above, key) for key in _INHERITED if getattr(mine, key) is None}
        around[resource.urn] = mine.model_copy(update=inherited)
    return Context(
        graph=graph,
        today=today,
        estimate=estimate,
        config=config or {},
        sees_secrets=sees_secrets,
        sees_retain=sees_retain,
        own=own,
        around=around,
        roots=tuple(roots),
    )
