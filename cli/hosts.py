"""`skerry hosts`: what a site makes for its machines before a deployment, and what they say after it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from cli.hosts_status import add_status
from cli.output import deliver, say
from cli.site_folder import SiteFolder, add_folder_options, read_deployment
from skerry.errors import UsageError


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb and its steps."""
    parser = verbs.add_parser("hosts", help=help_)
    steps = parser.add_subparsers(dest="step", required=True, metavar="keys|status")
    step = steps.add_parser(
        "keys",
        help="make WireGuard keys for the overlay, and print what the stack needs of them",
        description="Makes a private key for each machine of the overlay that the folder has none of, and prints the "
        "public keys as the stack's file has them, and how the private ones are handed over.",
    )
    add_folder_options(step)
    step.set_defaults(run=run)
    add_status(steps)


def run(args: argparse.Namespace) -> int:
    """Make and print.

    Raises:
        UsageError: the stack has no overlay, or a file of the folder holds no key.
    """
    spec = read_deployment(args)
    hosts = spec.hosts
    inside = {name: row.overlay for name, row in hosts.machines.items() if row.overlay} if hosts else {}
    if hosts is None or hosts.overlay is None or not inside:
        raise UsageError(f"the stack '{args.stack}' has no machine in an overlay: describe hosts.overlay first")
    named = {name: row.public_key for name, row in inside.items()}
    deliver("".join(_lines(SiteFolder(args.folder), args.stack, named)), None)
    return 0


def _lines(folder: SiteFolder, stack: str, named: dict[str, str | None]) -> Iterator[str]:
    from skerry.hosts.keys import wireguard_pair, wireguard_public

    commands = []
    yield "# hosts.machines.<name>.overlay of the stack's file:\n"
    for machine, public in named.items():
        name = f"wireguard/{machine}.key"
        if not folder.has(name):
            say(f"made: {folder.write_new(name, wireguard_pair()[0] + chr(10))}")
        own = wireguard_public(folder.read(name), str(folder.root / name))
        if public is not None and public != own:
            say(f"{machine}: the stack names another public key than that of {folder.root / name}: put this one there")
        yield f"{machine}: {{public_key: {own}, private_key_secret: wireguard-{machine}}}\n"
        path = folder.root / name
        commands.append(f"pulumi config set --stack {stack} --secret skerry:wireguard-{machine} < {path}\n")
    yield "# how the private keys are handed over:\n"
    yield from commands
