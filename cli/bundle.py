"""`skerry bundle`: what must be carried across the gap, and its two sides."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cli.options import add_output_options, add_source_options, passphrase_of
from cli.output import deliver, say, write_file
from cli.registries import add_origin_options, add_registry_options, pairs, read_login_file, transport_options
from cli.sources import file_source, load_graph
from skerry.errors import UsageError
from skerry.units import parse_bytes

if TYPE_CHECKING:
    from airgap_bundle.plan import BundlePlan
    from airgap_bundle.registry import Registry
    from skerry.catalog import Lock

FORMATS = ("text", "json")


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb and its four steps."""
    parser = verbs.add_parser("bundle", help=help_)
    steps = parser.add_subparsers(dest="step", required=True, metavar="plan|export|verify|import")
    _add_plan(steps)
    _add_export(steps)
    _add_verify(steps)
    _add_import(steps)
    _add_unpack(steps)


def _add_plan(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    step = steps.add_parser("plan", help="list everything that a stack needs on the far side, and why")
    add_source_options(step)
    _add_lock(step)
    add_output_options(step, FORMATS)
    step.set_defaults(run=run_plan)


def _add_export(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    step = steps.add_parser("export", help="write a signed bundle to a medium; started again, it goes on")
    add_source_options(step)
    _add_lock(step)
    step.add_argument("--medium", type=Path, required=True, metavar="DIR", help="the folder to write, on the medium")
    step.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="the Ed25519 private key (ssh-keygen -t ed25519)"
    )
    step.add_argument("--passphrase-file", type=Path, metavar="FILE", help="the key's passphrase, on its first line")
    step.add_argument("--volume-size", metavar="SIZE", help="split into volumes of at most this size, such as 25GB")
    step.add_argument(
        "--rehearse", action="store_true", help="export small generated stand-ins, for trying out the way"
    )
    add_origin_options(step)
    for kind in ("models", "baselines", "charts", "file-sets"):
        step.add_argument(f"--{kind}", type=Path, metavar="DIR", help=f"the folder that holds the {kind}")
    add_registry_options(step)
    add_output_options(step, FORMATS)
    step.set_defaults(run=run_export)


def _add_verify(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    step = steps.add_parser(
        "verify",
        help="check a medium, or that a site registry has what a stack names",
        description="With MEDIUM: signature, completeness, sizes, hashes, content. "
        "With --stack and --registry: each image reference of the stack resolves there by the same digest.",
    )
    step.add_argument("medium", type=Path, nargs="*", metavar="MEDIUM", help="the folder or folders with the volumes")
    step.add_argument("--trust", type=Path, metavar="FILE", help="who may sign, in ssh's allowed_signers form")
    add_source_options(step)
    _add_lock(step)
    step.add_argument("--registry", metavar="HOST:PORT[/PREFIX]", help="the site registry to ask")
    add_registry_options(step)
    add_output_options(step, FORMATS)
    step.set_defaults(run=run_verify)


def _add_import(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    step = steps.add_parser("import", help="verify a medium and push it to the site registry; may be run again")
    step.add_argument("medium", type=Path, nargs="+", metavar="MEDIUM", help="the folder or folders with the volumes")
    step.add_argument("--trust", type=Path, metavar="FILE", help="who may sign, in ssh's allowed_signers form")
    step.add_argument("--registry", required=True, metavar="HOST:PORT[/PREFIX]", help="the site registry to fill")
    step.add_argument("--rehearsal-site", action="store_true", help="the registry is there for rehearsals")
    add_registry_options(step)
    add_output_options(step, FORMATS)
    step.set_defaults(run=run_import)


def _add_unpack(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    step = steps.add_parser(
        "unpack", help="verify a medium and write it as files, at a site without a registry; may be run again"
    )
    step.add_argument("medium", type=Path, nargs="+", metavar="MEDIUM", help="the folder or folders with the volumes")
    step.add_argument("--trust", type=Path, metavar="FILE", help="who may sign, in ssh's allowed_signers form")
    step.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder to write, outside the medium")
    step.add_argument("--rehearsal-site", action="store_true", help="write a rehearsal's stand-ins too")
    add_output_options(step, FORMATS)
    step.set_defaults(run=run_unpack)


def _add_lock(step: argparse.ArgumentParser) -> None:
    step.add_argument("--lock", type=Path, metavar="FILE", help="pins in place of images/images.lock")


def run_plan(args: argparse.Namespace) -> int:
    """List what must be carried; 1 where the list may not be complete."""
    from airgap_bundle import report as text_of

    made, _ = _plan(args)
    deliver(text_of.plan_json(made) if args.format == "json" else text_of.plan_text(made), args.out)
    return 0 if made.complete else 1


def run_export(args: argparse.Namespace) -> int:
    """Write the bundle.

    Raises:
        UsageError: a rehearsal is asked for, and the graph comes from a file.
    """
    from airgap_bundle import report as text_of
    from airgap_bundle.export import FileFolders, export
    from airgap_bundle.fetch import Sources
    from airgap_bundle.manifest import BundleKind
    from airgap_bundle.rehearse import build
    from cli.progress import progress
    from skerry.catalog import lock_text

    if args.rehearse and file_source(args):
        raise UsageError("a rehearsal runs the program with digests of its own: give --stack in place of a file")
    volume_bytes = parse_bytes(args.volume_size) if args.volume_size else None
    made, _ = _plan(args)
    folders = FileFolders(args.models, args.baselines, args.charts, args.file_sets)
    options = {"key": args.key, "passphrase": passphrase_of(args.passphrase_file), "volume_bytes": volume_bytes}
    if not args.rehearse:
        source = Sources(pairs(args.source), args.mirror, transport_options(args), read_login_file(args.logins))
        report = export(made, args.medium, source=source, progress=progress("export"), folders=folders, **options)
    else:
        rehearsal = build(made)
        args.lock = args.medium.with_name(args.medium.name + ".lock")
        write_file(args.lock, lock_text(rehearsal.lock))
        say(f"written: {args.lock} (digests of the stand-ins; preview with --config skerry:imagesLock={args.lock})")
        pinned, _ = _plan(args)
        with rehearsal.registry() as registry:
            report = export(
                pinned,
                args.medium,
                source=rehearsal.sources(registry),
                kind=BundleKind.REHEARSAL,
                progress=progress("export"),
                folders=folders,
                **options,
            )
    deliver(text_of.export_json(report) if args.format == "json" else text_of.export_text(report), args.out)
    return 0


def run_verify(args: argparse.Namespace) -> int:
    """Verify a medium, or prove that a registry has what a stack names; 1 where it is refused.

    Raises:
        UsageError: it is not clear which of the two is meant.
    """
    from airgap_bundle import report as text_of
    from airgap_bundle.proof import prove
    from airgap_bundle.verify import VerificationError, verify
    from cli.progress import progress

    if bool(args.medium) == bool(args.registry):
        raise UsageError("bundle verify takes either MEDIUM with --trust, or --stack with --registry")
    if args.registry:
        if not (args.stack or args.program or file_source(args)):
            raise UsageError("bundle verify --registry needs --stack, or a graph from a file, to know what to ask for")
        _use_lock(args)
        found = prove(load_graph(args), _registry(args))
        deliver(text_of.proof_json(found) if args.format == "json" else text_of.proof_text(found), args.out)
        return 0 if found and all(one.ok for one in found) else 1
    try:
        report = verify(args.medium, args.trust, progress("verify"))
    except VerificationError as exc:
        report = exc.report
    deliver(text_of.verify_json(report) if args.format == "json" else text_of.verify_text(report), args.out)
    return 0 if report.ok else 1


def run_import(args: argparse.Namespace) -> int:
    """Verify and push."""
    from airgap_bundle import report as text_of
    from airgap_bundle.load import load
    from cli.progress import progress

    registry = _registry(args)
    report = load(args.medium, args.trust, registry, rehearsal_site=args.rehearsal_site, progress=progress("import"))
    deliver(text_of.load_json(report) if args.format == "json" else text_of.load_text(report), args.out)
    return 0


def run_unpack(args: argparse.Namespace) -> int:
    """Verify and write as files."""
    from airgap_bundle import report as text_of
    from airgap_bundle.unpack import unpack
    from cli.progress import progress

    report = unpack(args.medium, args.trust, args.to, rehearsal=args.rehearsal_site, progress=progress("unpack"))
    deliver(text_of.unpack_json(report) if args.format == "json" else text_of.unpack_text(report), args.out)
    return 0


def _plan(args: argparse.Namespace) -> tuple[BundlePlan, Lock]:
    from airgap_bundle.plan import plan

    lock = _use_lock(args)
    return plan(load_graph(args), lock=lock), lock


def _use_lock(args: argparse.Namespace) -> Lock:
    """Read the pins and have a program that is run take the same ones."""
    from skerry.catalog import CATALOG_FOLDER, read_lock

    if args.lock is None:
        return read_lock(CATALOG_FOLDER / "images.lock")
    if not file_source(args):
        args.config = [*args.config, f"skerry:imagesLock={args.lock.resolve()}"]
    return read_lock(args.lock)


def _registry(args: argparse.Namespace) -> Registry:
    from airgap_bundle.registry import Registry

    logins = read_login_file(args.logins)
    host = args.registry.partition("/")[0]
    return Registry.at(args.registry, transport_options(args), logins.get(host))
