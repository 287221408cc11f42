"""`skerry render`: write a stack's Kubernetes manifests, the files of its machines and its diagram."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cli.options import add_source_options
from cli.output import deliver, say, width, write_file
from cli.sources import load_graph
from skerry.errors import UsageError
from skerry.invokes import functions_of, functions_text
from skerry.render.diagram import diagram_svg
from skerry.render.files import RenderedFile, files
from skerry.render.manifests import Manifest, manifests, to_yaml

RENDER_SCHEMA = "skerry.render/1"
"""Name and version of the JSON form."""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "render",
        help=help_,
        description="Writes one YAML file an object, the files of machines without an orchestrator, and diagram.svg. "
        "Unknown and secret values are masked.",
    )
    add_source_options(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text (YAML files)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder to write (text) or the file (json)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files; without --out the YAML goes to the terminal as one stream.

    Raises:
        UsageError: the folder holds files that `render` did not write.
    """
    graph = load_graph(args)
    found, own = manifests(graph), files(graph)
    for line in functions_text(functions_of(graph), width()):
        say(line)
    if args.format == "json":
        deliver(_json(found, own), args.out)
    elif args.out is None:
        deliver("---\n".join(to_yaml(manifest) for manifest in found), None)
        _show(own, alone=not found)
    else:
        _write(args.out, found, own, diagram_svg(graph))
    return 0


def _show(own: list[RenderedFile], *, alone: bool) -> None:
    """Show the files of machines; beside manifests they would not be YAML, so that they are only counted."""
    if alone:
        deliver("".join(f"# files/{file.path}\n{file.text}" for file in own), None)
    elif own:
        say(f"{len(own)} files of machines are written with --out DIR")


def _write(folder: Path, found: list[Manifest], own: list[RenderedFile], picture: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out '{folder}' is a file: name a folder")
    wanted = {folder / "manifests" / manifest.path: to_yaml(manifest) for manifest in found}
    stale = set((folder / "manifests").rglob("*.yaml")) - set(wanted)
    foreign = sorted(
        path for path in stale if not path.read_text(encoding="utf-8", errors="replace").startswith("# urn:")
    )
    if foreign:
        raise UsageError(f"--out '{folder}' holds '{foreign[0].relative_to(folder)}', which render did not write: "
                         "name an empty folder")  # fmt: skip
    for path in stale:
        path.unlink()
    for path, text in wanted.items():
        write_file(path, text)
    for file in own:
        write_file(folder / "files" / file.path, file.text)
        if file.executable:
            (folder / "files" / file.path).chmod(0o755)
    write_file(folder / "diagram.svg", picture)
    incomplete = sum(1 for manifest in found if not manifest.complete)
    say(f"written: {len(found)} manifests ({incomplete} with masked values or stand-ins) under {folder / 'manifests'}")
    if own:
        say(f"written: {len(own)} files of machines under {folder / 'files'}")
    say(f"written: {folder / 'diagram.svg'}")


def _json(found: list[Manifest], own: list[RenderedFile]) -> str:
    document = {
        "schema": RENDER_SCHEMA,
        "manifests": [{"path": m.path, "urn": m.urn, "complete": m.complete, "document": m.document} for m in found],
        "files": [{"path": file.path, "urn": file.urn, "text": file.text} for file in own],
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
