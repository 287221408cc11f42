"""The words of a check: verdict, severity, rule, judgement and finding.

A rule is a plain function `(graph, context) -> judgements`. It gives one judgement for everything it looked at. What
it could not tell is `undetermined`, which never counts as ok. A rule that found nothing to look at gives no judgement,
and the runner says "not applicable".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from skerry.graph import Resource, ResourceGraph

if TYPE_CHECKING:
    from policies.context import Context


class Verdict(str, Enum):
    """What a rule says about one thing."""

    VIOLATION = "violation"
    UNDETERMINED = "undetermined"
    """A value is unknown, or a fact is missing; never a pass."""
    WAIVED = "waived"
    """A violation or undetermined finding that somebody answers for until a day."""
    OK = "ok"
    NOT_APPLICABLE = "not-applicable"


class Severity(str, Enum):
    """How much a violation matters."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def mandatory(self) -> bool:
        """Whether a violation stops a deployment; one of low severity is advice."""
        return self is not Severity.LOW


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule says about one resource, or about the whole graph."""

    verdict: Verdict
    resource: Resource | None
    message: str
    """What was found, in one sentence without a full stop; empty for ok."""
    property_path: str = ""
    """The input that it was found in."""


def ok(resource: Resource | None, message: str = "") -> Judgement:
    """Return the judgement that `resource` keeps the rule."""
    return Judgement(Verdict.OK, resource, message)


def violation(resource: Resource | None, message: str, property_path: str = "") -> Judgement:
    """Return the judgement that `resource` breaks the rule."""
    return Judgement(Verdict.VIOLATION, resource, message, property_path)


def undetermined(resource: Resource | None, message: str, property_path: str = "") -> Judgement:
    """Return the judgement that it cannot be told."""
    return Judgement(Verdict.UNDETERMINED, resource, message, property_path)


def not_applicable(message: str, resource: Resource | None = None) -> Judgement:
    """Return the judgement that the rule has nothing to say, and why."""
    return Judgement(Verdict.NOT_APPLICABLE, resource, message)


Check = Callable[[ResourceGraph, "Context"], Iterable[Judgement]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; its id is for ever."""

    id: str
    title: str
    """What holds where the rule is kept, in one sentence without a full stop."""
    severity: Severity
    rationale: str
    """Why it matters."""
    remedy: str
    """What to do about a violation."""
    controls: tuple[str, ...]
    """Public controls that it maps to."""
    subject: str
    """What it looks at, in the plural; reports say `no <subject>` where there is none."""
    check: Check

    @property
    def family(self) -> str:
        """The three letters in front: RES, NET, ENC, SUP, REL, BUD or WAV."""
        return self.id[:3]


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement with everything that a report shows of it."""

    rule: Rule
    verdict: Verdict
    urn: str
    """Empty for a finding about the whole graph."""
    type: str
    path: str
    """`stack > component > ... > name`."""
    source: str
    """`file:line` of the program where it is known."""
    property_path: str
    message: str
    remedy: str
    owner: str = ""
    """Who answers for a waived finding."""
    reason: str = ""
    expires: str = ""
    """Last day of the waiver, ISO."""
    waived_from: Verdict | None = None
    """What the finding would be without its waiver."""
    stand_in: bool = False
    """Whether an input that it was found in, or any of an ok resource, holds a stand-in, which is no fact."""
