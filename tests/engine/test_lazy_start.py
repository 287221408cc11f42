"""What a preview does not use of the SDK is loaded when it is asked for, and is then what it always was."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.lazy_start import EAGER_VARIABLE, lean_pulumi
from tests.simulators.import_runs import run

LATER = ("pulumi.automation", "pulumi.runtime._instrumentation", "grpc.aio")
START = """
import json, sys
from skerry.engine.lazy_start import lean_pulumi
with lean_pulumi():
    import pulumi
def loaded(name):
    return type(sys.modules.get(name)).__name__ == "module" and name in sys.modules
"""


def started(lines: str, tmp_path: Path, variables: Mapping[str, str] = {}, *, eager: bool = False) -> Any:
    given = "".join(f"import os; os.environ[{name!r}] = {value!r}\n" for name, value in variables.items())
    return json.loads(run(["-c", f"{given}{START}{lines}\nprint(json.dumps(result))"], tmp_path, eager=eager))


CASES: dict[str, tuple[str, dict[str, str], dict[bool, Any]]] = {
    "they wait": (
        f"result = [loaded(name) for name in {LATER!r}]",
        {},
        {False: [False, False, False], True: [True, True, True]},
    ),
    "tracing begins at once where it is asked for": (
        "result = loaded('pulumi.runtime._instrumentation')",
        {"TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {False: True, True: True},
    ),
    "dill is loaded with the SDK and knows the main module of that time": (
        "import __main__, dill\nresult = [loaded('dill'), dill._dill._main_module is __main__]",
        {},
        {False: [True, True], True: [True, True]},
    ),
    "the names of each are whole": (
        f"""
import importlib
result = [len(dir(importlib.import_module(name))) for name in {LATER!r}]
from pulumi.automation import LocalWorkspace
import grpc
result += [LocalWorkspace.__name__, pulumi.automation.Stack.__name__, grpc.aio.server.__name__]
result += [pulumi.runtime._instrumentation._tracer_provider is None]
""",
        {},
        {},
    ),
}


@pytest.mark.parametrize(("lines", "variables", "expected"), CASES.values(), ids=CASES)
def test_a_start_of_the_sdk(tmp_path: Path, lines: str, variables: dict[str, str], expected: dict[bool, Any]) -> None:
    found = {eager: started(lines, tmp_path, variables, eager=eager) for eager in (False, True)}
    assert (expected or {False: found[True], True: found[True]}) == found


def test_the_finder_is_gone_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(sys.meta_path)
    with lean_pulumi():
        assert len(sys.meta_path) == len(before) + 1
    assert before == sys.meta_path
    monkeypatch.setenv(EAGER_VARIABLE, "1")
    with lean_pulumi():
        assert before == sys.meta_path
