"""What provider functions were answered with: stand-ins, which are no facts, and nothing at all, which is unknown.

Every report shows it, so that nobody takes an account of zeros for an account. A stand-in is recognised in the inputs
of resources by its zeros, so a graph that was written to a file tells as much as one that was just made.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from skerry.graph import STACK_REFERENCE_TYPE, Invoke, ResourceGraph, plain, walk

STAND_IN: Final = "stand-in"
"""What `Invoke.answered_by` says of an answer that the account decides."""
_TRACE: Final = re.compile(
    r"(?<![0-9])0{11,}[0-9a-f]{0,2}(?![0-9A-Za-z])|0{8}-0{4}-0{4}-0{4}-0{12}|0{6}-0{6}-0{6}|\bstand-in\b"
)
"""How the stand-ins of skerry/data/answers.yaml look: accounts, ids and GUIDs of zeros, or the word itself."""
_STACK_OUTPUTS: Final = frozenset({STACK_REFERENCE_TYPE, "pulumi:pulumi:readStackOutputs"})
_OF_RESOURCE: Final = re.compile(r":[A-Z]\w*(?:/\w+)?$")
"""The token of a resource's type, or of its method: types are written with a capital, functions without."""
_SHOWN: Final = 6
"""Functions or resources of one list that the text form names; the JSON form has them all."""
_NARROWEST: Final = 60


@dataclass(frozen=True, slots=True)
class Called:
    """One function, however often it was called."""

    token: str
    calls: int
    names: tuple[str, ...] = ()
    """Of a reference to another stack: the stacks."""

    @property
    def by_provider(self) -> bool:
        """Whether it is a component, its method or a resource that is looked up: no row answers for one."""
        return _OF_RESOURCE.search(self.token) is not None

    @property
    def text(self) -> str:
        """How reports name it."""
        names = f" ({', '.join(self.names)})" if self.names else ""
        return f"{self.token}{names}" + (f" x{self.calls}" if self.calls > 1 else "")


@dataclass(frozen=True, slots=True)
class Holder:
    """A resource that has a stand-in among its inputs."""

    urn: str
    name: str
    properties: tuple[str, ...]
    """Paths of the inputs, in order."""


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions of a graph whose results are no facts."""

    stand_ins: tuple[Called, ...]
    """By name."""
    unanswered: tuple[Called, ...]
    """By name."""
    holders: tuple[Holder, ...]
    """In the order of the graph."""

    def decides(self, urn: str, property_path: str) -> bool:
        """Say whether a resource holds a stand-in in one input, or in any where none is named."""
        own = next((holder.properties for holder in self.holders if holder.urn == urn), ()) if urn else ()
        return any(not property_path or _top(path) == _top(property_path) for path in own)


NO_FUNCTIONS: Final = Functions((), (), ())
"""Of a graph whose producer calls none, or where all answers are facts."""


def functions_of(graph: ResourceGraph) -> Functions:
    """Return the functions that were answered with a stand-in or not at all, and where the stand-ins went."""
    stand_ins = [invoke for invoke in graph.invokes if invoke.answered_by == STAND_IN]
    return Functions(
        stand_ins=_grouped(stand_ins),
        unanswered=_grouped([invoke for invoke in graph.invokes if not invoke.answered]),
        holders=_holders(graph) if stand_ins else (),
    )


def functions_text(found: Functions, width: int) -> list[str]:
    """Return the lines of a report; none where every answer is a fact."""
    lines: list[str] = []
    if found.stand_ins:
        calls = sum(one.calls for one in found.stand_ins)
        lines += _wrap(
            f"Stand-ins: {calls} {'answer is' if calls == 1 else 'answers are'} made of zeros and {_no_fact(calls)}, "
            "until --answers FILE gives yours (docs/producers.md)",
            width,
            "",
        )
        lines += _listed([one.text for one in found.stand_ins], width, "  ")
        if found.holders:
            held = [f"{one.name} ({', '.join(dict.fromkeys(map(_top, one.properties)))})" for one in found.holders]
            one = len(held) == 1
            lines += _wrap(
                f"in the inputs of {len(held)} {'resource' if one else 'resources'}: {_few(held)}", width, "  "
            )
    components = [one for one in found.unanswered if one.token not in _STACK_OUTPUTS and one.by_provider]
    others = [one for one in found.unanswered if one.token not in _STACK_OUTPUTS and not one.by_provider]
    stacks = [one for one in found.unanswered if one.token in _STACK_OUTPUTS]
    if others:
        lines += _wrap("Without an answer here, so what comes of it is unknown (--answers FILE gives one):", width, "")
        lines += _listed([one.text for one in others], width, "  ")
    if components:
        text = (
            "Left to a provider, which does not run here, so what comes of it is unknown (`pulumi preview --json "
            "--show-sames` asks it, and --from-preview reads that):"
        )
        lines += _wrap(text, width, "")
        lines += _listed([one.text for one in components], width, "  ")
    if stacks:
        names = list(dict.fromkeys(name for one in stacks for name in one.names)) or ["a name that is not known"]
        text = f"Outputs of other stacks that are not here, so unknown (--stack-outputs FILE gives them): {_few(names)}"
        lines += _wrap(text, width, "")
    return lines


def functions_json(found: Functions) -> dict[str, Any]:
    """Return the part of a JSON report."""
    return {
        "standIns": [_row(one) for one in found.stand_ins],
        "unanswered": [_row(one) for one in found.unanswered],
        "standInHolders": [{"urn": one.urn, "properties": list(one.properties)} for one in found.holders],
    }


def holds_stand_in(value: Any) -> bool:
    """Say whether a text of a stand-in is anywhere in a value; only of use where a function was answered with one."""
    return any(isinstance(leaf, str) and _TRACE.search(leaf) is not None for _, leaf in walk(plain(value)))


def _row(called: Called) -> dict[str, Any]:
    row: dict[str, Any] = {"token": called.token, "calls": called.calls}
    return {**row, "stacks": list(called.names)} if called.names else row


def _grouped(invokes: list[Invoke]) -> tuple[Called, ...]:
    calls = Counter(invoke.token for invoke in invokes)
    names: dict[str, dict[str, None]] = {}
    for invoke in invokes:
        name = invoke.args.get("name")
        if invoke.token in _STACK_OUTPUTS and isinstance(name, str):
            names.setdefault(invoke.token, {})[name] = None
    return tuple(Called(token, calls[token], tuple(names.get(token, ()))) for token in sorted(calls))


def _holders(graph: ResourceGraph) -> tuple[Holder, ...]:
    found = []
    for resource in graph.resources:
        leaves = walk(plain(resource.inputs))
        if paths := tuple(path for path, leaf in leaves if isinstance(leaf, str) and _TRACE.search(leaf)):
            found.append(Holder(resource.urn, resource.name, paths))
    return tuple(found)


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _no_fact(calls: int) -> str:
    return "no fact" if calls == 1 else "no facts"


def _listed(names: list[str], width: int, indent: str) -> list[str]:
    shown = [f"{indent}{name}" for name in names[:_SHOWN]]
    lines = [line for one in shown for line in _wrap(one.strip(), width, indent)]
    if len(names) > _SHOWN:
        lines.append(f"{indent}… and {len(names) - _SHOWN} more (--format json lists all)")
    return lines


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _wrap(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, max(width, _NARROWEST), initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
