"""A client of Redis and Valkey that says no more than a test asks: RESP over a socket."""

from __future__ import annotations

import select
import socket
from types import TracebackType
from typing import Any


class RespError(Exception):
    """What the server refuses."""


class Resp:
    """One connection."""

    def __init__(self, host: str, port: int, password: str | None = None, timeout_s: float = 5) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        self._file = self._socket.makefile("rb")
        if password is not None:
            self("AUTH", password)

    def __call__(self, *words: str) -> Any:
        """Send a command and return its answer."""
        self.send(*words)
        return self.read()

    def send(self, *words: str) -> None:
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word.encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self._socket.sendall(b"".join(parts))

    def read(self) -> Any:
        """Return the next answer or message."""
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise RespError(rest)
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self._file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        raise AssertionError(f"an answer that this client does not know: {line!r}")

    def silent(self, seconds: float) -> bool:
        """Say whether nothing comes for so long; nothing may lie half read."""
        return not select.select([self._socket], [], [], seconds)[0]

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Resp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
