"""Waivers: findings that somebody answers for until a day, and what is wrong with the waivers themselves.

(1) A waiver covers violations and undetermined findings of its rule, on resources whose name, URN or path matches its
    glob, up to and including the day on which it expires: one of a deployment on those of its own stack, one that the
    caller hands in on those of any stack.
(2) An expired waiver covers nothing and is a finding (WAV001); so is one that matches nothing (WAV002) and one that
    names no rule (WAV003).
(3) Findings about waivers cannot be waived.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Final

from policies.rules.catalogue import ALL_RULES, RETIRED
from policies.verdict import Finding, Judgement, Rule, Severity, Verdict, violation
from skerry.errors import PolicyError
from skerry.facts import DeploymentFact, WaiverFact
from skerry.graph import Resource, ResourceGraph

_WAIVABLE: Final = (Verdict.VIOLATION, Verdict.UNDETERMINED)


def _nothing(graph: ResourceGraph, context: object) -> Iterable[Judgement]:
    """Give no judgement: these rules are judged here, after all others."""
    return ()


EXPIRED: Final = Rule(
    id="WAV001",
    title="no waiver has expired",
    severity=Severity.MEDIUM,
    rationale="somebody promised to look again by that day",
    remedy="mend the finding, or renew the waiver with a new reason",
    controls=("ISO/IEC 27001 A.5.31", "NIST SP 800-53 PM-4"),
    subject="waivers",
    check=_nothing,
)
UNMATCHED: Final = Rule(
    id="WAV002",
    title="every waiver covers something",
    severity=Severity.LOW,
    rationale="a waiver for nothing will one day cover what nobody meant",
    remedy="remove it, or mend its resource pattern",
    controls=("NIST SP 800-53 PM-4",),
    subject="waivers",
    check=_nothing,
)
UNKNOWN_RULE: Final = Rule(
    id="WAV003",
    title="every waiver names a rule",
    severity=Severity.MEDIUM,
    rationale="a misspelt waiver covers nothing, while its author believes it does",
    remedy="name a rule of docs/policies.md",
    controls=("NIST SP 800-53 PM-4",),
    subject="waivers",
    check=_nothing,
)
WAIVER_RULES: Final = (EXPIRED, UNMATCHED, UNKNOWN_RULE)


@dataclass(frozen=True, slots=True)
class _Waiver:
    root: Resource | None
    """The deployment that it stands in; None where the caller handed it in."""
    fact: WaiverFact
    until: date
    index: int

    def covers(self, finding: Finding, graph: ResourceGraph) -> bool:
        """Say whether the waiver is meant for a finding (1)."""
        if finding.rule.id != self.fact.rule or finding.verdict not in _WAIVABLE:
            return False
        resource = graph.get(finding.urn)
        if resource is None or (self.root is not None and resource.stack != self.root.stack):
            return False
        return any(fnmatchcase(text, self.fact.resource) for text in (resource.name, resource.urn, finding.path))

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"waivers[{self.index}]" if self.root is None else f"deployment.waivers[{self.index}]"


def _read(roots: Sequence[tuple[Resource, DeploymentFact]], more: Sequence[WaiverFact]) -> list[_Waiver]:
    found = []
    places: list[tuple[Resource | None, Sequence[WaiverFact]]] = [(root, fact.waivers) for root, fact in roots]
    for root, facts in [*places, (None, more)]:
        for index, fact in enumerate(facts):
            try:
                until = date.fromisoformat(fact.expires)
            except ValueError as exc:
                raise PolicyError(f"the waiver of {fact.rule} expires on '{fact.expires}', which is no date") from exc
            found.append(_Waiver(root, fact, until, index))
    return found


def apply(
    graph: ResourceGraph,
    roots: Sequence[tuple[Resource, DeploymentFact]],
    findings: Sequence[Finding],
    today: date,
    more: Sequence[WaiverFact] = (),
) -> tuple[list[Finding], list[tuple[Rule, Judgement]]]:
    """Return the findings with unexpired waivers applied, and what is wrong with the waivers themselves.

    Raises:
        PolicyError: a waiver's last day is no date.
    """
    waivers = _read(roots, more)
    matched: set[int] = set()
    judged = []
    for finding in findings:
        live = None
        for number, waiver in enumerate(waivers):
            if waiver.covers(finding, graph):
                matched.add(number)
                if today <= waiver.until and live is None:
                    live = waiver
        judged.append(finding if live is None else _waived(finding, live))
    found = (_wrong(waiver, number in matched, today) for number, waiver in enumerate(waivers))
    return judged, [one for one in found if one is not None]


def _waived(finding: Finding, waiver: _Waiver) -> Finding:
    fact = waiver.fact
    return replace(
        finding,
        verdict=Verdict.WAIVED,
        owner=fact.owner,
        reason=fact.reason,
        expires=fact.expires,
        waived_from=finding.verdict,
    )


def _wrong(waiver: _Waiver, matched: bool, today: date) -> tuple[Rule, Judgement] | None:
    fact, path = waiver.fact, waiver.path
    label = f"the waiver of {fact.rule} for '{fact.resource}' ({fact.owner})"
    if fact.rule in RETIRED:
        text = f"{label} names a retired rule: {RETIRED[fact.rule]}"
        return UNKNOWN_RULE, violation(waiver.root, text, path)
    if fact.rule not in {rule.id for rule in ALL_RULES}:
        return UNKNOWN_RULE, violation(waiver.root, f"{label} names no rule", path)
    if today > waiver.until:
        return EXPIRED, violation(waiver.root, f"{label} expired on {fact.expires}", path)
    if not matched:
        return UNMATCHED, violation(waiver.root, f"{label} covers no finding", path)
    return None
