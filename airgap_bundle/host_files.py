"""What machines without an orchestrator need: the images of their Compose files, and sets of files.

A machine's facts say what is brought to it. Keys are named and never carried: who finds the medium would have both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import yaml

from airgap_bundle.references import Gap, Mention
from skerry.graph import UNKNOWN, ResourceGraph, plain
from skerry.hosts.facts import HostFact

if TYPE_CHECKING:
    from airgap_bundle.plan import PlanItem

INPUT: Final = "files"
"""The input of a component: path -> text."""
KEY: Final = "key"
"""The kind of what is carried apart."""

_COMPOSE: Final = re.compile(r"(^|/)compose(/[^/]+)?\.ya?ml$")


def compose_mentions(graph: ResourceGraph) -> tuple[tuple[Mention, ...], tuple[Gap, ...]]:
    """Return the images that the Compose files of components name, and every file that could not be read."""
    found: list[Mention] = []
    gaps: list[Gap] = []
    for resource in graph.resources:
        given = resource.inputs.get(INPUT)
        if resource.custom or not resource.type.startswith("skerry:index:"):
            continue
        if given is UNKNOWN:
            gaps.append(Gap(resource, INPUT, "its files are not known before the deployment"))
            continue
        texts = plain(given)
        for path, text in texts.items() if isinstance(texts, Mapping) else ():
            if not _COMPOSE.search(str(path)):
                continue
            if not isinstance(text, str):
                gaps.append(Gap(resource, f"{INPUT}.{path}", "its text is not known before the deployment"))
                continue
            for service, image in _images(text):
                found.append(Mention(resource, f"{INPUT}.{path}: services.{service}.image", image))
    return tuple(found), tuple(gaps)


def _images(text: str) -> Iterator[tuple[str, str]]:
    document = yaml.safe_load(text)
    services = document.get("services") if isinstance(document, Mapping) else None
    for name, service in (services or {}).items():
        if isinstance(service, Mapping) and isinstance(service.get("image"), str):
            # Compose reads $$ as one $.
            yield str(name), service["image"].replace("$$", "$")


def file_sets(path: str, host: HostFact) -> Iterator[tuple[PlanItem | None, str]]:
    """Yield each set of files that a machine needs, or the key that it needs and that is carried apart.

    Args:
        path: the machine, as reports name it.
        host: its facts.
    """
    # Imported by need: the plan imports this module.
    from airgap_bundle.plan import ItemKind, PlanItem

    for row in host.carries:
        if row.kind == KEY:
            yield None, f"{row.name}: {row.why}; made by {row.source} ({path})"
            continue
        name = row.name if row.kind in row.name else f"{row.name}-{row.kind}"
        why = (f"{path}: {row.why}",)
        yield PlanItem(ItemKind.FILE_SET, name, row.source, row.version, row.digest, row.bytes, why), ""
    if host.packages:
        name = f"os-packages-{host.os}-{host.arch}"
        source = f"the package mirror of {host.os}, for {host.arch}, with all that they depend on"
        why = (f"{path}: {', '.join(host.packages)}",)
        yield PlanItem(ItemKind.FILE_SET, name, source, host.package_snapshot, None, None, why), ""
