"""Imports by need: SDK packages look as they always did, and a program pays for what it uses."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.lazy import lazy_sdks
from tests.simulators.import_runs import INIT, INPUTS, MARK, THING, in_run, look, run, write_tiny

PACKAGES = (
    "pulumi_aws",
    "pulumi_aws.s3",
    "pulumi_kubernetes.apps.v1",
    "pulumi_kubernetes.helm.v3",
    "pulumi_gcp.storage",
    "pulumi_azure_native.storage",
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def surfaces(cache: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    script = str(Path(__file__).with_name("sdk_surface.py"))
    return json.loads(run([script, *PACKAGES], cache)), json.loads(run([script, *PACKAGES], cache, eager=True))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_looks_the_same(surfaces: tuple[dict[str, Any], dict[str, Any]], package: str) -> None:
    lazy, eager = (surface[package] for surface in surfaces)
    assert len(eager) > 15
    assert [key for key in eager if eager[key] != lazy.get(key)] == []
    assert eager.keys() == lazy.keys()


# -- what it pays -----------------------------------------------------------------------------------------------------


def test_only_what_is_used_is_loaded(cache: Path) -> None:
    program = """
    import pulumi_aws as aws
    aws.ec2.Vpc
    aws.ec2.InstanceRootBlockDeviceArgs
    loaded = sorted(name.removeprefix("pulumi_aws.ec2") for name in sys.modules if name.startswith("pulumi_aws.ec2"))
    inputs = object.__getattribute__(aws.ec2._inputs, "__spec__").loader_state.real
    result = [loaded, sum(name.endswith("Args") for name in inputs)]
    """
    loaded, arguments = in_run(program, cache)
    assert arguments == 1
    assert {"", "._enums", "._inputs", ".outputs", ".vpc"} >= set(loaded)


def test_the_variable_switches_it_off(cache: Path) -> None:
    program = (
        "import pulumi_aws as aws\naws.ec2.Vpc\nresult = sum(name.startswith('pulumi_aws.') for name in sys.modules)"
    )
    assert in_run(program, cache, eager=True) > 300


def test_the_finder_is_gone_after_the_run() -> None:
    before = list(sys.meta_path)
    with lazy_sdks():
        assert len(sys.meta_path) == len(before) + 1
    assert before == sys.meta_path


def test_what_was_loaded_stays_whole_after_the_run(cache: Path) -> None:
    text = """
    import json, sys
    from skerry.engine.lazy import lazy_sdks
    with lazy_sdks():
        import pulumi_aws as aws
        aws.ec2.Vpc
    import pulumi_aws.ec2.instance
    from pulumi._types import input_type_types
    known = input_type_types(aws.ec2.InstanceArgs)
    print(json.dumps([aws.ec2.Subnet.__name__, aws.ec2.Instance is aws.ec2.instance.Instance, len(known) > 20]))
    """
    assert json.loads(run(["-c", textwrap.dedent(text)], cache)) == ["Subnet", True, True]


# -- packages that are written otherwise ------------------------------------------------------------------------------

OTHERWISE: dict[str, tuple[dict[str, str], list[str]]] = {
    "as the generator writes it": (
        {},
        ["<class 'pulumi_tiny.thing.Thing'>", "<class 'pulumi_tiny._inputs.AArgs'>", "LazyModule"],
    ),
    "a line of code in the package": (
        {"__init__": INIT + "Thing = 7\n"},
        ["7", "<class 'pulumi_tiny._inputs.AArgs'>", "module"],
    ),
    "a package without the mark": (
        {"__init__": INIT.removeprefix(MARK)},
        ["<class 'pulumi_tiny.thing.Thing'>", "<class 'pulumi_tiny._inputs.AArgs'>", "module"],
    ),
    "a function among the classes": (
        {"_inputs": INPUTS + "\ndef AArgs():\n    pass\n"},
        ["<class 'pulumi_tiny.thing.Thing'>", "<function AArgs", "LazyModule"],
    ),
    "a class that is written twice": (
        {"_inputs": INPUTS + "\nclass AArgs(int):\n    pass\n"},
        ["<class 'pulumi_tiny.thing.Thing'>", "<class 'pulumi_tiny._inputs.AArgs'>", "LazyModule"],
    ),
    "a docstring that looks like a class": (
        {"_inputs": INPUTS.replace("    pass", '    """\nclass CArgs:\n    """')},
        ["<class 'pulumi_tiny.thing.Thing'>", "<class 'pulumi_tiny._inputs.AArgs'>", "LazyModule"],
    ),
    "a module without a list of exports": (
        {"thing": THING.replace("__all__ = ['Thing']\n", "import json as _j, os.path\n")},
        ["<class 'pulumi_tiny.thing.Thing'>", "<class 'pulumi_tiny._inputs.AArgs'>", "module"],
    ),
}


@pytest.mark.parametrize(("files", "expected"), OTHERWISE.values(), ids=OTHERWISE)
def test_what_is_written_otherwise_is_imported_as_always(
    tmp_path: Path, files: dict[str, str], expected: list[str]
) -> None:
    found = look(write_tiny(tmp_path, **files), tmp_path / "cache", "Thing AArgs")
    assert expected == [text[: len(start)] for text, start in zip(found, expected, strict=True)]


def test_a_package_that_is_edited_is_read_again(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path)
    assert look(folder, tmp_path / "cache", "Other")[0] == "None"
    (folder / "pulumi_tiny" / "thing.py").write_text(THING.replace("['Thing']", "['Thing', 'Other']") + "Other = 1\n")
    (folder / "pulumi_tiny" / "__init__.py").write_text(INIT + "# edited\n")
    assert look(folder, tmp_path / "cache", "Other")[0] == "1"


def test_a_submodule_that_is_edited_alone_is_found_as_well(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path)
    look(folder, tmp_path / "cache", "Thing")
    (folder / "pulumi_tiny" / "thing.py").write_text(THING.replace("['Thing']", "['Thing', 'Other']") + "Other = 1\n")
    assert look(folder, tmp_path / "cache", "Thing Other")[1] == "1"


def test_an_sdk_that_is_upgraded_in_place_is_read_again(tmp_path: Path) -> None:
    # Reproducible installations give every file the same time, and these two have the same size as well.
    cache, package = tmp_path / "cache", tmp_path / "pulumi_tiny"

    def install(version: str, thing: str) -> None:
        write_tiny(
            tmp_path, version, thing=THING.replace("Thing", thing), _inputs=INPUTS.replace("pass", f"x='{thing}'")
        )
        for path in package.glob("*.py"):
            os.utime(path, (1, 1))

    def seen() -> Any:
        text = "import pulumi_tiny as t\nresult = [hasattr(t, 'Thing'), hasattr(t, 'Other'), t.BArgs.x]"
        return in_run(f"sys.path.insert(0, {str(tmp_path)!r})\nsys.dont_write_bytecode = True\n{text}", cache)

    install("1.0.0", "Thing")
    assert seen() == [True, False, "Thing"]
    install("1.0.1", "Other")
    assert seen() == [False, True, "Other"]
