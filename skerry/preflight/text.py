"""A preflight as people read it: on a terminal, and as Markdown that a ticket or a runbook takes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from skerry.preflight.document import AddressRange, Choice, Mark, Preflight, Quota, Step
from skerry.preflight.examine import amount

BOXES: Final = {Mark.DONE: "[x]", Mark.DUE: "[ ]", Mark.PROBLEM: "[!]", Mark.UNKNOWN: "[?]"}
_SIZES: Final = ("minimum", "typical", "maximum", "renewing", "new account")


def to_text(found: Preflight, width: int) -> str:
    """Return the whole for a terminal of `width` columns."""
    lines = [_title(found), ""]
    if found.quotas:
        lines += ["Quotas", *_quota_lines(found.quotas, width), ""]
    if found.ranges:
        lines += ["Addresses", *(line for one in found.ranges for line in _range_lines(one, width)), ""]
    if found.choices or found.choices_unknown:
        lines += ["Machines"]
        lines += [line for one in found.choices for line in _choice_lines(one, width)]
        lines += _wrapped(f"could not tell: {found.choices_unknown}", width, "  ") if found.choices_unknown else []
        lines += [""]
    lines += ["Checklist", *(line for step in found.steps for line in _step_lines(step, width)), "", _sum(found.steps)]
    return "\n".join(lines) + "\n"


def _title(found: Preflight) -> str:
    where = ", ".join(found.clouds) or "no machines"
    return f"Preflight of {', '.join(found.stacks)} ({where}{f', {found.region}' if found.region else ''})"


def _sum(steps: Iterable[Step]) -> str:
    marks = [step.mark for step in steps]
    return ", ".join(f"{marks.count(mark)} {word}" for mark, word in _WORDS.items() if mark in marks)


_WORDS: Final = {
    Mark.PROBLEM: "that would fail",
    Mark.UNKNOWN: "that could not be told",
    Mark.DUE: "to do",
    Mark.DONE: "shown by the plan",
}


def _cells(quota: Quota) -> list[str]:
    sizes = quota.amounts
    plus = "+" if quota.at_least else ""
    numbers = [f"{amount(size)}{plus}" for size in (sizes.minimum, sizes.typical, sizes.maximum, sizes.upgrading)]
    return [*numbers, "unknown" if quota.default is None else amount(quota.default)]


def _name(quota: Quota) -> str:
    about = [quota.code or "no code known", quota.service, quota.unit]
    return f"{quota.name} ({', '.join(word for word in about if word)})"


def _quota_lines(quotas: Sequence[Quota], width: int) -> list[str]:
    rows = [[_name(quota), *_cells(quota)] for quota in quotas]
    wide = [max(len(row[at]) for row in [["", *_SIZES], *rows]) for at in range(1, len(_SIZES) + 1)]
    first = max(width - sum(wide) - 2 * len(wide) - 2, 20)
    lines = [" " * (first + 2) + "".join(f"  {word:>{wide[at]}}" for at, word in enumerate(_SIZES))]
    for quota, row in zip(quotas, rows, strict=True):
        head, *more = textwrap.wrap(row[0], first) or [""]
        lines.append(f"  {head:<{first}}" + "".join(f"  {cell:>{wide[at]}}" for at, cell in enumerate(row[1:])))
        lines += [f"    {line}" for line in more]
        if len(quota.arithmetic) <= _SHORT:
            lines += [line for said in quota.arithmetic for line in _wrapped(said, width, "      ")]
        else:
            lines += _wrapped("; ".join(quota.arithmetic), width, "      ")
    return lines


_SHORT: Final = 4
"""Lines of arithmetic that each get a line of their own."""


def _range_lines(one: AddressRange, width: int) -> list[str]:
    has = "unknown" if one.has is None else f"{one.has:,}"
    needs = "unknown" if one.needs is None else f"{one.needs:,}"
    most = f", {one.at_most:,} if every machine were full" if one.at_most is not None else ""
    where = f" {one.range}" if one.range else ""
    head = f"{one.name}{where}: {needs} of {has}{most}: {one.fit.value}"
    return [*_wrapped(head, width, "  "), *_wrapped(one.arithmetic, width, "      ")]


def _choice_lines(one: Choice, width: int) -> list[str]:
    how = "named by the configuration" if one.named else "the smallest that fits"
    lines = _wrapped(f"{one.tier}: {one.taken}, {how}: {one.total}", width, "  ")
    lines += _wrapped(f"asked {one.asked}", width, "      ") + _wrapped(f"has {one.has}", width, "      ")
    lines += _wrapped(f"next larger {one.larger or 'none in the catalogue'}", width, "      ")
    for other in one.rejected:
        lines += _wrapped(f"not {other.name}: {other.why}", width, "      ")
    return lines


def _step_lines(step: Step, width: int) -> list[str]:
    lines = _wrapped(f"{BOXES[step.mark]} {step.area}: {step.text}", width, "  ", "      ")
    return lines + ([f"        {step.command}"] if step.command and step.mark is not Mark.DONE else [])


def _wrapped(text: str, width: int, first: str, more: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=more or first + "  ", break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def to_markdown(found: Preflight) -> str:
    """Return the whole as Markdown, with boxes that a person can tick."""
    lines = [f"# {_title(found)}", ""]
    if found.quotas:
        lines += ["## Quotas", "", f"| quota | code | unit | {' | '.join(_SIZES)} | arithmetic |"]
        lines += ["|---|---|---|" + "---:|" * len(_SIZES) + "---|"]
        for quota in found.quotas:
            cells = [quota.name, quota.code or "unknown", quota.unit, *_cells(quota), "<br>".join(quota.arithmetic)]
            lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
        lines.append("")
    if found.ranges:
        lines += ["## Addresses", "", "| range | | has | needs | verdict | arithmetic |", "|---|---|---:|---:|---|---|"]
        for one in found.ranges:
            numbers = ["unknown" if number is None else f"{number:,}" for number in (one.has, one.needs)]
            lines.append(
                f"| {' | '.join(map(_cell, [one.name, one.range, *numbers, one.fit.value, one.arithmetic]))} |"
            )
        lines.append("")
    if found.choices:
        lines += [
            "## Machines",
            "",
            "| tier | asked | taken | has | next larger | not taken |",
            "|---|---|---|---|---|---|",
        ]
        for choice in found.choices:
            not_taken = "<br>".join(f"{other.name}: {other.why}" for other in choice.rejected)
            cells = [choice.tier, choice.asked, choice.taken, choice.has, choice.larger or "none", not_taken]
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
        lines.append("")
    lines += ["## Checklist", ""]
    for step in found.steps:
        box = "[x]" if step.mark is Mark.DONE else "[ ]"
        loud = {Mark.PROBLEM: "**would fail** ", Mark.UNKNOWN: "**could not tell** "}.get(step.mark, "")
        command = f" `{step.command}`" if step.command and step.mark is not Mark.DONE else ""
        lines.append(f"- {box} {loud}{step.area}: {step.text}{command}")
    return "\n".join([*lines, "", _sum(found.steps), ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
