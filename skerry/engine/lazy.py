"""Imports generated Pulumi SDK packages by need while a program runs.

`import pulumi_aws.ec2` runs four hundred modules for the seven that a program uses. Here a package's `__init__` runs
without its star imports: a name is looked up in an index (skerry.engine.generated) when it is first asked for, and the
one module that defines it is imported as always. `_inputs.py`, `outputs.py` and `_enums.py`, which are a thousand
classes each, run class by class, from the same source lines in the same module.

The rules that keep a program from seeing a difference:

1. An object is made once, by its own module, under its own name: `aws.ec2.Vpc is aws.ec2.vpc.Vpc`.
2. `dir()`, `vars()`, `from package import *` and a name that the index lacks first load everything.
3. A class is made with the classes that its annotations name, so `typing.get_type_hints` finds them.
4. What is not written as the generator writes it is imported as it always was, and so is everything where the
   variable SKERRY_EAGER_IMPORTS is set.
5. The finder is there for one run; modules that it made stay whole afterwards.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from skerry.engine import generated
from skerry.engine.lazy_cache import PLUGIN_FILE, Cache, user_folder
from skerry.engine.lazy_modules import ClassesLoader, MemberLoader, PackageLoader
from skerry.engine.lazy_start import EAGER_VARIABLE

_PREFIX: Final = "pulumi_"
_CLASSES: Final = frozenset({"_inputs", "outputs", "_enums"})
_NEVER: Final = frozenset({"_utilities"})


@contextlib.contextmanager
def lazy_sdks() -> Iterator[None]:
    """Import generated SDK packages by need, for the time of one run."""
    if os.environ.get(EAGER_VARIABLE):
        yield
        return
    cache = Cache(user_folder())
    finder = SdkFinder(cache)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(finder)
        cache.save()


class SdkFinder:
    """Finds the modules of generated SDK packages, and leaves all others to Python."""

    def __init__(self, cache: Cache) -> None:
        """Remember what is learnt in `cache`."""
        self._cache = cache
        self._roots: dict[str, bool] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec with a lazy loader, or None where Python's own finders should answer."""
        root, _, rest = fullname.partition(".")
        if not root.startswith(_PREFIX) or (rest and not self._is_sdk(root)):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None or type(spec.loader) is not SourceFileLoader:
            return None
        if not rest and not _is_sdk(spec.origin):
            return None
        loader = self._loader(fullname, spec)
        if loader is None:
            return None
        spec.loader = loader
        return spec

    def _is_sdk(self, root: str) -> bool:
        if root not in self._roots:
            self._roots[root] = _is_sdk(getattr(sys.modules.get(root), "__file__", None))
        return self._roots[root]

    def _loader(self, fullname: str, spec: ModuleSpec) -> Any:
        name = fullname.rpartition(".")[2]
        origin = str(spec.origin)
        if spec.submodule_search_locations is not None:
            return self._package_loader(fullname, origin)
        if name in _NEVER:
            return None
        if name in _CLASSES:
            return self._classes_loader(fullname, origin)
        return MemberLoader(fullname, origin, self._cache)

    def _package_loader(self, fullname: str, origin: str) -> PackageLoader | None:
        entry = self._cache.entry(fullname, "", origin)
        if "names" not in entry:
            text = _text(origin)
            shape = generated.read_package(text) if text else None
            folder = Path(origin).parent
            names = shape and generated.names_of(fullname, shape, lambda name: _exports(folder, name))
            entry["names"] = names or None
            entry["head"] = _compiled(shape.head, origin) if shape and names else b""
            self._cache.touch(fullname)
        if entry["names"] is None:
            return None
        return PackageLoader(fullname, origin, entry["names"], entry["head"])

    def _classes_loader(self, fullname: str, origin: str) -> ClassesLoader | None:
        package, _, name = fullname.rpartition(".")
        entry = self._cache.entry(package, name, origin)
        if "chunks" not in entry:
            shape = generated.read_classes(_text(origin))
            entry["chunks"] = shape.chunks if shape else None
            if shape:
                entry |= {"all": shape.exported, "stars": shape.stars, "code": {}}
                entry["head"] = _compiled(shape.head, origin)
            self._cache.touch(package)
        return ClassesLoader(fullname, origin, entry, self._cache) if entry["chunks"] else None


def _is_sdk(origin: str | None) -> bool:
    return origin is not None and Path(origin).with_name(PLUGIN_FILE).is_file()


def _text(path: str) -> str:
    """Return the text of a source file; what is no UTF-8 was not written by the generator."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _exports(folder: Path, name: str) -> tuple[str, ...] | None:
    text = _text(str(folder / f"{name}.py"))
    if not text:
        return None
    return generated.exported(text) if "\n__all__" in text else generated.public_names(text)


def _compiled(source: str, path: str) -> bytes:
    return marshal.dumps(compile(source, path, "exec", dont_inherit=True))
