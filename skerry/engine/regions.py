"""Warns of a region that the table does not know: the provider would fail to reach it, and here none tries."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Mapping
from typing import Final

from skerry.engine.answers import aws_regions
from skerry.graph import PROVIDER_PREFIX, ResourceGraph

_LOG: Final = logging.getLogger(__name__)
_KEY: Final = "aws:region"


def warn_of_regions(graph: ResourceGraph, config: Mapping[str, str]) -> None:
    """Log each region that the stack's AWS providers are given and that is in no table."""
    for place, region in _given(graph, config):
        known = aws_regions(region)
        if region not in known:
            near = difflib.get_close_matches(region, known, n=1)
            remedy = f": did you mean '{near[0]}'?" if near else ""
            _LOG.warning("warning: %s '%s' is no region that is known here%s", place, region, remedy)


def _given(graph: ResourceGraph, config: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    default = config.get(_KEY)
    if default and any(resource.type.startswith("aws:") for resource in graph.resources):
        yield _KEY, default
    for resource in graph.resources:
        region = resource.inputs.get("region")
        if resource.type == f"{PROVIDER_PREFIX}aws" and isinstance(region, str) and region:
            yield f"the region of provider '{resource.name}'", region
