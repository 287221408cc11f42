"""The house: imports go down only, rooms do not know each other, and some rooms never meet Pulumi."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"skerry": 1, "components": 2, "airgap_bundle": 2, "cost": 2, "policies": 3, "cli": 4}
CLOUD_SDKS = {"pulumi_aws": "components.aws", "pulumi_gcp": "components.gcp", "pulumi_azure_native": "components.azure"}
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
SAYS_WHY = "Longer than 400 lines because"


def modules() -> dict[str, Path]:
    found = {}
    for room in FLOORS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(path: Path) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            found.append((node.module or "", node.lineno))
    return found


def allowed(importer: str, imported: str) -> bool:
    own, other = importer.split(".")[0], imported.split(".")[0]
    if other not in FLOORS or own == other:
        return True
    return FLOORS[other] < FLOORS[own]


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_only(name: str) -> None:
    wrong = [f"line {line}: {target}" for target, line in imports(MODULES[name]) if not allowed(name, target)]
    assert wrong == []


def test_the_rule_itself_refuses_an_upward_and_a_sideways_import() -> None:
    assert not allowed("skerry.graph", "cost.estimate")
    assert not allowed("cost.estimate", "airgap_bundle.plan")
    assert allowed("policies.rules.budget", "cost.estimate")


@pytest.mark.parametrize("name", MODULES)
def test_pulumi_is_imported_only_where_it_belongs(name: str) -> None:
    roots = {target.split(".")[0] for target, _ in imports(MODULES[name])}
    uses_pulumi = any(root == "pulumi" or root.startswith("pulumi_") for root in roots)
    may = name.startswith(("components", "skerry.engine")) or name in {"policies.crossguard", "policies.__main__"}
    assert may or not uses_pulumi


@pytest.mark.parametrize("name", MODULES)
def test_a_cloud_sdk_is_imported_in_its_own_folder_only(name: str) -> None:
    for target, line in imports(MODULES[name]):
        home = CLOUD_SDKS.get(target.split(".")[0])
        assert home is None or name.startswith(home), f"line {line}: {target}"


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_stay_short(name: str) -> None:
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES or SAYS_WHY in text
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node) is not None
            docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
            length = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines beside its docstring"


@pytest.mark.parametrize("path", [path for path in MODULES.values() if path.name == "__init__.py"], ids=str)
def test_init_files_hold_a_docstring_only(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert ast.get_docstring(ast.Module(body, [])) is not None


def test_no_module_of_policies_hides_another() -> None:
    taken = set(sys.stdlib_module_names) | set(FLOORS) | {"pulumi", "pulumi_policy", "pydantic", "yaml", "rich", "grpc"}
    hidden = [path.stem for path in (ROOT / "policies").iterdir() if path.stem in taken and path.stem != "__main__"]
    assert hidden == []


def test_policy_pack_is_started_in_one_place_only() -> None:
    calls = [
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "PolicyPack"
    ]
    assert calls == ["policies.__main__"]
