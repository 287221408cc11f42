"""Times `skerry preview` beside `pulumi preview` of the same program, in one run, and judges the ratios.

For generated programs of 50, 500 and 2,000 resources and for each shipped stack, every figure is the median of cold
processes, imports included, taken in turns:

- skerry: `skerry preview`, CPU seconds, wall seconds and the peak of its memory;
- pulumi: `pulumi preview` of the real CLI, all its processes together, with simulated providers and a simulated
  language host. What these spent is measured by themselves (SKERRY_SIM_TIMES), shown apart and taken away, all of it:
  no user has providers as quick as ours, and the official language host is no Python program;
- construct: the least that a run in process can cost, see construct.py.

Ratios are of CPU seconds, because a machine with other work to do makes everybody wait; those of wall seconds stand
beside them. Exit code 1: a floor is missed; a goal that is missed is only named.
Options: `--quick` leaves out 2,000 resources; `--only NAME` times one program; `--write` puts the tables into
docs/speed.md.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.engine_report import Limit, Row, limits_of, write_tables  # noqa: E402
from tests.bench.generated_program import STACK, write_program  # noqa: E402
from tests.simulators.provider_times import FILE, LANGUAGE_HOST, TIMES_VARIABLE, read_times  # noqa: E402
from tests.simulators.pulumi_cli import PulumiCli, find_cli  # noqa: E402

SIZES: Final = (50, 500, 2000)
SHIPPED: Final = (
    "sensei-airgapped",
    "sensei-private-onprem",
    "sensei-saas-aws-base",
    "sensei-saas-aws",
    "sensei-saas-gcp-base",
    "sensei-saas-gcp",
    "sensei-saas-azure-base",
    "sensei-saas-azure",
    "sensei-hybrid-vendor-base",
    "sensei-hybrid-vendor",
    "sensei-hybrid-customer",
)
NEEDS: Final = {
    "sensei-saas-aws": "sensei-saas-aws-base",
    "sensei-saas-gcp": "sensei-saas-gcp-base",
    "sensei-saas-azure": "sensei-saas-azure-base",
    "sensei-hybrid-vendor": "sensei-hybrid-vendor-base",
}
"""The command finds what a stack refers to in its backend, so that is deployed before; skerry and `construct` run
both programs."""
RUNS: Final = 3
LONG_S: Final = 20.0
"""A command that takes longer is timed once."""
DOCUMENT: Final = ROOT / "docs" / "speed.md"

_CONSTRUCT: Final = str(ROOT / "tests" / "bench" / "construct.py")
_SKERRY: Final = str(Path(sys.executable).with_name("skerry"))
_SUBREAPER: Final = 36
"""PR_SET_CHILD_SUBREAPER: processes whose parent is gone become ours, so that none is left out of the count."""


@dataclass
class Figures:
    """What the runs of one command came to."""

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    memories: list[float] = field(default_factory=list)
    providers: list[float] = field(default_factory=list)
    hosts: list[float] = field(default_factory=list)

    @property
    def is_long(self) -> bool:
        """Say whether it was measured and once is enough."""
        return bool(self.walls) and self.walls[0] > LONG_S

    def row(self) -> Row | None:
        """Return the medians, or None where nothing was measured."""
        if not self.walls:
            return None
        middle = statistics.median
        provider = middle(self.providers) if self.providers else 0.0
        host = middle(self.hosts) if self.hosts else 0.0
        return Row(middle(self.cpus), middle(self.walls), max(self.memories), provider, host)


def once(figures: Figures, command: Sequence[str], environment: Mapping[str, str], ok: tuple[int, ...] = (0,)) -> None:
    """Run a cold process and add its figures; all processes below it count as CPU, not as memory."""
    with tempfile.TemporaryFile() as out:
        began, cpu = time.monotonic(), 0.0
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
    figures.memories.append(used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2))
    with contextlib.suppress(ChildProcessError):
        while True:
            cpu += used.ru_utime + used.ru_stime
            _, _, used = os.wait4(-1, 0)
    figures.cpus.append(cpu)


class Program:
    """A project and a stack, and what its runs came to."""

    def __init__(self, name: str, project: Path, stack: str, world: Path) -> None:
        """Prepare the commands; the real one gets a world of its own under `world`."""
        self.name, self.skerry, self.pulumi, self.construct, self.cold = (name, *(Figures() for _ in range(4)))
        below = [NEEDS[stack]] if stack in NEEDS else []
        self._skerry = [_SKERRY, "preview", "--program", str(project), "--stack", stack]
        self._construct = [sys.executable, _CONSTRUCT, str(project), *below, stack]
        self._empty = world / "empty"
        self._cli = PulumiCli(world) if find_cli() else None
        if self._cli is not None:
            if stack in NEEDS:
                self._cli.check(self._cli.up(project, NEEDS[stack]))
            self._command, environment = self._cli.preview_command(project, stack)
            self._environment = {**environment, TIMES_VARIABLE: str(self._cli.cloud)}

    def time_all(self) -> None:
        """Run each command in turn, several times."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        # Bytecode is made before the count, the index of SDK modules in it: that is the first run after installation.
        once(Figures(), self._construct, environment)
        once(Figures(), self._skerry, environment)
        once(self.cold, self._skerry, {**environment, "XDG_CACHE_HOME": str(self._empty)})
        for _ in range(RUNS):
            if not self.skerry.is_long:
                once(self.skerry, self._skerry, environment)
            if not self.construct.is_long:
                once(self.construct, self._construct, environment)
            if self._cli is not None and not self.pulumi.is_long:
                (self._cli.cloud / FILE).unlink(missing_ok=True)
                once(self.pulumi, self._command, self._environment)
                spent = read_times(self._cli.cloud)
                for figures, host in ((self.pulumi.hosts, True), (self.pulumi.providers, False)):
                    figures.append(sum(row["cpu_s"] for row in spent if (row["package"] == LANGUAGE_HOST) is host))

    def rows(self) -> dict[str, Row | None]:
        """Return the medians."""
        every = {"skerry": self.skerry, "construct": self.construct, "pulumi": self.pulumi, "first run": self.cold}
        return {name: figures.row() for name, figures in every.items()}


def plain_verbs(folder: Path, program: Path) -> dict[str, Row]:
    """Time what needs no cloud SDK."""
    environment = dict(os.environ)
    graph, medium, demo = folder / "graph.json", folder / "demo" / "medium", folder / "demo"
    preview = [_SKERRY, "preview", "--program", str(program), "--stack", STACK, "--format", "json", "--out", str(graph)]
    once(Figures(), preview, environment)
    once(Figures(), [_SKERRY, "demo", "--out", str(demo)], environment)
    verbs = {
        "--help": ["--help"],
        "config schema": ["config", "schema"],
        "preview --graph FILE": ["preview", "--graph", str(graph)],
        "check --graph FILE": ["check", "--graph", str(graph)],
        "cost --graph FILE": ["cost", "--graph", str(graph)],
        "render --graph FILE": ["render", "--graph", str(graph), "--format", "json"],
        "bundle plan --graph FILE": ["bundle", "plan", "--graph", str(graph)],
        "bundle verify MEDIUM": ["bundle", "verify", str(medium), "--trust", str(demo / "allowed_signers")],
    }
    found: dict[str, Row] = {}
    for name, arguments in verbs.items():
        figures = Figures()
        once(Figures(), [_SKERRY, *arguments], environment, ok=(0, 1))
        for _ in range(RUNS):
            once(figures, [_SKERRY, *arguments], environment, ok=(0, 1))
        row = figures.row()
        if row is not None:
            found[name] = row
            print(f"skerry {name:26}{row}")
    return found


def machine() -> str:
    """Return what was measured on, and when."""
    model = platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores ({model}), "
        f"load {load:.1f} at the start, medians of {RUNS} cold processes"
    )


def show(name: str, rows: Mapping[str, Row | None]) -> None:
    """Print a block."""
    print(name)
    for title, row in rows.items():
        print(f"  {title:10}{row if row else 'not measured: run `make toolchain` first'}")
    sys.stdout.flush()


def judge(limits: Sequence[Limit]) -> bool:
    """Print the limits and return whether all floors are met."""
    print("\nlimits, of CPU seconds")
    for limit in limits:
        print(f"  {limit}")
    return not any(limit.is_floor and limit.is_missed for limit in limits)


def main() -> int:
    """Time everything and return the exit code."""
    parser = argparse.ArgumentParser(description="skerry preview beside pulumi preview")
    parser.add_argument("--quick", action="store_true", help="leave out 2,000 resources")
    parser.add_argument("--only", metavar="NAME", help="one program: '50 resources' or a stack's name; 'verbs'")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/speed.md")
    args = parser.parse_args()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    where = machine()
    print(where)
    programs: dict[str, Mapping[str, Row | None]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = SIZES[:-1] if args.quick else SIZES
        for size in sizes:
            write_program(folder / f"program-{size}", size)
        wanted = [(f"{size} resources", folder / f"program-{size}", STACK) for size in sizes]
        wanted += [(stack, ROOT, stack) for stack in SHIPPED]
        verbs = plain_verbs(folder, folder / f"program-{SIZES[0]}") if args.only in (None, "verbs") else {}
        limits: list[Limit] = []
        # The longest comes last, and what was measured is written at once: a bench that is cut off is not lost.
        for title, project, stack in sorted(wanted, key=lambda item: item[0].startswith(str(SIZES[-1]))):
            if args.only in (None, title):
                world = folder / "world" / title.replace(" ", "-")
                program = Program(title, project, stack, world)
                program.time_all()
                programs[title] = program.rows()
                show(title, programs[title])
                shutil.rmtree(world, ignore_errors=True)
            done = {name: programs[name] for name, *_ in wanted if name in programs}
            limits = limits_of(done, verbs, SIZES)
            if args.write:
                write_tables(DOCUMENT, where, done, verbs, limits)
        return 0 if judge(limits) else 1


if __name__ == "__main__":
    sys.exit(main())
