"""The module type that finds its names when they are asked for, and what such a module knows.

What was found lies in the module's own dict like any other name; the code of the module itself finds it there. Three
kinds of modules are made of it in skerry.engine.lazy_modules.
"""

from __future__ import annotations

import importlib
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from types import FrameType, ModuleType
from typing import Any, Final

_SEES_PART: Final = frozenset(
    {"pulumi._types", "pulumi._utils", "typing", "typing_extensions", "inspect", "annotationlib"}
)
"""Modules that read a module's dict to resolve annotations, whose names are there, or to load it lazily."""

_descriptor: Final[Any] = vars(ModuleType)["__dict__"]
real_dict: Final[Callable[[ModuleType], dict[str, Any]]] = _descriptor.__get__


class LazyModule(ModuleType):
    """A module that finds its names when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        """Find a name that the module's dict lacks."""
        state = state_of(self)
        if state is not None:
            real = real_dict(self)
            if name == "__all__" and state.has_all and not state.is_full:
                return state.all_for(sys._getframe(1))
            if not state.is_full and (state.find(name) or (not name.startswith("_") and state.fill() and name in real)):
                return real[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Exchange a name, after whatever reads it has been imported."""
        state = state_of(self)
        if state is not None and state.is_shadowed(name, value):
            # An export bears the name of the submodule that was just imported; imported at once, it would win.
            return
        if state is not None:
            state.settle(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Delete a name for good."""
        state = state_of(self)
        if state is not None:
            # What is deleted must not be found again.
            state.settle(name)
            state.fill()
        super().__delattr__(name)

    def __dir__(self) -> Iterable[str]:
        """Return all names."""
        return list(vars(self))

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]  # the module type has a descriptor of its own
        """Return the module's dict, whole for everybody but those that need no more than is there."""
        state = state_of(self)
        if state is not None and sys._getframe(1).f_globals.get("__name__") not in _SEES_PART:
            state.fill()
        return real_dict(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse to be pickled, as every module does."""
        pickler = sys._getframe(1).f_locals.get("self")
        if type(pickler).__module__.partition(".")[0] == "dill":
            # dill, which serializes dynamic providers, knows a module by its exact type.
            return importlib.import_module, (self.__name__,)
        raise TypeError("cannot pickle 'module' object")


class State(ABC):
    """What a lazy module knows of the names that it does not hold yet."""

    def __init__(self, module: ModuleType) -> None:
        """Know nothing yet."""
        self.module = module
        self.has_all = False
        """Its `__all__` depends on who asks."""
        self.real = real_dict(module)
        self.is_full = False
        """Nothing is looked for any more: what is missing was taken away by the program."""
        self._filling_thread = 0

    @abstractmethod
    def find(self, name: str) -> bool:
        """Bring a name into the module's dict, and say whether it is there."""

    @abstractmethod
    def names(self) -> Iterable[str]:
        """Return every name that could be brought in."""

    def all_for(self, importer: FrameType) -> list[str]:
        """Return the `__all__` that the code in a frame should see: the module's own, whoever asks."""
        return list(self.real.get("__all__", ()))

    def is_shadowed(self, name: str, value: Any) -> bool:
        """Say whether a name that is about to be set is taken by something else."""
        return False

    def fill(self) -> bool:
        """Bring in every name."""
        # A second thread fills as well, for it may not return before all is there; what both find is the same.
        if not self.is_full and self._filling_thread != threading.get_ident():
            self._filling_thread = threading.get_ident()
            try:
                self.find_all()
                self.is_full = True
            finally:
                self._filling_thread = 0
        return True

    def find_all(self) -> None:
        """Look for every name."""
        for name in list(self.names()):
            if name not in self.real:
                self.find(name)

    def settle(self, name: str) -> None:
        """Finish what reads a name of this module before a program exchanges the name."""
        if name == "__getattr__":
            self.fill()


def state_of(module: ModuleType) -> State | None:
    """Return what a module knows, or None where it is whole."""
    state = getattr(real_dict(module).get("__spec__"), "loader_state", None)
    # A module that was loaded anew by Python itself has a spec without one.
    return state if isinstance(state, State) else None


def has_run(module: ModuleType) -> bool:
    """Say whether a module's code has run before: it is being loaded anew."""
    return "__builtins__" in real_dict(module)


def make_lazy(module: ModuleType, state: State) -> None:
    """Give a module the type and the state.

    Raises:
        ImportError: the module has no spec.
    """
    spec = module.__spec__
    if spec is None:
        raise ImportError(f"module {module.__name__} has no spec")
    spec.loader_state = state
    module.__class__ = LazyModule
