"""`skerry demo`: the main job on `sensei-airgapped`, step by step, with nothing but loopback.

Each step is a command of this program, printed as a user would type it, and run as such.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from airgap_bundle.rehearsal_registry import LoopbackRegistry
from airgap_bundle.sshsig import public_line
from cli.sources import CHECKOUT
from skerry.errors import SkerryError, UsageError
from skerry.units import format_bytes

STACK = "sensei-airgapped"
SIGNER = "demo@skerry.example"
MARKER = ".skerry-demo"


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb."""
    parser = verbs.add_parser("demo", help=help_)
    parser.add_argument("--out", type=Path, default=Path("build/demo"), metavar="DIR", help="default: build/demo")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run every step; the first that fails where it should not ends the demo.

    Raises:
        SkerryError: a step failed.
    """
    from cli.main import main

    began = time.monotonic()
    folder = _empty(args.out)
    medium, key, trust = folder / "medium", folder / "signer", folder / "allowed_signers"
    lock = folder / "medium.lock"
    _make_key(key, trust)
    stack = ["--stack", STACK, "--project", str(CHECKOUT)]

    print(f"Skerry's main job on the stack {STACK}: an air-gapped site with GPUs, Ray and its own stores.")
    print("Everything below runs on this machine: no Pulumi CLI, no plugin, no credential, no network but loopback.")
    _step(main, "1. What would it make?", ["preview", *stack, "--depth", "3"])
    _step(main, "2. Is it allowed?", ["check", *stack], allowed=(0, 1))
    _step(main, "3. What will it cost, at its smallest, typical and largest?", ["cost", *stack])
    _step(main, "4. Manifests and a diagram", ["render", *stack, "--out", str(folder / "rendered")])
    _step(main, "5. What must be carried, and why?", ["bundle", "plan", *stack], allowed=(0, 1))
    _step(
        main,
        "6. Export to a folder that stands for the medium (a rehearsal: small stand-ins for the real images)",
        ["bundle", "export", *stack, "--rehearse", "--medium", str(medium), "--key", str(key), "--volume-size", "96KB"],
    )
    _step(main, "7. Is the medium what was signed?", ["bundle", "verify", str(medium), "--trust", str(trust)])
    with LoopbackRegistry() as registry:
        print(f"\n(An empty registry now runs at {registry.address}; it stands for the registry of the site.)")
        _step(
            main,
            "8. Import into the site's empty registry",
            [
                "bundle",
                "import",
                str(medium),
                "--trust",
                str(trust),
                "--registry",
                registry.address,
                "--rehearsal-site",
            ],
        )
        _step(
            main,
            "9. Does each image reference of the stack resolve there, by the same digest?",
            ["bundle", "verify", *stack, "--lock", str(lock), "--registry", registry.address],
        )
    _end(folder, medium, time.monotonic() - began)
    return 0


def _step(main: Callable[[list[str]], int], title: str, argv: list[str], allowed: tuple[int, ...] = (0,)) -> None:
    print(f"\n{'─' * 100}\n{title}\n$ skerry {shlex.join(_shown(argv))}\n", flush=True)
    code = main(argv)
    if code not in allowed:
        raise SkerryError(f"the step '{title}' ended with exit code {code}: see its message above")
    if code:
        print(f"(exit code {code}: findings; in a pipeline this stops the deployment)")


def _shown(argv: list[str]) -> list[str]:
    """Return the arguments as a user in the checkout would write them."""
    here = Path.cwd()
    words = []
    for index, word in enumerate(argv):
        if word == "--project" or (index and argv[index - 1] == "--project"):
            continue
        path = Path(word)
        words.append(os.path.relpath(path, here) if path.is_absolute() and path.is_relative_to(here) else word)
    return words


def _empty(folder: Path) -> Path:
    """Return the folder, emptied of an earlier demo."""
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise UsageError(f"--out '{folder}' holds other files: name a new folder")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        (folder / MARKER).write_text("Made by `skerry demo`; removed by the next one.\n", encoding="utf-8")
    except OSError as exc:
        raise SkerryError(f"cannot make {folder}: {exc.strerror}: choose a folder that can be written") from exc
    return folder


def _make_key(key: Path, trust: Path) -> None:
    private = Ed25519PrivateKey.generate()
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    trust.write_text(f"{SIGNER} {public_line(private)}\n", encoding="utf-8")


def _end(folder: Path, medium: Path, seconds: float) -> None:
    size = sum(path.stat().st_size for path in medium.rglob("*") if path.is_file())
    volumes = sorted(path.name for path in medium.iterdir() if path.is_dir())
    shown = os.path.relpath(folder)
    print(f"""
{"─" * 100}
Done in {seconds:.0f} s. What was made, under {shown}:

  rendered/manifests/     the Kubernetes objects, one file each
  rendered/diagram.svg    the deployment as a picture; open it in a browser
  medium/                 the bundle: {len(volumes)} volumes, {format_bytes(size)}, each a readable OCI layout, signed
  medium.lock             the digests of the stand-ins
  signer, allowed_signers the demo's key and the trust file

The images were stand-ins, and the manifest on the medium says so: import refuses them at a site that works.
For real, on a machine that reaches the registries:

  ssh-keygen -t ed25519 -f signer                          # once; the public half goes to the site in allowed_signers
  cp stacks/Pulumi.{STACK}.yaml stacks/Pulumi.mysite.yaml   # then edit: site registry, machines, residency, images
  skerry check --stack mysite --strict                     # images/images.lock must pin every image first
  skerry bundle export --stack mysite --medium /media/usb --key signer --volume-size 25GB \\
      --models models/ --baselines baselines/ --charts charts/
  skerry bundle import /media/usb --trust allowed_signers --registry registry.site:5000     # at the site
  pulumi up --stack mysite                                 # at the site, with the Pulumi CLI
""")
