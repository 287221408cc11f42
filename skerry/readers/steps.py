"""What the steps of a preview or an update lead to: the resources that are there afterwards, each once.

1. A resource that only goes (`delete`, `discard`, ...) is left out.
2. A replacement is printed twice or thrice, as its creation, as the whole and as the deletion of the old one: it is
   there once.
3. A refresh goes before the program; what the program says of the same resource replaces it, and a resource that was
   refreshed and then deleted is gone.
4. With `--target`, a new resource outside the targets is printed as unchanged, without inputs. It will not be there,
   so what is read is a part only, and is refused.
5. An import that also changes something is printed as the import and as the update, which leaves out the id.
"""

# Source: pulumi/pulumi pkg/resource/deploy/step.go and step_generator.go, and the output of the command, read 2026-11.

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import GraphError

_GONE: Final = frozenset(
    {"delete", "delete-replaced", "discard", "discard-replaced", "read-discard", "remove-pending-replace"}
)
_STAYS: Final = frozenset(
    {"same", "create", "update", "replace", "create-replacement", "read", "read-replacement", "refresh", "import",
     "import-replacement"}
)  # fmt: skip
_COLOUR: Final = re.compile(r"<\{%[a-z0-9 ]*%\}>|\x1b\[[0-9;]*m")
"""What the command puts into messages for its own terminal output, and leaves in events."""
# Source: pulumi/pulumi sdk/go/common/diag/colors/colors.go, read 2026-11.
_MESSAGE_CHARACTERS: Final = 400
"""Of a foreign message, shown inside one of ours."""


class Steps:
    """Collects steps, in the order in which they were printed."""

    def __init__(self, what: str) -> None:
        """Name what is read, for messages."""
        self._what = what
        self._found: dict[str, tuple[str, dict[str, Any]]] = {}
        self._not_targeted: list[str] = []

    def add(self, op: Any, urn: Any, old: Any, new: Any) -> None:
        """Take one step.

        Raises:
            GraphError: the step is of a kind that this reader does not know, or has no new state.
        """
        urn = str(urn)
        if not isinstance(op, str) or op not in _STAYS | _GONE:
            raise GraphError(f"the step '{op}' of {urn} in {self._what} is not known: known are "
                             f"{', '.join(sorted(_STAYS | _GONE))}; a newer Skerry may know it")  # fmt: skip
        if op in _GONE:
            if op == "delete" and self._found.get(urn, ("",))[0] == "refresh":  # (3)
                del self._found[urn]
            return
        if not isinstance(new, dict):
            if op == "refresh":
                self._found.pop(urn, None)
                return
            raise GraphError(f"the step '{op}' of {urn} in {self._what} has no new state")
        if op == "same" and new.get("custom") and isinstance(old, dict) and not old.get("id"):  # (4)
            self._not_targeted.append(urn)
        urn = str(new.get("urn"))
        before = self._found.pop(urn, None)  # (2) (3)
        if before is not None and before[0] == "import":  # (5)
            new = {**new, "importID": before[1].get("importID")}
        self._found[urn] = (op, new)

    def finish(self, urn: Any, new: Mapping[str, Any]) -> None:
        """Take what a resource of an earlier step has once the step is done: its outputs and its id."""
        if urn in self._found:
            op, state = self._found[urn]
            self._found[urn] = (op, {**state, **{key: new[key] for key in ("outputs", "id") if new.get(key)}})

    def there(self) -> list[dict[str, Any]]:
        """Return the states of the resources that are there after the steps.

        Raises:
            GraphError: the steps show a part only.
        """
        if self._not_targeted:
            raise GraphError(
                f"{self._what} was asked for some targets and leaves out {len(self._not_targeted)} new resources, such "
                f"as {self._not_targeted[0]}: run it without --target and --exclude"
            )
        return [state for _, state in self._found.values()]


def one_line(message: Any) -> str:
    """Return a message of the command on one line: its first words and, of a trace, the last."""
    text = _COLOUR.sub("", str(message or "")).strip().removeprefix("error: ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "the command does not say why"
    text = lines[0] if len(lines) == 1 else f"{lines[0]} ... {lines[-1]}"
    return text if len(text) <= _MESSAGE_CHARACTERS else f"{text[:_MESSAGE_CHARACTERS]} ..."
