"""The table of rules in docs/policies.md, made from the list of rules so that the two cannot differ."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from policies.rules.catalogue import ALL_RULES, FAMILIES, RETIRED
from policies.verdict import Rule
from policies.waivers import WAIVER_RULES

BEGIN: Final = "<!-- BEGIN RULES: written by `python -m policies.reports.handbook` -->"
END: Final = "<!-- END RULES -->"


def rules_markdown() -> str:
    """Return every rule as Markdown, grouped by family, and the retired ids."""
    lines: list[str] = []
    rules = (*ALL_RULES, *WAIVER_RULES)
    for family, title in FAMILIES.items():
        lines.extend(_family(title, [rule for rule in rules if rule.family == family]))
    retired = [f"- {key}: {why}" for key, why in sorted(RETIRED.items())] or ["No id is retired yet."]
    lines.extend(["### Retired ids", "", *retired])
    return "\n".join(lines)


def _family(title: str, rules: Iterable[Rule]) -> list[str]:
    lines = [
        f"### {title}",
        "",
        "| id | holds where kept | severity | why | remedy | maps to |",
        "|---|---|---|---|---|---|",
    ]
    for rule in rules:
        enforcement = "" if rule.severity.mandatory else " (advice)"
        cells = (
            rule.id, rule.title, f"{rule.severity.value}{enforcement}", rule.rationale, rule.remedy,
            "; ".join(rule.controls),
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, ""]


def with_rules(page: str) -> str:
    """Return the page with its table of rules written anew between the two marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{rules_markdown()}\n{END}{tail}"


def main() -> None:
    """Write the table into docs/policies.md."""
    page = Path(__file__).resolve().parents[2] / "docs" / "policies.md"
    page.write_text(with_rules(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
