"""The rules and dashboards of this folder, as they lie there: alerts/<part>.yaml and dashboards/<name>.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from skerry.errors import CatalogError

FOLDER: Final = Path(__file__).resolve().parent
ALERTS: Final = FOLDER / "alerts"
DASHBOARDS: Final = FOLDER / "dashboards"
OF_SERVICES: Final = FOLDER / "service_alerts" / "services.yaml"

RUNBOOKS: Final = "docs/runbooks"
"""Where the rules' files say that the pages lie; a deployment may put another address in its place."""

BACKUP_SECONDS: Final = "93600"
"""The age of a backup in the rules' files, 26 hours; a deployment may put another in its place."""


def rule_groups(part: str, *, runbooks: str = RUNBOOKS, backup_hours: int = 26) -> list[dict[str, Any]]:
    """Return the groups of rules of one part, with the addresses and ages of a deployment.

    Raises:
        CatalogError: the file cannot be read.
    """
    text = _text(ALERTS / f"{part}.yaml")
    text = text.replace(f"{RUNBOOKS}/", f"{runbooks.rstrip('/')}/")
    text = text.replace(BACKUP_SECONDS, str(backup_hours * 3600))
    found: list[dict[str, Any]] = yaml.safe_load(text)["groups"]
    return found


def service_rule_groups(*, runbooks: str = RUNBOOKS) -> list[dict[str, Any]]:
    """Return the groups of rules of services without tiers, with the addresses of a deployment's pages.

    Raises:
        CatalogError: the file cannot be read.
    """
    text = _text(OF_SERVICES).replace(f"{RUNBOOKS}/", f"{runbooks.rstrip('/')}/")
    found: list[dict[str, Any]] = yaml.safe_load(text)["groups"]
    return found


def parts() -> list[str]:
    """Return the names of all files of rules."""
    return sorted(path.stem for path in ALERTS.glob("*.yaml"))


def dashboards() -> Iterator[tuple[str, str]]:
    """Yield name and text of each dashboard, in the order of their names.

    Raises:
        CatalogError: a file cannot be read.
    """
    for path in sorted(DASHBOARDS.glob("*.json")):
        yield path.stem, _text(path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise CatalogError(f"{path.name} cannot be read: {exc}") from exc
