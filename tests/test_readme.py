"""The README's commands give the README's output; `--update-golden` writes it anew."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cli.main import main

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- checked by tests/test_readme\.py -->\n```console\n\$ skerry ([^\n]+)\n)(.*?)(```\n)", re.S)


def commands() -> list[str]:
    return [match.group(2) for match in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def output_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*shlex.split(command), "--project", str(ROOT)]) == 0
    return "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines()).rstrip() + "\n"


def test_there_are_two_commands_with_output() -> None:
    assert len(commands()) == 2


@pytest.mark.parametrize("command", commands())
def test_a_command_gives_what_the_readme_shows(
    command: str, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    got = output_of(command, capsys)
    if request.config.getoption("--update-golden"):
        text = README.read_text(encoding="utf-8")
        text = BLOCK.sub(lambda m: m.group(1) + got + m.group(4) if m.group(2) == command else m.group(0), text)
        README.write_text(text, encoding="utf-8")
    shown = {m.group(2): m.group(3) for m in BLOCK.finditer(README.read_text(encoding="utf-8"))}
    assert shown[command] == got


def test_every_file_that_the_readme_names_exists() -> None:
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", text))
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
