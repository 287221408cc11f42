"""A Python language host for the tests: the real one is not to be had as a package.

It speaks the LanguageRuntime protocol over the stubs of the pulumi wheel and starts programs, policy packs and
component hosts with the interpreter of the environment that the project's `virtualenv` option names. It installs
nothing and asks for no plugin.
"""

# Source: pulumi/pulumi proto/pulumi/language.proto and sdk/go/common/resource/plugin (v3.250.0), read 2026-11.

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from tests.simulators.pulumi_serving import serve

VERSION = "0.0.0-simulated"

_LIST_PACKAGES = (
    "import importlib.metadata as m, json; "
    "print(json.dumps(sorted({d.metadata['Name']: d.version for d in m.distributions()}.items())))"
)


class InterpreterError(Exception):
    """The environment that a project names cannot be used."""


def interpreter(root: str, options: dict[str, Any]) -> str:
    """Return the Python that a project asks for: that of its `virtualenv`, else the one that runs this host.

    Raises:
        InterpreterError: there is none, or the project asks for a toolchain other than pip.
    """
    toolchain = options.get("toolchain", "pip")
    if toolchain != "pip":
        raise InterpreterError(f"the toolchain '{toolchain}' is not simulated: allowed is 'pip'")
    folder = options.get("virtualenv")
    if not folder:
        return sys.executable
    found = Path(root, folder, "bin", "python")
    if not found.exists():
        raise InterpreterError(f"the virtualenv '{folder}' of the project in {root} has no bin/python: make it first")
    return str(found)


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Implements the calls that the engine makes of a language."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        with self._lock:
            for process in self._running:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()

    def _start(self, command: list[str], cwd: str, env: dict[str, str], **streams: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, **streams)
        with self._lock:
            self._running.add(process)
        return process

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def Handshake(self, request: Any, context: Any) -> Any:
        self.engine = request.engine_address or self.engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def Run(self, request: Any, context: Any) -> Any:
        info = request.info
        try:
            python = interpreter(info.root_directory, json_format.MessageToDict(info.options))
        except InterpreterError as error:
            return language_pb2.RunResponse(error=str(error))
        program = os.path.normpath(os.path.join(info.program_directory, info.entry_point))
        env = _clean(os.environ)
        env["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        env["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        command = [
            *(python, "-u", str(Path(__file__).with_name("pulumi_program.py"))),
            *("--monitor", request.monitor_address, "--engine", self.engine),
            *("--project", request.project, "--stack", request.stack, "--organization", request.organization),
            *("--root", info.root_directory, "--parallel", str(request.parallel)),
            *("--dry-run", "true" if request.dryRun else "false", program, *request.args),
        ]
        code = self._ended(self._start(command, request.pwd, env))
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}" if code else "")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        info = request.info
        try:
            python = interpreter(info.root_directory, json_format.MessageToDict(info.options))
        except InterpreterError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        program = os.path.normpath(os.path.join(info.program_directory, info.entry_point))
        env = _clean(dict(entry.split("=", 1) for entry in request.env if "=" in entry))
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = self._start([python, "-u", program, *request.args], request.pwd, env, **pipes)
        context.add_callback(process.terminate)
        lines: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            threading.Thread(target=_pump, args=(name, stream, lines), daemon=True).start()
        open_streams = 2
        while open_streams:
            name, line = lines.get()
            open_streams -= not line
            if line:
                yield language_pb2.RunPluginResponse(**{name: line})
        yield language_pb2.RunPluginResponse(exitcode=self._ended(process))

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        text = "the simulated language host installs nothing: the environment is made before\n"
        yield language_pb2.InstallDependenciesResponse(stdout=text.encode())

    def About(self, request: Any, context: Any) -> Any:
        try:
            python = interpreter(request.info.root_directory, json_format.MessageToDict(request.info.options))
        except InterpreterError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
        return language_pb2.AboutResponse(executable=python, version=version)

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        try:
            python = interpreter(request.info.root_directory, json_format.MessageToDict(request.info.options))
        except InterpreterError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        listed = subprocess.run([python, "-c", _LIST_PACKAGES], capture_output=True, check=True).stdout
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=version) for name, version in json.loads(listed)
            ]
        )

    def Cancel(self, request: Any, context: Any) -> Any:
        self.stop()
        return empty_pb2.Empty()


def _clean(env: Any) -> dict[str, str]:
    """Return an environment without what only this host needs: a program finds its own modules or fails."""
    return {key: value for key, value in env.items() if key != "PYTHONPATH"}


def _pump(name: str, stream: IO[bytes], lines: queue.SimpleQueue[tuple[str, bytes]]) -> None:
    for line in stream:
        lines.put((name, line))
    lines.put((name, b""))


def main() -> None:
    # The engine's address is the last argument; flags before it are its own business.
    host = LanguageHost(next((arg for arg in reversed(sys.argv[1:]) if not arg.startswith("-")), ""))
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server), host.stop)


if __name__ == "__main__":
    main()
