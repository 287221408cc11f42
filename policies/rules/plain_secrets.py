"""Secrets that stand in the environment, the container definitions or the start script of a cloud resource.

What is read is told by the name of the input, not by the resource's type, so it holds for every cloud. A text that
cannot be read is undetermined, never kept.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.verdict import Judgement, ok, undetermined, violation
from skerry.graph import UNKNOWN, Resource, Secret

_SECRET_NAME: Final = re.compile(
    r"(passw(or)?d|passphrase|secret|token|api_?key|private_?key|access_?key|credential)", re.IGNORECASE
)
_NO_SECRET_NAME: Final = re.compile(
    r"(_?(file|path|dir|name|ref|url|uri|arn|type|ttl|mode|enabled|expiry|id|class|limit|tokens|namespace|version|days"
    r"|length|window|provider|size|count)$|^max_|^num_|tokeni[sz]er|secrets?_?(name|ref)|^automount|publish)",
    re.IGNORECASE,
)
SECRET_VALUE: Final = re.compile(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bghp_[A-Za-z0-9]{36}\b"
    r"|\b[a-z][a-z0-9+]*://[^/\s:@]+:[^/\s:@$({]+@)"
)
"""Forms that only secrets have: private keys, AWS and GitHub keys, addresses with a password.

Source: Hacking-the-Cloud "IAM ID Identifiers" (AKIA), read 2026-11; GitHub docs "Token prefixes" (ghp_)
(not opened; check before relying on it)
"""

_IDENTITY: Final = "managedidentity"
"""What stands in place of a credential where Azure gives one by itself.

Source: Azure "Connecting to host storage with an identity", AzureWebJobsStorage__credential (not opened; check).
"""

_ENVIRONMENTS: Final = frozenset({
    "appSettings", "buildEnvironmentVariables", "env", "envVars", "environment", "environmentVariables", "envs",
    "runtimeEnvironmentVariables", "variables",
})  # fmt: skip
"""Inputs that hold names and values: a mapping, or rows of `name` and `value`."""
_DEFINITIONS: Final = frozenset({"containerDefinitions", "containerProperties"})
"""Inputs that hold containers as JSON text."""
_SCRIPTS: Final = frozenset({
    "customData", "metadataStartupScript", "startup-script", "user-data", "userData", "userDataBase64",
})  # fmt: skip
"""Inputs that a machine runs when it starts: a shell script or cloud-init, in plain form or base64."""
_LABELS: Final = frozenset({"effectiveLabels", "labels", "pulumiLabels", "tags", "tagsAll"})
_ASSIGNMENT: Final = re.compile(
    r"(?:^|[\s;&\"'])([A-Za-z_][A-Za-z0-9_]*)(?:=|[ \t]*:[ \t]+)[\"']?([^\s\"'`$<{(;|&][^\s\"';]*)", re.MULTILINE
)
_SWITCH: Final = re.compile(r"(true|false|yes|no|null|none|[0-9]+)", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}\s*")
_REFERENCES: Final = ("PARAMETER_STORE", "SECRETS_MANAGER")
"""Kinds of a row whose value only names where the secret lies."""


def looks_secret(name: str, value: Any) -> bool:
    """Say whether a text is a secret by its own form, or by the name it bears."""
    if not isinstance(value, str) or not value or value.lower() == _IDENTITY:
        return False
    named = bool(_SECRET_NAME.search(name)) and not _NO_SECRET_NAME.search(name)
    return named or bool(SECRET_VALUE.search(value))


class _Finder:
    """Walks the inputs of one resource and notes what it finds."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.looked = False
        self.found: list[Judgement] = []

    def walk(self, value: Any, key: str, path: str, *, marked: bool = False) -> None:
        """Go down; `key` is the name of the input that the value stands under, through lists."""
        if isinstance(value, Secret):
            value, marked = value.value, True
        holds = key in _ENVIRONMENTS or key in _DEFINITIONS or key in _SCRIPTS
        if value is UNKNOWN:
            if holds:
                self._open(f"its {key} is not known before a deployment", path)
        elif isinstance(value, Mapping):
            if key in _ENVIRONMENTS:
                self._environment(value, path, marked=marked)
            for name, item in value.items():
                if name not in _LABELS and not (key in _ENVIRONMENTS and _is_leaf(item) and name not in _ENVIRONMENTS):
                    self.walk(item, name, f"{path}.{name}" if path else name, marked=marked)
        elif isinstance(value, list | tuple):
            self.looked |= key in _ENVIRONMENTS
            for index, item in enumerate(value):
                self.walk(item, key, f"{path}[{index}]", marked=marked)
        elif isinstance(value, str) and key in _DEFINITIONS:
            self._definitions(value, path, marked=marked)
        elif isinstance(value, str) and key in _SCRIPTS:
            self._script(value, key, path, marked=marked)

    def _environment(self, value: Mapping[str, Any], path: str, *, marked: bool) -> None:
        self.looked = True
        row = isinstance(value.get("name"), str) and "value" in value
        if row and value.get("type") in _REFERENCES:
            return
        pairs = {value["name"]: value["value"]} if row else value
        for name, item in pairs.items():
            where = path if row else f"{path}.{name}"
            if name in _ENVIRONMENTS and not row:
                continue
            if isinstance(item, Secret) and _is_leaf(item):
                self._close(name, where, marked=True)
            elif item is UNKNOWN and looks_secret(name, "unknown"):
                self._open(f"{name} is not known before a deployment and not marked secret", where)
            elif looks_secret(name, item):
                self._close(name, where, marked=marked)

    def _definitions(self, text: str, path: str, *, marked: bool) -> None:
        try:
            parsed = json.loads(text)
            if not isinstance(parsed, list | dict):
                raise ValueError("neither a list nor an object")
            self.walk(parsed, "", path, marked=marked)
        except (ValueError, RecursionError):
            self._open("it is no list of containers in JSON, so its environment cannot be told", path)
        self.looked = True

    def _script(self, text: str, key: str, path: str, *, marked: bool) -> None:
        script = _decoded(text, sure=key == "userDataBase64")
        if script is None:
            self._open(f"its {key} is no text, so nobody can say what it holds", path)
            return
        self.looked = True
        names = [
            name
            for name, value in _ASSIGNMENT.findall(script)
            if not _SWITCH.fullmatch(value) and looks_secret(name, value)
        ]
        for name in dict.fromkeys(names):
            self._close(name, path, marked=marked)
        if not names and SECRET_VALUE.search(script):
            self.found.append(violation(self.resource, f"its {key} holds a secret in plain text", path))

    def _open(self, text: str, path: str) -> None:
        self.found.append(undetermined(self.resource, text, path))

    def _close(self, name: str, path: str, *, marked: bool) -> None:
        text = f"{name} is a secret in plain text"
        if marked:
            text = f"{name} is a secret that everybody reads who may look at the resource: name it by reference"
        self.found.append(violation(self.resource, text, path))


def _is_leaf(value: Any) -> bool:
    inner = value.value if isinstance(value, Secret) else value
    return not isinstance(inner, Mapping | list | tuple)


def _decoded(text: str, *, sure: bool) -> str | None:
    """Return a script that may be base64; None where what comes out is no text, such as a packed one."""
    if not sure and not _BASE64.fullmatch(text):
        return text
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def inputs_of(resource: Resource) -> Iterator[Judgement]:
    """Judge environments, container definitions and start scripts; nothing where the resource has none."""
    finder = _Finder(resource)
    finder.walk(resource.inputs, "", "")
    yield from finder.found
    if finder.looked and not finder.found:
        yield ok(resource)
