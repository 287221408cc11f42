"""Export, verify and import of a bundle, each beside `skopeo copy` and one SHA-256 pass over the same bytes.

Run `make bench-bundle`, or `python tests/bench/bench_bundle.py --mib 512`. Needs docker-registry; skopeo is measured
where it is installed. Figures are wall seconds, the client's own CPU seconds, MB/s, and the ratio to the SHA-256 pass.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from airgap_bundle.export import export
from airgap_bundle.fetch import Sources
from airgap_bundle.load import load
from airgap_bundle.plan import plan
from airgap_bundle.verify import verify
from skerry.catalog import Lock, LockEntry
from tests.simulators.registry_debian import debian_registry
from tests.simulators.registry_graphs import Signer, clock, graph
from tests.simulators.registry_images import image

MB = 1_000_000
IMAGES = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement."""

    name: str
    wall_s: float
    cpu_s: float


def measure(name: str, work: Callable[[], object]) -> Figure:
    """Run `work` once."""
    began, before = time.perf_counter(), _cpu()
    work()
    return Figure(name, time.perf_counter() - began, _cpu() - before)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def fill(address: str, mib: int) -> Lock:
    """Push images with one shared base and layers of different sizes, `mib` MiB in all."""
    entries = {}
    part = mib * 1024 * 1024 // (IMAGES + 1)
    for number in range(IMAGES):
        chance = random.Random(number)
        cut = chance.randint(part // 4, part // 2)
        made = image({"base": part, f"{number}-a": part - cut, f"{number}-b": cut})
        reference = f"docker.io/bench/image{number}:1"
        made.push(address, f"bench/image{number}", "1")
        entries[reference] = LockEntry(digest=made.root, bytes=made.bytes)
    return Lock(schema_="skerry.lock/1", images=entries)


def hash_all(folder: Path) -> None:
    """Read every file once through one SHA-256."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256")


def skopeo(source: Callable[[str], str], target: Callable[[str], str], lock: Lock) -> None:
    """Copy every image with skopeo."""
    for reference in lock.images:
        command = ["skopeo", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"]
        subprocess.run([*command, source(reference), target(reference)], check=True)


def bench(work: Path, mib: int) -> list[Figure]:
    """Return all figures; the first one is the SHA-256 pass."""
    signer = Signer.make(work)
    medium, other = work / "medium", work / "skopeo"
    found: list[Figure] = []
    with (
        debian_registry(work / "source") as source,
        debian_registry(work / "site") as site,
        debian_registry(work / "site2") as second,
    ):
        lock = fill(source, mib)
        what = plan(graph(lock, images=sorted(lock.images), declared=(), files=False), lock=lock)
        sources = Sources(overrides={"docker.io": source})
        export_figure = measure("export", lambda: export(what, medium, source=sources, key=signer.key, clock=clock))
        found.append(measure("sha-256, one pass", lambda: hash_all(medium)))
        found.append(measure("cp -r", lambda: shutil.copytree(medium, work / "copy")))
        found.append(export_figure)
        found.append(measure("verify", lambda: verify(medium, signer.trust, clock=clock)))
        found.append(measure("import (verify and push)", lambda: load(medium, signer.trust, site, clock=clock)))
        found.append(measure("import again", lambda: load(medium, signer.trust, site, clock=clock)))
        if shutil.which("skopeo"):

            def remote(address: str) -> Callable[[str], str]:
                return lambda reference: f"docker://{address}/{reference.partition('/')[2]}"

            def layout(folder: Path) -> Callable[[str], str]:
                return lambda reference: f"oci:{folder}:{reference}"

            found.append(measure("skopeo export", lambda: skopeo(remote(source), layout(other), lock)))
            found.append(measure("skopeo import", lambda: skopeo(layout(other), remote(second), lock)))
    found.append(Figure("bytes", sum(path.stat().st_size for path in medium.rglob("*") if path.is_file()) / MB, 0))
    return found


def table(figures: list[Figure]) -> str:
    """Return the figures as a table."""
    *rows, size = figures
    lines = [f"{size.wall_s:.0f} MB in {IMAGES} images, {os.cpu_count()} cores", ""]
    lines.append(f"{'step':<26}{'wall s':>8}{'CPU s':>8}{'MB/s':>8}{'x SHA-256':>11}")
    for row in rows:
        ratio = row.cpu_s / rows[0].cpu_s
        lines.append(
            f"{row.name:<26}{row.wall_s:>8.2f}{row.cpu_s:>8.2f}{size.wall_s / row.wall_s:>8.0f}{ratio:>10.2f}x"
        )
    lines += [
        "",
        "CPU s is the client's own; x SHA-256 is its CPU beside that of one SHA-256 pass over the same bytes.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mib", type=int, default=512, help="MiB of layers to carry")
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(table(bench(Path(folder), choice.mib)))


if __name__ == "__main__":
    main()
