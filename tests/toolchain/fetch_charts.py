"""Unpacks real charts into the cache, out of the Go modules that carry them beside their operator's source.

usage: fetch_charts.py CACHE_FOLDER. The modules and the hashes of their zips are those of images/crds.yaml. Two charts
are templates of a release: what their release fills in (the version, the image) is filled in here, and said.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml
from fetch_crds import ROOT, file_name, module_folder

CHARTS = {
    "karpenter-aws": ("karpenter", "charts/karpenter"),
    "kueue": ("kueue", "charts/kueue"),
    "cert-manager": ("cert-manager", "deploy/charts/cert-manager"),
    "external-secrets": ("external-secrets", "deploy/charts/external-secrets"),
}
"""CRD set -> the chart, and its folder in the module."""


def copy(row: dict[str, Any], folder: Path) -> None:
    """Copy one chart; one without a version gets the module's, and dependencies that are not there are taken out."""
    name, place = CHARTS[row["name"]]
    target = folder / name
    if (target / "Chart.yaml").exists():
        return
    part = folder / f"{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(module_folder(row) / place, part)
    for path in (part, *part.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    file = part / "Chart.yaml"
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"^version: v0\.0\.0$", f"version: {row['version']}", text, flags=re.MULTILINE)
    text = re.sub(r"^appVersion: v0\.0\.0$", f"appVersion: {row['version']}", text, flags=re.MULTILINE)
    if not (part / "charts").exists():
        text = re.sub(r"^dependencies:\n(?:[ -].*\n?)+", "", text, flags=re.MULTILINE)
    file.write_text(text, encoding="utf-8")
    part.rename(target)
    print(f"charts: {name} of {row['module']} {row['version']}", file=sys.stderr)


def main() -> None:
    """Copy what is missing; another pin is another folder."""
    rows = yaml.safe_load((ROOT / "images" / "crds.yaml").read_text(encoding="utf-8"))
    for row in rows:
        if row["name"] in CHARTS:
            folder = Path(sys.argv[1]) / "charts" / file_name(row).removesuffix(".json")
            folder.mkdir(parents=True, exist_ok=True)
            copy(row, folder)


if __name__ == "__main__":
    main()
