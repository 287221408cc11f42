"""Where a verb's graph comes from: any program, and what any producer wrote, through every verb."""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import VERBS, main
from skerry.graph_json import from_json
from tests.simulators.stack_objects import ROOT

GOLDEN = ROOT / "tests" / "golden" / "producers"
PLANTED = "planted-8c1f4e77-never-to-be-seen"
VERBS_OF_GRAPHS = {
    "preview": ["preview"],
    "check": ["check", "--today", "2026-11-21"],
    "cost": ["cost", "--today", "2026-11-21"],
    "render": ["render"],
    "bundle plan": ["bundle", "plan"],
}
SOURCES = {
    "a preview": ["--from-preview", "preview.json"],
    "its events": ["--from-preview", "preview.events"],
    "a preview of a deployed stack": ["--from-preview", "preview-deployed.json"],
    "the events of an update": ["--from-preview", "up.events"],
    "a state": ["--from-state", "state.json"],
}
FINDINGS = {"check": 1, "bundle plan": 1}
"""The programs name no data class and no NetworkPolicy, and nothing says what they run outside manifests."""


def source(language: str, case: str) -> list[str]:
    option, file = SOURCES[case]
    return [option, str(GOLDEN / language / file)]


@pytest.mark.parametrize("language", ["typescript", "go", "java"])
@pytest.mark.parametrize("case", SOURCES)
@pytest.mark.parametrize("verb", VERBS_OF_GRAPHS)
def test_every_verb_reads_every_producer(
    verb: str, case: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [*VERBS_OF_GRAPHS[verb], *source(language, case)]
    expected = FINDINGS.get(verb, 0)
    assert main(argv) == expected
    text = capsys.readouterr().out
    assert main([*argv, "--format", "json"]) == expected
    document = capsys.readouterr().out
    assert json.loads(document)["schema"].startswith("skerry.")
    assert text
    assert PLANTED not in text + document


@pytest.mark.parametrize("verb", VERBS_OF_GRAPHS)
@pytest.mark.parametrize("language", ["typescript", "go"])
def test_one_run_feeds_the_other_verbs_through_its_graph(
    language: str, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = tmp_path / "graph.json"
    made = source(language, "a state")
    assert main(["preview", *made, "--format", "json", "--out", str(graph)]) == 0
    capsys.readouterr()
    argv = [*VERBS_OF_GRAPHS[verb], "--format", "json"]
    code = main([*argv, *made])
    first = capsys.readouterr().out
    assert main([*argv, "--graph", str(graph)]) == code
    assert capsys.readouterr().out == first


def test_a_region_in_the_configuration_of_a_foreign_program_prices_it(capsys: pytest.CaptureFixture[str]) -> None:
    main(["cost", *source("typescript", "a preview"), "--today", "2026-11-21"])
    assert "worker: machine m6i.large" in capsys.readouterr().out
    main(["cost", *source("typescript", "a preview"), "--today", "2026-11-21", "--config", "aws:region=mars-north-1"])
    assert "mars-north-1" in capsys.readouterr().out


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = (GOLDEN / "go" / "preview.json").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["preview", "--from-preview", "-"]) == 0
    assert capsys.readouterr().out.startswith("shop-go-dev")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_what_a_windows_shell_redirects_is_read(
    encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (GOLDEN / "go" / "preview.json").read_text(encoding="utf-8").replace("\n", "\r\n")
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (tmp_path / "preview.json").write_bytes(mark + text.encode(encoding))
    assert main(["preview", "--from-preview", str(tmp_path / "preview.json")]) == 0
    assert capsys.readouterr().out.startswith("shop-go-dev")


def test_what_a_backend_keeps_compressed_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = (GOLDEN / "go" / "state.json").read_bytes()
    (tmp_path / "dev.json.gz").write_bytes(gzip.compress(data))
    assert main(["preview", "--from-state", str(tmp_path / "dev.json.gz")]) == 0
    assert capsys.readouterr().out.startswith("shop-go-dev")


def test_a_value_that_the_project_declares_must_be_set(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    declared = "config:\n  need: {type: string}\n  size: {type: integer, default: 3}\n  note: {description: free}\n"
    (foreign / "Pulumi.yaml").write_text(f"name: shop\nruntime: python\n{declared}")
    assert main(["preview", "--program", str(foreign)]) == 2
    said = capsys.readouterr().err
    assert "config.shop:need: Pulumi.yaml declares it, without a default, and it is not set; run `pulumi config" in said
    assert "size" not in said and "note" not in said
    assert main(["preview", "--program", str(foreign), "--config", "need=x"]) == 0


DAMAGED = {
    "cut off": (lambda data: data[:-20], "is a gzip file that is cut off"),
    "changed": (lambda data: data[:40] + bytes(40) + data[80:], "is a damaged gzip file"),
    "nothing but its mark": (lambda data: data[:2], "is a gzip file that is cut off"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_gzip_file_is_refused(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, message = DAMAGED[case]
    data = gzip.compress((GOLDEN / "go" / "state.json").read_bytes())
    (tmp_path / "dev.json.gz").write_bytes(spoil(data))
    assert main(["preview", "--from-state", str(tmp_path / "dev.json.gz")]) == 2
    assert message in capsys.readouterr().err


def test_a_gzip_file_that_grows_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cli.sources.MAX_BYTES", 1 << 20)
    (tmp_path / "dev.json.gz").write_bytes(gzip.compress(bytes(2 << 20)))
    assert main(["preview", "--from-state", str(tmp_path / "dev.json.gz")]) == 2
    assert "is a gzip file that holds more than 1 MiB" in capsys.readouterr().err


GO = str(GOLDEN / "go" / "preview.json")
STATE = str(GOLDEN / "go" / "state.json")
REFUSED = {
    "two files": (
        ["preview", "--from-preview", GO, "--from-state", STATE],
        "--from-preview and --from-state are two sources: give one of them",
    ),
    "a file and a stack": (
        ["check", "--from-preview", GO, "--stack", "dev"],
        "so --stack has no meaning: leave it out",
    ),
    "a file and a program": (["cost", "--graph", GO, "--program", "x"], "so --program has no meaning"),
    "a file and answers": (["cost", "--graph", GO, "--answers", "x"], "so --answers has no meaning"),
    "a file that is not there": (
        ["cost", "--from-state", "nowhere.json"],
        "'nowhere.json' cannot be read: No such file",
    ),
    "a folder": (["cost", "--from-state", str(ROOT)], "cannot be read: Is a directory"),
    "a file of another kind": (["cost", "--from-state", GO], "--from-preview reads it"),
    "a state as a preview": (["cost", "--from-preview", STATE], "which --from-state reads"),
    "a preview as a graph": (["cost", "--graph", GO], "use --from-preview or --from-state"),
    "a configuration that cannot count any more": (
        ["cost", "--from-preview", GO, "--config", "replicas=3"],
        "--config shop-go:replicas cannot change a graph that was made already",
    ),
    "a rehearsal of a file": (
        ["bundle", "export", "--rehearse", "--from-preview", GO, "--medium", "x", "--key", "y"],
        "give --stack in place of a file",
    ),
    "a program in another language": (
        ["preview", "--program", str(GOLDEN / "go" / "program")],
        "'go' cannot be run in process: allowed is 'python'; read what its preview or state says: --from-preview",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_sources_are_one_message_and_exit_code_2(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv, message = REFUSED[case]
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"\x00" * 9, b"\xc3\x28", b"[[[[", b"{}", b'{"steps": 7}'])
@pytest.mark.parametrize("option", ["--from-preview", "--from-state", "--graph"])
def test_garbage_is_one_message_and_exit_code_2(
    option: str, data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_bytes(data)
    assert main(["check", option, str(tmp_path / "x")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("skerry: ")


HOSTILE = {
    "an escape of a terminal in a name": ("shop-web", "shop\\u001b[2Jweb", "with a character that cannot be shown"),
    "a line of a workflow in a name": ("shop-web", "x\\n::error::pwned", "with a character that cannot be shown"),
    "half of a character": ("shop-web", "\\ud83d", "half of a character"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_names_that_would_do_harm_where_they_are_shown_are_refused(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, said = HOSTILE[case]
    for option, file in (
        ("--from-preview", "preview.json"),
        ("--from-preview", "preview.events"),
        ("--from-state", "state.json"),
    ):
        (tmp_path / file).write_text((GOLDEN / "go" / file).read_text(encoding="utf-8").replace(old, new))
        assert main(["check", option, str(tmp_path / file)]) == 2
        printed = capsys.readouterr()
        assert said in printed.err
        assert "\x1b" not in printed.err and "\n::" not in printed.err


def test_an_escape_of_a_terminal_in_a_value_is_shown_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (GOLDEN / "go" / "state.json").read_text(encoding="utf-8")
    (tmp_path / "state.json").write_text(text.replace("shop/web:1.2.3", "shop/web:1.2.3\\u001b[2J\\u009b"))
    for verb in VERBS_OF_GRAPHS.values():
        main([*verb, "--from-state", str(tmp_path / "state.json")])
        printed = capsys.readouterr()
        assert "\x1b" not in printed.out + printed.err
        assert "\x9b" not in printed.out + printed.err
    main(["preview", "--from-state", str(tmp_path / "state.json"), "--format", "json"])
    assert "1.2.3\\x1b[2J\\x9b" in repr(json.loads(capsys.readouterr().out))


PROGRAM = """
import pulumi

config = pulumi.Config()
pulumi.export("colour", config.get("colour"))
pulumi.export("sound", pulumi.Config("drum").get("sound"))
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Return a project of somebody else's."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: paint\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    return folder


def preview(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[dict[str, object], str]:
    assert main(["preview", "--format", "json", *argv]) == 0
    printed = capsys.readouterr()
    graph = from_json(printed.out)
    return dict(graph.stack_outputs(graph.stacks[-1])), printed.err


def test_a_bare_key_is_one_of_the_program_s_project(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--program", str(foreign), "--config", "colour=red", "--config", "drum:sound=loud"]
    outputs, _ = preview(capsys, *options)
    assert outputs == {"colour": "red", "sound": "loud"}


FILES: dict[str, tuple[list[str], str]] = {
    "no file": ([], "the stack is 'dev'"),
    "one file": (["prod"], "the stack is 'prod'"),
    "several, one of them dev": (["dev", "prod"], "the stack is 'dev'"),
}


@pytest.mark.parametrize("case", FILES)
def test_without_a_stack_one_is_taken_and_named(case: str, foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stacks, said = FILES[case]
    for stack in stacks:
        (foreign / f"Pulumi.{stack}.yaml").write_text(f"config:\n  paint:colour: {stack}\n")
    outputs, err = preview(capsys, "--program", str(foreign))
    assert said in err
    assert outputs.get("colour") == (said.split("'")[1] if stacks else None)


def test_several_stacks_are_not_guessed_between(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stack in ("prod", "test"):
        (foreign / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    assert main(["preview", "--program", str(foreign)]) == 2
    assert "has several stacks: give --stack NAME, one of prod, test" in capsys.readouterr().err


def test_a_stack_without_a_file_runs_and_is_told(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (foreign / "Pulumi.prod.yaml").write_text("config: {}\n")
    _, err = preview(capsys, "--program", str(foreign), "--stack", "review-17")
    assert "the stack 'review-17' has no file, so only --config sets values (stacks with a file: prod)" in err


def test_the_working_directory_names_the_program(
    foreign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(foreign)
    outputs, _ = preview(capsys, "--config", "colour=blue")
    assert outputs["colour"] == "blue"


def test_the_region_of_a_program_that_is_run_is_that_of_its_stack(
    foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (foreign / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n  aws:profile: p\n")
    assert main(["preview", "--format", "json", "--program", str(foreign)]) == 0
    assert json.loads(capsys.readouterr().out)["places"] == {"dev": {"aws:region": "eu-west-1"}}
    assert main(["preview", "--format", "json", "--program", str(foreign), "--config", "aws:region=eu-west-3"]) == 0
    assert json.loads(capsys.readouterr().out)["places"] == {"dev": {"aws:region": "eu-west-3"}}


ANSWERED = """
import pulumi
import pulumi_aws as aws

found = aws.ec2.get_ami(most_recent=True, owners=["self"], filters=[{"name": "name", "values": ["mine-*"]}])
pulumi.export("image", found.id)
pulumi.export("zone", pulumi.StackReference("organization/base/prod").get_output("zone"))
"""


def test_the_files_that_the_documentation_shows_answer_a_program(
    foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "producers.md").read_text(encoding="utf-8")
    (answers,) = (block for block in re.findall(r"```yaml\n(.*?)```", text, re.S) if block.startswith("schema:"))
    (outputs,) = re.findall(r'`(\{"base/prod".*?\})`', text)
    (tmp_path / "answers.yaml").write_text(answers)
    (tmp_path / "outputs.json").write_text(outputs)
    (foreign / "__main__.py").write_text(ANSWERED)
    files = ["--answers", str(tmp_path / "answers.yaml"), "--stack-outputs", str(tmp_path / "outputs.json")]
    found, _ = preview(capsys, "--program", str(foreign), *files)
    assert found == {"image": "ami-0123456789abcdef0", "zone": "eu-west-1a"}


HEAVY = ("pulumi", "grpc", "boto3", "botocore", "moto", "pulumi_aws", "pulumi_kubernetes", "kubernetes")
LIGHT = {
    "help": ["--help"],
    "the schema": ["config", "schema"],
    **{f"{verb} of a preview": [*words, "--from-preview", GO] for verb, words in VERBS_OF_GRAPHS.items()},
    "preview of a state": ["preview", "--from-state", STATE],
}
CODE = f"""
import resource, sys
sys.path.insert(0, {str(ROOT)!r})
from cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, *(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("case", LIGHT)
def test_what_needs_no_program_imports_no_sdk_and_answers_at_once(case: str) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, *LIGHT[case]], capture_output=True, text=True, check=True)
    seconds, *imported = done.stderr.splitlines()[-1].split()
    assert imported == []
    assert float(seconds) < 1.0, "half a second on an idle machine, twice that on a busy one"


def test_help_names_every_verb_as_the_verb_itself_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(verb in text for verb in VERBS)
    for verb in VERBS:
        with pytest.raises(SystemExit) as caught:
            main([verb, "--help"])
        assert caught.value.code == 0
        assert f"usage: skerry {verb}" in capsys.readouterr().out


def test_a_stack_may_be_named_in_full(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (foreign / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    assert main(["preview", "--format", "json", "--program", str(foreign), "--stack", "acme/paint/dev"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["stacks"] == ["dev"]
    assert "has no file" not in printed.err


def test_a_stack_of_another_project_is_not_the_one_of_this_name(
    foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", "--program", str(foreign), "--stack", "acme/bakery/dev"]) == 2
    assert "is a stack of the project 'bakery', and this is 'paint'" in capsys.readouterr().err
