"""A language host for programs whose SDK starts itself: TypeScript and JavaScript, Go, Java.

The official hosts are no packages of any registry. The SDKs do the work in their own languages; a host only tells a
program where the engine listens: the Node SDK's runner by arguments, the others by variables of the environment.
"""

# Source: pulumi/pulumi sdk/nodejs/cmd/pulumi-language-nodejs/main.go and sdk/go/pulumi-language-go/main.go, read
# 2026-11.

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from tests.simulators.pulumi_language_host import LanguageHost, _environment
from tests.simulators.pulumi_plugin import serve

COMMAND_FILE: Final = "run.json"
"""In a program that is no Node program: the words of the command that starts it."""
_SHOWN_TO_USER: Final = 32


class SdkHost(LanguageHost):
    """Runs programs for the command."""

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        return iter(())

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.GetProgramDependenciesResponse()

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        folder = Path(request.info.program_directory)
        environment = _environment()
        environment["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        environment["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        if (folder / "package.json").is_file():
            environment["PULUMI_NODEJS_TYPESCRIPT"] = "true"
            command = self._node(request, folder)
        else:
            environment |= self._variables(request)
            command = json.loads((folder / COMMAND_FILE).read_text(encoding="utf-8"))
        child = subprocess.Popen(command, cwd=request.pwd or folder, env=environment, stdin=subprocess.DEVNULL)
        code = self._wait(child, context)
        if code == 0:
            return language_pb2.RunResponse()
        if code == _SHOWN_TO_USER:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with the exit code {code}")

    def _node(self, request: Any, folder: Path) -> list[str]:
        pairs = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "organization": request.organization or "organization",
            "project": request.project,
            "root-directory": request.info.root_directory,
            "stack": request.stack,
            "pwd": str(folder),
            "parallel": str(request.parallel),
        }
        words = [word for key, value in pairs.items() for word in (f"--{key}", value)]
        runner = folder / "node_modules" / "@pulumi" / "pulumi" / "cmd" / "run"
        return ["node", str(runner), *words, *(["--dry-run"] if request.dryRun else []), request.info.entry_point]

    def _variables(self, request: Any) -> dict[str, str]:
        return {
            "PULUMI_ORGANIZATION": request.organization or "organization",
            "PULUMI_PROJECT": request.project,
            "PULUMI_ROOT_DIRECTORY": request.info.root_directory,
            "PULUMI_STACK": request.stack,
            "PULUMI_DRY_RUN": "true" if request.dryRun else "false",
            "PULUMI_PARALLEL": str(request.parallel),
            "PULUMI_MONITOR": request.monitor_address,
            "PULUMI_ENGINE": self._engine,
        }


def main() -> None:
    """Serve until the command ends; its last argument is the engine's address."""
    host = SdkHost(sys.argv[-1] if len(sys.argv) > 1 else "")
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server), host.stop)


if __name__ == "__main__":
    main()
