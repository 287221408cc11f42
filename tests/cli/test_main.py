"""The command as a user meets it: exit codes, one clear message, and results that other programs can read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml

from cli.main import main
from skerry.config.load import json_schema
from skerry.graph_json import from_json, to_json
from tests.simulators.stack_objects import AIRGAPPED, AWS, AWS_BASE, ONPREM, ROOT, graph_of

PROJECT = ["--project", str(ROOT)]
HERE = ["--stack", AIRGAPPED, *PROJECT]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project of a user's own, whose program is Skerry's, with one stack `mine`."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"})
    )
    text = (ROOT / "stacks" / f"Pulumi.{ONPREM}.yaml").read_text(encoding="utf-8")
    (tmp_path / "stacks" / "Pulumi.mine.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def mine(project: Path) -> list[str]:
    return ["--stack", "mine", "--project", str(project)]


def edit(project: Path, old: str, new: str) -> int:
    """Change the stack's file where `old` stands; return the number of that line."""
    path = project / "stacks" / "Pulumi.mine.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what went to standard error; nothing may have gone to standard output."""
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def wrong_use(*argv: str) -> int:
    """Run the command where argparse itself refuses."""
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert isinstance(caught.value.code, int)
    return caught.value.code


WRONG_WORDS = {
    "no verb": [],
    "a verb that is none": ["prevue"],
    "a format that is none": ["preview", *HERE, "--format", "yaml"],
    "a format of another verb": ["preview", *HERE, "--format", "sarif"],
    "a depth that is no number": ["preview", *HERE, "--depth", "deep"],
    "a step of bundle that is none": ["bundle", "burn"],
}


@pytest.mark.parametrize("case", WRONG_WORDS)
def test_wrong_words_are_exit_code_2(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrong_use(*WRONG_WORDS[case]) == 2
    assert "usage: skerry" in said(capsys)


def test_an_unknown_format_is_told_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    wrong_use("check", *HERE, "--format", "html")
    message = said(capsys)
    assert all(f"'{name}'" in message or name in message for name in ("text", "json", "sarif", "junit"))


STACKS = ", ".join(sorted(file.stem.removeprefix("Pulumi.") for file in (ROOT / "stacks").glob("Pulumi.*.yaml")))

REFUSED = {
    "no stack": (
        ["preview", *PROJECT],
        f"has several stacks: give --stack NAME, one of {STACKS}",
    ),
    "a stack that is nearly one": (
        ["preview", "--stack", "sensei-airgaped", *PROJECT],
        f"no stack 'sensei-airgaped': known stacks are {STACKS}; did you mean 'sensei-airgapped'?",
    ),
    "a stack like no other": (["preview", "--stack", "zzz", *PROJECT], "no stack 'zzz': known stacks are "),
    "a stack that is a path": (["preview", "--stack", "../Pulumi", *PROJECT], "no stack '../Pulumi'"),
    "a config value without a value": (
        ["preview", *HERE, "--config", "imagesLock"],
        "--config 'imagesLock' is not KEY=VALUE: write for example --config aws:region=eu-central-1",
    ),
    "a config value without a key": (["preview", *HERE, "--config", "=x"], "--config '=x' is not KEY=VALUE"),
    "a project that is none": (
        ["preview", "--stack", AIRGAPPED, "--project", str(ROOT / "docs")],
        "has no Pulumi.yaml: name the folder that holds it",
    ),
    "a lock that is not there": (
        ["preview", *HERE, "--config", "imagesLock=/nowhere/x.lock"],
        "x.lock cannot be read",
    ),
    "a day that is none": (["check", *HERE, "--today", "tomorrow"], "--today 'tomorrow' is not a date"),
    "a proof without a stack": (["bundle", "verify", "--registry", "127.0.0.1:9"], "needs --stack"),
    "a verification of nothing": (["bundle", "verify"], "takes either MEDIUM with --trust, or --stack with --registry"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_use_is_one_message_and_exit_code_2(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv, message = REFUSED[case]
    assert main(argv) == 2
    printed = said(capsys)
    assert printed.startswith("skerry: ")
    assert message in printed
    assert "Traceback" not in printed


BAD_FILES = {
    "YAML that breaks off": (
        "    mode: private\n",
        "    mode: [private\n",
        "Pulumi.mine.yaml: 1 problem\n  line {after}",
    ),
    "a tab": ("    mode: private\n", "\tmode: private\n", "line {at}: is not YAML"),
    "a key twice": (
        "    mode: private\n",
        "    mode: private\n    mode: saas\n",
        "line {after}: the key 'mode' is set twice",
    ),
    "a field that is none": (
        "    mode: private\n",
        "    modus: private\n",
        "modus: is not a field of the configuration; did you mean 'mode'?",
    ),
    "a model that does not fit": ("          gpus: 8\n", "          gpus: 2\n", "does not fit 2 x 40 GiB GPUs"),
    "a secret inside the deployment": (
        "      storage_class: encrypted-local\n",
        "      storage_class: {secure: 'v1:abc'}\n",
        "skerry:deployment: has a secret inside; give each secret a key of its own beside it",
    ),
    "a hosted model whose key nobody set": (
        "      providers: [local]\n",
        "      providers: [local, openai]\n      api_key_secret: llmKey\n",
        "cognitive.api_key_secret: names 'skerry:llmKey', which the stack does not set; run `pulumi config set",
    ),
    "a kubeconfig that nobody set": (
        "      kube_context: datacentre\n",
        "      kubeconfig_secret: siteKubeconfig\n",
        "target.kubeconfig_secret: names 'skerry:siteKubeconfig', which the stack does not set; run `pulumi config set "
        "--secret skerry:siteKubeconfig < kubeconfig`",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
@pytest.mark.parametrize("verb", ["preview", "check"])
def test_a_bad_stack_file_is_one_message_and_exit_code_2(
    case: str, verb: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, message = BAD_FILES[case]
    at = edit(project, old, new)
    assert main([verb, *mine(project)]) == 2
    assert message.replace("{at}", str(at)).replace("{after}", str(at + 1)) in said(capsys)


@pytest.mark.parametrize("value", ["hello", "''", "", "{secure: 'v1:abc'}", "[1]"])
def test_a_deployment_that_is_no_mapping_is_exit_code_2(
    value: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "stacks" / "Pulumi.mine.yaml").write_text(f"config:\n  skerry:deployment: {value}\n")
    assert main(["preview", *mine(project)]) == 2
    assert "skerry:deployment: " in said(capsys)


@pytest.mark.parametrize("verb", [["preview"], ["check"], ["cost"], ["render"], ["bundle", "plan"]], ids=" ".join)
def test_what_cannot_be_written_is_exit_code_3(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert main([*verb, *HERE, "--out", str(blocked / "deep" / "x")]) == 3
    assert "cannot write" in said(capsys)
    assert blocked.read_text() == "not a folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_leave_is_exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o555)
    assert main(["preview", *HERE, "--out", str(tmp_path / "x")]) == 3
    assert "choose a folder that can be written" in said(capsys)


def test_a_program_that_fails_is_exit_code_3(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "__main__.py").write_text("import pulumi\nraise ValueError('planned')\n")
    (project / "Pulumi.yaml").write_text("name: x\nruntime: python\nstackConfigDir: stacks\n")
    assert main(["preview", *mine(project)]) == 3
    assert "__main__.py:2: ValueError: planned" in said(capsys)


def test_a_crash_of_our_own_is_exit_code_3_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SKERRY_DEBUG", raising=False)
    monkeypatch.setattr("cli.preview.load_graph", lambda args: 1 / 0)
    assert main(["preview", *HERE]) == 3
    printed = said(capsys)
    assert "crashed: ZeroDivisionError" in printed and "this is a defect" in printed and "Traceback" not in printed


def test_an_interruption_is_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.preview.load_graph", interrupted)
    assert main(["preview", *HERE]) == 130
    assert "interrupted" in said(capsys)


def test_violations_are_exit_code_1_and_the_report_is_on_standard_output(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, "    mode: private\n", "    mode: private\n    production: true\n")
    assert main(["check", *mine(project)]) == 1
    assert "SUP" in capsys.readouterr().out


SCHEMAS = {
    "preview": (["preview"], "skerry.graph/1"),
    "check": (["check"], "skerry.check/1"),
    "cost": (["cost"], "skerry.cost/1"),
    "render": (["render"], "skerry.render/1"),
    "bundle plan": (["bundle", "plan"], "skerry.bundle-plan/1"),
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_json_names_its_schema_and_is_the_same_each_time(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    verb, schema = SCHEMAS[case]
    today = ["--today", "2026-11-21"] if case in ("check", "cost") else []
    argv = [*verb, *HERE, "--format", "json", *today]
    main(argv)
    first = capsys.readouterr().out
    assert json.loads(first)["schema"] == schema
    main(argv)
    assert capsys.readouterr().out == first


def test_sarif_and_junit_are_what_their_readers_expect(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", *HERE, "--format", "sarif"])
    sarif = json.loads(capsys.readouterr().out)
    assert sarif["version"] == "2.1.0" and sarif["runs"]
    main(["check", *HERE, "--format", "junit"])
    assert ElementTree.fromstring(capsys.readouterr().out).tag == "testsuites"


@pytest.mark.parametrize("stack", [AIRGAPPED, AWS_BASE, AWS])
def test_the_graph_comes_back_from_its_json(stack: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "--stack", stack, *PROJECT, "--format", "json"]) == 0
    text = capsys.readouterr().out
    back = from_json(text)
    assert to_json(back) == text
    assert [r.urn for r in back.resources] == [r.urn for r in graph_of(stack).resources]
    assert back.stacks == graph_of(stack).stacks


def test_out_writes_the_same_as_the_terminal_gets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "graph.json"
    assert main(["preview", *HERE, "--format", "json", "--out", str(out)]) == 0
    assert said(capsys) == f"written: {out}\n"
    assert main(["preview", *HERE, "--format", "json"]) == 0
    assert out.read_text(encoding="utf-8") == capsys.readouterr().out
    assert [path.name for path in out.parent.iterdir()] == ["graph.json"], "no temporary file is left"


def test_config_schema_takes_the_shipped_stacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json_schema()
    jsonschema.validate(yaml.safe_load((ROOT / "stacks" / f"Pulumi.{AIRGAPPED}.yaml").read_text()), schema)


def test_render_writes_anew_what_it_wrote_and_nothing_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rendered"
    assert main(["render", *HERE, "--out", str(folder)]) == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    stale = folder / "manifests" / "sensei-meta" / "configmap-gone.yaml"
    stale.write_text("# urn:pulumi:old\nkind: ConfigMap\n")
    assert main(["render", *HERE, "--out", str(folder)]) == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    own = folder / "manifests" / "mine.yaml"
    own.write_text("kind: ConfigMap\n")
    assert main(["render", *HERE, "--out", str(folder)]) == 2
    assert "'manifests/mine.yaml', which render did not write" in capsys.readouterr().err
    assert own.read_text() == "kind: ConfigMap\n"


def test_render_into_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("mine")
    assert main(["render", *HERE, "--out", str(tmp_path / "x")]) == 2
    assert "is a file: name a folder" in said(capsys)


def test_rendered_yaml_on_the_terminal_is_one_stream(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", *HERE]) == 0
    documents = [part for part in yaml.safe_load_all(capsys.readouterr().out) if part]
    assert len(documents) > 80


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-W", "ignore", "-c", code, "preview", *HERE, "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.read(10)
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(timeout=60) == 0
