"""Answers to provider functions: a table of rows, each with the shape that the provider itself would answer in.

A row says for which arguments it holds; with any other argument it does not, and the call stays unanswered. A value in
a row may refer to the call (`${args.x}`), to the provider that serves it (`${provider.region}`: its inputs, or the
configuration of the default provider) or to a named value; where such a reference is unknown there is no answer.
This module needs no Pulumi SDK, so the simulated providers of the tests answer from the same table. Values are those
of a resource graph.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from skerry.engine.answers_file import Document, Row, read_document
from skerry.engine.computed import COMPUTED, UncomputableError
from skerry.graph import UNKNOWN, Invoke, Secret, is_known, plain

_TABLE: Final = Path(__file__).resolve().parent.parent / "data" / "answers.yaml"
_REFERENCE: Final = re.compile(r"\$\{([^{}]+)\}")
NOT_YET: Final = "it is asked about something that does not exist yet"
"""Why there is no answer to a call with an unknown argument: no table could give one."""
_BOOLS: Final = {"true": True, "false": False}
# Source: pulumi/pulumi-terraform-bridge pkg/tfbridge/schema.go (CoerceTerraformString), read 2026-11.


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, and where it came from."""

    result: dict[str, Any]
    by: str
    """`table` (a fact of the world), `stand-in` (a value that the account decides, in its shape), `computed` (a pure
    function of the arguments) or `file` (the user's rows)."""


class Answers:
    """Rows in the order in which they are asked; the first that holds answers."""

    def __init__(self, documents: Sequence[Document]) -> None:
        """Take documents, the one that wins first."""
        self._documents = tuple(documents)

    def answer(
        self,
        token: str,
        args: Mapping[str, Any],
        *,
        provider: Mapping[str, Any] | None = None,
        config: Mapping[str, str] = {},
    ) -> dict[str, Any] | None:
        """Return the answer to one call, or None where no row holds or one of its references is unknown.

        `provider` holds the inputs of the explicit provider that serves the call; None means the default one, which
        takes its inputs from `config` (full keys).
        """
        found = self.find(token, args, provider=provider, config=config)
        return None if found is None else found.result

    def find(
        self,
        token: str,
        args: Mapping[str, Any],
        *,
        provider: Mapping[str, Any] | None = None,
        config: Mapping[str, str] = {},
    ) -> Found | None:
        """Return the answer to one call with its origin, or None."""
        given = {key: value for key, value in plain(args).items() if value is not None}
        if not is_known(given):
            return None
        for document in self._documents:
            for row in document.rows.get(token, ()):
                if not _holds(row, given):
                    continue
                call = _Call(token.split(":", 1)[0], _typed(row, given), provider, config, document)
                try:
                    return Found(_result(row, call), document.origin or row.kind)
                except (_UnresolvedError, UncomputableError):
                    return None
        return None

    def reason(
        self,
        token: str,
        args: Mapping[str, Any],
        *,
        provider: Mapping[str, Any] | None = None,
        config: Mapping[str, str] = {},
    ) -> str:
        """Return why there is no answer to a call, where the table can tell; otherwise `""`."""
        given = {key: value for key, value in plain(args).items() if value is not None}
        rows = [(row, document) for document in self._documents for row in document.rows.get(token, ())]
        if not is_known(given):
            return NOT_YET
        if not rows:
            return ""
        for row, document in rows:
            if _holds(row, given):
                try:
                    _result(row, _Call(token.split(":", 1)[0], _typed(row, given), provider, config, document))
                except (_UnresolvedError, UncomputableError) as exc:
                    return str(exc)
                return ""
        return "the table has no row for these arguments"

    def needed(self, token: str) -> tuple[str, ...]:
        """Return the configuration keys that a row for this function reads from its provider, sorted."""
        package = token.split(":", 1)[0]
        found = set[str]()
        for document in self._documents:
            for row in document.rows.get(token, ()):
                found |= _provider_keys(row.result, document, 0)
        return tuple(sorted(f"{package}:{key}" for key in found))

    def unused(self, calls: Iterable[Invoke]) -> list[str]:
        """Return a sentence for each function whose rows in the user's file answered no call, and why."""
        made: dict[str, list[Invoke]] = {}
        for call in calls:
            made.setdefault(call.token, []).append(call)
        told = []
        for document in self._documents:
            for token, rows in document.rows.items() if document.origin else ():
                found = made.get(token, [])
                if not found:
                    near = difflib.get_close_matches(token, made, n=1)
                    told.append(f"{token} was never called" + (f": did you mean {near[0]}?" if near else ""))
                elif all(call.answered_by != document.origin for call in found):
                    told.append(f"{token} {_misfit(rows[0], found[0].args)}")
        return told

    def table(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows of a named table, by key; empty where there is none."""
        return next((document.tables[name] for document in self._documents if name in document.tables), {})

    def tokens(self) -> tuple[str, ...]:
        """Return every function that has a row, sorted."""
        return tuple(sorted({token for document in self._documents for token in document.rows}))


class _UnresolvedError(Exception):
    """A reference of a row has no known value in this call."""


@dataclass(frozen=True, slots=True)
class _Call:
    package: str
    args: Mapping[str, Any]
    provider: Mapping[str, Any] | None
    config: Mapping[str, str]
    document: Document

    def resolve(self, name: str) -> Any:
        scope, _, key = name.partition(".")
        if name in self.document.values:
            return _expand(self.document.values[name], self)
        if scope == "args":
            value = self.args.get(key)
        elif scope == "config":
            value = self.config.get(key)
        elif self.provider is None:
            value = self.config.get(f"{self.package}:{key}")
        else:
            value = plain(self.provider.get(key))
        if value is None or value is UNKNOWN or value == "":
            raise _UnresolvedError(self._absent(scope, key))
        return value

    def _absent(self, scope: str, key: str) -> str:
        if scope == "provider":
            return f"{self.package}:{key} is not set" if self.provider is None else f"its provider has no known '{key}'"
        return f"{key} is not set" if scope == "config" else f"the argument '{key}' is not given"


def _holds(row: Row, args: Mapping[str, Any]) -> bool:
    if any(key not in args or not _accepts(rule, args[key]) for key, rule in row.needs.items()):
        return False
    rules = {**row.args, **row.needs}
    return all(key in rules and _accepts(rules[key], value) for key, value in args.items())


def _misfit(row: Row, args: Mapping[str, Any]) -> str:
    """Say why a row did not answer a call."""
    given = {key: value for key, value in plain(args).items() if value is not None}
    if not is_known(given):
        return f"was called, but {NOT_YET}"
    rules = {**row.args, **row.needs}
    if undeclared := [key for key in given if key not in rules]:
        return f"was called with {', '.join(undeclared)}, which the row does not declare: add it to args, such as any"
    if absent := [key for key in row.needs if key not in given]:
        return f"was called without {', '.join(absent)}, which the row needs"
    if other := [key for key, value in given.items() if not _accepts(rules[key], value)]:
        return f"was called with another value of {', '.join(other)} than the row holds for"
    return "was called, but a reference of the row has no known value"


def _accepts(rule: Any, value: Any) -> bool:
    if rule == "any":
        return True
    if rule == "bool":
        return isinstance(value, bool) or (isinstance(value, str) and value in _BOOLS)
    if isinstance(rule, Mapping):
        return isinstance(value, str) and fnmatch.fnmatchcase(value, rule["like"])
    return any(type(value) is type(item) and value == item for item in rule)


def _typed(row: Row, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as the provider takes them: a text where it wants a bool is the bool that it spells."""
    rules = {**row.args, **row.needs}
    return {
        key: _BOOLS[value] if rules.get(key) == "bool" and isinstance(value, str) else value
        for key, value in args.items()
    }


def _result(row: Row, call: _Call) -> dict[str, Any]:
    result = {key: _expand(value, call) for key, value in row.result.items()}
    if row.compute:
        try:
            result |= COMPUTED[row.compute](call.args, call.resolve)
        except (KeyError, TypeError, AttributeError, ValueError) as exc:
            # Arguments of a shape that the provider would refuse.
            raise UncomputableError(row.compute) from exc
    return {**call.args, **result} if row.echo else result


def _expand(value: Any, call: _Call) -> Any:
    if isinstance(value, str):
        return _expand_text(value, call)
    if isinstance(value, list):
        return [_expand(item, call) for item in value]
    if not isinstance(value, dict):
        return value
    if "$first" in value:
        return _first(value["$first"], call)
    if "$secret" in value:
        return Secret(_expand(value["$secret"], call))
    if "$table" in value:
        return _looked_up(call.document.tables[value["$table"]], str(_expand(value["key"], call)), value["field"])
    return {key: _expand(item, call) for key, item in value.items()}


def _looked_up(table: Mapping[str, Mapping[str, Any]], key: str, field: str) -> Any:
    row = table.get(key)
    if row is None:
        near = difflib.get_close_matches(key, table, n=1)
        raise _UnresolvedError(f"the table has no '{key}'{f': did you mean {near[0]!r}?' if near else ''}")
    if field not in row:
        raise _UnresolvedError(f"the table has no {field} of '{key}'")
    return row[field]


def _first(options: Sequence[Any], call: _Call) -> Any:
    reason = "no value"
    for option in options:
        try:
            return _expand(option, call)
        except _UnresolvedError as exc:
            reason = str(exc)
    raise _UnresolvedError(reason)


def _expand_text(text: str, call: _Call) -> Any:
    whole = _REFERENCE.fullmatch(text)
    if whole is not None:
        return call.resolve(whole[1])
    return _REFERENCE.sub(lambda match: str(call.resolve(match[1])), text)


def _provider_keys(value: Any, document: Document, depth: int) -> set[str]:
    if isinstance(value, str):
        found = set[str]()
        for name in _REFERENCE.findall(value):
            if name in document.values:
                found |= _provider_keys(document.values[name], document, depth + 1)
            elif name.startswith("provider."):
                found.add(name.removeprefix("provider."))
        return found
    if isinstance(value, dict):
        value = list(value.values())
    return (
        set().union(*(_provider_keys(item, document, depth + 1) for item in value))
        if isinstance(value, list)
        else set()
    )


@cache
def builtin_answers() -> Answers:
    """Return the rows of skerry/data/answers.yaml, read at the first call.

    Raises:
        ConfigError: the file of this installation is damaged.
    """
    return Answers([read_document(_TABLE, "")])


def aws_regions(named: str) -> Sequence[str]:
    """Return the regions of AWS that the built-in table knows; only `named` itself where it is one of them.

    Raises:
        ConfigError: the file of this installation is damaged.
    """
    # Nearly all regions are right, and to look for a line costs a hundredth of reading the table.
    if f"\n    {named}:" in _TABLE.read_text(encoding="utf-8").partition("\n  aws.regions:")[2]:
        return (named,)
    return tuple(builtin_answers().table("aws.regions"))


def load_answers(path: Path) -> Answers:
    """Return the user's rows, which win, with the built-in ones behind them.

    Raises:
        ConfigError: the file cannot be read or is not a table of answers; all its problems are told at once.
    """
    return Answers([read_document(path, "file"), read_document(_TABLE, "")])
