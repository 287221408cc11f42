"""What AMANI devices hold and send: the sums behind the size of a device, of the object store and of the limits.

Nothing is guessed: where a part is not known, the sum is not known either, and says which part is missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

GIB = 1024**3
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Sum:
    """A number with the arithmetic behind it."""

    known: int
    """The sum of the parts that are known."""
    missing: tuple[str, ...]
    """The parts that nobody knows."""
    text: str
    """The arithmetic, for people."""

    @property
    def total(self) -> int | None:
        """The sum; None where a part is not known."""
        return None if self.missing else self.known


def device_sum(model: int | None, knowledge: int | None, per_day: int | None, days: int) -> Sum:
    """Return what one device must hold: model, cached knowledge, and the changes of its longest time alone."""
    log = None if per_day is None else per_day * days
    parts = {"model": model, "knowledge": knowledge, "changes": log}
    missing = tuple(name for name, value in parts.items() if value is None)
    known = sum(value for value in parts.values() if value is not None)
    grown = "not known" if per_day is None else f"{days} days x {per_day:,} = {log:,}"
    text = f"model {_bytes(model)} + knowledge {_bytes(knowledge)} + changes {grown}"
    return Sum(known, missing, f"{text} = {'not known' if missing else f'{known:,}'} bytes")


def _bytes(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"


def reconnection_sum(devices: int, days: int, per_day: int | None) -> Sum:
    """Return what all devices send where all of them come back at once after their longest time alone."""
    if per_day is None:
        return Sum(0, ("changes",), f"{devices:,} devices x {days} days x not known = not known bytes")
    total = devices * days * per_day
    return Sum(total, (), f"{devices:,} devices x {days} days x {per_day:,} bytes a day = {total:,} bytes")


@dataclass(frozen=True, slots=True)
class Reconnection:
    """How long it takes until all devices that came back at once are reconciled."""

    hours: float
    text: str
    """The arithmetic, for people."""
    limit: str
    """The limit that decides: `requests_per_second` or `device_requests_per_minute`."""


def reconnection(
    devices: int, days: int, per_day: int, request_bytes: int, per_second: int, per_minute: int
) -> Reconnection:
    """Return the time that limits leave for a reconnection of all devices.

    Args:
        devices: how many come back.
        days: how long each was alone.
        per_day: bytes that its log grew by in a day.
        request_bytes: the largest body of one request.
        per_second: requests of all devices in a second.
        per_minute: requests of one device in a minute.
    """
    requests = max(math.ceil(days * per_day / request_bytes), 1)
    together = devices * requests / per_second / SECONDS_PER_HOUR
    alone = requests / per_minute / 60
    each = f"{days} days x {per_day:,} bytes a day in requests of {request_bytes:,} bytes = {requests:,} requests"
    if alone > together:
        return Reconnection(
            alone, f"{each} at {per_minute:,} a minute = {alone:.1f} hours", "device_requests_per_minute"
        )
    text = f"{each}; {devices:,} devices x {requests:,} at {per_second:,} a second = {together:.1f} hours"
    return Reconnection(together, text, "requests_per_second")
