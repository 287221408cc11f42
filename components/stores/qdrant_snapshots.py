"""The program that fetches a snapshot of every collection from every member of Qdrant, into a folder.

It runs in a pod of its own, from a ConfigMap, with nothing but Python's standard library. A snapshot holds what one
member has, so that each member is asked. Source: Qdrant "Snapshots" (documentation), read 2026-11.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

TIMEOUT_S = 3600


def ask(method: str, url: str, key: str) -> Any:
    """Return the result of a call."""
    request = urllib.request.Request(url, method=method, headers={"api-key": key})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)["result"]


def fetch(url: str, key: str, target: Path) -> int:
    """Write what a call answers into a file and return its bytes."""
    request = urllib.request.Request(url, headers={"api-key": key})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer, target.open("wb") as file:
        shutil.copyfileobj(answer, file)
        expected = answer.headers.get("Content-Length")
    size = target.stat().st_size
    if expected is not None and size != int(expected):
        raise OSError(f"{url} gave {size} of {expected} bytes")
    return size


def snapshots(members: list[str], key: str, folder: Path) -> list[str]:
    """Return a line for each snapshot that was fetched; on the member none stays."""
    lines = []
    for member in members:
        place = folder / (urllib.parse.urlsplit(member).hostname or "member").split(".")[0]
        for collection in ask("GET", f"{member}/collections", key)["collections"]:
            path = f"{member}/collections/{urllib.parse.quote(collection['name'], safe='')}/snapshots"
            made = ask("POST", f"{path}?wait=true", key)
            one = f"{path}/{urllib.parse.quote(made['name'], safe='')}"
            try:
                target = place / urllib.parse.quote(collection["name"], safe="") / made["name"]
                target.parent.mkdir(parents=True, exist_ok=True)
                lines.append(f"{target.relative_to(folder)} {fetch(one, key, target)} bytes")
            finally:
                ask("DELETE", one, key)
    return lines


def main() -> int:
    """Fetch into the folder `WORK` and say what was fetched; 1 where a member does not answer."""
    try:
        for line in snapshots(os.environ["MEMBERS"].split(","), os.environ["API_KEY"], Path(os.environ["WORK"])):
            sys.stdout.write(f"{line}\n")
    except (OSError, KeyError, ValueError) as exc:
        sys.stderr.write(f"no backup of the vector store: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
