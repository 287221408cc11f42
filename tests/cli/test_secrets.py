"""A planted secret is looked for in everything that the command prints and writes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cli.main import main
from tests.simulators.stack_objects import ONPREM, ROOT

MARKER = "hunter2-planted-marker"
ENCODED = base64.b64encode(MARKER.encode()).decode()
"""As a Secret of Kubernetes would hold it."""


def shows(text: str) -> bool:
    return MARKER in text or ENCODED in text


@pytest.fixture
def argv(tmp_path: Path) -> list[str]:
    """Return the arguments of a stack whose secrets are config values in plain text that nobody marked as secret."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"})
    )
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{ONPREM}.yaml").read_text(encoding="utf-8"))
    deployment = document["config"]["skerry:deployment"]
    deployment["target"]["kubeconfig_secret"] = "siteKubeconfig"
    deployment["cognitive"] |= {"providers": ["local", "anthropic"], "api_key_secret": "llmKey"}
    document["config"]["skerry:llmKey"] = MARKER
    document["config"]["skerry:siteKubeconfig"] = f"apiVersion: v1\nusers: [{{user: {{token: {MARKER}}}}}]\n"
    (tmp_path / "stacks" / "Pulumi.planted.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return ["--stack", "planted", "--project", str(tmp_path)]


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


VERBS = [
    ["preview"],
    ["preview", "--format", "json"],
    ["check"],
    ["check", "--format", "json"],
    ["check", "--format", "sarif"],
    ["check", "--format", "junit"],
    ["cost"],
    ["cost", "--format", "json"],
    ["render"],
    ["render", "--format", "json"],
    ["bundle", "plan"],
    ["bundle", "plan", "--format", "json"],
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_no_output_shows_it(verb: list[str], argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb, *argv]) in (0, 1)
    printed = capsys.readouterr()
    assert len(printed.out) > 500
    assert not shows(printed.out + printed.err)


def test_no_file_holds_it(argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["render", *argv, "--out", str(out / "rendered")]) == 0
    assert main(["preview", *argv, "--format", "json", "--out", str(out / "graph.json")]) == 0
    assert main(["check", *argv, "--format", "sarif", "--out", str(out / "check.sarif")]) in (0, 1)
    written = list(files(out))
    assert len(written) > 80
    assert [path.name for path in written if shows(path.read_text(encoding="utf-8"))] == []
    assert not shows("".join(capsys.readouterr()))


def test_the_graph_says_that_it_is_a_secret(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["preview", *argv, "--format", "json"])
    assert '"kubeconfig": {\n          "$skerry": "secret"' in capsys.readouterr().out


def test_an_error_does_not_quote_it(argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stacks" / "Pulumi.planted.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["config"]["skerry:deployment"]["mode"] = "air-gapped"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert main(["preview", *argv]) == 2
    assert not shows("".join(capsys.readouterr()))
