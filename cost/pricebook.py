"""The price book: dated, sourced list prices, read from CSV files and asked by cloud, region, SKU, unit and term.

A price without a row is `PriceNotFound`: never a guess, never another region's price, never zero.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Final

from cost.book_format import CLOUDS, COLUMNS, EVERY_REGION, NOT_COMMERCIAL, ON_DEMAND, OWN_FILES, SCHEMA, TERMS, UNITS
from skerry.errors import CostError

BOOK: Final = Path(__file__).resolve().parent / "book"

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""A book larger than this is not one of ours: the largest has half a megabyte."""

Key = tuple[str, str, str, str, str]
"""Cloud, region, SKU, unit, term."""


@dataclass(frozen=True, slots=True)
class Price:
    """One list price."""

    cloud: str
    region: str
    sku: str
    unit: str
    usd: Decimal
    """For one unit; greater than zero."""
    term: str
    source: str
    """Where it was read."""
    read_on: date
    """The day for which the source states the price; where it names none, the day on which it was read."""

    @property
    def key(self) -> Key:
        """What the price is of."""
        return (self.cloud, self.region, self.sku, self.unit, self.term)


@dataclass(frozen=True, slots=True)
class PriceNotFound:
    """No price: what was asked for, and why there is no answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices by key."""

    prices: tuple[Price, ...]
    _by_key: dict[Key, Price] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index by key.

        Raises:
            CostError: two prices have the same key.
        """
        by_key: dict[Key, Price] = {}
        for price in self.prices:
            if price.key in by_key:
                raise CostError(f"two prices of {' '.join(price.key)}: keep one row")
            by_key[price.key] = price
        object.__setattr__(self, "_by_key", by_key)

    def find(self, cloud: str, region: str, sku: str, unit: str, term: str = ON_DEMAND) -> Price | PriceNotFound:
        """Return the price of that region, else one stated for every region, else the reason why there is none."""
        if not region:
            return PriceNotFound(f"the region is not known, so neither is the price of {sku}")
        price = self._by_key.get((cloud, region, sku, unit, term))
        if price is None and not region.startswith(NOT_COMMERCIAL):
            price = self._by_key.get((cloud, EVERY_REGION, sku, unit, term))
        if price is not None:
            return price
        kind = "" if term == ON_DEMAND else f" {term}"
        return PriceNotFound(f"the price book has no{kind} price of {sku} ({unit}) for {cloud} {region}")


def load_book(folder: Path | None = None) -> PriceBook:
    """Read every CSV file of a folder; without one, the book that comes with Skerry, which is read once.

    Raises:
        CostError: the folder has no CSV file, or a row cannot be used; the message names file and line.
    """
    return _own_book() if folder is None else _read_files(folder, sorted(folder.glob("*.csv")))


@cache
def _own_book() -> PriceBook:
    return _read_files(BOOK, [BOOK / name for name in OWN_FILES])


def _read_files(folder: Path, files: list[Path]) -> PriceBook:
    if not files:
        raise CostError(f"{folder} holds no price book: name a folder with CSV files of the schema {SCHEMA}")
    texts = {}
    for file in files:
        try:
            if file.stat().st_size > MAX_FILE_BYTES:
                raise CostError(f"{file} is larger than {MAX_FILE_BYTES} bytes: it is no price book")
            texts[str(file)] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise CostError(f"{file} cannot be read: {exc}: a price book is a CSV file in UTF-8") from exc
    return read_book(texts)


def read_book(texts: Mapping[str, str]) -> PriceBook:
    """Read a book from file name -> text.

    Raises:
        CostError: another schema, other columns, or a row that cannot be used; the message names file and line.
    """
    seen: dict[Key, str] = {}
    prices = []
    for name in sorted(texts):
        for where, price in _read_file(name, texts[name]):
            if price.key in seen:
                raise CostError(
                    f"{where}: a second price of {' '.join(price.key)}, the first is at {seen[price.key]}: keep one"
                )
            seen[price.key] = where
            prices.append(price)
    return PriceBook(tuple(prices))


def _read_file(name: str, text: str) -> Iterable[tuple[str, Price]]:
    head, _, body = text.partition("\n")
    if head.strip() != f"# {SCHEMA}":
        raise CostError(f"{name}:1: '{head.strip()[:60]}' is not '# {SCHEMA}': this reader knows that schema only")
    reader = csv.reader(io.StringIO(body), strict=True)
    try:
        columns = next(reader, [])
        if tuple(columns) != COLUMNS:
            raise CostError(f"{name}:2: the columns are {','.join(columns)[:120]}, not {','.join(COLUMNS)}")
        for cells in reader:
            where = f"{name}:{reader.line_num + 1}"
            if len(cells) != len(COLUMNS):
                raise CostError(f"{where}: {len(cells)} cells, not {len(COLUMNS)}: quote cells that hold a comma")
            yield where, _price(where, dict(zip(COLUMNS, cells, strict=True)))
    except csv.Error as exc:
        raise CostError(f"{name}:{reader.line_num + 1}: no CSV: {exc}") from exc


def _price(where: str, row: Mapping[str, str]) -> Price:
    for column, allowed in (("cloud", CLOUDS), ("unit", UNITS), ("term", TERMS)):
        if row[column] not in allowed:
            raise CostError(f"{where}: {column} '{row[column]}' is not one of {', '.join(sorted(allowed))}")
    for column in ("region", "sku", "source"):
        if not row[column].strip():
            raise CostError(f"{where}: {column} is empty: a price without a {column} cannot be used")
    return Price(
        cloud=row["cloud"],
        region=row["region"],
        sku=row["sku"],
        unit=row["unit"],
        usd=_usd(where, row["usd"]),
        term=row["term"],
        source=row["source"],
        read_on=_day(where, row["read_on"]),
    )


def _usd(where: str, text: str) -> Decimal:
    try:
        usd = Decimal(text)
    except InvalidOperation:
        raise CostError(f"{where}: usd '{text}' is not a number: write it like 0.096") from None
    if not usd.is_finite() or usd <= 0:
        raise CostError(f"{where}: usd '{text}' is not above zero: neither what is free nor what is unknown has a row")
    return usd


def _day(where: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CostError(f"{where}: read_on '{text}' is not a date: write it like 2026-11-30") from None
