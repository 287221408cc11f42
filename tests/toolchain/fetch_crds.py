"""Fetches the CRD sets of images/crds.yaml into the cache, one JSON file a set; does nothing for what is there.

usage: fetch_crds.py CACHE_FOLDER. Each set comes from its Go module, whose zip must have the pinned hash. Webhook
configurations are kept apart, since nothing answers them unless the operator runs: their names are listed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
FORMAT = 2
"""Of the files; another is another name, so that what an older script wrote is not read."""
_KIND = re.compile(r"^kind: ((?:Validating|Mutating)WebhookConfiguration)", re.MULTILINE)
_HOOK = re.compile(r"^\s*(?:- )?name: ['\"]?([a-z0-9-]+(?:\.[a-z0-9-]+){2,})['\"]?$", re.MULTILINE)


class _Loader(yaml.CSafeLoader):
    """Takes a bare `=`, which one of Prometheus's CRDs holds, as text."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def file_name(row: dict[str, Any]) -> str:
    """Return the name of a set's file; another pin is another name."""
    mark = re.sub(r"[^A-Za-z0-9]", "", row["sum"].removeprefix("h1:"))[:12]
    return f"{row['name']}-{row['version']}-{mark}-{FORMAT}.json"


def module_folder(row: dict[str, Any]) -> Path:
    """Return the unpacked module, after its hash was compared."""
    module = f"{row['module']}@{row['version']}"
    done = subprocess.run(
        ["go", "mod", "download", "-json", module],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**os.environ, "GOWORK": "off", "GOFLAGS": ""},
    )
    answer: dict[str, Any] = json.loads(done.stdout or "{}")
    if "Dir" not in answer:
        sys.exit(f"crds: cannot fetch {module}: {answer.get('Error') or done.stderr.strip()}")
    if answer["Sum"] != row["sum"]:
        sys.exit(f"crds: {module} has the hash {answer['Sum']}, images/crds.yaml pins {row['sum']}")
    return Path(answer["Dir"])


def read_set(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the objects of a set and the names of what is left out."""
    objects: list[dict[str, Any]] = []
    left_out: list[str] = []
    webhooks: list[dict[str, Any]] = []
    place = folder / row["path"]
    for path in [place] if place.is_file() else sorted(place.glob("*.yaml")):
        for found in yaml.load_all(path.read_text(encoding="utf-8"), _Loader):
            if not found or found["kind"] == "Kustomization":
                continue
            if found["kind"] == "CustomResourceDefinition":
                found.pop("status", None)
                if (found["spec"].get("conversion") or {}).get("strategy") == "Webhook":
                    del found["spec"]["conversion"]
                    left_out.append(f"conversion webhook of {found['metadata']['name']}")
            objects.append(found)
    for name in row["webhooks"]:
        # Some are templates of a chart, which no YAML reader takes; their names stand there as they are.
        for text in re.split(r"^---$", (folder / name).read_text(encoding="utf-8"), flags=re.MULTILINE):
            left_out += [f"{kind} {hook}" for kind in _KIND.findall(text) for hook in _HOOK.findall(text)]
            if "{{" not in text and _KIND.search(text):
                webhooks.append(yaml.load(text, _Loader))
    return {
        "format": FORMAT,
        "set": row["name"],
        "version": row["version"],
        "objects": objects,
        "webhooks": webhooks,
        "left_out": left_out,
    }


def main() -> None:
    """Fetch what is missing."""
    folder = Path(sys.argv[1]) / "crds"
    folder.mkdir(parents=True, exist_ok=True)
    for row in yaml.safe_load((ROOT / "images" / "crds.yaml").read_text(encoding="utf-8")):
        path = folder / file_name(row)
        if path.exists():
            continue
        text = json.dumps(read_set(row, module_folder(row)))
        part = path.with_suffix(f".part{os.getpid()}")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
        print(f"crds: {row['name']} {row['version']}", file=sys.stderr)


if __name__ == "__main__":
    main()
