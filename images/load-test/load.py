"""Ask several services at once, ever more at a time, until one is too slow: finds parts of a GPU by measuring.

    load.py run PLAN --fractions speech=10,vision=10 --out RESULT   one run with the parts that are deployed now
    load.py choose PLAN RESULT...                                   the least parts that carry the most callers

Exit codes: 0 done; 1 no result carries the first step; 2 wrong use.

It runs on a machine, or in the image load-test, with nothing but the standard library, and imports nothing of Skerry
(docs/adr/0012-programs-of-our-own-images.md).
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PLAN_SCHEMA = "skerry.load-plan/1"
RESULT_SCHEMA = "skerry.load-result/1"
FULL = 0.97
"""Of the GPU's memory: beyond it the next allocation fails, so that a run ends there."""


class UsageError(Exception):
    """Report a file or an argument that cannot be used."""


@dataclass(frozen=True)
class Target:
    """A service and how it is asked."""

    name: str
    url: str
    body: bytes
    content_type: str
    p95_ms: float


@dataclass(frozen=True)
class Plan:
    """What a run does."""

    targets: tuple[Target, ...]
    concurrency: tuple[int, ...]
    step_s: float
    error_percent: float
    timeout_s: float


@dataclass
class Measured:
    """What one step made of one service."""

    target: str
    requests: int = 0
    errors: int = 0
    milliseconds: list[float] = field(default_factory=list)
    reason: str = ""
    """The last error."""

    def summary(self, seconds: float) -> dict[str, Any]:
        """Return the figures of a report."""
        return {
            "target": self.target,
            "requests": self.requests,
            "errors": self.errors,
            "errorPercent": round(100 * self.errors / self.requests, 2) if self.requests else None,
            "perSecond": round((self.requests - self.errors) / seconds, 2),
            "p50Ms": percentile(self.milliseconds, 50),
            "p95Ms": percentile(self.milliseconds, 95),
            "reason": self.reason,
        }


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the value that so many percent do not exceed; None where nothing was measured."""
    if not values:
        return None
    ranked = sorted(values)
    return round(ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)], 1)


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        UsageError: it is no plan, or a service in it has no path.
    """
    document = _document(path, PLAN_SCHEMA)
    missing = [name for name, row in document["targets"].items() if row.get("path") is None]
    if missing:
        text = f"nobody said how {', '.join(missing)} are asked"
        raise UsageError(f"{path}: {text}: give dual_host.load_test.targets their path, body and p95_ms")
    targets = tuple(
        Target(name, row["url"] + row["path"], _body(path, row["body"]), row["contentType"], row["p95Ms"])
        for name, row in document["targets"].items()
    )
    limits = document["stop"]
    return Plan(
        targets,
        tuple(document["concurrency"]),
        float(document["stepSeconds"]),
        float(limits["errorPercent"]),
        float(document["timeoutSeconds"]),
    )


def _document(path: Path, schema: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}") from exc
    if not isinstance(found, dict) or found.get("schema") != schema:
        raise UsageError(f"{path} is no {schema}")
    return found


def _body(plan: Path, name: str) -> bytes:
    if not name:
        return b""
    try:
        return (plan.parent / name).read_bytes()
    except OSError as exc:
        raise UsageError(f"the body '{name}' cannot be read: {exc}: lay it beside the plan") from exc


def ask(target: Target, timeout_s: float) -> str:
    """Ask once; return why it counts as an error, or nothing."""
    parts = urlsplit(target.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        headers = {"Content-Type": target.content_type, "User-Agent": "skerry-load-test"}
        connection.request("POST", parts.path or "/", target.body, headers)
        response = connection.getresponse()
        response.read()
        return "" if response.status < 400 else f"it answers {response.status}"
    except (OSError, http.client.HTTPException) as exc:
        return str(exc) or type(exc).__name__
    finally:
        connection.close()


def step(plan: Plan, callers: int) -> dict[str, Any]:
    """Let so many callers ask each service at once for a step; all services together."""
    ends = time.monotonic() + plan.step_s
    lock = threading.Lock()
    found = {target.name: Measured(target.name) for target in plan.targets}
    gpu: list[tuple[int, int, int]] = []

    def call(target: Target) -> None:
        row = found[target.name]
        while time.monotonic() < ends:
            began = time.monotonic()
            reason = ask(target, plan.timeout_s)
            took = (time.monotonic() - began) * 1000
            with lock:
                row.requests += 1
                row.errors += bool(reason)
                row.reason = reason or row.reason
                if not reason:
                    row.milliseconds.append(took)

    def watch() -> None:
        while time.monotonic() < ends:
            sample = gpu_sample()
            if sample is None:
                return
            gpu.append(sample)
            time.sleep(min(1.0, plan.step_s / 4))

    threads = [threading.Thread(target=call, args=(one,), daemon=True) for one in plan.targets for _ in range(callers)]
    threads.append(threading.Thread(target=watch, daemon=True))
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    return {
        "callers": callers,
        "seconds": round(seconds, 1),
        "targets": [row.summary(seconds) for row in found.values()],
        "gpu": _gpu(gpu),
    }


def gpu_sample() -> tuple[int, int, int] | None:
    """Return MiB used, MiB in all and percent busy of GPU 0; None where nobody can tell."""
    command = [
        "nvidia-smi", "--id=0", "--query-gpu=memory.used,memory.total,utilization.gpu", "--format=csv,noheader,nounits",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        used, total, busy = (int(word) for word in done.stdout.split(","))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return used, total, busy


def _gpu(samples: Sequence[tuple[int, int, int]]) -> dict[str, int] | None:
    if not samples:
        return None
    used, totals, busy = zip(*samples, strict=True)
    return {"usedMib": max(used), "totalMib": totals[0], "busyPercent": round(sum(busy) / len(busy))}


def stops(plan: Plan, found: dict[str, Any]) -> list[str]:
    """Return why a step is the last one; nothing where it holds."""
    limits = {target.name: target.p95_ms for target in plan.targets}
    reasons = []
    for row in found["targets"]:
        if row["errorPercent"] is None:
            reasons.append(f"{row['target']} was not asked once")
        elif row["errorPercent"] > plan.error_percent:
            reasons.append(f"{row['target']}: {row['errorPercent']} % errors ({row['reason']})")
        elif row["p95Ms"] is not None and row["p95Ms"] > limits[row["target"]]:
            reasons.append(f"{row['target']}: p95 is {row['p95Ms']} ms, above {limits[row['target']]:g}")
    gpu = found["gpu"]
    if gpu is not None and gpu["usedMib"] > FULL * gpu["totalMib"]:
        reasons.append(f"the GPU's memory is full: {gpu['usedMib']} of {gpu['totalMib']} MiB")
    return reasons


def run(plan: Plan, fractions: dict[str, int]) -> dict[str, Any]:
    """Go up step by step until one does not hold."""
    steps: list[dict[str, Any]] = []
    carried, reasons = 0, ["every step held"]
    for callers in plan.concurrency:
        found = step(plan, callers)
        steps.append(found)
        told = ", ".join(f"{row['target']} p95 {row['p95Ms']} ms, {row['perSecond']}/s" for row in found["targets"])
        print(f"load: {callers} callers each: {told}", file=sys.stderr, flush=True)
        broken = stops(plan, found)
        if broken:
            reasons = broken
            break
        carried = callers
    return {"schema": RESULT_SCHEMA, "fractions": fractions, "carries": carried, "stopped": reasons, "steps": steps}


def choose(results: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the result with the least parts among those that carry the most callers; None where none carries any."""
    most = max((row["carries"] for row in results), default=0)
    best = [row for row in results if row["carries"] == most]
    return min(best, key=lambda row: sum(row["fractions"].values())) if most else None


def parse_fractions(text: str) -> dict[str, int]:
    """Read `speech=10,vision=10`.

    Raises:
        UsageError: it is none.
    """
    found = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        if not name or not number.isdigit() or not 0 < int(number) <= 100:
            raise UsageError(f"'{part}' is no part of a GPU: write speech=10,vision=10")
        found[name] = int(number)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run and return the exit code."""
    parser = argparse.ArgumentParser(prog="load", description="Find parts of a GPU by measuring.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("run", help="go up step by step with the parts that are deployed now")
    one.add_argument("plan", type=Path)
    one.add_argument("--fractions", required=True, metavar="NAME=N,...", help="the parts that are deployed now")
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the result goes")
    other = verbs.add_parser("choose", help="the least parts that carry the most callers")
    other.add_argument("plan", type=Path)
    other.add_argument("results", type=Path, nargs="+")
    args = parser.parse_args(argv)
    try:
        if args.verb == "run":
            plan, fractions = read_plan(args.plan), parse_fractions(args.fractions)
            result = run(plan, fractions)
            args.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
            return 0 if result["carries"] else 1
        document = _document(args.plan, PLAN_SCHEMA)
        results = [_document(path, RESULT_SCHEMA) for path in args.results]
    except (UsageError, OSError) as exc:
        print(f"load: {exc}", file=sys.stderr)
        return 2
    found = choose(results)
    untried = [one for one in document["fractions"] if one not in [row["fractions"] for row in results]]
    print(json.dumps({"chosen": found["fractions"] if found else None, "carries": found["carries"] if found else 0,
                      "stopped": found["stopped"] if found else [], "notTried": untried}, indent=2))  # fmt: skip
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
