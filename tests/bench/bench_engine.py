"""Times `skerry preview|check|cost` beside `pulumi preview` of the same stack, in one run.

Prints ratios first; seconds are of this machine and only for orientation. The real CLI runs with simulated providers
(see tests/toolchain); their own time is part of its figure.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STACKS = ("sensei-airgapped", "sensei-private-onprem", "sensei-saas-aws-base")
RUNS = 3


def timed(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Return the median wall and CPU seconds of RUNS cold processes."""
    walls, cpus = [], []
    for _ in range(RUNS):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, 1):
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        walls.append(time.monotonic() - began)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls), statistics.median(cpus)


def cli_preview(stack: str) -> tuple[float, float] | None:
    """Return the median seconds of the real CLI's preview, or None where it was not built."""
    sys.path.insert(0, str(ROOT))
    from tests.simulators.pulumi_cli import PulumiCli, find_cli

    if find_cli() is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        cli = PulumiCli(Path(folder))
        command, environment = cli.preview_command(ROOT, stack)
        return timed(command, environment)


def main() -> None:
    """Print a line a stack."""
    skerry = str(Path(sys.executable).with_name("skerry"))
    environment = dict(os.environ)
    print(f"median of {RUNS} cold processes; wall s / CPU s")
    for stack in STACKS:
        figures = {verb: timed([skerry, verb, "--stack", stack], environment) for verb in ("preview", "check", "cost")}
        real = cli_preview(stack)
        own = figures["preview"]
        ratio = f"{real[0] / own[0]:.1f} x" if real else "not measured: run `make toolchain` first"
        print(f"{stack}\n  pulumi preview : skerry preview  {ratio}")
        for verb, (wall, cpu) in figures.items():
            print(f"  skerry {verb:8} {wall:6.2f} / {cpu:6.2f}")
        if real:
            print(f"  pulumi preview  {real[0]:6.2f} / {real[1]:6.2f}")


if __name__ == "__main__":
    main()
