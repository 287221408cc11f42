"""The embedded engine tells of a public program what the real command tells, or refuses it as the command does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulators.examples import Program, Workshop, checkout, load_table, where_to_get
from tests.simulators.examples_report import Measured
from tests.simulators.graph_equality import NORMALISED, compare, read_command

PROGRAMS = load_table().programs


@pytest.mark.usefixtures("_command")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_the_engine_s_graph_is_the_command_s(program: Program, tmp_path: Path, measured: list[Measured]) -> None:
    if checkout(program) is None:
        pytest.skip(where_to_get(program))
    if program.skipped:
        measured.append(Measured(program))
        pytest.skip(program.skipped)
    workshop = Workshop(tmp_path)
    both = workshop.run(program, workshop.lay_out(program))
    if program.fails:
        assert both.engine is None, "the engine runs what the command refuses"
        assert both.command.returncode != 0, "the command runs what the engine refuses"
        assert program.fails in both.engine_error
        assert program.fails in both.command.text
        measured.append(Measured(program, engine_s=both.engine_s, command_s=both.command.seconds))
        return
    assert both.engine is not None, both.engine_error
    assert both.command.returncode == 0, both.command.text[-3000:]
    found = compare(both.engine, read_command(both.command.stdout, both.plan))
    measured.append(Measured(program, both.engine, found, both.engine_s, both.command.seconds))
    unexplained, no_longer = program.judge(found.differences)
    assert unexplained == [], "\n".join(unexplained)
    assert no_longer == [], "these listed differences are gone: take them out of programs.yaml"
    assert set(found.touched) <= set(NORMALISED)
    assert found.compared > 15 * len(both.engine.resources)


def test_the_table_names_each_program_once() -> None:
    names = [program.name for program in PROGRAMS]
    assert sorted(set(names)) == sorted(names)


def test_a_listed_difference_excuses_its_own_place_only() -> None:
    program = Program.model_validate(
        {"repository": "o/r", "folder": "f", "known": [{"urn": "a:b:C::n", "field": "inputs.x", "reason": "r"}]}
    )
    same = "urn:pulumi:dev::p::a:b:C::n inputs.x: engine 1, command 2"
    others = ["urn:pulumi:dev::p::a:b:C::n inputs.xy: engine 1, command 2", "urn:pulumi:dev::p::a:b:C::m inputs.x: e"]
    assert program.judge([same]) == ([], [])
    assert (others, []) == program.judge([same, *others])
    assert ([], [program.known[0]]) == program.judge([])
