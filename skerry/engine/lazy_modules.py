"""The modules that skerry.engine.lazy makes, and their loaders.

Three kinds: a package without its star imports, a module of classes that runs class by class, and a module that
star-imports the classes of another one and gets those that its text names. Each is a subclass of the module type that
finds a missing name when it is asked for; what was found lies in the module's own dict like any other name.
"""

from __future__ import annotations

import importlib
import marshal
import sys
import threading
from collections.abc import Iterable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final

from pulumi import _utils as sdk_utils

from skerry.engine import generated
from skerry.engine.lazy_cache import Cache
from skerry.engine.lazy_state import State, has_run, make_lazy, real_dict, state_of

_ONE_AT_A_TIME: Final = threading.RLock()


# -- packages ---------------------------------------------------------------------------------------------------------


class _PackageState(State):
    def __init__(self, module: ModuleType, names: generated.Names) -> None:
        super().__init__(module)
        self._names = names
        self._exports: dict[str, list[str]] = {}

    def names(self) -> Iterable[str]:
        return self._names

    def find(self, name: str) -> bool:
        kind, target = self._names.get(name, ("", ""))
        if not kind:
            # A private submodule that another one would have imported by now; star imports bring no private name.
            if not name.startswith("_") or not Path(str(self.module.__file__)).with_name(f"{name}.py").is_file():
                return False
            self.real.setdefault(name, importlib.import_module(f"{self.module.__name__}.{name}"))
        elif kind == "lazy":
            # What the package itself does: a subpackage may be in the middle of a circle of imports.
            self.real.setdefault(name, sdk_utils.lazy_import(target))  # type: ignore[no-untyped-call]  # the SDK has no type for it
        elif kind == "module":
            self.real.setdefault(name, importlib.import_module(target))
        else:
            source = importlib.import_module(f"{self.module.__name__}.{target}")
            self.real.setdefault(name, getattr(source, name))
        return True

    def find_all(self) -> None:
        """Look for every name of the index, and for those that a submodule exports though the index lacks them."""
        super().find_all()
        for target in dict.fromkeys(target for kind, target in self._names.values() if kind == "export"):
            source = importlib.import_module(f"{self.module.__name__}.{target}")
            for name in getattr(source, "__all__", ()):
                if name not in self._names:
                    self.real[name] = getattr(source, name)

    def bind(self, target: str) -> None:
        """Bind what a submodule exports, as the import of the package would have done by now."""
        if not self._exports:
            for name, (kind, source) in self._names.items():
                if kind == "export":
                    self._exports.setdefault(source, []).append(name)
        module = sys.modules[f"{self.module.__name__}.{target}"]
        if self._names.get(target, ("", ""))[0] == "module":
            self.real.setdefault(target, module)
        for name in self._exports.get(target, ()):
            if name in real_dict(module):
                self.real.setdefault(name, real_dict(module)[name])

    def is_shadowed(self, name: str, value: Any) -> bool:
        if self._names.get(name, ("", ""))[0] != "export" or not isinstance(value, ModuleType):
            return False
        return value is sys.modules.get(f"{self.module.__name__}.{name}")


class PackageLoader(SourceFileLoader):
    """Runs an `__init__` without its star imports."""

    def __init__(self, fullname: str, path: str, names: generated.Names, head: bytes) -> None:
        """Take the index of the package and its compiled head."""
        super().__init__(fullname, path)
        self._names = names
        self._head = head

    def exec_module(self, module: ModuleType) -> None:
        """Run the head and leave the rest to the index; a module that is loaded anew is run whole."""
        if has_run(module):
            super().exec_module(module)
            return
        exec(marshal.loads(self._head), real_dict(module))  # the package's own code
        make_lazy(module, _PackageState(module, self._names))


# -- modules of classes -----------------------------------------------------------------------------------------------


class _SettlingState(State):
    """Of a module whose names others of its package import: at once, had they all been imported."""

    def settle(self, name: str) -> None:
        """Import the whole package before a program exchanges a name that others would have by now."""
        super().settle(name)
        package = sys.modules.get(self.module.__name__.rpartition(".")[0])
        state = state_of(package) if package is not None else None
        # A module that is loaded anew gets its new spec first.
        if state is not None and (name == "__spec__" or not name.startswith("__")):
            self.fill()
            state.fill()


class _ClassesState(_SettlingState):
    def __init__(self, module: ModuleType, loader: ClassesLoader) -> None:
        super().__init__(module)
        self._loader = loader
        self._entry = loader.entry
        self._exported: list[str] = list(self._entry["all"])
        self.has_all = True

    def names(self) -> Iterable[str]:
        return ("__all__", *self._entry["chunks"], *(name for star in self._stars() for name in star.exported()))

    def _stars(self) -> list[_Star]:
        package = self.module.__name__.rpartition(".")[0]
        return [_Star(importlib.import_module(f"{package}.{name}")) for name in self._entry["stars"]]

    def find(self, name: str) -> bool:
        if name == "__all__":
            self.real.setdefault(name, self._exported)
            return True
        with _ONE_AT_A_TIME:
            open_names, met = [name], {name}
            stars = self._stars()
            while open_names:
                wanted = open_names.pop()
                if wanted in self.real:
                    continue
                if wanted not in self._entry["chunks"]:
                    _take(self.real, wanted, stars)
                    continue
                try:
                    code, named = self._loader.code_of(wanted)
                except SyntaxError:
                    return self._run_whole(name)
                exec(marshal.loads(code), self.real)  # the module's own code
                open_names += [found for found in named if found not in met]
                met.update(named)
        return name in self.real

    def _run_whole(self, name: str) -> bool:
        """Run the module as it is written, where its text is no row of classes after all; keep what was made before."""
        whole = {key: value for key, value in self.real.items() if key.startswith("__")}
        exec(
            compile(self._loader.get_source(self.module.__name__) or "", self._loader.path, "exec", dont_inherit=True),
            whole,
        )
        for key, value in whole.items():
            self.real.setdefault(key, value)
        return name in self.real

    def all_for(self, importer: FrameType) -> list[str]:
        """Return the `__all__` that a star import should see: for a sibling, the names that its text has."""
        loader = getattr(importer.f_globals.get("__spec__"), "loader", None)
        if importer.f_code.co_name != "<module>":
            return self._exported
        if isinstance(loader, ClassesLoader):
            return []
        if isinstance(loader, MemberLoader) and loader.is_beside(self._loader):
            return loader.needed(self.module, self._exported)
        return self._exported


class ClassesLoader(SourceFileLoader):
    """Runs a module of classes one class at a time."""

    def __init__(self, fullname: str, path: str, entry: dict[str, Any], cache: Cache) -> None:
        """Take what the index knows of the module: its head, its classes, and the code of those once used."""
        super().__init__(fullname, path)
        self.entry = entry
        self._cache = cache
        self._text = ""

    def exec_module(self, module: ModuleType) -> None:
        """Run the head; a module that is loaded anew is run whole."""
        if has_run(module):
            super().exec_module(module)
            return
        exec(marshal.loads(self.entry["head"]), real_dict(module))  # the module's own code
        real_dict(module).pop("__all__", None)
        make_lazy(module, _ClassesState(module, self))

    def code_of(self, name: str) -> tuple[bytes, tuple[str, ...]]:
        """Return the code of a class and the names that it may need."""
        found = self.entry["code"].get(name)
        if found is None:
            self._text = self._text or Path(self.path).read_text(encoding="utf-8")
            line, begin, end = self.entry["chunks"][name]
            text = self._text[begin:end]
            code = compile("\n" * line + text, self.path, "exec", dont_inherit=True)
            named = tuple(sorted(generated.words(text) & self._candidates() - {name}))
            found = self.entry["code"][name] = (marshal.dumps(code), named)
            self._cache.touch(self.name.rpartition(".")[0])
        return found  # type: ignore[no-any-return]  # entries are plain data

    def _candidates(self) -> frozenset[str]:
        package = self.name.rpartition(".")[0]
        stars = [_Star(importlib.import_module(f"{package}.{name}")) for name in self.entry["stars"]]
        return frozenset(self.entry["chunks"]).union(*(star.exported() for star in stars))


# -- modules that use them --------------------------------------------------------------------------------------------


class _MemberState(_SettlingState):
    def __init__(self, module: ModuleType, stars: list[ModuleType]) -> None:
        super().__init__(module)
        self._stars = [_Star(star) for star in stars]

    def names(self) -> Iterable[str]:
        return [name for star in self._stars for name in star.exported()]

    def find(self, name: str) -> bool:
        return _take(self.real, name, self._stars)


class MemberLoader(SourceFileLoader):
    """Runs a module of the package as always; its star imports of classes bring what its text names."""

    def __init__(self, fullname: str, path: str, cache: Cache) -> None:
        """Read and write in `cache` which names the module's text has."""
        super().__init__(fullname, path)
        self._cache = cache
        self._used: list[ModuleType] = []
        self._again = False

    def exec_module(self, module: ModuleType) -> None:
        """Run the module; one that is loaded anew gets all that it star-imports."""
        self._again = has_run(module)
        super().exec_module(module)
        if self._again or type(module) is not ModuleType:
            return
        make_lazy(module, _MemberState(module, self._used))
        package, _, name = self.name.rpartition(".")
        state = state_of(sys.modules[package]) if package in sys.modules else None
        if isinstance(state, _PackageState):
            state.bind(name)

    def is_beside(self, other: SourceFileLoader) -> bool:
        """Say whether another module belongs to the same package and this one runs for the first time."""
        return not self._again and self.name.rpartition(".")[0] == other.name.rpartition(".")[0]

    def needed(self, module: ModuleType, exported: list[str]) -> list[str]:
        """Return which names of a module of classes this module's text has."""
        package, _, name = self.name.rpartition(".")
        entry = self._cache.entry(package, name, self.path)
        source = module.__name__.rpartition(".")[2]
        if source not in entry:
            words = generated.words(Path(self.path).read_text(encoding="utf-8"))
            entry[source] = [word for word in exported if word in words]
            self._cache.touch(package)
        self._used.append(module)
        return list(entry[source])


class _Star:
    """A module whose exports another one star-imports."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def exported(self) -> frozenset[str]:
        """Return the names that a star import of it brings."""
        state = state_of(self.module)
        own = state._exported if isinstance(state, _ClassesState) else getattr(self.module, "__all__", ())
        return frozenset(own)


def _take(real: dict[str, Any], name: str, stars: Iterable[_Star]) -> bool:
    """Bring in a name from the last module that exports it."""
    for star in reversed(list(stars)):
        if name in star.exported():
            real.setdefault(name, getattr(star.module, name))
            return True
    return False
