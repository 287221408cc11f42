"""Times `skerry preview` beside `pulumi preview` of the same program, in one run, and judges the ratios.

For generated programs of 50, 500 and 2,000 resources and for each shipped stack, every figure is the median of cold
processes, imports included, taken in turns:

- skerry: `skerry preview`, its wall and CPU seconds and the peak of its memory;
- pulumi: `pulumi preview` of the real CLI with simulated providers. What the provider processes spent is measured by
  themselves (SKERRY_SIM_TIMES) and shown apart. The ratio that is judged has it taken away, all of it, though some of
  it ran beside the program on a second core: no user's provider is as quick as ours;
- construct: the least that a run in process can cost, see construct.py.

Ratios come first, seconds are of this machine. Exit code 1: a floor is missed; a goal that is missed is only named.
Options: `--quick` leaves out 2,000 resources; `--only NAME` times one program.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.generated_program import STACK, write_program  # noqa: E402
from tests.simulators.provider_times import FILE, TIMES_VARIABLE, read_times  # noqa: E402
from tests.simulators.pulumi_cli import PulumiCli, find_cli  # noqa: E402

SIZES: Final = (50, 500, 2000)
SHIPPED: Final = ("sensei-airgapped", "sensei-private-onprem", "sensei-saas-aws-base", "sensei-saas-aws")
NEEDS: Final = {"sensei-saas-aws": "sensei-saas-aws-base"}
"""The command finds what a stack refers to in its backend, so that is deployed before; skerry and `construct` run
both programs."""
RUNS: Final = 3
LONG_S: Final = 20.0
"""A command that takes longer is timed once."""

MAX_OF_CONSTRUCT: Final = 1.3
FLOORS: Final = {50: 2.0, 500: 3.0}
GOALS: Final = {50: 5.0, 500: 5.0}
MAX_MEMORY_MB: Final = 400
MAX_GROWTH: Final = 1.1
"""The cost of a resource between 500 and 2,000 over that between 50 and 500; 1 is linear, and a tenth is noise."""
MAX_PLAIN_VERB_S: Final = 0.5


_CONSTRUCT: Final = str(ROOT / "tests" / "bench" / "construct.py")
_SKERRY: Final = str(Path(sys.executable).with_name("skerry"))


@dataclass
class Figures:
    """What the runs of one command came to."""

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    memories: list[float] = field(default_factory=list)
    providers: list[float] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Return the median seconds that a user waits."""
        return statistics.median(self.walls)

    def __str__(self) -> str:
        text = f"{self.wall:6.2f} s  CPU {statistics.median(self.cpus):6.2f} s  peak {max(self.memories):4.0f} MB"
        return text + (f"  of it providers {self.provider:5.2f} s CPU" if self.providers else "")

    @property
    def provider(self) -> float:
        """Return the median CPU seconds of provider processes."""
        return statistics.median(self.providers) if self.providers else 0.0


def once(figures: Figures, command: Sequence[str], environment: Mapping[str, str], ok: tuple[int, ...] = (0,)) -> None:
    """Run a cold process and add its figures; its children count as CPU, not as memory."""
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        child = subprocess.Popen(
            command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(child.pid, 0)
        figures.walls.append(time.monotonic() - began)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in ok:
            out.seek(0)
            told = out.read()[-3000:].decode(errors="replace")
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}:\n{told}")
    figures.cpus.append(used.ru_utime + used.ru_stime)
    figures.memories.append(used.ru_maxrss / 1024)


class Program:
    """A project and a stack, and what its runs came to."""

    def __init__(self, name: str, project: Path, stack: str, world: Path) -> None:
        """Prepare the commands; the real one gets a world of its own under `world`."""
        self.name, self.skerry, self.pulumi, self.construct = name, Figures(), Figures(), Figures()
        below = [NEEDS[stack]] if stack in NEEDS else []
        self._commands = {
            "skerry": [_SKERRY, "preview", "--program", str(project), "--stack", stack],
            "construct": [sys.executable, _CONSTRUCT, str(project), *below, stack],
        }
        self._cli = PulumiCli(world) if find_cli() else None
        if self._cli is not None:
            if stack in NEEDS:
                self._cli.check(self._cli.up(project, NEEDS[stack]))
            self._command, environment = self._cli.preview_command(project, stack)
            self._environment = {**environment, TIMES_VARIABLE: "1"}

    def time_all(self) -> None:
        """Run each command in turn, several times."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        # One run before the count: bytecode and the index of SDK modules are made once, not each time.
        once(Figures(), self._commands["skerry"], environment)
        once(Figures(), self._commands["construct"], environment)
        for _ in range(RUNS):
            once(self.skerry, self._commands["skerry"], environment)
            once(self.construct, self._commands["construct"], environment)
            if self._cli is not None and not (self.pulumi.walls and self.pulumi.wall > LONG_S):
                (self._cli.cloud / FILE).unlink(missing_ok=True)
                once(self.pulumi, self._command, self._environment)
                self.pulumi.providers.append(sum(row["cpu_s"] for row in read_times(self._cli.cloud)))

    @property
    def ratio(self) -> float:
        """Return how many times as long the command takes, its providers' time taken away."""
        return (self.pulumi.wall - self.pulumi.provider) / self.skerry.wall if self.pulumi.walls else float("nan")

    @property
    def over_construct(self) -> float:
        """Return the time over that of the construction alone."""
        return self.skerry.wall / self.construct.wall

    def show(self) -> None:
        """Print a block."""
        raw = self.pulumi.wall / self.skerry.wall if self.pulumi.walls else float("nan")
        print(f"{self.name}: pulumi : skerry {self.ratio:.1f} x without providers, {raw:.1f} x as run;", end=" ")
        print(f"skerry : construct {self.over_construct:.2f} x")
        for name in ("skerry", "construct", "pulumi"):
            figures: Figures = getattr(self, name)
            print(f"  {name:10}{figures if figures.walls else 'not measured: run `make toolchain` first'}")
        sys.stdout.flush()


def plain_verbs(folder: Path, program: Path) -> dict[str, Figures]:
    """Time what needs no cloud SDK."""
    environment = dict(os.environ)
    graph, medium, demo = folder / "graph.json", folder / "demo" / "medium", folder / "demo"
    once(
        Figures(),
        [_SKERRY, "preview", "--program", str(program), "--stack", STACK, "--format", "json", "--out", str(graph)],
        environment,
    )
    once(Figures(), [_SKERRY, "demo", "--out", str(demo)], environment)
    verbs = {
        "--help": ["--help"],
        "config schema": ["config", "schema"],
        "check --graph FILE": ["check", "--graph", str(graph)],
        "bundle verify MEDIUM": ["bundle", "verify", str(medium), "--trust", str(demo / "allowed_signers")],
    }
    found = {}
    for name, arguments in verbs.items():
        found[name] = Figures()
        for _ in range(RUNS):
            once(found[name], [_SKERRY, *arguments], environment, ok=(0, 1))
    return found


class Verdict:
    """Prints each figure beside its limit and remembers whether a floor was missed."""

    def __init__(self) -> None:
        """Begin with nothing missed."""
        self.missed = False

    def say(self, what: str, value: float, limit: float, *, at_least: bool, floor: bool) -> None:
        """Print one line."""
        good = value >= limit if at_least else value <= limit
        self.missed |= floor and not good and value == value
        word = "no figure" if value != value else "met" if good else "MISSED"
        sign, kind = (">=" if at_least else "<="), ("floor" if floor else "goal")
        print(f"  {kind:5} {what:46} {value:7.2f}  {sign} {limit:g}  {word}")


def judge(programs: Mapping[str, Program], verbs: Mapping[str, Figures]) -> bool:
    """Print the limits and return whether all floors are met."""
    verdict = Verdict()
    print("\nlimits")
    sized = {size: programs[f"{size} resources"] for size in SIZES if f"{size} resources" in programs}
    for name, program in programs.items():
        verdict.say(f"{name}: skerry : construct", program.over_construct, MAX_OF_CONSTRUCT, at_least=False, floor=True)
    for limits, floor in ((FLOORS, True), (GOALS, False)):
        for size in limits.keys() & sized.keys():
            what = f"{size} resources: pulumi : skerry"
            verdict.say(what, sized[size].ratio, limits[size], at_least=True, floor=floor)
    if len(sized) == len(SIZES):
        small, middle, large = (sized[size].skerry.wall for size in SIZES)
        growth = ((large - middle) / (SIZES[2] - SIZES[1])) / ((middle - small) / (SIZES[1] - SIZES[0]))
        verdict.say("growth per resource, 1 is linear", growth, MAX_GROWTH, at_least=False, floor=False)
        peak = max(sized[SIZES[2]].skerry.memories)
        verdict.say(f"{SIZES[2]} resources: peak in MB", peak, MAX_MEMORY_MB, at_least=False, floor=False)
    for name, figures in verbs.items():
        verdict.say(f"skerry {name}: seconds", figures.wall, MAX_PLAIN_VERB_S, at_least=False, floor=True)
    return not verdict.missed


def main() -> int:
    """Time everything and return the exit code."""
    parser = argparse.ArgumentParser(description="skerry preview beside pulumi preview")
    parser.add_argument("--quick", action="store_true", help="leave out 2,000 resources")
    parser.add_argument("--only", metavar="NAME", help="one program: '50 resources' or a stack's name")
    args = parser.parse_args()
    print(f"medians of {RUNS} cold processes each; {os.cpu_count()} cores; load at the start {os.getloadavg()[0]:.1f}")
    programs: dict[str, Program] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = SIZES[:-1] if args.quick else SIZES
        for size in sizes:
            write_program(folder / f"program-{size}", size)
        wanted = [(f"{size} resources", folder / f"program-{size}", STACK) for size in sizes]
        wanted += [(stack, ROOT, stack) for stack in SHIPPED]
        for title, project, stack in wanted:
            if args.only in (None, title):
                world = folder / "world" / title.replace(" ", "-")
                programs[title] = Program(title, project, stack, world)
                programs[title].time_all()
                programs[title].show()
                shutil.rmtree(world, ignore_errors=True)
        verbs = plain_verbs(folder, folder / f"program-{SIZES[0]}") if args.only is None else {}
        for verb, figures in verbs.items():
            print(f"skerry {verb:22}{figures}")
        return 0 if judge(programs, verbs) else 1


if __name__ == "__main__":
    sys.exit(main())
