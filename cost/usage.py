"""The usage file: what a graph cannot say, such as GB through a gateway or requests to a bucket.

Its form, `skerry.usage/1`, is described in docs/cost.md. A number is one figure or `{minimum, typical, maximum}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cost.components import Range, fixed
from cost.user_file import read_model
from skerry.graph import Resource

SCHEMA: Final = "skerry.usage/1"

KEYS: Final = frozenset({
    "data_gb", "storage_gb", "requests", "write_requests", "read_requests", "logs_ingested_gb", "logs_stored_gb",
    "backup_gb", "out_gb", "capacity_units",
})  # fmt: skip
"""Quantities that a usage file may give; all are per month."""

Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class _Bounds(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum: Amount
    typical: Amount
    maximum: Amount

    @model_validator(mode="after")
    def _rising(self) -> _Bounds:
        if not self.minimum <= self.typical <= self.maximum:
            raise ValueError("minimum, typical and maximum must rise: write the smallest first")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    format: Literal["skerry.usage/1"] = Field(alias="schema")
    resources: dict[str, dict[str, Amount | _Bounds]]

    @field_validator("resources")
    @classmethod
    def _known(cls, value: dict[str, dict[str, Amount | _Bounds]]) -> dict[str, dict[str, Amount | _Bounds]]:
        for pattern, amounts in value.items():
            for key in amounts:
                if key not in KEYS:
                    raise ValueError(f"'{pattern}' has '{key}', which is none of {', '.join(sorted(KEYS))}")
        return value


@dataclass(frozen=True, slots=True)
class Usage:
    """Quantities by resource name, type token or glob of either; the first pattern that fits counts."""

    amounts: tuple[tuple[str, str, Range], ...] = ()
    """Pattern, key, quantity; in the order of the file."""
    source: str = ""

    def of(self, resource: Resource, key: str) -> Range | None:
        """Return the quantity that the file gives for a resource, or None."""
        for pattern, name, amount in self.amounts:
            if name == key and (fnmatchcase(resource.name, pattern) or fnmatchcase(resource.type, pattern)):
                return amount
        return None

    def patterns_of(self, resource: Resource, key: str) -> tuple[str, ...]:
        """Return every pattern that fits, so that a line that never fits can be told to its writer."""
        return tuple(
            pattern
            for pattern, name, _ in self.amounts
            if name == key and (fnmatchcase(resource.name, pattern) or fnmatchcase(resource.type, pattern))
        )


def read_usage(path: Path) -> Usage:
    """Read a usage file.

    Raises:
        ConfigError: it cannot be read, or is not of the form `skerry.usage/1`; names every problem.
    """
    model = read_model(path, _File)
    return Usage(
        tuple(
            (pattern, key, _range(value))
            for pattern, amounts in model.resources.items()
            for key, value in amounts.items()
        ),
        str(path),
    )


def _range(value: Decimal | _Bounds) -> Range:
    return Range(value.minimum, value.typical, value.maximum) if isinstance(value, _Bounds) else fixed(value)
