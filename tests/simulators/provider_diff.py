"""Says what changed between two sets of inputs, and whether it takes an update or a replacement.

Whether a property replaces is not decided here: tests/simulators/replacements.py answers that from the clouds' own
schemas and the providers' own lists. What it has no answer for is updated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from pulumi.runtime.proto import provider_pb2

from tests.simulators.provider_check import is_unknown, reveal, step

_NAMES: Final = (
    "name",
    "bucket",
    "identifier",
    "clusterIdentifier",
    "replicationGroupId",
    "accountName",
    "resourceName",
)
"""What a resource is found by in its cloud: two of the same name cannot stand side by side."""

Replaces = Callable[[str, str], bool | None]


def changed(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each path at which two values differ, with `add`, `delete` or `update`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            below = step(path, key)
            if old.get(key) is None and new.get(key) is not None:
                yield below, "add"
            elif new.get(key) is None and old.get(key) is not None:
                yield below, "delete"
            else:
                yield from changed(old.get(key), new.get(key), below)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            below = f"{path}[{index}]"
            if index >= len(old):
                yield below, "add"
            elif index >= len(new):
                yield below, "delete"
            else:
                yield from changed(old[index], new[index], below)
    elif old != new or is_unknown(new):
        yield path, "update"


def difference(token: str, old: Mapping[str, Any], new: Mapping[str, Any], asked: Replaces | None = None) -> Any:
    """Return the answer to the engine's question for a difference.

    Args:
        token: the resource's type.
        old: the inputs as they are in the state, wire values.
        new: the inputs as the program gives them.
        asked: the table; by default tests/simulators/replacements.py.
    """
    old, new = reveal(old), reveal(new)
    found = [(path, kind) for path, kind in changed(old, new) if not path.startswith("__")]
    asked = asked or _outside_table()
    replaced = [path for path, _ in found if asked(token, path)]
    answer, kinds = provider_pb2.DiffResponse, provider_pb2.PropertyDiff
    detailed = {
        path: kinds(kind=kinds.Kind.Value(kind.upper() + ("_REPLACE" if path in replaced else "")), inputDiff=True)
        for path, kind in found
    }
    return answer(
        changes=answer.DIFF_SOME if found else answer.DIFF_NONE,
        diffs=sorted({re.split(r"[.\[]", path)[0] for path, _ in found}),
        replaces=sorted({re.split(r"[.\[]", path)[0] for path in replaced}),
        deleteBeforeReplace=bool(replaced) and _keeps_its_name(old, new),
        hasDetailedDiff=bool(found),
        detailedDiff=detailed,
    )


def _keeps_its_name(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    before, after = ({**_metadata(inputs), **inputs} for inputs in (old, new))
    given = [name for name in _NAMES if isinstance(after.get(name), str)]
    return bool(given) and all(before.get(name) == after[name] for name in given)


def _metadata(inputs: Mapping[str, Any]) -> dict[str, Any]:
    metadata = inputs.get("metadata")
    return {"name": metadata.get("name")} if isinstance(metadata, Mapping) else {}


def refused(token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the paths whose change a cloud refuses although the provider tries it."""
    from tests.simulators.replacements import Effect, effect

    return [path for path, _ in changed(reveal(old), reveal(new)) if effect(token, path) is Effect.REFUSED]


@cache
def _outside_table() -> Replaces:
    # Its sources take half a second to read; only what changed asks for them.
    from tests.simulators.replacements import replaced_by

    return replaced_by
