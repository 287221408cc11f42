"""The services of images/services.yaml: what a stack can put on any runtime by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from skerry.catalog import CATALOG_FOLDER
from skerry.config.application import ServiceDefinition
from skerry.errors import CatalogError

SERVICES: Final = CATALOG_FOLDER / "services.yaml"


class ServiceRow(BaseModel):
    """One row of images/services.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    read: str
    """Where its ports, probes and sizes were read."""
    read_on: str
    note: str = ""
    definition: ServiceDefinition


@cache
def load_services(path: Path = SERVICES) -> Mapping[str, ServiceRow]:
    """Return all services, by name.

    Raises:
        CatalogError: the file cannot be read, or a row of it cannot be used.
    """
    try:
        rows = [ServiceRow.model_validate(row) for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    except (OSError, TypeError, yaml.YAMLError, ValidationError) as exc:
        raise CatalogError(f"{path} cannot be used: {exc}; restore it from the package") from exc
    found = {row.name: row for row in rows}
    if len(found) < len(rows):
        raise CatalogError(f"{path} names a service twice; keep one row of each")
    return found
