"""What only the user can know: gigabytes, requests and the like, given by a YAML file; docs/cost.md shows one."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cost.components import Range
from skerry.errors import CostError

SCHEMA: Final = "skerry.usage/1"

MAX_BYTES: Final = 1024 * 1024
"""A file for a person to write; more is a mistake."""


class Metered(str, Enum):
    """What can be given, always for one month and one resource."""

    GB_PROCESSED = "gb_processed"
    """GB through a NAT gateway, a transit gateway or an interface endpoint."""
    GB_BETWEEN_ZONES = "gb_between_zones"
    """GB from one zone of a network to another; both sides are billed."""
    GB_BACKED_UP = "gb_backed_up"
    """GB of backups and snapshots above what is free."""
    GB_OUT = "gb_out"
    """GB through a NAT gateway to the internet, beside what it processes."""
    GB_STORED = "gb_stored"
    """GB kept in a bucket, a file system or an Aurora cluster."""
    WRITE_REQUESTS = "write_requests"
    READ_REQUESTS = "read_requests"
    LOG_GB_INGESTED = "log_gb_ingested"
    LOG_GB_STORED = "log_gb_stored"
    REQUESTS = "requests"
    """Of a queue."""
    KEY_REQUESTS = "key_requests"
    INSTANCE_HOURS = "instance_hours"
    """Hours of all instances together, of a service that is billed while it answers."""
    GB_SECONDS = "gb_seconds"
    """Of a function: its memory in GB times the seconds that its requests take."""
    LCU = "lcu"
    """Load balancer capacity units, on average over the month."""


class Amount(BaseModel):
    """An amount of a month: one number, or three."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum: Decimal = Field(ge=0)
    typical: Decimal = Field(ge=0)
    maximum: Decimal = Field(ge=0)

    @model_validator(mode="before")
    @classmethod
    def _one_number(cls, value: Any) -> Any:
        if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
            number = str(value)
            return {"minimum": number, "typical": number, "maximum": number}
        if isinstance(value, dict):
            return {key: str(item) if isinstance(item, float) else item for key, item in value.items()}
        return value

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not all(number.is_finite() for number in (self.minimum, self.typical, self.maximum)):
            raise ValueError("not a finite number")
        if not self.minimum <= self.typical <= self.maximum:
            raise ValueError("minimum, typical and maximum must not fall")
        return self

    @property
    def range(self) -> Range:
        """The amount as the estimate counts it."""
        return Range(self.minimum, self.typical, self.maximum)


class Usage(BaseModel):
    """The usage of resources by name; names may be globs, and the first one that fits counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: str = Field(default=SCHEMA, alias="schema", pattern=f"^{SCHEMA}$")
    resources: dict[str, dict[Metered, Amount]] = {}
    """Resource name or glob -> what is metered -> amount of one month."""

    def amount(self, name: str, what: Metered) -> tuple[str, Range] | None:
        """Return the pattern that fits the resource's name and its amount, or None."""
        for pattern, metered in self.resources.items():
            if fnmatchcase(name, pattern) and what in metered:
                return pattern, metered[what].range
        return None


def load_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        CostError: the file cannot be read, is too large or is no YAML.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CostError(f"{path} is larger than {MAX_BYTES} bytes: it is no file for people")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise CostError(f"{path} cannot be read: {exc}: name a YAML file in UTF-8") from exc
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        raise CostError(f"{path} is no YAML: {' '.join(str(exc).split())}") from exc


def read_usage(path: Path) -> Usage:
    """Read a usage file.

    Raises:
        CostError: the file cannot be read, or a value in it cannot be used; the message names each.
    """
    return parse_usage(load_yaml(path), str(path))


def parse_usage(document: Any, where: str) -> Usage:
    """Read usage from parsed YAML.

    Raises:
        CostError: a value cannot be used; the message names each.
    """
    try:
        return Usage.model_validate(document)
    except ValidationError as exc:
        raise CostError(f"{where}: {problems(exc)}; what can be given: {', '.join(Metered)}") from exc


def problems(error: ValidationError) -> str:
    """Return each problem with its path, on one line."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'the document'}: {item['msg']}" for item in error.errors()
    )
