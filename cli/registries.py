"""What verbs that talk to registries have in common: whom to ask, whom to trust, which login to use."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.errors import UsageError

if TYPE_CHECKING:
    from airgap_bundle.auth import Login
    from airgap_bundle.transport import TransportOptions


def add_origin_options(step: argparse.ArgumentParser) -> None:
    """Add the ways to name another registry than the one of a reference."""
    step.add_argument("--mirror", metavar="HOST:PORT", help="a registry that holds every source registry as a path")
    step.add_argument(
        "--source", action="append", default=[], metavar="HOST=HOST:PORT", help="ask another address for a registry"
    )


def add_registry_options(step: argparse.ArgumentParser) -> None:
    """Add trust, logins and plain http."""
    step.add_argument("--ca-file", type=Path, metavar="FILE", help="certificates that sign the registry's own")
    step.add_argument("--logins", type=Path, metavar="FILE", help="a docker config.json with the registry logins")
    step.add_argument(
        "--plain-http", action="store_true", help="talk to registries without TLS (loopback needs no leave)"
    )


def transport_options(args: argparse.Namespace) -> TransportOptions:
    """Return the limits and trust of connections to registries."""
    from airgap_bundle.transport import TransportOptions

    return TransportOptions(ca_file=args.ca_file, plain_http=args.plain_http)


def read_login_file(path: Path | None) -> dict[str, Login]:
    """Return the logins of a docker config.json by registry host; none without a file.

    Raises:
        UsageError: the file cannot be read as such.
    """
    from airgap_bundle.auth import read_logins

    return read_logins(path) if path else {}


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """Return registry host -> address to ask in its place.

    Raises:
        UsageError: one is not HOST=HOST:PORT.
    """
    pairs = {}
    for text in texts:
        host, equals, address = text.partition("=")
        if not (host and equals and address):
            raise UsageError(f"--source '{text}' is not HOST=HOST:PORT: write for example docker.io=127.0.0.1:5000")
        pairs[host] = address
    return pairs
