"""A language host for Pulumi programs and policy packs in Python, over the stubs of the `pulumi` wheel.

The official one is no package of any registry. This one speaks the same protocol to the real command; the program runs
in a process of its own (tests/simulators/pulumi_program.py), a policy pack as `python <folder> <arguments>`.
"""

# Source: pulumi/pulumi sdk/python/cmd/pulumi-language-python main.go and proto/pulumi/language.proto, read 2026-11.

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import grpc
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from tests.simulators.provider_times import LANGUAGE_HOST, TIMES_VARIABLE, Times
from tests.simulators.pulumi_plugin import serve

_PROGRAM: Final = Path(__file__).with_name("pulumi_program.py")
PYTHON_VARIABLE: Final = "SKERRY_SIM_PYTHON"
"""Names an interpreter that runs the program in place of the one that its project asks for."""
PATH_VARIABLE: Final = "SKERRY_SIM_PATH"
"""Names more folders of packages that a program finds."""
_SHOWN_TO_USER: Final = 32
"""The exit code of a program that has reported its error to the engine itself."""
_CHUNK_BYTES: Final = 65536


class MissingEnvironmentError(Exception):
    """Report a `virtualenv` option that names no virtual environment."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs and policy packs for the command."""

    def __init__(self, engine: str) -> None:
        """Remember where the engine listens; a handshake may say it again."""
        self._engine = engine
        self._children: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetRequiredPluginsResponse()

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        found = sorted((item.metadata["Name"], item.version) for item in importlib.metadata.distributions())
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        )

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        try:
            _python(request.info)
        except MissingEnvironmentError as exc:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(exc))
        return iter(())

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        try:
            command = [_python(request.info), "-u", str(_PROGRAM), json.dumps(self._settings(request))]
        except MissingEnvironmentError as exc:
            return language_pb2.RunResponse(error=str(exc))
        environment = _environment()
        environment["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        environment["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        # stdin stays open as long as this host lives: the program ends when it closes.
        child = subprocess.Popen(command, cwd=request.pwd or None, env=environment, stdin=subprocess.PIPE)
        code = self._wait(child, context)
        Times.asked_for(Path(os.environ.get(TIMES_VARIABLE, "")), LANGUAGE_HOST).write()
        if code == 0:
            return language_pb2.RunResponse()
        if code == _SHOWN_TO_USER:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with the exit code {code}")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        try:
            # Unbuffered: the engine waits for the port, which a pack prints without flushing.
            command = [_python(request.info), "-u", request.info.program_directory, *request.args]
        except MissingEnvironmentError as exc:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(exc))
        environment = _environment() | dict(line.split("=", 1) for line in request.env if "=" in line)
        environment.pop("PYTHONPATH", None)
        child = subprocess.Popen(
            command, cwd=request.pwd or None, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        lines: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        for name, stream in (("stdout", child.stdout), ("stderr", child.stderr)):
            threading.Thread(target=_pump, args=(name, stream, lines), daemon=True).start()
        context.add_callback(child.kill)
        with self._lock:
            self._children.add(child)
        open_streams = 2
        while open_streams:
            item = lines.get()
            if item is None:
                open_streams -= 1
            else:
                yield language_pb2.RunPluginResponse(**{item[0]: item[1]})
        yield language_pb2.RunPluginResponse(exitcode=self._wait(child, context))

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.stop()
        return empty_pb2.Empty()

    def stop(self) -> None:
        """End every program and policy pack that still runs."""
        with self._lock:
            for child in self._children:
                child.terminate()

    def _wait(self, child: subprocess.Popen[bytes], context: Any) -> int:
        with self._lock:
            self._children.add(child)
        context.add_callback(child.terminate)
        try:
            return child.wait()
        finally:
            with self._lock:
                self._children.discard(child)

    def _settings(self, request: Any) -> dict[str, Any]:
        return {
            "program": str(Path(request.info.program_directory) / request.info.entry_point),
            "arguments": list(request.args),
            "settings": {
                "monitor": request.monitor_address,
                "engine": self._engine,
                "project": request.project,
                "stack": request.stack,
                "parallel": request.parallel,
                "dry_run": request.dryRun,
                "organization": request.organization or "organization",
                "root_directory": request.info.root_directory,
            },
        }


def _python(info: Any) -> str:
    """Return the interpreter that the `virtualenv` option of a project or a policy pack names."""
    if given := os.environ.get(PYTHON_VARIABLE):
        return given
    chosen = MessageToDict(info.options).get("virtualenv") if info.HasField("options") else None
    if not chosen:
        return sys.executable
    python = Path(info.root_directory) / str(chosen) / "bin" / "python"
    if not python.exists():
        raise MissingEnvironmentError(f"the option virtualenv '{chosen}' names no virtual environment: {python}")
    return str(python)


def _environment() -> dict[str, str]:
    """Return this host's environment without what only its own start needed."""
    found = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", PATH_VARIABLE)}
    return {**found, "PYTHONPATH": os.environ[PATH_VARIABLE]} if os.environ.get(PATH_VARIABLE) else found


def _pump(name: str, stream: IO[bytes], lines: queue.Queue[tuple[str, bytes] | None]) -> None:
    while chunk := os.read(stream.fileno(), _CHUNK_BYTES):
        lines.put((name, chunk))
    lines.put(None)


def main() -> None:
    """Serve until the command ends; its last argument is the engine's address."""
    host = LanguageHost(sys.argv[-1] if len(sys.argv) > 1 else "")
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server), host.stop)


if __name__ == "__main__":
    main()
