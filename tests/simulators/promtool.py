"""Prometheus's own promtool, and what it is given: rules, and unit tests made of the cases of alerts."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
ALERTS: Final = ROOT / "components" / "services" / "alerts"

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR: Final = re.compile(r"\{[^{}]*\}")
_RANGE: Final = re.compile(r"\[[^\]]*\]")
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
_NAME: Final = re.compile(r"(?<![\w:.$])[a-zA-Z_:][a-zA-Z0-9_:]*")
_WORDS: Final = frozenset(
    {
        *("and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"),
        *("sum", "min", "max", "avg", "count", "topk", "quantile", "vector", "time", "absent", "histogram_quantile"),
        *("rate", "irate", "increase", "delta", "predict_linear", "clamp_min", "clamp_max"),
        *("max_over_time", "min_over_time", "avg_over_time", "sum_over_time", "label_replace"),
    }
)
"""Words of PromQL that are no metrics."""


@cache
def promtool() -> str | None:
    """Return the program's path, or None."""
    return shutil.which("promtool")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    program = promtool()
    assert program is not None
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=120)


@cache
def rules() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return every rule with the part that its file is named by."""
    found = []
    for path in sorted(ALERTS.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            found += [(path.stem, rule) for rule in group["rules"]]
    return tuple(found)


def metrics_of(expression: str) -> frozenset[str]:
    """Return the names of the metrics that an expression of PromQL asks for."""
    rest = _STRING.sub('""', expression)
    for pattern in (_SELECTOR, _RANGE, _GROUPING):
        rest = pattern.sub(" ", rest)
    return frozenset(name for name in _NAME.findall(rest) if name not in _WORDS)


def case_file(rule_files: Iterable[Path], cases: Iterable[Mapping[str, Any]]) -> str:
    """Return a file of unit tests in promtool's form."""
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in case["series"].items()],
            "alert_rule_test": [
                {"eval_time": case["at"], "alertname": case["alert"], "exp_alerts": list(case["expected"])}
            ],
        }
        for case in cases
    ]
    return yaml.safe_dump({"rule_files": [str(path) for path in rule_files], "tests": tests}, sort_keys=False)


def expected_alert(rule: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the alert that a rule makes of a series with these labels."""

    def filled(text: str) -> str:
        return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels.get(found[1], ""), text)

    return {
        "exp_labels": {**labels, **rule["labels"]},
        "exp_annotations": {name: filled(text) for name, text in rule["annotations"].items()},
    }
