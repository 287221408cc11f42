"""The report as JUnit XML: a test suite for each family of rules, a test case for each rule and resource."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

from policies.rules.catalogue import FAMILIES
from policies.runner import Report
from policies.verdict import Finding, Verdict

_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Source: "XML Grammar", cs.lmu.edu, which repeats the XML 1.0 production Char, read 2026-11"""


def report_junit(report: Report, *, strict: bool = False) -> str:
    """Return the report as JUnit XML; what is undetermined is skipped, and failed when `strict`."""
    top = ElementTree.Element("testsuites", name=_clean(f"skerry check {' '.join(report.stacks)}"))
    totals = {"tests": 0, "failures": 0, "skipped": 0}
    for family, title in FAMILIES.items():
        findings = [finding for finding in report.findings if finding.rule.family == family]
        if not findings:
            continue
        suite = ElementTree.SubElement(top, "testsuite", name=title)
        counts = {"tests": len(findings), "failures": 0, "skipped": 0}
        for finding in findings:
            counts[_case(suite, finding, strict)] += 1
        counts["tests"] = len(findings)
        for key, value in counts.items():
            suite.set(key, str(value))
            totals[key] += value
        suite.set("errors", "0")
    for key, value in totals.items():
        top.set(key, str(value))
    ElementTree.indent(top)
    body = ElementTree.tostring(top, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _case(suite: ElementTree.Element, finding: Finding, strict: bool) -> str:
    """Add one case and return the count that it belongs to."""
    case = ElementTree.SubElement(
        suite, "testcase", classname=finding.rule.id, name=_clean(finding.path or finding.rule.title)
    )
    text = _clean(finding.message)
    failed = finding.verdict is Verdict.VIOLATION and finding.rule.severity.mandatory
    if failed or (strict and finding.verdict is Verdict.UNDETERMINED):
        node = ElementTree.SubElement(case, "failure", message=text, type=finding.rule.severity.value)
        node.text = _clean(f"{finding.rule.title}\n{finding.property_path}\nremedy: {finding.remedy}")
        return "failures"
    if finding.verdict is Verdict.OK:
        return "tests"
    if finding.verdict is Verdict.WAIVED:
        text = _clean(f"waived by {finding.owner} until {finding.expires}: {finding.reason}")
    ElementTree.SubElement(case, "skipped", message=f"{finding.verdict.value}: {text}")
    return "skipped"


def _clean(text: str) -> str:
    return _NO_XML.sub("?", text)
