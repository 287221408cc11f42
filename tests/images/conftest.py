"""The programs of our own images, loaded from their files: they belong to no package."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

IMAGES = Path(__file__).resolve().parents[2] / "images"


@pytest.fixture(scope="session")
def program() -> Callable[[str], ModuleType]:
    """Return a function that loads a program by its path below images/."""

    def load(path: str) -> ModuleType:
        name = "image_" + path.replace("/", "_").replace("-", "_").removesuffix(".py")
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, IMAGES / path)
            assert spec is not None and spec.loader is not None
            sys.modules[name] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        return sys.modules[name]

    return load
