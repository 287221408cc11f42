"""Starts the SDK without the parts that a preview does not use; `import pulumi` takes a third less.

- `pulumi.automation` drives other programs.
- `pulumi.runtime._instrumentation` traces calls where TRACEPARENT is set, and imports OpenTelemetry to that end.
- `grpc.aio` serves callbacks, for transforms and hooks.

Each of these modules is there, and is loaded when a name of it is asked for. `dill` is not among them, though it costs
as much: it remembers what `__main__` is when it is loaded.
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
_TRACING: Final = "pulumi.runtime._instrumentation"
_TRACING_VARIABLE: Final = "TRACEPARENT"
"""Set to anything, it makes the SDK trace from its first line on."""
_LATER: Final = frozenset({"pulumi.automation", _TRACING, "grpc.aio"})


@contextlib.contextmanager
def lean_pulumi() -> Iterator[None]:
    """Put off the loading of these modules while the SDK is imported."""
    if os.environ.get(EAGER_VARIABLE):
        yield
        return
    finder = _Finder(_LATER - {_TRACING} if os.environ.get(_TRACING_VARIABLE) else _LATER)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(finder)


class _Finder:
    def __init__(self, later: frozenset[str]) -> None:
        self._later = later

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._later:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
