"""The report for people: what stops the deployment first, then what could not be told, then the rest in one line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

from policies.runner import Report
from policies.verdict import Finding, Rule, Verdict
from skerry.invokes import functions_text

_HEADINGS: Final = {
    Verdict.VIOLATION: "Violations",
    Verdict.UNDETERMINED: "Undetermined (not known, so not passed)",
    Verdict.WAIVED: "Waived",
}
MOST_LINES: Final = 6
"""Findings of one rule that are written out; the JSON report has them all."""

DEFAULT_WIDTH: Final = 100


def report_text(report: Report, width: int = DEFAULT_WIDTH, *, strict: bool = False) -> str:
    """Return the report as text of at most `width` columns, without colour."""
    lines: list[str] = []
    for verdict, heading in _HEADINGS.items():
        found = report.of(verdict)
        if not found:
            continue
        lines.append(f"{heading}: {len(found)}")
        for rule, group in _by_rule(found):
            lines.extend(_rule_lines(rule, group, width))
        lines.append("")
    lines.extend(_quiet(report, width))
    lines.extend(functions_text(report.functions, width))
    lines.extend(_wrap(_summary(report, strict), width, "", "  "))
    if report.of(Verdict.VIOLATION) or report.of(Verdict.UNDETERMINED):
        lines.extend(_how_to_waive(report, width))
    return "\n".join(lines) + "\n"


def _by_rule(findings: Iterable[Finding]) -> list[tuple[Rule, list[Finding]]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.rule.id, []).append(finding)
    return [(group[0].rule, group) for group in groups.values()]


def _rule_lines(rule: Rule, group: list[Finding], width: int) -> list[str]:
    advice = "" if rule.severity.mandatory else ", advice"
    lines = _wrap(f"{rule.id} [{rule.severity.value}{advice}] {rule.title}", width, "  ", "         ")
    merged: dict[str, list[Finding]] = {}
    for finding in group:
        merged.setdefault(finding.path or "the deployment", []).append(finding)
    for path, found in list(merged.items())[:MOST_LINES]:
        lines.extend(_wrap(_where(path, found[0]), width, "    - ", "      "))
        for text in dict.fromkeys(_message(one) for one in found):
            lines.extend(_wrap(text, width, "      ", "      "))
    if len(merged) > MOST_LINES:
        lines.append(f"    ... and {len(merged) - MOST_LINES} more resources (--format json lists them)")
    if group[0].verdict is not Verdict.WAIVED:
        lines.extend(_wrap(f"remedy: {rule.remedy}", width, "    ", "            "))
    return lines


def _where(path: str, finding: Finding) -> str:
    return f"{path} ({finding.source})" if finding.source else path


def _message(finding: Finding) -> str:
    place = f" [{finding.property_path}]" if finding.property_path else ""
    if finding.stand_in:
        place += " (this holds a stand-in, see below)"
    if finding.verdict is Verdict.WAIVED:
        return f"{finding.message}{place}; {finding.owner} answers for it until {finding.expires}: {finding.reason}"
    return f"{finding.message}{place}"


def _quiet(report: Report, width: int) -> list[str]:
    """Return one line of the rules that found nothing to say, and one of those that had nothing to look at."""
    loud = {finding.rule.id for verdict in _HEADINGS for finding in report.of(verdict)}
    kept = {finding.rule.id for finding in report.of(Verdict.OK)} - loud
    idle = {finding.rule.id for finding in report.of(Verdict.NOT_APPLICABLE)} - loud - kept
    lines = []
    for title, ids in (("Kept", kept), ("Not applicable", idle)):
        if ids:
            names = ", ".join(rule.id for rule in report.rules if rule.id in ids)
            lines.extend(_wrap(f"{title}: {names}", width, "", "  "))
    return lines


def _summary(report: Report, strict: bool) -> str:
    counts = report.counts
    failing = len(report.failures)
    resting = sum(finding.stand_in for finding in report.of(Verdict.OK))
    noun = "violation" if counts[Verdict.VIOLATION] == 1 else "violations"
    parts = [
        f"{counts[Verdict.VIOLATION]} {noun}" + (f" ({failing} stop the deployment)" if failing else ""),
        f"{counts[Verdict.UNDETERMINED]} undetermined",
        f"{counts[Verdict.WAIVED]} waived",
        f"{counts[Verdict.OK]} ok" + (f" ({resting} of resources with stand-ins)" if resting else ""),
    ]
    word = "failed" if report.exit_code(strict=strict) else "passed"
    where = ", ".join(report.stacks)
    if not report.judged:
        verdict = "failed, for it judged nothing" if strict else "judged nothing, which is no pass"
        return (
            f"check of {where} {verdict}: none of the {report.resources} resources is of a kind that the "
            f"{len(report.rules)} rules look at, or a policy of the stack asks about"
        )
    hint = "" if strict or not counts[Verdict.UNDETERMINED] else "; --strict fails what is undetermined"
    return (
        f"check of {where} {word}: {'; '.join(parts)} ({report.resources} resources, {len(report.rules)} rules){hint}"
    )


def _how_to_waive(report: Report, width: int) -> list[str]:
    where = "add to waivers in the stack file" if report.has_deployment else "add to waivers in a file for --waivers"
    text = (
        f"to answer for a finding, {where}: "
        "{rule: <id>, resource: <name or glob>, owner: <who>, reason: <why>, expires: <YYYY-MM-DD>}"
    )
    return _wrap(text, width, "", "  ")


def _wrap(text: str, width: int, first: str, rest: str) -> list[str]:
    """Return the lines of a text, with what a terminal might obey taken out."""
    wrapper = textwrap.TextWrapper(
        max(width, 40), initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap("".join(char if char.isprintable() or char.isspace() else "?" for char in text))
