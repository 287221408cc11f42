"""The modules of a program: its folder comes first on the path, and two programs may use the same names."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

_CACHED: Final[dict[Path, dict[str, ModuleType]]] = {}
"""Modules of a program that share their names with those of another one, kept for its next run."""


@contextlib.contextmanager
def modules_of(program: Path) -> Iterator[None]:
    """Put a program's folder first on the path, and aside what other folders loaded under its names."""
    names = _importable(program)
    hidden = {
        name: module
        for name, module in sys.modules.items()
        if name.split(".", 1)[0] in names and not _is_under(module, program)
    }
    for name in hidden:
        del sys.modules[name]
    sys.modules.update(_CACHED.pop(program, {}))
    saved_path, saved_argv = list(sys.path), sys.argv
    sys.path.insert(0, str(program))
    sys.argv = [str(program)]
    try:
        yield
    finally:
        sys.path[:], sys.argv = saved_path, saved_argv
        tops = {name.split(".", 1)[0] for name in hidden}
        own = {name: m for name, m in sys.modules.items() if name.split(".", 1)[0] in tops and _is_under(m, program)}
        for name in own:
            del sys.modules[name]
        if own:
            _CACHED[program] = own
        sys.modules.update(hidden)


@contextlib.contextmanager
def packages_of(environment: Path | None) -> Iterator[None]:
    """Let a program import what only its own environment has; what both have comes from this one."""
    if environment is None:
        yield
        return
    sys.path.append(str(environment))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(environment))
        # Another program may have another version of them.
        for name in [name for name, module in sys.modules.items() if _is_under(module, environment)]:
            del sys.modules[name]


def _importable(program: Path) -> set[str]:
    """Return the names that a program's folder offers; a folder without code of its own yields to a real package."""
    names: set[str] = set()
    for path in program.iterdir():
        if path.suffix == ".py" or (path / "__init__.py").is_file():
            names.add(path.stem)
        elif path.is_dir() and getattr(sys.modules.get(path.name), "__file__", None) is None:
            names.add(path.name)
    return names - sys.stdlib_module_names - {__name__.split(".", 1)[0], "__main__"}


def _is_under(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    if file is None:
        # A folder without __init__.py is a namespace package: it has places but no file.
        return any(str(place).startswith(f"{folder}/") for place in getattr(module, "__path__", ()))
    return str(Path(file).resolve()).startswith(f"{folder}/")
