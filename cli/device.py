"""`skerry device`: what an AMANI device carries while it works alone, made at the site and signed."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cli.options import passphrase_of
from cli.output import say
from cli.site_folder import read_deployment

EVERY_MINUTES: Final = 15


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb and its steps."""
    parser = verbs.add_parser("device", help=help_)
    steps = parser.add_subparsers(dest="step", required=True, metavar="bundle")
    step = steps.add_parser(
        "bundle",
        help="lay model, knowledge and settings of a device into a folder, signed, within the device's storage",
        description="Writes one folder for all devices of a stack with `edge`: the model's files, the knowledge, "
        "settings.json, the endpoint's authority, how a device gets its certificate, SHA256SUMS and its signature. "
        "Sizes are those of the files, reckoned with the longest time alone.",
    )
    step.add_argument("--stack", required=True, metavar="NAME", help="the stack, as in Pulumi.<NAME>.yaml")
    step.add_argument("--program", type=Path, metavar="DIR", help="the folder with Pulumi.yaml")
    step.add_argument("--model", required=True, type=Path, metavar="PATH", help="the model's file, or its folder")
    step.add_argument("--knowledge", required=True, type=Path, metavar="PATH", help="the knowledge: a file or a folder")
    step.add_argument(
        "--authority", required=True, type=Path, metavar="FILE", help="the certificates that vouch for the endpoint"
    )
    step.add_argument(
        "--every",
        type=int,
        default=EVERY_MINUTES,
        metavar="MINUTES",
        help=f"how often a device with a connection calls: {EVERY_MINUTES}",
    )
    step.add_argument("--key", required=True, type=Path, metavar="FILE", help="the signer's OpenSSH Ed25519 key")
    step.add_argument("--passphrase-file", type=Path, metavar="FILE", help="the key's passphrase, on its first line")
    step.add_argument("--to", required=True, type=Path, metavar="DIR", help="the bundle's folder: new, or the same one")
    step.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the bundle.

    Raises:
        UsageError: a source is missing or cannot be carried, or the folder holds something else.
        SizingError: it is more than a device has, or nobody can tell.
        MediumError: it cannot be written.
    """
    from airgap_bundle.device import DeviceSources, make_device_bundle
    from airgap_bundle.sshsig import load_key

    spec = read_deployment(args)
    sources = DeviceSources(
        model=args.model, knowledge=args.knowledge, authority=args.authority, every_minutes=args.every
    )
    key = load_key(args.key, passphrase_of(args.passphrase_file))
    made = make_device_bundle(spec, sources, key, args.to, datetime.now(UTC))
    say(f"{'written' if made.written else 'there already, the same'}: {args.to}: {made.text}")
    say(f"signed by {made.signer}")
    return 0
