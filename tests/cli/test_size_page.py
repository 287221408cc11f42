"""docs/sizing.md shows what the command prints; `--update-golden` writes it anew."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from cli.main import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sizing.md"
BLOCK = re.compile(
    r"(<!-- checked by tests/cli/test_size_page\.py -->\n```console\n\$ skerry ([^\n]+)\n)(.*?)(```\n)", re.DOTALL
)


def test_the_page_shows_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    found = BLOCK.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert main(shlex.split(found[2])) == 0
    got = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines()).rstrip() + "\n"
    if request.config.getoption("--update-golden"):
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text[: found.start(3)] + got + text[found.end(3) :], encoding="utf-8")
    shown = BLOCK.search(PAGE.read_text(encoding="utf-8"))
    assert shown is not None
    assert shown[3] == got


QUESTIONS = {
    "agentdb": ["size", "agentdb", "--agents", "10001", "--episodes", "5", "--edge"],
    "sensei": ["size", "sensei"],
}


@pytest.mark.parametrize("system", QUESTIONS)
def test_every_key_of_the_json_is_explained(capsys: pytest.CaptureFixture[str], system: str) -> None:
    assert main([*QUESTIONS[system], "--format", "json"]) == 0
    page = PAGE.read_text(encoding="utf-8").partition("## The JSON form")[2]
    named = set(re.findall(r"`([A-Za-z0-9]+)(?:\[\]|\.<name>)?`", page))
    assert set(json.loads(capsys.readouterr().out)) - named == set()
