"""Writes docs/coverage.md from the rows of the requirements: `python -m tests.simulators.coverage_report`."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tests.simulators.coverage_rows import ROOT, STATES, Row, all_rows, told

PAGE: Final = ROOT / "docs" / "coverage.md"
SYSTEMS: Final = {"S000": "Sensei", "S001": "Agent mesh", "S002": "Dual host", "S003": "AgentDB", "S004": "AetherGraph"}
WORDS: Final = {
    "met": "met", "finding": "finding", "documented": "documented", "out": "out of reach", "open": "not built yet",
}  # fmt: skip

_HEAD: Final = """# What the seeds ask for, row by row

Written by `python -m tests.simulators.coverage_report`; tests/coverage runs each check.
A row is in one state:

- **met**: a test finds the seed's number at a path in the graph of a named stack (with the changes that are named),
  in what `skerry size` answers, or in a file that `skerry render` writes for a machine
- **finding**: the row is a trap, and a test provokes the finding or the refusal that names it
- **documented**: only a page says it
- **out of reach**, with the reason
- **not built yet**

`seed` is document and line.
"""


def page(rows: tuple[Row, ...]) -> str:
    """Return the whole page."""
    parts = [_HEAD, *_counts(rows)]
    for key, name in SYSTEMS.items():
        own = [row for row in rows if row.id.startswith(key)]
        if own:
            parts += [f"\n## {name} ({key})\n", "| row | asks | seed | state | where |", "|---|---|---|---|---|"]
            parts += [_line(row) for row in own]
    return "\n".join(parts) + "\n"


def _counts(rows: tuple[Row, ...]) -> list[str]:
    found = Counter((row.id[:4], row.state) for row in rows)
    lines = [
        "| system | " + " | ".join(WORDS[state] for state in STATES) + " | rows |",
        "|---" * (len(STATES) + 2) + "|",
    ]
    for key, name in SYSTEMS.items():
        numbers = [found[key, state] for state in STATES]
        if any(numbers):
            lines.append(f"| {name} | " + " | ".join(map(str, numbers)) + f" | {sum(numbers)} |")
    return lines


def _line(row: Row) -> str:
    where = "<br>".join(told(one) for one in row.checks) or row.text
    cells = (row.id, row.says, row.seed, WORDS[row.state], where)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(all_rows()), encoding="utf-8")


if __name__ == "__main__":
    main()
