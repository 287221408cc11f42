"""The real Pulumi CLI in a box: its own home, its own state, simulated providers, and no way to a real cloud.

1. The environment is made from nothing: no variable of the caller gets in, so no credential and no kubeconfig does.
2. HOME, PULUMI_HOME, the state and the simulator's objects are folders of the test.
3. Before anything is changed, every provider that the CLI could load must be our file and call itself simulated.
4. Each run is a session of its own with a limit; what outlives it is killed.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from skerry.graph import ResourceGraph
from skerry.readers.preview_json import read_preview
from skerry.readers.state import read_state
from tests.simulators import pulumi_processes, pulumi_provider

ROOT = Path(__file__).resolve().parent.parent.parent
PASSPHRASE = "a passphrase of the tests"
SYSTEM_PATH = ("/usr/bin", "/bin")

_LIMIT_S = 240.0
_HANDSHAKE_LIMIT_S = 30.0
_PLUGIN_KINDS = ("pulumi-resource-", "pulumi-analyzer-", "pulumi-converter-", "pulumi-tool-")
_ROOMS = ("stacks", "components", "skerry", "images", "policies", "cost", "airgap_bundle")


class NotSimulatedError(Exception):
    """Something that is not our simulator could be loaded, so nothing is run."""


class CliError(Exception):
    """The CLI ended with another exit code than it should."""


def copy_project(target: Path) -> Path:
    """Copy the project's program, rooms and stack files; the CLI writes into stack files, and never into ours."""
    target.mkdir(parents=True)
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy2(ROOT / name, target / name)
    for name in _ROOMS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name)
    (target / ".venv").symlink_to(sys.prefix)
    return target


def write_project(target: Path, program: str, config: Mapping[str, Any], stack: str = "dev") -> Path:
    """Write a small project with one stack."""
    target.mkdir(parents=True)
    (target / "Pulumi.yaml").write_text("name: inline\nruntime: python\n")
    (target / "__main__.py").write_text(program)
    (target / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": dict(config)}))
    return target


@dataclass
class PulumiCli:
    """One box; `folder` is empty at first."""

    binary: Path
    folder: Path
    packages: tuple[str, ...] = ("aws", "kubernetes")
    _wrappers: dict[str, str] = field(default_factory=dict)
    _verified: bool = False

    def __post_init__(self) -> None:
        for path in (self.home, self.pulumi_home, self.backend, self.simulated, self.plugins):
            path.mkdir(parents=True, exist_ok=True)
        self._wrap("pulumi-language-python", "tests.simulators.pulumi_language_host")
        for package in self.packages:
            self._wrap(f"pulumi-resource-{package}", "tests.simulators.pulumi_provider", package)

    home = property(lambda self: self.folder / "home")
    pulumi_home = property(lambda self: self.folder / "pulumi-home")
    backend = property(lambda self: self.folder / "state")
    simulated = property(lambda self: self.folder / "simulated")
    plugins = property(lambda self: self.folder / "plugins")

    def _wrap(self, name: str, module: str, *args: str) -> None:
        words = " ".join(shlex.quote(word) for word in (sys.executable, "-m", module, *args))
        self._wrappers[name] = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {words} "$@"\n'
        path = self.plugins / name
        path.write_text(self._wrappers[name])
        path.chmod(0o755)

    def environment(self) -> dict[str, str]:
        """Return all that a run gets to see of the world."""
        return {
            "PATH": os.pathsep.join((str(self.plugins), str(self.binary.parent), *SYSTEM_PATH)),
            "HOME": str(self.home),
            "PULUMI_HOME": str(self.pulumi_home),
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "SKERRY_SIM_STATE": str(self.simulated),
            "LANG": "C.UTF-8",
        }

    # -- safety --------------------------------------------------------------------------------------------------

    def verify_simulated(self, project: Path) -> None:
        """Refuse to go on unless every plugin that could be loaded is our own and says so itself.

        Raises:
            NotSimulatedError: one is not.
        """
        declared = yaml.safe_load((project / "Pulumi.yaml").read_text())
        for key in ("plugins", "packages"):
            if declared.get(key):
                raise NotSimulatedError(f"{project}/Pulumi.yaml names its own {key}: {declared[key]}")
        installed = self.pulumi_home / "plugins"
        if installed.is_dir() and any(installed.iterdir()):
            raise NotSimulatedError(f"plugins are installed in {installed}")
        for folder in self.environment()["PATH"].split(os.pathsep):
            for path in sorted(Path(folder).glob("pulumi-*")):
                if path.name.startswith(_PLUGIN_KINDS) and not self._is_ours(path):
                    raise NotSimulatedError(f"{path} is not the simulator's file")
        if not self._verified:
            for package in self.packages:
                version = self._version_of(self.plugins / f"pulumi-resource-{package}")
                if version != pulumi_provider.VERSION:
                    raise NotSimulatedError(f"the provider of {package} calls itself '{version}'")
            self._verified = True

    def _is_ours(self, path: Path) -> bool:
        return path.parent == self.plugins and path.read_text() == self._wrappers.get(path.name)

    def _version_of(self, plugin: Path) -> str:
        process = subprocess.Popen(
            [str(plugin), "127.0.0.1:0"],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                return str(stub.GetPluginInfo(empty_pb2.Empty(), timeout=_HANDSHAKE_LIMIT_S).version)
        finally:
            process.terminate()
            process.communicate(timeout=_HANDSHAKE_LIMIT_S)

    # -- runs ----------------------------------------------------------------------------------------------------

    def run(
        self, project: Path, *args: str, expect: int | None = 0, limit_s: float = _LIMIT_S, **extra: str
    ) -> pulumi_processes.Result:
        """Run `pulumi ARGS` in a project; `expect=None` accepts any exit code.

        Raises:
            CliError: it ended with another exit code.
            LimitError: it did not end.
        """
        command = [str(self.binary), *args, "--non-interactive", "--color", "never", "--cwd", str(project)]
        result = pulumi_processes.run(command, self.folder, {**self.environment(), **extra}, limit_s)
        if expect is not None and result.code != expect:
            raise CliError(f"pulumi {' '.join(args)} ended with {result.code}, not {expect}:\n{result.text[-6000:]}")
        return result

    def init(self, project: Path, stack: str) -> None:
        self.run(project, "stack", "init", stack, "--secrets-provider", "passphrase")

    def preview(self, project: Path, stack: str, *flags: str, expect: int | None = 0) -> pulumi_processes.Result:
        return self.run(project, "preview", "--stack", stack, "--json", "--show-sames", *flags, expect=expect)

    def preview_graph(self, project: Path, stack: str) -> ResourceGraph:
        return read_preview(self.preview(project, stack).stdout)

    def preview_events(self, project: Path, stack: str, *flags: str, expect: int | None = 0) -> list[dict[str, Any]]:
        """Run a preview that streams its events and return them."""
        result = self.run(
            *(project, "preview", "--stack", stack, "--json", "--show-sames", *flags),
            expect=expect,
            PULUMI_ENABLE_STREAMING_JSON_PREVIEW="true",
        )
        return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]

    def up(self, project: Path, stack: str, *flags: str, expect: int | None = 0) -> pulumi_processes.Result:
        self.verify_simulated(project)
        return self.run(project, "up", "--stack", stack, "--yes", "--skip-preview", *flags, expect=expect)

    def destroy(self, project: Path, stack: str, *flags: str, expect: int | None = 0) -> pulumi_processes.Result:
        self.verify_simulated(project)
        return self.run(project, "destroy", "--stack", stack, "--yes", *flags, expect=expect)

    def refresh(self, project: Path, stack: str, *flags: str, expect: int | None = 0) -> pulumi_processes.Result:
        self.verify_simulated(project)
        return self.run(project, "refresh", "--stack", stack, "--yes", "--skip-preview", *flags, expect=expect)

    def export(self, project: Path, stack: str) -> str:
        return self.run(project, "stack", "export", "--stack", stack).stdout

    def state_graph(self, project: Path, stack: str) -> ResourceGraph:
        return read_state(self.export(project, stack))

    # -- what the simulator holds --------------------------------------------------------------------------------

    def objects(self) -> dict[str, str]:
        """Return URN -> id of all that exists."""
        found = {}
        for path in sorted((self.simulated / "objects").glob("*/*.json")):
            record = json.loads(path.read_text())
            found[record["urn"]] = record["id"]
        return found

    def object_file(self, urn: str) -> Path:
        """Return the file of one object, for a test that plays drift."""
        for path in sorted((self.simulated / "objects").glob("*/*.json")):
            if json.loads(path.read_text())["urn"] == urn:
                return path
        raise KeyError(urn)

    def loaded(self) -> set[tuple[str, str]]:
        """Return package and version of every simulated provider that was started."""
        records = (json.loads(path.read_text()) for path in (self.simulated / "loaded").glob("*.json"))
        return {(record["package"], record["version"]) for record in records}
