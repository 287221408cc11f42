"""Prints what a program can see of SDK packages: run as a script, once with lazy imports and once without.

Each name is first asked for alone, in the state in which a program would find the module, with the type hints of
what it is; only then is the whole module looked at.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
from pulumi import _types as sdk_types

from skerry.engine.generated import exported
from skerry.engine.lazy import lazy_sdks

HINTS_PER_MODULE = 400
"""How many names of a package have their type hints resolved; spread over the whole of it."""

LOCAL_NAMES = {"Output": pulumi.Output, "T": type(None)}
"""What the SDK itself adds to resolve an annotation."""


def described(value: Any) -> list[str]:
    if isinstance(value, ModuleType):
        return ["module", value.__name__]
    if inspect.isclass(value) or inspect.isfunction(value):
        line = value.__code__.co_firstlineno if inspect.isfunction(value) else 0
        return [type(value).__name__, value.__module__, value.__qualname__, str(line), *sorted(vars(value))]
    return [type(value).__name__, repr(value)[:200] if not isinstance(value, dict) else ""]


def hints(value: Any) -> str:
    found = []
    for owner in (value, getattr(value, "__init__", None), getattr(value, "_internal_init", None)):
        if not inspect.isclass(owner) and not inspect.isfunction(owner):
            continue
        try:
            found.append(repr(typing.get_type_hints(owner, localns=LOCAL_NAMES)))
        except Exception as exc:  # what fails must fail alike
            found.append(f"{type(exc).__name__}: {exc}")
    if inspect.isclass(value):
        found.append(repr(sdk_types._raw_return_hints(value)))
    return "\n".join(found)


def surface(package: str) -> dict[str, Any]:
    module = importlib.import_module(package)
    folder = Path(str(module.__file__)).parent
    names = sorted({name for path in folder.glob("*.py") for name in exported(path.read_text()) or ()})
    step = len(names) // HINTS_PER_MODULE + 1
    parts: dict[str, Any] = {}
    for number, name in enumerate(names):
        value = getattr(module, name, "absent")
        parts[f"name {name}"] = described(value)
        if number % step == 0:
            parts[f"hints {name}"] = hints(value)
    for path in sorted(folder.glob("*.py"))[::7]:
        if path.stem not in ("__init__", "_utilities"):
            part = importlib.import_module(f"{package}.{path.stem}")
            parts[f"dir {path.stem}"] = sorted(dir(part))
    written = [name for name in ("_inputs", "outputs", "_enums") if (folder / f"{name}.py").is_file()]
    for part in (module, *(importlib.import_module(f"{package}.{name}") for name in written)):
        parts[f"vars {part.__name__}"] = {
            name: described(value)
            for name, value in sorted(vars(part).items())
            if not (name.startswith("__") and name.endswith("__") and name != "__all__")
        }
        parts[f"dir {part.__name__}"] = sorted(dir(part))
    star: dict[str, Any] = {}
    exec(f"from {package} import *", star)
    parts["star"] = sorted(star)
    return parts


if __name__ == "__main__":
    with lazy_sdks():
        json.dump({package: surface(package) for package in sys.argv[1:]}, sys.stdout, sort_keys=True)
