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
from collections.abc import Callable, Iterable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final

from pulumi import _utils as sdk_utils

from skerry.engine import generated
from skerry.engine.lazy_cache import Cache

_ONE_AT_A_TIME: Final = threading.RLock()
_SEES_PART: Final = frozenset(
    {"pulumi._types", "pulumi._utils", "typing", "typing_extensions", "inspect", "annotationlib"}
)
"""Modules that read a module's dict to resolve annotations, whose names are there, or to load it lazily."""

_descriptor: Final[Any] = vars(ModuleType)["__dict__"]
_real_dict: Final[Callable[[ModuleType], dict[str, Any]]] = _descriptor.__get__


class _LazyModule(ModuleType):
    """A module that finds its names when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        state = _state_of(self)
        if state is not None:
            real = _real_dict(self)
            if name == "__all__" and isinstance(state, _ClassesState):
                return state.all_for(sys._getframe(1))
            if state.find(name) or (not name.startswith("_") and state.fill() and name in real):
                return real[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        state = _state_of(self)
        if isinstance(state, _PackageState) and state.is_shadowed(name, value):
            # An export bears the name of the submodule that was just imported; imported at once, it would win.
            return
        super().__setattr__(name, value)

    def __dir__(self) -> Iterable[str]:
        return list(vars(self))

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]  # the module type has a descriptor of its own
        state = _state_of(self)
        if state is not None and sys._getframe(1).f_globals.get("__name__") not in _SEES_PART:
            state.fill()
        return _real_dict(self)

    def __reduce__(self) -> Any:
        return importlib.import_module, (self.__name__,)


class _State:
    """What a lazy module knows of the names that it does not hold yet."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.real = _real_dict(module)
        self._full = False

    def find(self, name: str) -> bool:
        """Bring a name into the module's dict, and say whether it is there."""
        raise NotImplementedError

    def names(self) -> Iterable[str]:
        """Return every name that could be brought in."""
        raise NotImplementedError

    def fill(self) -> bool:
        """Bring in every name."""
        if not self._full:
            self._full = True
            for name in list(self.names()):
                if name not in self.real:
                    self.find(name)
        return True


def _state_of(module: ModuleType) -> _State | None:
    state = getattr(_real_dict(module).get("__spec__"), "loader_state", None)
    # A module that was loaded anew by Python itself has a spec without one.
    return state if isinstance(state, _State) else None


# -- packages ---------------------------------------------------------------------------------------------------------


class _PackageState(_State):
    def __init__(self, module: ModuleType, names: generated.Names) -> None:
        super().__init__(module)
        self._names = names

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
        """Run the head and leave the rest to the index."""
        exec(marshal.loads(self._head), _real_dict(module))  # the package's own code
        _make_lazy(module, _PackageState(module, self._names))


# -- modules of classes -----------------------------------------------------------------------------------------------


class _ClassesState(_State):
    def __init__(self, module: ModuleType, loader: ClassesLoader) -> None:
        super().__init__(module)
        self._loader = loader
        self._entry = loader.entry
        self._exported: list[str] = list(self._entry["all"])

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
        """Run the head."""
        exec(marshal.loads(self.entry["head"]), _real_dict(module))  # the module's own code
        _real_dict(module).pop("__all__", None)
        _make_lazy(module, _ClassesState(module, self))

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


class _MemberState(_State):
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

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        super().exec_module(module)
        if self._used and type(module) is ModuleType:
            _make_lazy(module, _MemberState(module, self._used))

    def is_beside(self, other: SourceFileLoader) -> bool:
        """Say whether another module belongs to the same package."""
        return self.name.rpartition(".")[0] == other.name.rpartition(".")[0]

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
        state = _state_of(self.module)
        own = state._exported if isinstance(state, _ClassesState) else getattr(self.module, "__all__", ())
        return frozenset(own)


def _take(real: dict[str, Any], name: str, stars: Iterable[_Star]) -> bool:
    """Bring in a name from the last module that exports it."""
    for star in reversed(list(stars)):
        if name in star.exported():
            real.setdefault(name, getattr(star.module, name))
            return True
    return False


def _make_lazy(module: ModuleType, state: _State) -> None:
    spec = module.__spec__
    if spec is None:
        raise ImportError(f"module {module.__name__} has no spec")
    spec.loader_state = state
    module.__class__ = _LazyModule
