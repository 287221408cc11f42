"""The report as SARIF 2.1.0, for code scanning.

A violation is of kind `fail`, an undetermined finding `open`, a waived one `fail` with an accepted suppression. What is
ok or not applicable is left out: thousands of lines that no viewer shows.
Source: JSON schema sarif-2.1.0-rtm.6 (kind, level), read 2026-11; OASIS "Static Analysis Results Interchange Format
(SARIF) Version 2.1.0" (not opened; check before relying on it)
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from policies.runner import Report
from policies.verdict import Finding, Rule, Severity, Verdict

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {
    Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note",
}  # fmt: skip
_SHOWN: Final = (Verdict.VIOLATION, Verdict.UNDETERMINED, Verdict.WAIVED)
_FALLBACK_FILE: Final = "Pulumi.yaml"
"""The file that a finding points at when the graph does not say where its resource was written."""


def report_sarif(report: Report) -> str:
    """Return the report as a SARIF 2.1.0 log, the same bytes for the same report."""
    index = {rule.id: number for number, rule in enumerate(report.rules)}
    shown = [finding for finding in report.findings if finding.verdict in _SHOWN]
    run = {
        "tool": {"driver": {"name": "skerry", "rules": [_rule(rule) for rule in report.rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index[finding.rule.id]) for finding in shown],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.rationale},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.family, *rule.controls], "severity": rule.severity.value},
    }


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    kind = "open" if finding.verdict is Verdict.UNDETERMINED else "fail"
    level = "none" if kind == "open" else _LEVELS[finding.rule.severity]
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": rule_index,
        "kind": kind,
        "level": level,
        "message": {"text": f"{finding.message}; {finding.remedy}"},
        "locations": [_location(finding)],
        "partialFingerprints": {"skerry/v1": _fingerprint(finding)},
    }
    if finding.verdict is Verdict.WAIVED:
        text = f"{finding.owner} until {finding.expires}: {finding.reason}"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": text}]
    return result


def _location(finding: Finding) -> dict[str, Any]:
    file, _, line = finding.source.rpartition(":")
    physical: dict[str, Any] = {"artifactLocation": {"uri": (file or _FALLBACK_FILE).replace("\\", "/")}}
    if file and line.isdigit() and int(line) > 0:
        physical["region"] = {"startLine": int(line)}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.urn:
        name = f"{finding.path} > {finding.property_path}" if finding.property_path else finding.path
        location["logicalLocations"] = [{"fullyQualifiedName": name, "name": finding.urn, "kind": "resource"}]
    return location


def _fingerprint(finding: Finding) -> str:
    text = "\n".join((finding.rule.id, finding.urn, finding.property_path))
    return hashlib.sha256(text.encode()).hexdigest()
