"""The files of a graph that people put on machines of their own: a component carries them as its input `files`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from skerry.graph import ResourceGraph, is_known, plain

INPUT: Final = "files"
"""The input of a component: path -> text."""


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file."""

    path: str
    """`<component>/<path>`, unique in a graph."""
    urn: str
    text: str

    @property
    def executable(self) -> bool:
        """Return whether it is a script: it names the program that runs it."""
        return self.text.startswith("#!")


def files(graph: ResourceGraph) -> list[RenderedFile]:
    """Return every file, sorted by path."""
    found = []
    for resource in graph.resources:
        given = plain(resource.inputs.get(INPUT))
        if resource.custom or not resource.type.startswith("skerry:index:") or not isinstance(given, Mapping):
            continue
        if not is_known(given):
            continue
        found += [RenderedFile(f"{resource.name}/{path}", resource.urn, f"{text}") for path, text in given.items()]
    return sorted(found, key=lambda file: file.path)
