"""The bench judges the right ratios: simulators' time is no argument, and what was not measured is no pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.engine_report import BEGIN, END, Limit, Row, growth_of, limits_of, ratio, write_tables

SKERRY = Row(cpu_s=0.5, wall_s=1.0, peak_mb=60)
PULUMI = Row(cpu_s=4.0, wall_s=5.0, peak_mb=120, provider_s=0.6, host_s=0.4)
CONSTRUCT = Row(cpu_s=0.4, wall_s=0.9, peak_mb=90)
ROWS = {"skerry": SKERRY, "construct": CONSTRUCT, "pulumi": PULUMI, "first run": SKERRY}


def test_what_simulators_spent_is_taken_away() -> None:
    assert ratio(PULUMI, SKERRY) == 6.0
    assert ratio(PULUMI, SKERRY, wall=True) == 4.0
    assert ratio(None, SKERRY) is None


LIMITS = {
    "above a limit that is at least": (Limit("x", 5.0, 5.0, True, True), "met"),
    "below it": (Limit("x", 4.9, 5.0, True, True), "MISSED"),
    "below a limit that is at most": (Limit("x", 1.3, 1.3, False, True), "met"),
    "over it": (Limit("x", 1.31, 1.3, False, True), "MISSED"),
    "nothing was measured": (Limit("x", None, 1.3, False, True), "no figure"),
}


@pytest.mark.parametrize(("limit", "expected"), LIMITS.values(), ids=LIMITS)
def test_a_limit(limit: Limit, expected: str) -> None:
    assert str(limit).endswith(expected)
    assert limit.is_missed == (expected == "MISSED")


def test_every_program_and_verb_has_its_floors() -> None:
    verbs = {"slow": Row(0.6, 0.7, 46)}
    found = limits_of({"500 resources": ROWS, "a-stack": ROWS}, verbs, (50, 500, 2000))
    floors = [(limit.what, limit.value, limit.limit, limit.is_missed) for limit in found if limit.is_floor]
    assert floors == [
        ("500 resources: skerry / construct", 1.25, 1.3, False),
        ("500 resources: pulumi / skerry", 6.0, 3.0, False),
        ("a-stack: skerry / construct", 1.25, 1.3, False),
        ("a-stack: pulumi / skerry", 6.0, 2.0, False),
        ("skerry slow: CPU seconds", 0.6, 0.5, True),
    ]


def test_growth_is_the_cost_of_one_more_resource() -> None:
    def of(cpu_s: float) -> dict[str, Row | None]:
        return {"skerry": Row(cpu_s, 0, 0)}

    linear = {"50 resources": of(1.5), "500 resources": of(6.0), "2000 resources": of(21.0)}
    assert growth_of(linear, (50, 500, 2000)) == pytest.approx(1.0)
    assert growth_of({**linear, "2000 resources": of(36.0)}, (50, 500, 2000)) == pytest.approx(2.0)
    assert growth_of({"50 resources": of(1.0)}, (50, 500, 2000)) is None


def test_tables_stand_between_their_markers(tmp_path: Path) -> None:
    path = tmp_path / "speed.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    programs = {"a": ROWS, "b": {**ROWS, "pulumi": None}}
    write_tables(path, "2026-11-21, here", programs, {"--help": SKERRY}, limits_of(programs, {}, (50, 500, 2000)))
    text = path.read_text()
    assert text.startswith(f"before\n{BEGIN}\n2026-11-21, here.\n")
    assert text.endswith(f"\nMissed floors: none.\n\nMissed goals: none.\n{END}\nafter\n")
    assert "| a | 6.00 | 4.00 | 1.25 | 60 MB | 0.50 (1.00) |" in text
    assert "| b | 0.50 (1.00) | not measured | - | - | 0.40 (0.90) |" in text
    assert "old" not in text


def test_a_document_without_markers_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "speed.md"
    path.write_text("nothing\n")
    with pytest.raises(SystemExit, match="no place for the tables"):
        write_tables(path, "", {}, {}, [])
    assert path.read_text() == "nothing\n"
