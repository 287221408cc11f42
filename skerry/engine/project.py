"""Reads Pulumi.yaml and the stack files beside it, as the command reads them.

Nothing is decrypted and no environment is opened: a `secure:` value and a value of an ESC `environment:` become keys
whose plaintext is withheld, which a program sees as secret unknowns.
"""

# Source: pulumi/pulumi sdk/go/common/workspace loaders.go, config.go and sdk/go/common/resource/config/key.go, read
# 2026-11.

from __future__ import annotations

import difflib
import json
import logging
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from skerry.engine.values import WITHHELD
from skerry.errors import ConfigError, Problem

_LOG: Final = logging.getLogger(__name__)
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_ESCAPED: Final = re.compile("[<>&\u2028\u2029]")
"""What Go's encoding/json escapes beyond what JSON asks for."""
_SHORTEST_WITH_EXPONENT: Final = 1e21
"""From here on Go writes a number with an exponent."""


@dataclass(frozen=True, slots=True)
class StackConfig:
    """The configuration of one stack, by full keys (`namespace:key`)."""

    values: Mapping[str, str]
    """Scalars as text, structured values as JSON text."""
    secret_keys: frozenset[str]
    """Keys whose values are secret; one without a value here has no plaintext and is a secret unknown."""


@dataclass(frozen=True, slots=True)
class Project:
    """A Pulumi project as its Pulumi.yaml declares it."""

    name: str
    root: Path
    """The folder of Pulumi.yaml."""
    program: Path
    """The folder that holds the program: `root`, or what `main` names."""
    main: Path
    """The file that is run."""
    stack_dir: Path
    """The folder of the stack files."""
    config_defaults: Mapping[str, str] = field(default_factory=dict)
    """Full key -> value, for stacks that do not set it."""
    required: tuple[str, ...] = ()
    """Full keys that the project declares with a type and without a default: the command refuses a stack without."""

    environment: Path | None = None
    """The packages of the program's own virtual environment, where it is of this Python version and not this one."""
    packages: Mapping[str, Path] = field(default_factory=dict)
    """Name -> folder of the component packages in Python that lie beside the program."""

    def stacks(self) -> tuple[str, ...]:
        """Return the names of the stacks that have a file, sorted."""
        found = (path.name for path in self.stack_dir.glob("Pulumi.*.yaml"))
        return tuple(sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in found))

    def stack_file(self, stack: str) -> Path:
        """Return where the file of a stack stands."""
        return self.stack_dir / f"Pulumi.{stack}.yaml"


class _Loader(yaml.SafeLoader):
    """YAML as the command reads it: 1.2 booleans, no dates, and a key written twice is an error."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # the base class keeps its table the same way


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_resolve("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_resolve("int", r"^[-+]?(?:0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$", "-+0123456789")
_resolve("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+0123456789.")
_resolve("null", r"^(?:~|null|Null|NULL|)$", "~nN\0")
_resolve("merge", r"^<<$", "<")


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
            raise yaml.constructor.ConstructorError(None, None, f"the key '{key.value}' is set twice", key.start_mark)
        seen.add(key.value)
    loader.flatten_mapping(node)
    return {_text(key): value for key, value in loader.construct_mapping(node, deep=True).items()}


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(str(loader.construct_scalar(node)))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def load_project(program: Path) -> Project:
    """Read the Pulumi.yaml of a folder.

    Raises:
        ConfigError: there is none, it cannot be read, or it is not a Python project.
    """
    root = program.resolve()
    path = next((root / name for name in ("Pulumi.yaml", "Pulumi.yml") if (root / name).is_file()), None)
    if path is None:
        raise ConfigError(str(program), [Problem("", "no Pulumi.yaml in this folder", "name the folder of a project")])
    data = _load(path)
    name, problems = data.get("name"), []
    if not isinstance(name, str) or not name:
        problems.append(Problem("name", f"{name!r} is not a project name", "give the project a name"))
    elif not _NAME.fullmatch(name):
        remedy = "it is a template's: put a name in its place" if "${" in name else "take the rest out"
        problem = f"{name!r} is not a project name: it has letters, digits, '-', '_' and '.' only, at most 100"
        problems.append(Problem("name", problem, remedy))
    runtime = data.get("runtime")
    runtime = runtime.get("name") if isinstance(runtime, dict) else runtime
    if runtime != "python":
        remedy = "read what its preview or state says: --from-preview, --from-state"
        problems.append(Problem("runtime", f"{runtime!r} cannot be run in process: allowed is 'python'", remedy))
    folder, main = _main(root, str(data.get("main") or ""))
    if runtime == "python" and not main.is_file():
        problems.append(Problem("main", f"there is no program at {main}", "add a __main__.py or correct 'main'"))
    if problems:
        raise ConfigError(path.name, problems)
    # `config: <folder>` is the old spelling of stackConfigDir.
    config = data.get("config")
    stack_dir = data.get("stackConfigDir") or (config if isinstance(config, str) else "")
    return Project(
        name=str(name),
        root=root,
        program=folder,
        main=main,
        stack_dir=root / str(stack_dir or "."),
        config_defaults=_defaults(str(name), config) if isinstance(config, dict) else {},
        required=_required(str(name), config) if isinstance(config, dict) else (),
        environment=_environment(root, data.get("runtime")),
        packages=_packages(root, data),
    )


def _main(root: Path, main: str) -> tuple[Path, Path]:
    path = (root / main).resolve()
    return (path.parent, path) if path.suffix == ".py" else (path, path / "__main__.py")


def _environment(root: Path, runtime: Any) -> Path | None:
    options = runtime.get("options") if isinstance(runtime, dict) else None
    named = options.get("virtualenv") if isinstance(options, dict) else None
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name in (named, ".venv", "venv"):
        folder = root / name / "lib" / version / "site-packages" if isinstance(name, str) and name else None
        if folder is not None and folder.is_dir():
            return None if folder.resolve().is_relative_to(Path(sys.prefix).resolve()) else folder.resolve()
    return None


def _packages(root: Path, data: Mapping[str, Any]) -> dict[str, Path]:
    """Return the local folders that the project names as packages or plugins and that hold Python."""
    named: dict[str, Any] = {}
    packages, plugins = data.get("packages"), data.get("plugins")
    for name, given in (packages if isinstance(packages, dict) else {}).items():
        named[str(name)] = given.get("source") if isinstance(given, dict) else given
    providers = plugins.get("providers") if isinstance(plugins, dict) else None
    for given in providers if isinstance(providers, list) else []:
        if isinstance(given, dict):
            named[str(given.get("name"))] = given.get("path")
    found = {name: (root / path).resolve() for name, path in named.items() if isinstance(path, str)}
    return {
        name: folder
        for name, folder in found.items()
        if (folder / "PulumiPlugin.yaml").is_file() and (folder / "__main__.py").is_file()
    }


def _defaults(project: str, config: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, declared in config.items():
        value = declared
        if isinstance(declared, dict):
            value = declared.get("default", declared.get("value"))
        if value is not None:
            found[key if ":" in key else f"{project}:{key}"] = _text(value)
    return found


def _required(project: str, config: Mapping[str, Any]) -> tuple[str, ...]:
    own = {key.removeprefix(f"{project}:"): declared for key, declared in config.items()}
    typed = {key for key, one in own.items() if isinstance(one, dict) and one.get("type") and ":" not in key}
    return tuple(f"{project}:{key}" for key in sorted(typed) if own[key].get("default", own[key].get("value")) is None)


def check_required(project: Project, stack: str, config: StackConfig) -> None:
    """Refuse a configuration without a value that the project asks for; one that imports an environment may have it.

    Raises:
        ConfigError: such a value is missing.
    """
    path = project.stack_file(stack)
    if path.is_file() and _load(path).get("environment") is not None:
        return
    missing = [key for key in project.required if key not in config.values and key not in config.secret_keys]
    if missing:
        remedy = "run `pulumi config set {0} <value>`, or give --config {0}=VALUE"
        asked = "Pulumi.yaml declares it, without a default, and it is not set"
        raise ConfigError(path.name, [Problem(f"config.{key}", asked, remedy.format(key)) for key in missing])


def load_stack_config(project: Project, stack: str) -> StackConfig:
    """Read the configuration of a stack.

    Raises:
        ConfigError: the stack has no file, the file is not YAML, or a key cannot be a configuration key.
    """
    path = project.stack_file(stack)
    if "/" in stack or not path.is_file():
        raise _unknown_stack(project, stack)
    data = _load(path)
    config = data.get("config")
    if config is not None and not isinstance(config, dict):
        raise ConfigError(path.name, [Problem("config", f"{config!r} is not a mapping of keys to values")])
    values, secrets = dict(project.config_defaults), set[str]()
    problems: list[Problem] = []
    for short, value in (config or {}).items():
        key, problem = _full_key(project.name, short)
        if problem is not None:
            problems.append(problem)
            continue
        values.pop(key, None)
        plain, withheld = _withhold(value)
        if withheld:
            secrets.add(key)
        if plain != WITHHELD:
            values[key] = _text(plain)
    if problems:
        raise ConfigError(path.name, problems)
    if imported := _imported_environments(data.get("environment")):
        names = ", ".join(imported)
        _LOG.warning("%s imports %s: environments are not opened here, so what they set is absent", path.name, names)
    for key in _environment_keys(project.name, data.get("environment")):
        if key not in values or key in project.config_defaults:
            values.pop(key, None)
            secrets.add(key)
    return StackConfig(values, frozenset(secrets))


def _full_key(project: str, key: str) -> tuple[str, Problem | None]:
    parts = key.split(":")
    if len(parts) == 1:
        return f"{project}:{key}", None
    if len(parts) == 3 and parts[1] == "config":
        return f"{parts[0]}:{parts[2]}", None
    if len(parts) == 2:
        return key, None
    return key, Problem(f"config.{key}", "this is not a configuration key", "write it as namespace:name")


def _withhold(value: Any) -> tuple[Any, bool]:
    """Return a value with each `secure:` in it replaced, and whether there was one."""
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return WITHHELD, True
        pairs = {key: _withhold(item) for key, item in value.items()}
        return {key: item for key, (item, _) in pairs.items()}, any(found for _, found in pairs.values())
    if isinstance(value, list):
        items = [_withhold(item) for item in value]
        return [item for item, _ in items], any(found for _, found in items)
    return value, False


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case dict() | list():
            text = json.dumps(_as_the_command_writes(value), separators=(",", ":"), ensure_ascii=False)
            return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        case _:
            return str(value)


def _as_the_command_writes(value: Any) -> Any:
    """Return a structured value as the command hands it to a program: keys are texts in the order of the alphabet.

    Source: pulumi/pulumi v3.250.0 sdk/go/common/resource/config object.go and plaintext.go (a Go map, written by
    encoding/json), read 2026-11.
    """
    match value:
        case dict():
            return {key: _as_the_command_writes(value[key]) for key in sorted(value)}
        case list():
            return [_as_the_command_writes(item) for item in value]
        case float() if value.is_integer() and abs(value) < _SHORTEST_WITH_EXPONENT:
            return int(value)
        case _:
            return value


def _environment_keys(project: str, environment: Any) -> list[str]:
    """Return the keys that an inline ESC environment declares; what an imported one holds cannot be listed."""
    declared = environment.get("values") if isinstance(environment, dict) else None
    config = declared.get("pulumiConfig") if isinstance(declared, dict) else None
    return [_full_key(project, key)[0] for key in config] if isinstance(config, dict) else []


def _imported_environments(environment: Any) -> list[str]:
    listed = environment.get("imports") if isinstance(environment, dict) else environment
    names = [next(iter(name), "") if isinstance(name, dict) else name for name in _as_list(listed)]
    return [str(name) for name in names]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _unknown_stack(project: Project, stack: str) -> ConfigError:
    known = project.stacks()
    near = difflib.get_close_matches(stack, known, n=1)
    listed = ", ".join(known) or "none"
    remedy = f"did you mean '{near[0]}'?" if near else f"add {project.stack_file(stack).name} to {project.stack_dir}"
    return ConfigError(project.stack_dir.name, [Problem("", f"no stack '{stack}': known stacks are {listed}", remedy)])


def _load(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)
    except yaml.YAMLError as exc:
        raise ConfigError(path.name, [_yaml_problem(exc)]) from exc
    except (OSError, ValueError, RecursionError) as exc:
        raise ConfigError(path.name, [Problem("", f"cannot be read: {exc}")]) from exc
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(path.name, [Problem("", f"holds a {type(data).__name__} where a mapping is needed")])
    return data


def _yaml_problem(exc: yaml.YAMLError) -> Problem:
    mark = getattr(exc, "problem_mark", None)
    text = getattr(exc, "problem", None) or str(exc).splitlines()[0]
    where = f"line {mark.line + 1}" if mark is not None else ""
    return Problem(where, f"is not YAML: {text}" if "twice" not in text else text)
