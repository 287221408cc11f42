"""`skerry mesh medium`: what machines without a connection install the mesh from, signed."""

from __future__ import annotations

import argparse
import hashlib
import shutil
from pathlib import Path

from cli.output import say
from skerry.errors import SkerryError, UsageError

SUMS = "SHA256SUMS"
ARCHIVE = "agent_mesh.tar.gz"


def add_medium(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the step."""
    step = steps.add_parser(
        "medium",
        help="lay a source archive and wheels on a medium, with sums that are signed",
        description="Writes what agent-mesh-install takes: the archive, the folder wheels, SHA256SUMS and its "
        "signature. Archive and wheels come from `skerry bundle unpack`, or from where the bundle was made.",
    )
    step.add_argument("--source", required=True, type=Path, metavar="FILE", help="the source archive, .tar.gz")
    step.add_argument("--wheels", required=True, type=Path, metavar="DIR", help="the folder of wheels")
    step.add_argument("--key", required=True, type=Path, metavar="FILE", help="the signer's OpenSSH Ed25519 key")
    step.add_argument("--to", required=True, type=Path, metavar="DIR", help="the medium's folder: empty, or new")
    step.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the medium.

    Raises:
        UsageError: a source is missing, or the folder holds something.
        SkerryError: the medium cannot be written.
    """
    from airgap_bundle.sshsig import load_key, public_line, sign
    from skerry.systems.agent_mesh_install import NAMESPACE

    wheels = sorted(args.wheels.glob("*.whl")) if args.wheels.is_dir() else []
    if not args.source.is_file() or not args.source.name.endswith((".tar.gz", ".tgz")):
        raise UsageError(f"--source '{args.source}' is no .tar.gz file: name the archive of the repository")
    if not wheels:
        raise UsageError(f"--wheels '{args.wheels}' holds no .whl file: make them with `pip wheel -r requirements.txt`")
    if args.to.exists() and (not args.to.is_dir() or any(args.to.iterdir())):
        raise UsageError(
            f"--to '{args.to}' holds something: every file of a medium must be listed, so name an empty one"
        )
    key = load_key(args.key)
    try:
        (args.to / "wheels").mkdir(parents=True)
        shutil.copyfile(args.source, args.to / ARCHIVE)
        for path in wheels:
            shutil.copyfile(path, args.to / "wheels" / path.name)
        names = [ARCHIVE, *(f"wheels/{path.name}" for path in wheels)]
        text = "".join(f"{_sum(args.to / name)}  {name}\n" for name in names)
        (args.to / SUMS).write_text(text, encoding="utf-8")
        (args.to / f"{SUMS}.sig").write_bytes(sign(text.encode(), key, NAMESPACE))
    except OSError as exc:
        raise SkerryError(
            f"cannot write {args.to}: {exc.strerror or exc}: choose a medium that can be written"
        ) from exc
    say(f"written: {args.to}, {len(names)} files; agent_mesh.media.signer of the stack must be: {public_line(key)}")
    return 0


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
