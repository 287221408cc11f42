"""Says in the user's words why a program failed: their own line, the exception, the resource that was being made."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final

from pulumi import ConfigMissingError, ConfigTypeError, RunError
from pulumi.errors import InputPropertiesError, InputPropertyError

from skerry.engine import traces
from skerry.engine.answers import NOT_YET
from skerry.engine.project import StackConfig
from skerry.engine.traces import NOWHERE, Place, UserCode
from skerry.engine.values import WITHHELD, WithheldError
from skerry.errors import ConfigError, MissingPackageError, Problem, ProgramError, SkerryError, UnansweredError

__all__ = ["Failure", "UserCode"]

_MASK: Final = "<secret>"
_PACKAGES: Final = {
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "git": "GitPython",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "nacl": "PyNaCl",
    "OpenSSL": "pyOpenSSL",
    "pkg_resources": "'setuptools<81'",
    "slugify": "python-slugify",
    "yaml": "PyYAML",
}
"""Modules whose package has another name, among those that deployment programs import."""
_CLOUDS: Final = ("aws", "gcp", "azure")
"""Locks of Skerry's checkout that hold the SDK of one cloud."""
_OUTPUT_FORM: Final = "call {0} in {1} output form (get_x_output), which can be unknown"
_REMEDY: Final = f"{_OUTPUT_FORM}, or give {{1}} answer with --answers FILE"
_NOT_SET: Final = re.compile(r"(?P<key>[\w-]+:[\w.-]+) is not set")
"""Why a row has no answer, where a key of the configuration would give one."""
_RISEN: Final = re.compile(
    r"While processing resource: .*?\n(?:Value|Assertion)Error has risen: "
    r"While processing input: '[^'\n]*', type .*?\n(?P<type>\w+) has risen: ",
    re.DOTALL,
)
# Source: pulumi 3.272.0 sdk runtime/rpc.py and runtime/resource.py, read 2026-11.
_SHORTEST_SECRET: Final = 4
"""Shorter values are not masked in messages: they stand in half of all words."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known about a program that failed."""

    code: UserCode
    config: StackConfig
    folder: Path
    unanswered: Mapping[str, str] = field(default_factory=dict)
    """Functions that had no answer -> why."""
    stand_ins: Sequence[str] = ()
    """Functions that were answered with a stand-in."""

    def explain(self, exc: BaseException, kept: Sequence[TracebackType]) -> SkerryError:
        """Return the error to raise in place of what a program raised; an error of Skerry's own passes through.

        `kept` are the tracebacks that the event loop kept of `exc`, its origin first.
        """
        # The SDK wraps what a component's constructor raised.
        wrapped = getattr(exc, "inner", None)
        exc = wrapped if isinstance(wrapped, BaseException) else exc
        chain = list(_chain(exc))
        for link in chain:
            if isinstance(link, SkerryError):
                return link
        everywhere = [*kept, *(link.__traceback__ for link in chain if link.__traceback__ is not None)]
        place = self._place(chain, everywhere)
        told = next((found for link in chain if (found := self._known(link, place)) is not None), None)
        if told is not None:
            return told
        at = f" at {place.where}" if place.where else ""
        if token := traces.unanswered(everywhere):
            # Of a call with an unknown argument the SDK asks nothing.
            why = self.unanswered.get(token, NOT_YET)
            reason = f": {why}" if why else ""
            remedy = _OUTPUT_FORM if why == NOT_YET else _REMEDY
            return UnansweredError(
                f"the program needs an answer of {token}{at}, and there is none here{reason}; "
                f"{_settable([why])}{remedy.format('it', 'its')}{place.shown}"
            )
        text = f"the program failed{at}: {self._raised(exc)}"
        if phrase := traces.resource(everywhere):
            text += f" ({phrase})"
        if isinstance(exc, AttributeError | TypeError | KeyError | IndexError | AssertionError):
            text += self._functions()
        return ProgramError(text + place.shown)

    def exited(self, exc: SystemExit) -> ProgramError | None:
        """Return the error for a program that ended itself, or None where it did so in peace."""
        if exc.code in (None, 0):
            return None
        place = self._place([exc], [exc.__traceback__] if exc.__traceback__ else [])
        at = f" at {place.where}" if place.where else ""
        # `sys.exit(text)` prints the text and ends with the code 1.
        how = f"with exit code {exc.code}" if isinstance(exc.code, int) else f"with: {self._masked(str(exc.code))}"
        return ProgramError(f"the program ended itself {how}{at}{place.shown}")

    def _known(self, exc: BaseException, place: Place) -> SkerryError | None:
        """Return the error for an exception that has a remedy of its own."""
        at = f" at {place.where}" if place.where else ""
        if isinstance(exc, ConfigMissingError):
            remedy = f"run `pulumi config set {exc.key} <value>`, or give --config {exc.key}=VALUE"
            if exc.secret:
                remedy = (
                    f"run `pulumi config set --secret {exc.key}`, which asks for it; here it is then a secret unknown"
                )
            message = f"the program needs this value{at} and it is not set"
            return ConfigError("pulumi config", [Problem(exc.key, message, f"{remedy}{place.shown}")])
        if isinstance(exc, ConfigTypeError) and WITHHELD not in str(exc.value):
            kind = getattr(exc.expect_type, "__name__", exc.expect_type)
            shown = _MASK if exc.key in self.config.secret_keys else f"'{self._masked(str(exc.value))}'"
            return ConfigError("pulumi config", [Problem(exc.key, f"{shown} is not of type {kind}{at}{place.shown}")])
        if isinstance(exc, WithheldError | ConfigTypeError):
            return ProgramError(
                f"the value of '{exc.key}' is a secret without plaintext here{at}: read it with require_secret or "
                f"get_secret and their kin, whose result can be unknown{place.shown}"
            )
        if isinstance(exc, InputPropertiesError):
            lines = "".join(f"\n  {one['property_path']}: {one['reason']}" for one in exc.errors or ())
            return ProgramError(self._masked(f"{exc.message}{at}{lines}") + place.shown)
        if isinstance(exc, InputPropertyError):
            return ProgramError(self._masked(f"{exc.property_path}: {exc.reason}{at}") + place.shown)
        if isinstance(exc, RunError):
            raised = f" (raised at {place.where})" if place.where else ""
            return ProgramError(f"{self._masked(str(exc))}{raised}{place.shown}")
        if isinstance(exc, ModuleNotFoundError) and exc.name and not _is_there(exc.name):
            top = exc.name.split(".", 1)[0]
            package = _PACKAGES.get(top) or top.replace("_", "-")
            cloud = _cloud_of(package, self.folder)
            listed = " (or all of requirements.txt)" if (self.folder / "requirements.txt").is_file() else ""
            remedy = f"`make venv CLOUD={cloud}`" if cloud else f"`pip install {package}`{listed}"
            where = "its folder" if cloud else "the environment that runs skerry"
            return MissingPackageError(
                f"the program imports '{exc.name}'{at}, which is neither in its folder nor installed beside skerry: "
                f"run {remedy} in {where}{place.shown}"
            )
        return None

    def _place(self, chain: Sequence[BaseException], everywhere: Sequence[TracebackType]) -> Place:
        for link in chain:
            if isinstance(link, SyntaxError) and link.filename and (path := self.code.relative(link.filename)):
                text = traces.line_of(link.filename, link.lineno or 0)
                return Place(f"{path}:{link.lineno}", text)
        return next((found for trace in everywhere if (found := traces.place(trace, self.code)).where), NOWHERE)

    def _raised(self, exc: BaseException) -> str:
        """Return the type and the message of an exception, without the addresses that the SDK wraps around it."""
        wrapped = _RISEN.match(str(exc))
        if wrapped is None:
            return f"{type(exc).__name__}: {self._message(exc)}"
        return f"{wrapped['type']}: {self._masked(str(exc)[wrapped.end() :])}"

    def _message(self, exc: BaseException) -> str:
        if isinstance(exc, SyntaxError) and exc.filename:
            own = self.code.relative(exc.filename)
            return exc.msg if own else f"{exc.msg} ({Path(exc.filename).name}, line {exc.lineno})"
        if isinstance(exc, BaseExceptionGroup):
            inner = "; ".join(f"{type(one).__name__}: {self._message(one)}" for one in exc.exceptions)
            return f"{self._masked(exc.message)}: {inner}"
        return self._masked(str(exc)) or "no message"

    def _masked(self, text: str) -> str:
        text = text.replace(WITHHELD, _MASK)
        for key in self.config.secret_keys:
            value = self.config.values.get(key, "")
            if len(value) >= _SHORTEST_SECRET:
                # The message of a KeyError is the value as Python writes it.
                text = text.replace(value, _MASK).replace(repr(value)[1:-1], _MASK)
        return text

    def _functions(self) -> str:
        """Return which functions had no answer, so that a plain call hands on None, and which had a stand-in."""
        text = ""
        if self.stand_ins:
            names = ", ".join(dict.fromkeys(self.stand_ins))
            text = f"; a stand-in may lack what the program looks for: {names}: give yours with --answers FILE"
        if not self.unanswered:
            return text
        listed = ", ".join(f"{token}{f' ({why})' if why else ''}" for token, why in sorted(self.unanswered.items()))
        settable = _settable(self.unanswered.values())
        return f"{text}; functions without an answer here: {listed}: {settable}{_REMEDY.format('them', 'their')}"


def _cloud_of(package: str, folder: Path) -> str:
    """Return which of the locks of Skerry's own checkout holds a package; `""` for any other project."""
    if (folder / ".ci" / "venv").is_file():
        for cloud in _CLOUDS:
            lock = folder / "requirements" / f"{cloud}.txt"
            if lock.is_file() and re.search(
                rf"^{re.escape(package)}==", lock.read_text(encoding="utf-8"), re.MULTILINE
            ):
                return cloud
    return ""


def _settable(reasons: Iterable[str]) -> str:
    """Return the remedy of the reasons that a configuration key would take away, before the others; or `""`."""
    found = dict.fromkeys(match["key"] for why in reasons if (match := _NOT_SET.fullmatch(why)))
    options = " ".join(f"--config {key}=VALUE" for key in found)
    return f"give {options}, or " if options else ""


def _is_there(module: str) -> bool:
    """Say whether the package that a missing module belongs to is installed after all."""
    top = module.split(".", 1)[0]
    try:
        return top != module and importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, those inside it if it is a group, and what led to it."""
    seen: set[int] = set()
    waiting = [exc]
    while waiting:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(link.exceptions)
        waiting.append(link.__cause__ or (None if link.__suppress_context__ else link.__context__))
