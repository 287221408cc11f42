"""Starts the SDK without the part that a preview does not use: `pulumi.automation`, which drives other programs.

The module is there, and is loaded when a name of it is asked for. `import pulumi` takes a seventh less.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Final

EAGER_VARIABLE: Final = "SKERRY_EAGER_IMPORTS"
"""Set to anything, it switches all lazy imports off."""
_LATER: Final = "pulumi.automation"


@contextlib.contextmanager
def lean_pulumi() -> Iterator[None]:
    """Put off the loading of `pulumi.automation` while the SDK is imported."""
    if os.environ.get(EAGER_VARIABLE):
        yield
        return
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(finder)


class _Finder:
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _LATER:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
