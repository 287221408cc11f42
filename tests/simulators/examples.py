"""Public Pulumi programs, run by the embedded engine and by the real command; nothing of them is kept here.

SKERRY_EXAMPLES names a folder of checkouts, `<owner>/<repository>/...`; tests/examples/programs.yaml says which of
their programs are run, with which configuration. A program runs in an environment of its own, layered over this one:
what it imports beyond our packages is pinned in tests/examples/requirements.txt.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import pickle
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict

from skerry.graph import ResourceGraph
from tests.simulators.pulumi_cli import ROOT, Done, PulumiCli
from tests.simulators.pulumi_language_host import PATH_VARIABLE, PYTHON_VARIABLE
from tests.simulators.pulumi_provider import ANSWERS_VARIABLE

VARIABLE: Final = "SKERRY_EXAMPLES"
STACK: Final = "dev"
_TABLE: Final = ROOT / "tests" / "examples" / "programs.yaml"
_REQUIREMENTS: Final = ROOT / "tests" / "examples" / "requirements.txt"
_ENGINE: Final = Path(__file__).with_name("examples_engine.py")
_DYNAMIC: Final = "pulumi-python"
_LIMIT_S: Final = 240.0
_INSTALL_LIMIT_S: Final = 900.0


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Known(_Row):
    """One difference between the engine's graph and the command's that has a reason."""

    urn: str
    """The end of the URN from the type on (`type::name`)."""
    field: str
    reason: str


class Program(_Row):
    """One program of a public repository."""

    repository: str
    folder: str
    config: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}
    """Configuration that is secret: sealed by the command, and given to the engine as secret plaintext."""
    packages: tuple[str, ...] = ()
    """The provider packages that the command needs a (simulated) plugin of."""
    files: Mapping[str, str] = {}
    """Files that the program wants and its repository leaves to the user, by path."""
    variables: Mapping[str, str] = {}
    answers: Mapping[str, Any] = {}
    """Answers to provider functions that neither side has of itself, as a file of skerry.answers/1."""
    references: Mapping[str, Mapping[str, Any]] = {}
    """Stacks that the program refers to (`project/stack`), each deployed before it with these outputs."""
    paths: tuple[str, ...] = ()
    """Folders of the same repository with packages that the program imports, each with its pyproject.toml."""
    until: str = ""
    """A line of the program from which on it is cut off, for a reason given in `because`."""
    because: str = ""
    """Why it is cut off, or fails without meaning to."""
    known: tuple[Known, ...] = ()
    fails: str = ""
    """Part of the message with which both engines refuse the program as it stands; empty where it runs."""
    skipped: str = ""
    """Why it is not run."""

    @property
    def name(self) -> str:
        """Return the name that tests and tables show."""
        return f"{self.repository}/{self.folder}"

    def judge(self, differences: Sequence[str]) -> tuple[list[str], list[Known]]:
        """Return the differences that no row of `known` explains, and the rows that explain none."""
        places = {item: f"{item.urn} {item.field}" for item in self.known}
        used = {item for item in self.known for line in differences if _place(line).endswith(places[item])}
        unexplained = [
            line for line in differences if not any(_place(line).endswith(place) for place in places.values())
        ]
        return unexplained, [item for item in self.known if item not in used]


def _place(line: str) -> str:
    """Return the URN and the field of a line of a comparison."""
    return line.partition(": ")[0]


class Repository(_Row):
    """Where a repository is had, and the commit that the figures were measured on."""

    url: str
    commit: str


class Table(_Row):
    """The content of tests/examples/programs.yaml."""

    repositories: Mapping[str, Repository]
    programs: tuple[Program, ...]


@functools.cache
def load_table() -> Table:
    """Read the table of programs."""
    return Table.model_validate(yaml.safe_load(_TABLE.read_text(encoding="utf-8")))


def checkout(program: Program) -> Path | None:
    """Return where a program stands on this machine, or None."""
    folder = Path(os.environ.get(VARIABLE) or "/nowhere") / program.repository / program.folder
    return folder if folder.is_dir() else None


def where_to_get(program: Program) -> str:
    """Say how a program that is absent is had; the same words for all of a repository, so that they are told once."""
    source = load_table().repositories[program.repository]
    return (
        f"programs of {program.repository} are not here: `git clone {source.url} $SKERRY_EXAMPLES/{program.repository}`"
        f" (measured at {source.commit[:12]}), with SKERRY_EXAMPLES naming a folder outside this checkout"
    )


def environment_python() -> Path:
    """Return the interpreter of the examples' environment, made at the first call and cached outside the checkout."""
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    key = hashlib.sha256(_REQUIREMENTS.read_bytes() + sys.prefix.encode() + sys.version.encode()).hexdigest()[:16]
    folder = Path(caches) / "skerry" / "examples-packages" / key
    python = folder / "bin" / "python"
    if (folder / "complete").is_file():
        return python
    part = folder.with_suffix(f".{os.getpid()}")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--require-hashes", "-r", str(_REQUIREMENTS)], check=True, timeout=_INSTALL_LIMIT_S)
    # The packages of this environment come after those of the examples.
    (site / "layered.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
    part.write_text("", encoding="utf-8")
    part.replace(folder / "complete")
    return python


@dataclass(frozen=True, slots=True)
class Both:
    """What the two engines made of one program."""

    engine: ResourceGraph | None
    engine_error: str
    engine_s: float
    command: Done
    plan: str
    """The plan file of the preview, with its secrets in plaintext; empty where the preview failed."""


class Workshop:
    """A world in which programs are run by both engines, each in a copy of its own."""

    def __init__(self, tmp: Path) -> None:
        """Work under the folder `tmp`."""
        self._tmp = tmp.resolve()
        self._copies = 0

    def lay_out(self, program: Program, change: Mapping[str, tuple[str, str]] = {}) -> Path:
        """Copy a program's project to a folder of its own and configure it; `change` replaces text in its files."""
        origin = checkout(program)
        if origin is None:
            raise FileNotFoundError(where_to_get(program))
        self._copies += 1
        folder = self._tmp / f"{self._copies}" / origin.name
        ignored = shutil.ignore_patterns("venv", ".venv", "node_modules", "__pycache__", "Pulumi.*.yaml")
        shutil.copytree(origin, folder, ignore=ignored)
        for path, text in program.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        for path, (old, new) in change.items():
            whole = (folder / path).read_text(encoding="utf-8")
            if old not in whole:
                raise ValueError(f"{path} of {program.name} does not hold {old!r}")
            (folder / path).write_text(whole.replace(old, new), encoding="utf-8")
        if program.until:
            main = folder / "__main__.py"
            kept, found, _ = main.read_text(encoding="utf-8").partition(program.until)
            if not found:
                raise ValueError(f"the program of {program.name} does not hold {program.until!r}")
            main.write_text(kept, encoding="utf-8")
        self._configure(program, folder)
        return folder

    @staticmethod
    def _configure(program: Program, folder: Path) -> None:
        text = yaml.safe_dump({"config": dict(program.config)}) if program.config else "{}\n"
        (folder / f"Pulumi.{STACK}.yaml").write_text(text, encoding="utf-8")

    def run(self, program: Program, folder: Path) -> Both:
        """Preview the project in `folder` with the real command, then run it in the embedded engine."""
        python = environment_python()
        cli = PulumiCli(self._tmp / f"{self._copies}" / "world", packages=program.packages)
        self._write_plugins(cli, python, program.packages)
        self._deploy_referenced(cli, program)
        found = os.pathsep.join(self._packages(program))
        copy, variables = cli.copy_of(folder), {**program.variables, PYTHON_VARIABLE: str(python), PATH_VARIABLE: found}
        if program.answers:
            answers = self._tmp / f"{self._copies}" / "answers.yaml"
            answers.write_text(yaml.safe_dump(dict(program.answers)), encoding="utf-8")
            variables[ANSWERS_VARIABLE] = str(answers)
        for key, value in program.secrets.items():
            cli.set_secret(folder, STACK, key, value)
        cli.init(folder, STACK)
        plan = self._tmp / f"{self._copies}" / "plan.json"
        done = cli.run(
            folder, "preview", "--json", "--show-sames", "--show-secrets", "--save-plan", str(plan), "--stack", STACK,
            limit_s=_LIMIT_S, variables=variables,
        )  # fmt: skip
        text = plan.read_text(encoding="utf-8") if plan.is_file() else ""
        graph, error, seconds = self._engine(
            program, copy, python, {**cli.environment(), **variables, "PYTHONPATH": found}
        )
        return Both(graph, error, seconds, done, text)

    def _packages(self, program: Program) -> list[str]:
        """Return the folders of the program's own packages, and one that gives each of them its version."""
        folders = [Path(os.environ[VARIABLE]) / program.repository / path for path in program.paths]
        versions = self._tmp / f"{self._copies}" / "versions"
        for folder in folders:
            told = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            place = versions / f"{told['name']}-{told['version']}.dist-info"
            place.mkdir(parents=True, exist_ok=True)
            text = f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n"
            (place / "METADATA").write_text(text, encoding="utf-8")
        return [str(folder) for folder in (*folders, versions)] if folders else []

    @staticmethod
    def _write_plugins(cli: PulumiCli, python: Path, packages: Sequence[str]) -> None:
        """Let simulated providers see the SDKs of the examples' environment, and the SDK's own serve dynamic resources.

        A dynamic provider runs the program's code, of which none is simulated.
        """
        folder = next(Path(place) for place in cli.environment()["PATH"].split(os.pathsep) if place.endswith("plugins"))
        for package in packages:
            path = folder / f"pulumi-resource-{package}"
            text = path.read_text(encoding="utf-8").replace(shlex.quote(sys.executable), shlex.quote(str(python)))
            if package == _DYNAMIC:
                text = f'#!/bin/sh\nexec {shlex.quote(str(python))} -u -m pulumi.dynamic "$@"\n'
            path.write_text(text, encoding="utf-8")

    def _deploy_referenced(self, cli: PulumiCli, program: Program) -> None:
        for name, outputs in program.references.items():
            project, stack = name.split("/")
            folder = self._tmp / f"{self._copies}" / project
            folder.mkdir()
            settings = {"name": project, "runtime": {"name": "python", "options": {"virtualenv": ".venv"}}}
            (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
            exports = "".join(f"pulumi.export({key!r}, {value!r})\n" for key, value in outputs.items())
            (folder / "__main__.py").write_text(f"import pulumi\n{exports}", encoding="utf-8")
            cli.init(folder, stack)
            cli.check(cli.run(folder, "up", "--yes", "--skip-preview", "--stack", stack))

    def _engine(
        self, program: Program, copy: Path, python: Path, environment: Mapping[str, str]
    ) -> tuple[ResourceGraph | None, str, float]:
        out = self._tmp / f"{self._copies}" / "engine.pickle"
        request = json.dumps(
            {
                "root": str(ROOT),
                "project": str(copy),
                "stack": STACK,
                "secrets": dict(program.secrets),
                "references": program.references,
                "out": str(out),
            }
        )
        began = time.monotonic()
        child = subprocess.run(
            [str(python), "-P", str(_ENGINE), request],
            cwd=copy,
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
        )
        seconds = time.monotonic() - began
        if child.returncode:
            return None, child.stderr.strip(), seconds
        found: Any = pickle.loads(out.read_bytes())  # written by our own child above
        return found, "", seconds
