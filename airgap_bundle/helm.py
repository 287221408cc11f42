"""Helm charts as Helm itself stores them in a registry, so that `oci://<site>/charts/<name>` installs them.

# Source: helm.sh docs "Use OCI-based registries" and helm/community HIP 0006, read 2026-11
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from pathlib import Path
from typing import Any, Final

import yaml

from airgap_bundle.oci import canonical
from airgap_bundle.plan import PlanItem
from skerry.errors import BundleError, UsageError

CONFIG_TYPE: Final = "application/vnd.cncf.helm.config.v1+json"
LAYER_TYPE: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_MAX_METADATA_BYTES: Final = 1024 * 1024
_MAX_UNPACKED_BYTES: Final = 256 * 1024 * 1024
"""Of a chart; Helm itself takes less, and a small archive may hold terabytes of zeros."""
_MAX_MEMBERS: Final = 10_000
"""Files of a chart that are looked through; Chart.yaml is among the first."""


def read_config(item: PlanItem, path: Path) -> bytes:
    """Return the config of a packaged chart: its Chart.yaml as JSON.

    Raises:
        UsageError: the file is no chart, or the chart of another name or version.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            metadata = _chart_yaml(archive)
    except (OSError, EOFError, tarfile.TarError, yaml.YAMLError) as exc:
        raise UsageError(f"{path} cannot be read as a packaged chart: {exc}; fetch it with `helm pull`") from exc
    if metadata is None:
        raise UsageError(f"{path} holds no Chart.yaml: fetch the chart with `helm pull`")
    found = (str(metadata.get("name")), str(metadata.get("version")))
    if found != (item.name, item.version):
        raise UsageError(
            f"{path} is the chart {found[0]} {found[1]}, and {item.name} {item.version} is needed: "
            f"`helm pull {item.name} --repo {item.source} --version {item.version}`"
        )
    return canonical(metadata)


def name_and_version(packaged: bytes, where: str) -> tuple[str, str]:
    """Return what the Chart.yaml of a packaged chart in memory says.

    Raises:
        BundleError: it is no packaged chart.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(packaged), mode="r:gz") as archive:
            metadata = _chart_yaml(archive)
    except (OSError, EOFError, tarfile.TarError, yaml.YAMLError, zlib.error) as exc:
        raise BundleError(f"{where} cannot be read as a packaged chart: {exc}") from exc
    if metadata is None:
        raise BundleError(f"{where} holds no Chart.yaml, so it is no chart")
    return str(metadata.get("name")), str(metadata.get("version"))


def stand_in(item: PlanItem, text: bytes) -> tuple[bytes, bytes]:
    """Return a packaged chart that installs nothing, and its config."""
    metadata = {
        "apiVersion": "v2",
        "name": item.name,
        "version": item.version or "0.0.0",
        "description": "Skerry rehearsal stand-in",
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in (("Chart.yaml", canonical(metadata)), ("STAND-IN.txt", text)):
            entry = tarfile.TarInfo(f"{item.name}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(archive.getvalue(), mtime=0), canonical(metadata)


def _chart_yaml(archive: tarfile.TarFile) -> dict[str, Any] | None:
    for number, member in enumerate(archive):
        if number > _MAX_MEMBERS or member.offset + member.size > _MAX_UNPACKED_BYTES:
            break  # what follows could only be reached by unpacking all of that
        parts = member.name.split("/")
        if len(parts) == 2 and parts[1] == "Chart.yaml" and member.isfile() and member.size <= _MAX_METADATA_BYTES:
            file = archive.extractfile(member)
            document = yaml.safe_load(file.read(_MAX_METADATA_BYTES)) if file else None
            return document if isinstance(document, dict) else None
    return None
