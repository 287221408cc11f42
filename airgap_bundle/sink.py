"""Where the bytes of a blob go while they are fetched."""

from __future__ import annotations

import hashlib
from typing import Protocol


class Sink(Protocol):
    """Where a blob's bytes go."""

    def restart(self) -> None:
        """Forget all bytes: the transfer begins again."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""

    @property
    def size(self) -> int:
        """Bytes taken so far."""

    def digest(self) -> str:
        """The SHA-256 digest of all bytes taken so far."""


class MemorySink:
    """Keep a small blob in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def restart(self) -> None:
        """Forget all bytes."""
        self.data.clear()

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.data += data

    @property
    def size(self) -> int:
        """Bytes taken so far."""
        return len(self.data)

    def digest(self) -> str:
        """The digest of the bytes taken so far."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"
