"""The load test as runs with every parameter, and the checklists of a deployment."""

from __future__ import annotations

from dataclasses import dataclass

from skerry.agentdb import tables
from skerry.agentdb.rows import Measured, Step


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the load test."""

    number: int
    agents: int
    concurrency: int
    iterations: int
    duration_s: int
    measured: Measured | None
    """What the analysis measured; None: nobody has."""


def runs() -> tuple[Run, ...]:
    """Return every run of the plan: each number of agents with each number of requests at once."""
    plan = tables.stress().plan
    done = {(row.agents, row.concurrency): row for row in tables.stress().rows}
    pairs = [(agents, at_once) for agents in plan.agents.values for at_once in plan.concurrency.values]
    return tuple(
        Run(number, agents, at_once, plan.iterations.values[0], plan.duration_s.values[0], done.get((agents, at_once)))
        for number, (agents, at_once) in enumerate(pairs, start=1)
    )


def runs_text() -> str:
    """Return the plan as a table."""
    plan, found = tables.stress().plan, runs()
    seeds = ", ".join(part.seed for part in (plan.agents, plan.concurrency, plan.iterations, plan.duration_s))
    known = sum(run.measured is not None for run in found)
    lines = [
        f"Load test of {plan.scenario.name}: {len(found)} runs, {known} of them measured [{seeds}]",
        "  run  agents  at once  iterations  seconds  measured",
    ]
    for run in found:
        said = "unknown" if run.measured is None else f"{run.measured.ops_s} operations/s [{run.measured.seed}]"
        numbers = f"{run.number:>3}  {run.agents:>6,}  {run.concurrency:>7}  {run.iterations:>10}  {run.duration_s:>7}"
        lines.append(f"  {numbers}  {said}")
    headroom = tables.operations().load_test_headroom
    lines.append(f"  before a release: the wanted load and {headroom.value} % more [{headroom.seed}]")
    return "\n".join(lines) + "\n"


def checklists() -> dict[str, tuple[Step, ...]]:
    """Return the steps before, during and after a deployment."""
    return tables.operations().checklists


def checklists_text() -> str:
    """Return the checklists in Markdown, which a ticket or a runbook takes."""
    lines = []
    for name, steps in checklists().items():
        lines += [f"## {name.capitalize()} the deployment", ""]
        for step in steps:
            command = f": `{step.command}`" if step.command else ""
            limit = f" ({step.limit})" if step.limit else ""
            lines.append(f"- [ ] {step.step}{limit}{command} [{step.seed}]")
        lines.append("")
    return "\n".join(lines)
