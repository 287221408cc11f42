"""Writes the last result of `make test-all` into docs/lifecycle.md, from what pytest itself recorded.

usage: python -m tests.simulators.lifecycle_report JUNIT_FILE DOCUMENT
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

BEGIN: Final = "<!-- begin: last result, written by `make test-all` -->"
END: Final = "<!-- end: last result -->"
PACKAGES: Final = (
    "pulumi", "pulumi-aws", "pulumi-azure-native", "pulumi-gcp", "pulumi-kubernetes", "botocore", "cfn-lint",
    "google-api-python-client",
)  # fmt: skip
_CLI: Final = Path(__file__).resolve().parents[1] / "toolchain" / "cli.go.mod"
_ABSENT: Final = r"programs of \1 are not here: `make equality` runs them"
"""What a test of a program says that nobody fetched, without the way to fetch it."""
_OUTCOMES: Final = ("passed", "skipped", "failed")


class ReportError(Exception):
    """Report a result or a document that is not what this writes from or into."""


@dataclass(slots=True)
class Result:
    """What pytest recorded of one whole run."""

    when: str
    """As pytest wrote it, `2026-11-21T11:40:00`."""
    seconds: float
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    """Folder under tests/ -> how many passed, were skipped or failed."""
    spent: dict[str, float] = field(default_factory=dict)
    """Folder -> seconds in its tests and in what these waited for."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Reason -> how many tests."""
    failed: list[str] = field(default_factory=list)
    lives: list[Mapping[str, str]] = field(default_factory=list)
    """What test_lifecycle.py recorded of each stack."""


def read_result(text: str) -> Result:
    """Read pytest's JUnit file.

    Raises:
        ReportError: it is none, or of a run without tests.
    """
    try:
        suite = ElementTree.fromstring(text).find("testsuite")
    except ElementTree.ParseError as exc:
        raise ReportError(f"the result is not XML ({exc}): run `make test-all`") from exc
    if suite is None or not len(suite):
        raise ReportError("the result holds no test: run `make test-all`")
    result = Result(suite.get("timestamp", "")[:19], float(suite.get("time", 0)))
    for case in suite.iter("testcase"):
        parts = case.get("classname", "").split(".")
        folder = parts[1] if len(parts) > 2 and parts[0] == "tests" else "tests"
        outcome = _outcome(case, result)
        result.outcomes.setdefault(folder, Counter())[outcome] += 1
        result.spent[folder] = result.spent.get(folder, 0.0) + float(case.get("time", 0))
        noted = {one.get("name", ""): one.get("value", "") for one in case.iter("property")}
        if "life" in noted:
            result.lives.append(noted)
    return result


def _outcome(case: ElementTree.Element, result: Result) -> str:
    skipped = case.find("skipped")
    if skipped is not None:
        reason = re.sub(r"\s+", " ", skipped.get("message", ""))
        result.skipped[re.sub(r"^programs of (\S+) are not here: .*", _ABSENT, reason)] += 1
        return "skipped"
    if case.find("failure") is not None or case.find("error") is not None:
        result.failed.append(f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}")
        return "failed"
    return "passed"


def render(result: Result, versions: Mapping[str, str], commit: str, machine: str) -> str:
    """Return the section that stands between the markers."""
    return "\n".join(_lines(result, versions, commit, machine))


def _lines(result: Result, versions: Mapping[str, str], commit: str, machine: str) -> Iterator[str]:
    total: Counter[str] = sum(result.outcomes.values(), Counter())
    told = ", ".join(f"{total[one]:,} {one}" for one in _OUTCOMES)
    yield BEGIN
    day, hour, took = result.when[:10], result.when[11:16], _time(result.seconds)
    yield f"{day} at {hour}, commit {commit}, {machine}: **{told}**, in {took}."
    yield ""
    yield ", ".join(f"{name} {number}" for name, number in versions.items()) + "."
    yield ""
    yield "| tests | passed | skipped | failed | time |"
    yield "|---|---:|---:|---:|---:|"
    for folder, counts in sorted(result.outcomes.items()):
        row = " | ".join(f"{counts[one]:,}" for one in _OUTCOMES)
        yield f"| {folder} | {row} | {_time(result.spent[folder])} |"
    yield ""
    yield "| the life of | resources | changes | time |"
    yield "|---|---:|---:|---:|"
    for life in sorted(result.lives, key=lambda one: one["life"]):
        yield f"| {life['life']} | {life['resources']} | {life['changes']} | {_time(float(life['seconds']))} |"
    yield ""
    yield "Two lives are lived at a time, so their times overlap."
    for title, rows in (("Failed", result.failed), ("Skipped", [f"{n} x {why}" for why, n in result.skipped.items()])):
        if rows:
            yield ""
            yield f"{title}:"
            yield ""
            yield from (f"- {row}" for row in sorted(rows))
    yield END


def _time(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02} s" if seconds >= 60 else f"{seconds:.0f} s"


def placed(document: str, section: str) -> str:
    """Return the document with the section in the place of the one that stood there.

    Raises:
        ReportError: it has no such place.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ReportError(f"the document has no place between {BEGIN!r} and {END!r}")
    return before + section + after


def main(arguments: list[str]) -> int:
    """Write the section; return 2 where there is nothing to write from."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, document = (Path(argument) for argument in arguments)
    try:
        result = read_result(source.read_text(encoding="utf-8"))
        cli = re.search(r"pulumi/pulumi/pkg/v3 (v[\d.]+)", _CLI.read_text(encoding="utf-8"))
        versions = {"Pulumi CLI": cli[1] if cli else "unknown", **{name: version(name) for name in PACKAGES}}
        git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
        machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
        section = render(result, versions, git.stdout.strip() or "unknown", machine)
        document.write_text(placed(document.read_text(encoding="utf-8"), section), encoding="utf-8")
    except (ReportError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
