"""The report as JSON, schema `skerry.check/1`, described in docs/policies.md."""

from __future__ import annotations

import json
from typing import Any, Final

from policies.runner import Report
from policies.verdict import Finding, Rule, Verdict
from skerry.invokes import functions_json

CHECK_SCHEMA: Final = "skerry.check/1"
"""Name and version of the JSON form."""


def report_json(report: Report, *, strict: bool = False) -> str:
    """Return the report in its JSON form, the same bytes for the same report."""
    document = {
        "schema": CHECK_SCHEMA,
        "project": report.project,
        "stacks": list(report.stacks),
        "today": report.today.isoformat(),
        "strict": strict,
        "passed": report.exit_code(strict=strict) == 0,
        "resources": report.resources,
        "judged": report.judged,
        "counts": {verdict.value: count for verdict, count in report.counts.items()},
        "rules": [_rule(rule) for rule in report.rules],
        "findings": [_finding(finding) for finding in report.findings],
        "functions": functions_json(report.functions),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "enforcement": "mandatory" if rule.severity.mandatory else "advisory",
        "rationale": rule.rationale,
        "remedy": rule.remedy,
        "controls": list(rule.controls),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rule": finding.rule.id,
        "verdict": finding.verdict.value,
        "urn": finding.urn,
        "type": finding.type,
        "path": finding.path,
        "property": finding.property_path,
        "message": finding.message,
    }
    if finding.stand_in:
        row["standIn"] = True
    if finding.source:
        row["source"] = finding.source
    if finding.verdict is Verdict.WAIVED:
        was = finding.waived_from.value if finding.waived_from else None
        row["waiver"] = {
            "owner": finding.owner, "reason": finding.reason, "expires": finding.expires, "was": was,
        }  # fmt: skip
    return row
