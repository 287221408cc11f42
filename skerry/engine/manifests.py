"""Kubernetes manifests as their provider decodes them: YAML as Go's parser reads it, objects only, in order.

Go's parser and Python's differ in what a plain word is: `22:22` and a date are texts, `1e3` is a number, and `y` is a
bool in some versions and a text in others, so a manifest with one is not decoded here.
"""

# Source: pulumi/pulumi-kubernetes provider/pkg/provider/invoke_decode_yaml.go, read 2026-11.

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

MAX_VALUES: Final = 1_000_000
"""Values of one text, each use of an alias counted: a few aliases of aliases are more than any machine holds."""
_BOOLS: Final = "|".join(
    spelt for word in ("yes", "no", "true", "false", "on", "off") for spelt in (word, word.title(), word.upper())
)
_DIGITS: Final = "0123456789"


class ManifestError(Exception):
    """A text is no manifest, or one that Go's parser may read otherwise."""


class _Loader(yaml.SafeLoader):
    """Takes plain words as Go's parser does."""


def _unclear(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    raise ManifestError(f"parsers differ in what '{node.value}' is")


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", _BOOLS, "yYnNtTfFoO"),
    ("!unclear", r"[yYnN]|[-+]?0o[0-7]+|[-+]?\.(inf|Inf|INF|nan|NaN|NAN)", "yYnN-+.0"),
    ("tag:yaml.org,2002:int", r"[-+]?(0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", f"-+{_DIGITS}"),
    ("tag:yaml.org,2002:float", r"[-+]?([0-9]+\.[0-9]*|\.?[0-9]+)([eE][-+]?[0-9]+)?", f"-+.{_DIGITS}"),
    ("tag:yaml.org,2002:merge", r"<<", "<"),
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
):  # fmt: skip
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor("!unclear", _unclear)


def objects(text: str) -> list[dict[str, Any]]:
    """Return the Kubernetes objects of a text; what has no kind or no apiVersion is left out.

    Raises:
        ManifestError: it is no YAML, a document in it is no mapping, or its meaning depends on the parser.
    """
    try:
        documents = list(yaml.load_all(text, Loader=_Loader))
        left = [MAX_VALUES]
        values = [_plain(document, left) for document in documents if document is not None]
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as exc:
        raise ManifestError(str(exc)) from exc
    if not all(isinstance(value, dict) for value in values):
        raise ManifestError("a document is no mapping")
    return [value for value in values if value.get("kind") and value.get("apiVersion")]


def _plain(value: Any, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise ManifestError(f"it holds more than {MAX_VALUES} values")
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, left) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, left) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ManifestError(f"a value of type {type(value).__name__}")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int):
        return str(key)
    raise ManifestError(f"a key of type {type(key).__name__}")
