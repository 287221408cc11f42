"""Reads the events of the engine into a resource graph: one JSON object a line.

They come from `pulumi preview --json` with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true, from `pulumi up --json`, and from
`--event-log FILE`. Every resource is there, unchanged ones too, and so are the outputs of stacks and components; what
depends on what is not, nor are most resource options.
"""

# Source: pulumi/pulumi sdk/go/common/apitype/events.go and pkg/backend/display/events.go, read 2026-11.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import GraphError
from skerry.graph import ResourceGraph
from skerry.json_text import loads
from skerry.readers.checkpoint import graph_of, printed_config
from skerry.readers.steps import Steps, one_line

_WHAT: Final = "the stream of events"
_AGAIN: Final = "run the command again and let it end"


def is_stream(text: str) -> bool:
    """Say whether `text` begins with an event."""
    first = text.lstrip().partition("\n")[0]
    return first.startswith("{") and '"sequence"' in first and '"timestamp"' in first


def read_events(text: str) -> ResourceGraph:
    """Return what is there after the operation whose events these are.

    Raises:
        GraphError: a line is no event, or the operation failed, was cancelled or cut off.
    """
    steps, config = Steps(_WHAT), dict[str, str]()
    summary: Any = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        event = _event(line, number)
        if summary is not None and not event.keys().isdisjoint(("preludeEvent", "resourcePreEvent", "summaryEvent")):
            raise GraphError(f"line {number} of {_WHAT} begins another operation: give the events of one operation")
        _refuse_failure(event)
        if "preludeEvent" in event:
            prelude = event["preludeEvent"]
            config = printed_config(prelude.get("config") if isinstance(prelude, dict) else None, _WHAT)
        elif "resourcePreEvent" in event:
            found = _metadata(event["resourcePreEvent"], number)
            steps.add(found.get("op"), found.get("urn"), found.get("old"), found.get("new"))
        elif "resOutputsEvent" in event:
            _take_outputs(steps, _metadata(event["resOutputsEvent"], number))
        elif "summaryEvent" in event:
            summary = event["summaryEvent"]
    if not isinstance(summary, dict):
        raise GraphError(f"{_WHAT} breaks off before its summary, so it shows a part only: {_AGAIN}")
    if summary.get("result", "succeeded") != "succeeded":
        raise GraphError(f"the operation of {_WHAT} ended as '{summary['result']}', so it shows a part only: {_AGAIN}")
    is_preview = summary.get("isPreview", True) is not False
    return graph_of(
        steps.there(),
        "preview-events",
        _WHAT,
        states=not is_preview,
        registered=True,
        hides_providers=True,
        config=config,
    )


def _event(line: str, number: int) -> dict[str, Any]:
    try:
        event = loads(line)
    except ValueError as exc:
        raise GraphError(f"line {number} of {_WHAT} is not JSON: {exc}: {_AGAIN}") from exc
    if not isinstance(event, dict) or not isinstance(event.get("sequence"), int):
        raise GraphError(f"line {number} of {_WHAT} is no event: keep the command's standard output alone in the file")
    return event


def _refuse_failure(event: Mapping[str, Any]) -> None:
    told = event.get("diagnosticEvent")
    if isinstance(told, dict) and told.get("severity") == "error":
        raise GraphError(f"the preview failed, so it shows a part only: {one_line(told.get('message'))}")
    if isinstance(event.get("errorEvent"), dict):
        raise GraphError(f"the preview failed, so it shows a part only: {one_line(event['errorEvent'].get('error'))}")
    if "resOpFailedEvent" in event:
        raise GraphError(f"an operation on a resource failed, so {_WHAT} shows a part only: mend it and run it again")


def _metadata(event: Any, number: int) -> dict[str, Any]:
    found = event.get("metadata") if isinstance(event, dict) else None
    if not isinstance(found, dict):
        raise GraphError(f"line {number} of {_WHAT} has no metadata of a resource")
    return found


def _take_outputs(steps: Steps, found: Mapping[str, Any]) -> None:
    new = found.get("new")
    if isinstance(new, dict):
        steps.finish(found.get("urn"), new)
    elif found.get("op") == "delete":
        # A refresh that finds a resource gone says so only here.
        steps.add("delete", found.get("urn"), found.get("old"), None)
