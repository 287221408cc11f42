"""The shape of generated packages is read from their text; what is written otherwise has none."""

from __future__ import annotations

import pytest

from skerry.engine import generated
from tests.simulators.import_runs import INIT, MARK

NO_PACKAGE = {
    "no mark": INIT.removeprefix(MARK),
    "a function": INIT + "def f(): pass\n",
    "an import from elsewhere": INIT + "from os import path\n",
    "a lazy import of another kind": INIT + "if typing.TYPE_CHECKING:\n    pass\nelse:\n    x = f('pulumi_tiny.x')\n",
    "a registration with code in it": INIT + '\n_utilities.register(\n    resource_modules="""\n[]\n""" + f(),\n)\n',
}


@pytest.mark.parametrize("text", NO_PACKAGE.values(), ids=NO_PACKAGE)
def test_no_shape_of_a_package(text: str) -> None:
    assert generated.read_package(INIT) is not None
    assert generated.read_package(text) is None


def test_a_later_import_takes_a_name_over() -> None:
    shape = generated.read_package(MARK + "from .a import *\nfrom .b import *\nfrom .c import *\n")
    assert shape is not None
    exports = {"a": ("b", "X"), "b": ("X",), "c": ("c",)}
    assert generated.names_of("p", shape, exports.get) == {
        "a": ("module", "p.a"),
        "b": ("module", "p.b"),
        "X": ("export", "b"),
        "c": ("export", "c"),
    }


NAMES: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "imports, functions, classes and values": (
        "'''doc'''\nimport a.b, c as d\nfrom e import f as g\nH = 1\ndef i(): pass\nclass J: pass\n_k = 2\n",
        ("a", "d", "g", "H", "i", "J"),
    ),
    "a star import": ("from e import *\n", None),
    "a condition": ("if 1:\n    x = 1\n", None),
    "two targets": ("a, b = 1, 2\n", None),
    "no Python": ("def\n", None),
}


@pytest.mark.parametrize(("text", "expected"), NAMES.values(), ids=NAMES)
def test_names_of_a_module_without_a_list(text: str, expected: tuple[str, ...] | None) -> None:
    assert expected == generated.public_names(text)
