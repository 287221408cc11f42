"""An export in a process of its own, so that a test can kill it.

Called with: registry address, medium, key file, volume bytes, lock file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from airgap_bundle.export import FileFolders, export
from airgap_bundle.fetch import Sources
from airgap_bundle.plan import plan
from skerry.catalog import read_lock
from tests.simulators.registry_graphs import clock, graph


def main(address: str, medium: str, key: str, volume_bytes: str, lock: str, models: str) -> None:
    """Export the images of the lock."""
    pins = read_lock(Path(lock))
    made = graph(pins, images=sorted(pins.images), declared=(), files=bool(models))
    export(
        plan(made, lock=pins),
        Path(medium),
        source=Sources(mirror=address),
        key=Path(key),
        clock=clock,
        volume_bytes=int(volume_bytes) or None,
        folders=FileFolders(Path(models), Path(models), Path(models)) if models else None,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
