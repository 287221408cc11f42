"""The rates file: what machines and storage of one's own cost, which no price list knows.

Its form, `skerry.rates/1`, is described in docs/cost.md. A machine's rate is given as such, or as its purchase over
months and its power; the arithmetic is shown beside the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cost.components import OwnRate
from cost.user_file import read_model
from skerry.units import HOURS_PER_MONTH

SCHEMA: Final = "skerry.rates/1"
MACHINE_MONTH: Final = "machine-month"
GIB_MONTH: Final = "GiB-month"

Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


class _Rate(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    usd_per_machine_month: Positive | None = None
    purchase_usd: Positive | None = None
    months: Positive | None = None
    kw: Positive | None = None
    """Mean power of one machine, cooling included where somebody pays for it."""
    usd_per_kwh: Positive | None = None

    @model_validator(mode="after")
    def _one_way(self) -> _Rate:
        parts = (self.purchase_usd, self.months, self.kw, self.usd_per_kwh)
        if (self.usd_per_machine_month is None) == all(part is None for part in parts):
            raise ValueError("give either usd_per_machine_month, or purchase_usd, months, kw and usd_per_kwh")
        if self.usd_per_machine_month is None and any(part is None for part in parts):
            raise ValueError("purchase_usd, months, kw and usd_per_kwh belong together: give all four")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    format: Literal["skerry.rates/1"] = Field(alias="schema")
    pools: dict[str, _Rate] = {}
    """By the pool's name, or a glob."""
    usd_per_gib_month: dict[str, Positive] = {}
    """Of own storage, by storage class, or a glob."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of own machines and own storage; the first pattern that fits counts."""

    pools: tuple[tuple[str, OwnRate], ...] = ()
    storage: tuple[tuple[str, OwnRate], ...] = ()
    source: str = ""

    def of_pool(self, name: str) -> OwnRate | None:
        """Return the rate of one machine-month of a pool, or None."""
        return next((rate for pattern, rate in self.pools if fnmatchcase(name, pattern)), None)

    def of_storage(self, storage_class: str) -> OwnRate | None:
        """Return the rate of one GiB-month of a storage class, or None."""
        return next((rate for pattern, rate in self.storage if fnmatchcase(storage_class, pattern)), None)


def read_rates(path: Path) -> Rates:
    """Read a rates file.

    Raises:
        ConfigError: it cannot be read, or is not of the form `skerry.rates/1`; names every problem.
    """
    model = read_model(path, _File)
    return Rates(
        pools=tuple((pattern, _own(rate)) for pattern, rate in model.pools.items()),
        storage=tuple(
            (pattern, OwnRate(usd, GIB_MONTH, f"{usd} USD for one GiB-month, as given"))
            for pattern, usd in model.usd_per_gib_month.items()
        ),
        source=str(path),
    )


def _own(rate: _Rate) -> OwnRate:
    purchase, months, power, energy = rate.purchase_usd, rate.months, rate.kw, rate.usd_per_kwh
    if purchase and months and power and energy:
        text = f"{purchase} USD / {months} months + {power} kW x {HOURS_PER_MONTH} h x {energy} USD/kWh"
        return OwnRate(purchase / months + power * HOURS_PER_MONTH * energy, MACHINE_MONTH, text)
    usd = rate.usd_per_machine_month or Decimal(0)
    return OwnRate(usd, MACHINE_MONTH, f"{usd} USD for one machine-month, as given")
