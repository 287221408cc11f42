"""What machines of one's own cost, as the user says: a monthly rate, or purchase, write-off and power."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cost.components import GIB_MONTH, MACHINE_MONTH, OwnRate
from cost.usage import load_yaml, problems
from skerry.errors import CostError
from skerry.units import HOURS_PER_MONTH

SCHEMA: Final = "skerry.rates/1"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any) -> Any:
        # A YAML float goes over its shortest text, so that 0.1 is 0.1.
        return str(value) if isinstance(value, float) else value


class MachineRate(_Model):
    """What one machine costs: `usd_per_machine_month` alone, or `purchase_usd` and `months`, and the power it draws."""

    usd_per_machine_month: Decimal | None = Field(default=None, gt=0, allow_inf_nan=False)
    """All in; excludes everything else."""
    purchase_usd: Decimal | None = Field(default=None, gt=0, allow_inf_nan=False)
    months: int | None = Field(default=None, ge=1, le=240)
    """Over which the purchase is written off."""
    power_kw: Decimal | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Drawn all the time, cooling included where it is meant to be."""
    usd_per_kwh: Decimal | None = Field(default=None, gt=0, allow_inf_nan=False)
    source: str = Field(min_length=3)
    """Where the numbers come from: an invoice, a quotation, a page."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.purchase_usd is None) != (self.months is None):
            raise ValueError("purchase_usd and months go together")
        if (self.power_kw is None) != (self.usd_per_kwh is None):
            raise ValueError("power_kw and usd_per_kwh go together")
        parts = self.purchase_usd is not None or self.power_kw is not None
        if (self.usd_per_machine_month is not None) == parts:
            raise ValueError("give either usd_per_machine_month, or purchase and power")
        return self

    @property
    def monthly(self) -> OwnRate:
        """What one machine costs in a month, with the arithmetic."""
        if self.usd_per_machine_month is not None:
            return OwnRate(self.usd_per_machine_month, MACHINE_MONTH, f"given ({self.source})")
        usd, steps = Decimal(0), []
        if self.purchase_usd is not None and self.months is not None:
            usd += self.purchase_usd / self.months
            steps.append(f"{self.purchase_usd:,f} USD / {self.months} months")
        if self.power_kw is not None and self.usd_per_kwh is not None:
            usd += self.power_kw * HOURS_PER_MONTH * self.usd_per_kwh
            steps.append(f"{self.power_kw:f} kW x {HOURS_PER_MONTH} h x {self.usd_per_kwh:f} USD/kWh")
        return OwnRate(usd, MACHINE_MONTH, f"{' + '.join(steps)} ({self.source})")


class StorageRate(_Model):
    """What a GiB on storage of one's own costs, where the machines' rates do not hold it already."""

    usd_per_gib_month: Decimal = Field(gt=0, allow_inf_nan=False)
    source: str = Field(min_length=3)

    @property
    def monthly(self) -> OwnRate:
        """What one GiB costs in a month."""
        return OwnRate(self.usd_per_gib_month, GIB_MONTH, f"given ({self.source})")


class Rates(_Model):
    """Rates of a site: machines by pool name or glob, and storage."""

    schema_: str = Field(default=SCHEMA, alias="schema", pattern=f"^{SCHEMA}$")
    pools: dict[str, MachineRate] = {}
    """Name of the pool's component, or a glob -> rate; the first that fits counts."""
    storage: StorageRate | None = None
    storage_in_machines: bool = False
    """True: the machines' rates hold their disks, so that volumes cost nothing beside."""

    def machine(self, pool: str) -> OwnRate | None:
        """Return the rate of one machine of a pool, or None."""
        for pattern, rate in self.pools.items():
            if fnmatchcase(pool, pattern):
                return rate.monthly
        return None


def read_rates(path: Path) -> Rates:
    """Read a rates file.

    Raises:
        CostError: the file cannot be read, or a value in it cannot be used; the message names each.
    """
    return parse_rates(load_yaml(path), str(path))


def parse_rates(document: Any, where: str) -> Rates:
    """Read rates from parsed YAML.

    Raises:
        CostError: a value cannot be used; the message names each.
    """
    try:
        return Rates.model_validate(document)
    except ValidationError as exc:
        raise CostError(f"{where}: {problems(exc)}: see docs/cost.md for an example") from exc
