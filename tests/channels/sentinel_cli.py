"""Stands in for the image's valkey-cli, for the one thing that the stacks' scripts ask of it."""

from __future__ import annotations

import socket
import sys

from tests.simulators.resp import Resp, RespError


def main(words: list[str]) -> int:
    """Ask the first address that answers; say nothing where none does."""
    host, port, password = words[1], int(words[3]), words[5]
    assert words[:6:2] == ["-h", "-p", "-a"] and words[6] == "--no-auth-warning"
    try:
        addresses = {row[4][0] for row in socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)}
    except OSError:
        return 1
    for address in sorted(addresses):
        try:
            with Resp(str(address), port, password, 1) as client:
                found = client(*words[7:])
        except (OSError, RespError):
            continue
        for line in found or ():
            sys.stdout.write(f"{line}\n")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
