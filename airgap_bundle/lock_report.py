"""What `skerry images lock` says, as text and as JSON."""

from __future__ import annotations

import json
from typing import Final

from airgap_bundle.lock import LockReport, Outcome, RowReport
from skerry.catalog import LockEntry
from skerry.units import format_bytes

LOCK_REPORT_SCHEMA: Final = "skerry.images-lock/1"
"""Name and version of the JSON report; images/README.md describes it."""


def lock_report_text(report: LockReport, *, check: bool) -> str:
    """Return the report for people; `check`: nothing was written."""
    lines = []
    for row in report.rows:
        lines.append(f"{row.outcome.value:<10}  {row.kind} {row.source}")
        lines += [f"            {text}" for text in _details(report, row, check)]
    counts = {outcome: sum(row.outcome is outcome for row in report.rows) for outcome in Outcome}
    told = ", ".join(f"{number} {outcome.value}" for outcome, number in counts.items() if number)
    lines += ["", f"{len(report.rows)} {'row' if len(report.rows) == 1 else 'rows'}: {told or 'nothing was asked'}"]
    if report.others:
        lines.append(f"{len(report.others)} more in the lock that this run did not ask for")
    return "\n".join(lines) + "\n"


def _details(report: LockReport, row: RowReport, check: bool) -> list[str]:
    lines = []
    match row.outcome:
        case Outcome.MOVED:
            lines += [f"old {row.old}", f"new {row.new}", "the lock keeps the old one; --update takes the new one"]
        case Outcome.UPDATED:
            lines += [f"old {row.old}", f"new {row.new}"]
        case Outcome.RESOLVED | Outcome.SAME:
            size = "unknown size" if row.bytes is None else format_bytes(row.bytes)
            entry = report.lock.images.get(row.source) if row.kind == "image" else None
            offered = f", {' '.join(entry.platforms)}" if isinstance(entry, LockEntry) and entry.platforms else ""
            lines.append(f"{row.new}, {size}{offered}")
            if row.outcome is Outcome.RESOLVED and check:
                lines.append("the lock does not hold it yet")
        case Outcome.ABSENT | Outcome.UNRESOLVED:
            lines.append(row.reason)
            if row.old is not None:
                lines.append(f"the lock keeps {row.old}")
    if row.missing:
        lines.append(f"not offered for {', '.join(row.missing)}")
    return lines


def lock_report_json(report: LockReport) -> str:
    """Return the report for programs."""
    rows = [
        {
            "kind": row.kind,
            "source": row.source,
            "outcome": row.outcome.value,
            "old": row.old,
            "new": row.new,
            "bytes": row.bytes,
            "reason": row.reason or None,
            "missingPlatforms": list(row.missing),
        }
        for row in report.rows
    ]
    document = {
        "schema": LOCK_REPORT_SCHEMA,
        "differs": report.differs,
        "rows": [{key: value for key, value in row.items() if value not in (None, [])} for row in rows],
        "notAsked": list(report.others),
    }
    return json.dumps(document, indent=2) + "\n"
