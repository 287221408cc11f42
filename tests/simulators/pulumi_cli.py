"""Runs the real Pulumi command against simulated providers, where it can reach no cloud.

Everything a run sees lies in one temporary folder: an empty HOME and PULUMI_HOME, a local state backend, a copy of the
project (the command writes an encryption salt into stack files), and the "cloud", one JSON file a resource.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from tests.simulators.pulumi_provider import STATE_VARIABLE

ROOT: Final = Path(__file__).resolve().parent.parent.parent
_TOOLCHAIN: Final = ROOT / "tests" / "toolchain"
PACKAGES: Final = ("aws", "azure-native", "command", "gcp", "kubernetes")
LIMIT_S: Final = 300.0
"""A policy pack that returns leaves the command waiting for ever, so every run has a limit."""
_SYSTEM_PATH: Final = ("/usr/bin", "/bin")
_NOT_COPIED: Final = (".git", ".venv*", "__pycache__", ".*_cache", "tests", "build", "dist", "*.egg-info")


class PulumiCliError(Exception):
    """Report a run of the command that failed, was cut off, or was refused before it began."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one run of the command came to."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def text(self) -> str:
        """Return both streams, for messages and searches."""
        return f"{self.stdout}\n{self.stderr}"


def find_cli() -> Path | None:
    """Return the command that tests/toolchain/build.sh built, or None."""
    modules = b"".join((_TOOLCHAIN / name).read_bytes() for name in ("cli.go.mod", "cli.go.sum", "build.sh"))
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(os.environ.get("SKERRY_TOOLCHAIN") or Path(caches) / "skerry" / "toolchain")
    path = folder / hashlib.sha256(modules).hexdigest()[:16] / "pulumi"
    return path if os.access(path, os.X_OK) else None


class PulumiCli:
    """The command in a world of its own under the folder `tmp`."""

    def __init__(self, tmp: Path, packages: tuple[str, ...] = PACKAGES, extra_plugins: Mapping[str, str] = {}) -> None:
        """Lay out the folders and the plugins; `extra_plugins` names more of them, each with its module.

        Raises:
            PulumiCliError: the command was not built.
        """
        found = find_cli()
        if found is None:
            raise PulumiCliError("the Pulumi command is not built: run `make toolchain`")
        self._cli, self._tmp = found, tmp.resolve()
        self.cloud, self.state = self._tmp / "cloud", self._tmp / "state"
        self._plugins = self._tmp / "plugins"
        for name in ("home", "pulumi-home", "state", "projects", "tmp", "cloud", "plugins"):
            (self._tmp / name).mkdir(parents=True, exist_ok=True)
        self._write_plugin("pulumi-language-python", "tests.simulators.pulumi_language_host")
        for package in packages:
            self._write_plugin(f"pulumi-resource-{package}", "tests.simulators.pulumi_provider")
        for name, module in extra_plugins.items():
            self._write_plugin(name, module)
        self.variables: dict[str, str] = {}
        """What runs see of the environment beside what they always do."""
        self._stacks: set[tuple[Path, str]] = set()
        self._versions: dict[tuple[Path, int], str] = {}

    def _write_plugin(self, name: str, module: str) -> None:
        path = self._plugins / name
        path.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -P -m {module} "$@"\n',
            encoding="utf-8",
        )
        path.chmod(0o755)

    def environment(self) -> dict[str, str]:
        """Return all that a run sees of the environment; nothing is inherited."""
        return {
            "PATH": os.pathsep.join([str(self._plugins), str(self._cli.parent), *_SYSTEM_PATH]),
            "HOME": str(self._tmp / "home"),
            "TMPDIR": str(self._tmp / "tmp"),
            "LANG": "C.UTF-8",
            "PULUMI_HOME": str(self._tmp / "pulumi-home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
            STATE_VARIABLE: str(self.cloud),
            **self.variables,
        }

    def copy_of(self, project: Path) -> Path:
        """Return the copy of a project that the command works on, made at the first call."""
        key = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:8]
        copy = self._tmp / "projects" / f"{project.resolve().name}-{key}"
        if not copy.exists():
            shutil.copytree(project, copy, ignore=shutil.ignore_patterns(*_NOT_COPIED))
            (copy / ".venv").symlink_to(sys.prefix)
        return copy

    def init(self, project: Path, stack: str) -> None:
        """Make the stack in the backend, once."""
        copy = self.copy_of(project)
        if (copy, stack) not in self._stacks:
            self.check(self.run(project, "stack", "init", stack))
            self._stacks.add((copy, stack))

    def run(self, project: Path, *arguments: str, limit_s: float = LIMIT_S, variables: Mapping[str, str] = {}) -> Done:
        """Run the command in the project's copy, in a process group of its own.

        Raises:
            PulumiCliError: it did not end within `limit_s`; it was killed as a group.
        """
        began = time.monotonic()
        child = subprocess.Popen(
            self._command(project, *arguments),
            cwd=self._tmp,
            env={**self.environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            stdout, stderr = child.communicate(timeout=limit_s)
        except BaseException as exc:
            os.killpg(child.pid, signal.SIGKILL)
            # Its plugins stand in groups of their own and end when they see that it is gone.
            stdout, stderr = child.communicate()
            if isinstance(exc, subprocess.TimeoutExpired):
                told = f"{stdout}\n{stderr}"[-2000:]
                raise PulumiCliError(f"pulumi {arguments[0]} was cut off after {limit_s:.0f} s: {told}") from None
            raise
        return Done(child.returncode, stdout, stderr, time.monotonic() - began)

    def _command(self, project: Path, *arguments: str) -> list[str]:
        return [str(self._cli), "--non-interactive", "--color=never", "-C", str(self.copy_of(project)), *arguments]

    @staticmethod
    def check(done: Done) -> Done:
        """Return `done`.

        Raises:
            PulumiCliError: it ended with another code than 0.
        """
        if done.returncode:
            raise PulumiCliError(f"pulumi ended with {done.returncode}: {done.text[-4000:]}")
        return done

    def preview_command(self, project: Path, stack: str) -> tuple[list[str], dict[str, str]]:
        """Return a preview as a command line and its environment; the stack is made first."""
        self.init(project, stack)
        return self._command(project, "preview", "--json", "--show-sames", "--stack", stack), self.environment()

    def preview_json(self, project: Path, stack: str, *options: str) -> str:
        """Return what `pulumi preview --json` prints."""
        self.init(project, stack)
        return self.check(self.run(project, "preview", "--json", "--show-sames", "--stack", stack, *options)).stdout

    def preview(self, project: Path, stack: str, *options: str) -> Done:
        """Run a preview for people, which is the one that shows policies; it may fail."""
        self.init(project, stack)
        return self.run(project, "preview", "--stack", stack, *options)

    def up(self, project: Path, stack: str, *options: str) -> Done:
        """Deploy; it may fail.

        Raises:
            PulumiCliError: a provider within reach is no simulator.
        """
        self.refuse_real_providers(project)
        self.init(project, stack)
        return self.run(project, "up", "--yes", "--skip-preview", "--stack", stack, *options)

    def destroy(self, project: Path, stack: str, *options: str) -> Done:
        """Destroy, with the preview before it that `--skip-preview` would leave out; it may fail.

        Raises:
            PulumiCliError: a provider within reach is no simulator.
        """
        self.refuse_real_providers(project)
        return self.run(project, "destroy", "--yes", "--stack", stack, *options)

    def unprotect_all(self, project: Path, stack: str) -> None:
        """Lift the protection of every resource of a stack."""
        self.check(self.run(project, "state", "unprotect", "--all", "--yes", "--stack", stack))

    def stack_export(self, project: Path, stack: str, *options: str) -> str:
        """Return the state as `pulumi stack export` prints it, its secrets sealed unless asked otherwise."""
        return self.check(self.run(project, "stack", "export", "--stack", stack, *options)).stdout

    def set_secret(self, project: Path, stack: str, key: str, value: str) -> None:
        """Put a secret into the configuration of a stack."""
        self.init(project, stack)
        self.check(self.run(project, "config", "set", "--secret", "--stack", stack, "--", key, value))

    def package(self) -> Path:
        """Return this repository's own component package, in a copy with a virtual environment."""
        return self.copy_of(ROOT) / "components"

    def package_schema(self) -> str:
        """Return what `pulumi package get-schema` prints of that package."""
        return self.check(self.run(ROOT, "package", "get-schema", str(self.package()))).stdout

    def in_cloud(self) -> list[dict[str, Any]]:
        """Return what the simulated cloud holds, sorted by URN."""
        found = [json.loads(path.read_text(encoding="utf-8")) for path in self.cloud.glob("*.json")]
        return sorted(found, key=lambda resource: (resource["urn"], resource["id"]))

    def refuse_real_providers(self, project: Path) -> None:
        """Ask every provider that the command could find who it is.

        Raises:
            PulumiCliError: one is not a simulator, or the project names a package that is not this repository's own,
                whose components make everything through the other providers.
        """
        named = yaml.safe_load((self.copy_of(project) / "Pulumi.yaml").read_text(encoding="utf-8"))
        package = self.package() if set(named) & {"plugins", "packages"} else None
        if any(place != package for place in _places_named(named, self.copy_of(project))):
            raise PulumiCliError(f"{project}: Pulumi.yaml names plugins or packages, which may be no simulators")
        folders = [*self.environment()["PATH"].split(os.pathsep), str(self._tmp / "pulumi-home" / "plugins")]
        for path in sorted(found for folder in folders for found in Path(folder).glob("**/pulumi-resource-*")):
            version = self._known_version(path) if path.parent == self._plugins else "unknown"
            if "simulated" not in version:
                raise PulumiCliError(
                    f"{path} is no simulator (version {version}): nothing is deployed while it is there"
                )

    def _known_version(self, plugin: Path) -> str:
        """Ask a plugin once, and again when its file changed."""
        key = (plugin, plugin.stat().st_mtime_ns)
        if key not in self._versions:
            self._versions[key] = self._version_of(plugin)
        return self._versions[key]

    def _version_of(self, plugin: Path) -> str:
        child = subprocess.Popen(
            [str(plugin)], env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        try:
            port = child.stdout.readline().strip() if child.stdout else ""
            if not port.isdigit():
                return "unknown"
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                info = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=20)
            return str(info.version)
        finally:
            child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()


def _places_named(project: Mapping[str, Any], folder: Path) -> list[Path | None]:
    """Return where each package and plugin of a Pulumi.yaml lies; None where that is not a path alone."""
    plugins = project.get("plugins") or {}
    rows = [row.get("path") for row in plugins.get("providers") or []]
    rows += [None for kind, found in plugins.items() if kind != "providers" for _ in found or []]
    rows += (project.get("packages") or {}).values()
    return [(folder / row).resolve() if isinstance(row, str) else None for row in rows]
