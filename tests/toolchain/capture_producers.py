"""Captures what the real command prints of programs in other languages, for tests/golden/producers.

Run by hand, as `python -m tests.toolchain.capture_producers LANGUAGE`, from the root of the checkout: it needs the
command of build.sh, and of the language Node and npm, Go, or a JDK and Maven, with a way to their registries. Nothing
but loopback is reached once the packages are there: the providers are simulated.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.simulators.pulumi_cli import ROOT, Done, PulumiCli
from tests.simulators.pulumi_sdk_host import COMMAND_FILE

GOLDEN: Final = ROOT / "tests" / "golden" / "producers"
STACK: Final = "dev"
PLANTED: Final = "planted-8c1f4e77-never-to-be-seen"
STREAM: Final = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
BASE_PROJECT: Final = "name: base\nruntime: {name: python, options: {virtualenv: .venv}}\n"
BASE_PROGRAM: Final = 'import pulumi\npulumi.export("zone", "eu-west-1a")\n'
_PATHS: Final = re.compile(r"(?:/[\w.@+-]+)*/(?=(?:node_modules|plugins|projects)/)|(?:/[\w.@+-]+)+(?=/pkg/mod/)")


def build_node(copy: Path) -> None:
    """Install the packages."""
    subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=copy, check=True)


def build_go(copy: Path) -> None:
    """Compile the program where it runs, as the official host does."""
    subprocess.run(["go", "build", "-mod=mod", "-o", "program", "."], cwd=copy, check=True)
    (copy / COMMAND_FILE).write_text(json.dumps(["./program"]), encoding="utf-8")


def build_java(copy: Path) -> None:
    """Compile the program and note its class path."""
    goals = ["compile", "dependency:build-classpath", "-Dmdep.outputFile=classpath"]
    subprocess.run(["mvn", "-q", "-B", *goals], cwd=copy, check=True)
    classpath = f"target/classes:{(copy / 'classpath').read_text(encoding='utf-8').strip()}"
    (copy / COMMAND_FILE).write_text(json.dumps(["java", "-cp", classpath, "shop.App"]), encoding="utf-8")


BUILDS: Final[dict[str, tuple[str, Callable[[Path], None]]]] = {
    "typescript": ("nodejs", build_node),
    "go": ("go", build_go),
    "java": ("java", build_java),
    "python": ("", lambda copy: None),
}


@dataclass(slots=True)
class Capture:
    """One program in a world of its own."""

    cli: PulumiCli
    project: Path
    out: Path

    def run(self, *arguments: str, stream: bool = False, allowed: tuple[int, ...] = (0,)) -> Done:
        """Run the command for the stack."""
        done = self.cli.run(self.project, *arguments, "--stack", STACK, variables=STREAM if stream else {})
        if done.returncode not in allowed:
            sys.exit(f"{arguments}: {done.returncode}: {done.text[-3000:]}")
        return done

    def keep(self, name: str, done: Done) -> None:
        """Write what was printed, without the paths of this machine."""
        if PLANTED in done.stdout:
            sys.exit(f"{name} shows the planted secret")
        text = done.stdout.replace(str(self.cli.state.parent), "/world").replace(str(ROOT), "/skerry")
        (self.out / name).write_text(_PATHS.sub("/", text).replace(sys.base_prefix, "/python"), encoding="utf-8")

    def preview(self, name: str, *options: str, allowed: tuple[int, ...] = (0,)) -> None:
        """Keep a preview in both of its forms."""
        self.keep(f"{name}.json", self.run("preview", "--json", "--show-sames", *options, allowed=allowed))
        self.keep(f"{name}.events", self.run("preview", "--json", *options, stream=True, allowed=allowed))


def life(capture: Capture) -> None:
    """Capture what the readers of any program meet: before and after a deployment."""
    capture.preview("preview")
    capture.keep("up.events", capture.run("up", "--yes", "--skip-preview", "--json"))
    capture.keep("state.json", capture.run("stack", "export"))
    capture.preview("preview-deployed")
    capture.keep("preview-without-sames.json", capture.run("preview", "--json"))


def existing_stack(capture: Capture) -> None:
    """Capture previews of an existing stack, and those that show a part only."""
    main = capture.cli.copy_of(capture.project) / "__main__.py"
    whole = main.read_text(encoding="utf-8")
    one = "urn:pulumi:dev::shop-python::aws:sqs/queue:Queue::one"
    capture.preview("target-of-new", "--target", one)
    capture.run("up", "--yes", "--skip-preview")
    capture.preview("replace", "--replace", one)
    capture.preview("target-of-old", "--target", one)
    capture.keep("refresh.events", capture.run("refresh", "--yes", "--skip-preview", "--json"))
    main.write_text(whole.replace('"two"', '"three"'), encoding="utf-8")
    capture.preview("renamed")
    capture.preview("renamed-refresh", "--refresh")
    capture.preview("renamed-target", "--target", one)
    main.write_text(f"{whole}\nraise ValueError('broken')\n", encoding="utf-8")
    capture.preview("broken", allowed=(1,))
    main.write_text("import pulumi\npulumi.Config().require('colour')\n", encoding="utf-8")
    capture.preview("missing-config", allowed=(1,))
    main.write_text(whole, encoding="utf-8")
    capture.keep("destroy.events", capture.run("destroy", "--yes", "--skip-preview", "--json"))
    capture.keep("state-of-nothing.json", capture.run("stack", "export"))


def main(language: str) -> None:
    """Capture everything of one language."""
    runtime, build = BUILDS[language]
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        plugins = {f"pulumi-language-{runtime}": "tests.simulators.pulumi_sdk_host"} if runtime else {}
        cli = PulumiCli(world / "world", ("aws", "kubernetes", "random"), plugins)
        base = world / "base"
        base.mkdir()
        (base / "Pulumi.yaml").write_text(BASE_PROJECT, encoding="utf-8")
        (base / "__main__.py").write_text(BASE_PROGRAM, encoding="utf-8")
        cli.check(cli.up(base, STACK))
        project = world / f"shop-{language}"
        shutil.copytree(GOLDEN / language / "program", project)
        build(cli.copy_of(project))
        cli.set_secret(project, STACK, "planted", PLANTED)
        capture = Capture(cli, project, GOLDEN / language)
        (existing_stack if language == "python" else life)(capture)


if __name__ == "__main__":
    main(sys.argv[1])
