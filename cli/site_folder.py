"""A folder of a site with its keys: every file 0600, none ever overwritten, old ones kept aside."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cli.sources import deployment_of
from skerry.config.load import load_spec
from skerry.config.spec import DeploymentSpec
from skerry.errors import SkerryError, UsageError

RETIRED = "retired"
"""Where what was replaced is kept: what it opened may have to be opened once more."""


class SiteFolder:
    """A folder with private keys."""

    def __init__(self, root: Path) -> None:
        """Open it, or make it.

        Raises:
            UsageError: others of the machine may read it, or it is a file.
            SkerryError: it cannot be made.
        """
        self.root = root
        self._made: set[str] = set()
        if root.exists() and not root.is_dir():
            raise UsageError(f"--folder '{root}' is a file: name a folder")
        if root.exists() and root.stat().st_mode & 0o077:
            raise UsageError(f"--folder '{root}' is open to others of this machine: `chmod 700 {root}` first")
        self._make(root)

    def _make(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        try:
            # One after the other: `parents=True` gives the mode to the last alone.
            for path in reversed(missing):
                path.mkdir(mode=0o700, exist_ok=True)
        except OSError as exc:
            raise SkerryError(f"cannot make {folder}: {exc.strerror or exc}: choose another --folder") from exc

    def has(self, name: str) -> bool:
        """Say whether a file is there."""
        return (self.root / name).exists()

    def read(self, name: str) -> str:
        """Return a file's text.

        Raises:
            UsageError: it is missing, or cannot be read.
        """
        try:
            return (self.root / name).read_text(encoding="utf-8")
        except FileNotFoundError as exc:
            raise UsageError(
                f"{self.root / name} is missing: make it with `skerry mesh keys`, or restore this folder from a backup"
            ) from exc
        except (OSError, UnicodeDecodeError) as exc:
            raise UsageError(f"{self.root / name} cannot be read: {exc}") from exc

    def write_new(self, name: str, text: str) -> Path:
        """Write a file that is not there yet, whole or not at all.

        Raises:
            UsageError: it is there.
            SkerryError: it cannot be written.
        """
        path = self.root / name
        self._make(path.parent)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # A link fails where the name is taken, and a rename would not.
            os.link(temporary, path)
        except FileExistsError as exc:
            raise UsageError(f"{path} is there already, and keys are never overwritten: rotate it instead") from exc
        except OSError as exc:
            raise SkerryError(f"cannot write {path}: {exc.strerror or exc}: choose another --folder") from exc
        finally:
            temporary.unlink(missing_ok=True)
        self._made.add(name)
        return path

    def replace(self, name: str, text: str, now: datetime) -> Path:
        """Put a file aside, where there is one, and write it anew.

        Raises:
            SkerryError: it cannot be moved or written.
        """
        if self.has(name):
            self.retire(name, now)
        return self.write_new(name, text)

    def retire(self, name: str, now: datetime) -> Path:
        """Put a file aside; one that the same run made before is not worth keeping.

        Raises:
            SkerryError: it cannot be moved.
        """
        aside = self.root / RETIRED / now.strftime("%Y%m%dT%H%M%S.%fZ") / name
        try:
            if name in self._made:
                (self.root / name).unlink()
                return self.root / name
            self._make(aside.parent)
            (self.root / name).rename(aside)
        except OSError as exc:
            raise SkerryError(f"cannot put {self.root / name} aside: {exc.strerror or exc}") from exc
        return aside

    def names(self, folder: str) -> Iterator[str]:
        """Return the names of the files of a folder, sorted."""
        found = self.root / folder
        yield from sorted(path.name for path in found.glob("*") if path.is_file()) if found.is_dir() else ()


def add_folder_options(parser: argparse.ArgumentParser) -> None:
    """Add which stack it is, and where its keys are."""
    parser.add_argument("--stack", required=True, metavar="NAME", help="the stack, as in Pulumi.<NAME>.yaml")
    parser.add_argument("--program", type=Path, metavar="DIR", help="the folder with Pulumi.yaml")
    parser.add_argument(
        "--folder", required=True, type=Path, metavar="DIR", help="the site's folder of keys: mode 0700, never in git"
    )


def read_deployment(args: argparse.Namespace) -> DeploymentSpec:
    """Return the checked configuration of the stack that the arguments name.

    Raises:
        UsageError: the stack has no file, or none of Skerry's.
        ConfigError: its configuration is wrong.
    """
    text = deployment_of(args.program, args.stack)
    return load_spec(json.loads(text), f"config of stack {args.stack}")
