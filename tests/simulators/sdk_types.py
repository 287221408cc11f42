"""What an installed Pulumi SDK says about a resource type, read from the SDK's source without importing it.

A cloud's SDK takes seconds to import; the text of the few classes that one resource names is read in milliseconds, and
what was read is kept as JSON under the user's cache folder, keyed by the SDK's version. A type is plain JSON:

    "str" "int" "float" "bool" "any" "asset"     a leaf
    ["list", T]  ["map", T]  ["ref", key]          a collection; the properties of `types[key]`
    ["enum", [values]]  ["open", [values]]         an enum; one that also takes other strings
    ["union", [T, ...]]                            any of these
"""

# Source: pulumi/pulumi sdk/python/lib/pulumi/_types.py and the generated SDKs, read 2026-11.

from __future__ import annotations

import ast
import importlib.util
import json
import os
import pwd
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
"""Changes when what is kept in the cache changes its meaning."""
_CLASS: Final = re.compile(r"^class (\w+)\b", re.MULTILINE)
_ALIAS: Final = re.compile(r"^from (\.+)([\w.]*) import (\w+)(?: as (\w+))?$", re.MULTILINE)
_LEAVES: Final = {
    "str": "str", "int": "int", "float": "float", "bool": "bool", "Any": "any", "object": "any",
    "Asset": "asset", "Archive": "asset", "AssetOrArchive": "asset",
}  # fmt: skip
_MAX_DEPTH: Final = 60
"""Deeper than the nesting of any resource; the SDKs write recursive types out to a fixed depth."""
OUTPUT_DEPTH: Final = 3
"""How many references deep outputs are made up."""

Type = Any
"""One of the forms above."""
Properties = dict[str, list[Any]]
"""Wire name -> [type, whether it must be given (an input) or is always there (an output)]."""


class Sdk:
    """One installed SDK."""

    def __init__(self, folder: Path, package: str, version: str, cache_folder: Path | None = None) -> None:
        """Read nothing yet.

        Args:
            folder: where its Python package lies.
            package: the package's name in tokens, such as `azure-native`.
            version: what the cache is keyed by.
            cache_folder: where to keep what was read; None keeps it in memory only.
        """
        self.folder, self.package, self.version = folder, package, version
        self._cache = cache_folder / f"{package}-{version}-{FORMAT}" if cache_folder else None
        self._texts: dict[Path, tuple[str, dict[str, tuple[int, int]]]] = {}
        self._resources: dict[str, dict[str, Any] | None] = {}

    def resource(self, token: str) -> dict[str, Any] | None:
        """Return `inputs`, `outputs` and `types` of a resource type, or None where the SDK has no such class."""
        if token not in self._resources:
            path = self._cache / (re.sub(r"[^\w.-]", "_", token) + ".json") if self._cache else None
            found = read_json(path)
            if found is None:
                found = self._derive(token) or {}
                write_json(path, found)
            self._resources[token] = found or None
        return self._resources[token]

    def modules(self) -> dict[str, tuple[str, str]]:
        """Return every token of the SDK with the Python module and the class that stand for it."""
        text = (self.folder / "__init__.py").read_text(encoding="utf-8")
        found: dict[str, tuple[str, str]] = {}
        for name in ("resource_modules", "resource_packages"):
            block = re.search(rf'{name}="""(.*?)"""', text, re.DOTALL)
            for row in json.loads(block.group(1)) if block else ():
                classes = row.get("classes") or {row["token"]: row["class"]}
                found |= {token: (row["fqn"], class_) for token, class_ in classes.items()}
        return found

    def _derive(self, token: str) -> dict[str, Any] | None:
        place = self.modules().get(token)
        if place is None:
            return None
        module, name = place
        path = self._file_of(self.folder.joinpath(*module.split(".")[1:]), name)
        if path is None:
            return None
        types: dict[str, Properties] = {}
        args = next((one for one in (f"{name}Args", f"{name}InitArgs") if self._source(path, one)), None)
        inputs = self._properties(path, args) if args else {}
        outputs = self._properties(path, name)
        self._follow([type_ for type_, _ in inputs.values()], types, _MAX_DEPTH)
        self._follow([type_ for type_, always in outputs.values() if always], types, OUTPUT_DEPTH)
        return {"inputs": inputs, "outputs": outputs, "types": types}

    def _file_of(self, folder: Path, name: str) -> Path | None:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
        likely = [folder / f"{snake}.py", folder / f"{name}.py"]
        wanted = re.compile(rf"^class {name}\(pulumi\.(?:Custom|Provider)Resource\)", re.MULTILINE)
        for path in [*likely, *sorted(set(folder.glob("*.py")) - set(likely))]:
            if path.is_file() and wanted.search(path.read_text(encoding="utf-8")):
                return path
        return None

    def _follow(self, wanted: list[Type], types: dict[str, Properties], depth: int) -> None:
        """Add the classes that types refer to, so many references deep."""
        if not wanted or not depth:
            return
        found: list[Type] = []
        for key in (key for type_ in wanted for key in references(type_)):
            if key not in types:
                file, name = key.rsplit(":", 1)
                types[key] = self._properties(self.folder / file, name)
                found += [type_ for type_, _ in types[key].values()]
        self._follow(found, types, depth - 1)

    def _source(self, path: Path, name: str) -> str:
        """Return the text of one class, empty where there is none."""
        if path not in self._texts:
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            starts = [(match.start(), match.group(1)) for match in _CLASS.finditer(text)]
            ends = [*(start for start, _ in starts[1:]), len(text)] if starts else []
            self._texts[path] = text, {
                found: (start, end) for (start, found), end in zip(starts, ends, strict=True)
            }  # fmt: skip
        text, places = self._texts[path]
        if name not in places:
            return ""
        start, end = places[name]
        return re.sub(r"(\n@[^\n]*)+\n*\Z", "\n", text[start:end])

    def _class(self, path: Path, name: str) -> ast.ClassDef | None:
        source = self._source(path, name)
        if not source:
            return None
        return next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))

    def _properties(self, path: Path, name: str) -> Properties:
        """Return the properties of an arguments class, a resource class or an output class."""
        node = self._class(path, name)
        if node is None:
            return {}
        found: Properties = {}
        required = _required(node)
        for function in node.body:
            if not isinstance(function, ast.FunctionDef) or function.returns is None:
                continue
            wire = _wire_name(function)
            if wire is None:
                continue
            type_, optional = self._type(function.returns, path)
            here = function.name in required if required is not None else not optional
            found[wire] = [type_, here]
        return found

    def _type(self, node: ast.expr, path: Path) -> tuple[Type, bool]:
        """Return a type and whether it may be left out."""
        if isinstance(node, ast.Constant):
            return (
                (self._named(node.value, path), False) if isinstance(node.value, str) else ("any", node.value is None)
            )
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            return _LEAVES.get(name) or self._named(ast.unparse(node), path), False
        if not isinstance(node, ast.Subscript):
            return "any", False
        head = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        match head:
            case "Input" | "Output" | "NotRequired":
                return self._type(inside[0], path)
            case "Optional":
                return self._type(inside[0], path)[0], True
            case "Sequence" | "List" | "list":
                return ["list", self._type(inside[0], path)[0]], False
            case "Mapping" | "Dict" | "dict":
                return ["map", self._type(inside[-1], path)[0]], False
            case "Literal":
                return ["enum", [one.value for one in inside if isinstance(one, ast.Constant)]], False
            case "Union":
                return _union([self._type(one, path)[0] for one in inside]), False
        return "any", False

    def _named(self, name: str, path: Path) -> Type:
        """Return the type that a name stands for in one module."""
        *scope, class_ = name.split(".")
        for file in self._files(path, scope):
            if self._source(file, class_):
                values = _enum_values(self._class(file, class_))
                if values is not None:
                    return ["enum", values]
                if file.name in ("_inputs.py", "outputs.py"):
                    return ["ref", f"{file.relative_to(self.folder).as_posix()}:{class_}"]
        return "any"

    def _files(self, path: Path, scope: list[str]) -> Iterator[Path]:
        """Yield the files in which a name with this prefix can stand."""
        place = path.parent
        for index, part in enumerate(scope):
            alias = self._aliases(path).get(part) if index == 0 else None
            place = alias or place / part
        if scope and place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")
            return
        for name in ("_inputs.py", "_enums.py", "outputs.py"):
            yield place / name
        if not scope:
            yield path

    def _aliases(self, path: Path) -> dict[str, Path]:
        self._source(path, "")
        found = {}
        for dots, module, name, alias in _ALIAS.findall(self._texts[path][0]):
            base = path
            for _ in dots:
                base = base.parent
            found[alias or name] = base.joinpath(*[part for part in module.split(".") if part], name)
        return found


def references(type_: Type) -> Iterator[str]:
    """Yield the keys of the classes that a type names."""
    if isinstance(type_, list):
        if type_[0] == "ref":
            yield type_[1]
        elif type_[0] in ("list", "map"):
            yield from references(type_[1])
        elif type_[0] == "union":
            for one in type_[1]:
                yield from references(one)


def _union(types: list[Type]) -> Type:
    known = [one for index, one in enumerate(types) if one not in types[:index]]
    if "any" in known:
        # One branch that cannot be read (another resource, as a rule) makes all of them unreadable.
        return "any"
    if len(known) == 1:
        return known[0]
    if len(known) == 2 and "str" in known:
        other = known[1 - known.index("str")]
        if isinstance(other, list) and other[0] == "enum":
            return ["open", other[1]]
    return ["union", known]


def _required(node: ast.ClassDef) -> frozenset[str] | None:
    """Return the arguments that a constructor demands, or None for a class that is no arguments class."""
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__" and function.args.kwonlyargs:
            if any(argument.arg == "resource_name" for argument in function.args.args):
                return None
            pairs = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
            given = {argument.arg: default for argument, default in pairs}
            if node.name.endswith("Args"):
                return frozenset(name for name, default in given.items() if default is None)
    return None if not node.name.endswith("Args") else frozenset()


def _wire_name(function: ast.FunctionDef) -> str | None:
    for decorator in function.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(call, ast.Attribute) and call.attr == "getter":
            if isinstance(decorator, ast.Call) and decorator.keywords:
                return str(ast.literal_eval(decorator.keywords[0].value))
            return function.name
    return None


def _enum_values(node: ast.ClassDef | None) -> list[Any] | None:
    if node is None or not any(ast.unparse(base).split(".")[-1] == "Enum" for base in node.bases):
        return None
    return [
        line.value.value
        for line in node.body
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
    ]  # fmt: skip


def cache_folder() -> Path:
    """Return where what was read is kept: the user's own cache, whatever HOME a test set."""
    return Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache" / "skerry" / "simulated-sdk"


@cache
def sdk_of(package: str) -> Sdk | None:
    """Return the installed SDK of a package, or None."""
    spec = importlib.util.find_spec("pulumi_" + package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0])
    about = read_json(folder / "pulumi-plugin.json") or {}
    if not about.get("version") or not (folder / "__init__.py").is_file():
        return None
    return Sdk(folder, package, str(about["version"]), cache_folder())


def read_json(path: Path | None) -> dict[str, Any] | None:
    """Return what was kept, or None where nothing was or it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError):
        return None


def write_json(path: Path | None, value: Mapping[str, Any]) -> None:
    """Keep a value where several processes may; a cache that cannot be written is none."""
    if path is None:
        return
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(value, sort_keys=True), encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
