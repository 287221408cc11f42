"""Run the rules over a graph: `check(graph, today=...) -> Report`.

(1) Every rule runs over the whole graph; one that raises stops the check, for a check that fails to run is a failure.
(2) A rule without a judgement is not applicable.
(3) Waivers are applied, and judged themselves.
(4) A violation of a rule of critical, high or medium severity fails the check; one of low severity is advice. With
    `strict`, what is undetermined fails as well, and so does a check that judged nothing. What is undetermined
    never counts as ok.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from policies.context import Context, Estimator, context_of
from policies.rules.catalogue import ALL_RULES
from policies.verdict import Finding, Judgement, Rule, Verdict, not_applicable
from policies.waivers import WAIVER_RULES, apply
from skerry.errors import PolicyError, UsageError
from skerry.facts import WaiverFact
from skerry.graph import ResourceGraph
from skerry.invokes import NO_FUNCTIONS, Functions, functions_of


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a check found."""

    project: str
    stacks: tuple[str, ...]
    today: date
    rules: tuple[Rule, ...]
    """The rules that were run, and those about waivers."""
    findings: tuple[Finding, ...]
    """By rule in the order of `rules`, then in the order of the graph."""
    resources: int
    """How many resources the graph has."""
    functions: Functions = NO_FUNCTIONS
    """What the program was answered with that is no fact."""
    has_deployment: bool = True
    """Whether the program has a configuration of Skerry's, where waivers may stand."""

    def of(self, verdict: Verdict) -> tuple[Finding, ...]:
        """Return the findings with one verdict, in order."""
        return tuple(finding for finding in self.findings if finding.verdict is verdict)

    @property
    def counts(self) -> dict[Verdict, int]:
        """The number of findings of each verdict."""
        return {verdict: len(self.of(verdict)) for verdict in Verdict}

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The violations that stop a deployment."""
        return tuple(finding for finding in self.of(Verdict.VIOLATION) if finding.rule.severity.mandatory)

    @property
    def judged(self) -> int:
        """How many judgements were given; none where no rule looks at anything that is there."""
        return sum(finding.verdict is not Verdict.NOT_APPLICABLE for finding in self.findings)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 1 where the deployment is not allowed, else 0 (4)."""
        return 1 if self.failures or (strict and (self.of(Verdict.UNDETERMINED) or not self.judged)) else 0


def check(
    graph: ResourceGraph,
    *,
    today: date,
    rules: Sequence[Rule] = ALL_RULES,
    estimate: Estimator | None = None,
    config: Mapping[str, str] | None = None,
    sees_secrets: bool = True,
    sees_retain: bool = True,
    waivers: Sequence[WaiverFact] = (),
) -> Report:
    """Run `rules` over `graph`.

    Args:
        graph: one stack, or a base stack and what stands on it.
        today: the day by which waivers are judged.
        rules: what to run.
        estimate: prices a graph; left out, the budget is undetermined.
        config: provider configuration of the stack, for example `aws:region`.
        sees_secrets: False where the producer of the graph cannot mark secrets.
        sees_retain: False where it does not hand on retainOnDelete.
        waivers: beside those of the deployments, for resources of any stack.

    Raises:
        PolicyError: a rule raised, or a waiver cannot be read.
        UsageError: a boundary names what is neither a country nor a bloc.
        GraphError: a component's facts cannot be read.
    """
    found = functions_of(graph)
    context = context_of(
        graph, today=today, estimate=estimate, config=config, sees_secrets=sees_secrets, sees_retain=sees_retain
    )
    findings: list[Finding] = []
    for rule in rules:
        findings.extend(
            replace(one, stand_in=found.decides(one.urn, one.property_path)) for one in _run(rule, graph, context)
        )
    findings, wrong = apply(graph, context.roots, findings, today, waivers)
    findings.extend(_finding(graph, rule, judgement) for rule, judgement in wrong)
    return Report(
        graph.project,
        graph.stacks,
        today,
        (*rules, *WAIVER_RULES),
        tuple(findings),
        len(graph.resources),
        found,
        bool(context.roots),
    )


def _run(rule: Rule, graph: ResourceGraph, context: Context) -> list[Finding]:
    try:
        judgements = list(rule.check(graph, context))
    except UsageError:
        raise
    except Exception as exc:
        raise PolicyError(f"rule {rule.id} failed to run: {type(exc).__name__}: {exc}") from exc
    return [_finding(graph, rule, one) for one in judgements or [not_applicable(f"no {rule.subject} in the graph")]]


def _finding(graph: ResourceGraph, rule: Rule, judgement: Judgement) -> Finding:
    resource = judgement.resource
    return Finding(
        rule=rule,
        verdict=judgement.verdict,
        urn=resource.urn if resource else "",
        type=resource.type if resource else "",
        path=graph.path(resource) if resource else "",
        source=resource.source if resource else "",
        property_path=judgement.property_path,
        message=judgement.message,
        remedy=rule.remedy,
    )
