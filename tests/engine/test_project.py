"""Reading Pulumi.yaml and stack files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.engine.project import StackConfig, load_project, load_stack_config
from skerry.engine.run import run_program
from skerry.engine.values import WITHHELD
from skerry.errors import ConfigError, ProgramError
from skerry.graph import UNKNOWN, Secret

MakeProject = Callable[..., Path]
EMPTY: frozenset[str] = frozenset()


def test_project(make_project: MakeProject) -> None:
    root = make_project("", {"dev": "", "prod-1": ""})
    project = load_project(root)
    assert (project.name, project.program, project.main) == ("demo", root, root / "__main__.py")
    assert (project.stack_dir, project.stacks()) == (root / "stacks", ("dev", "prod-1"))


@pytest.mark.parametrize("main", ["app", "app/__main__.py"])
def test_project_whose_main_is_elsewhere(make_project: MakeProject, main: str) -> None:
    yaml = f"name: demo\nruntime: {{name: python, options: {{virtualenv: .venv}}}}\nmain: {main}\n"
    root = make_project("raise ValueError", {}, pulumi_yaml=yaml, files={"app/__main__.py": "import pulumi\n"})
    (root / "Pulumi.dev.yaml").write_text("")
    assert load_project(root).program == root / "app"
    assert len(run_program(root, "dev").resources) == 1


PROJECT_ERRORS = {
    "no Pulumi.yaml": (None, "no Pulumi.yaml in this folder; name the folder of a project"),
    "a template's name": (
        "name: ${PROJECT}\nruntime: python\n",
        "name: '${PROJECT}' is not a project name: it has letters, digits, '-', '_' and '.' only, at most 100; "
        "it is a template's: put a name in its place",
    ),
    "a name with a blank": ("name: my shop\nruntime: python\n", "at most 100; take the rest out"),
    "no name": ("runtime: python\n", "name: None is not a project name; give the project a name"),
    "another runtime": (
        "name: a\nruntime: nodejs\n",
        "'nodejs' cannot be run in process: allowed is 'python'",
    ),
    "no program": ("name: a\nruntime: python\nmain: gone\n", "main: there is no program at "),
    "broken YAML": ("name: [a\n", "Pulumi.yaml: 1 problem\n  line 2: is not YAML: expected ',' or ']'"),
    "a list": ("- a\n", "holds a list where a mapping is needed"),
    "a key set twice": ("name: a\nname: b\n", "line 2: the key 'name' is set twice"),
}


@pytest.mark.parametrize(("yaml", "message"), list(PROJECT_ERRORS.values()), ids=list(PROJECT_ERRORS))
def test_a_project_that_cannot_be_used(make_project: MakeProject, yaml: str | None, message: str) -> None:
    root = make_project("", pulumi_yaml=yaml or "")
    if yaml is None:
        (root / "Pulumi.yaml").unlink()
    with pytest.raises(ConfigError) as caught:
        load_project(root)
    assert message in str(caught.value)


CONFIGS: dict[str, tuple[str, dict[str, str], frozenset[str]]] = {
    "scalars are text": (
        "config:\n  demo:a: x\n  demo:b: 3\n  demo:c: true\n  demo:d: 1.50\n  demo:e: 2.0\n  demo:f: '007'\n",
        {"demo:a": "x", "demo:b": "3", "demo:c": "true", "demo:d": "1.5", "demo:e": "2", "demo:f": "007"},
        EMPTY,
    ),
    "nothing is empty text": ("config:\n  demo:a:\n  demo:b: ~\n", {"demo:a": "", "demo:b": ""}, EMPTY),
    "what YAML 1.1 would twist": (
        "config:\n  demo:a: no\n  demo:b: 2026-11-21\n  demo:c: 12:30\n  demo:d: on\n",
        {"demo:a": "no", "demo:b": "2026-11-21", "demo:c": "12:30", "demo:d": "on"},
        EMPTY,
    ),
    "a short key belongs to the project": ("config:\n  a: x\n", {"demo:a": "x"}, EMPTY),
    "the old form of a key": ("config:\n  aws:config:region: x\n", {"aws:region": "x"}, EMPTY),
    "a structure is JSON": (
        "config:\n  demo:o:\n    a: [1, true, null, x]\n    b: {c: 1.5}\n",
        {"demo:o": '{"a":[1,true,null,"x"],"b":{"c":1.5}}'},
        EMPTY,
    ),
    "a secret has no plaintext": ("config:\n  demo:s:\n    secure: v1:abc\n", {}, frozenset({"demo:s"})),
    "a secret inside a structure": (
        "config:\n  demo:o:\n    a: 1\n    p:\n      secure: v1:abc\n",
        {"demo:o": f'{{"a":1,"p":"{WITHHELD}"}}'},
        frozenset({"demo:o"}),
    ),
    "values of an environment": (
        "config:\n  demo:a: x\nenvironment:\n  values:\n    pulumiConfig:\n      demo:a: y\n      b: z\n",
        {"demo:a": "x"},
        frozenset({"demo:b"}),
    ),
    "an imported environment": ("environment:\n  - shared\nconfig:\n  demo:a: x\n", {"demo:a": "x"}, EMPTY),
    "settings of the secrets provider": ("secretsprovider: passphrase\nencryptionsalt: v1:x\n", {}, EMPTY),
    "an anchor": (
        "config:\n  demo:a: &a {x: 1}\n  demo:b: *a\n",
        {"demo:a": '{"x":1}', "demo:b": '{"x":1}'},
        EMPTY,
    ),
    "nothing": ("", {}, EMPTY),
}


@pytest.mark.parametrize(("text", "values", "secrets"), list(CONFIGS.values()), ids=list(CONFIGS))
def test_stack_config(make_project: MakeProject, text: str, values: dict[str, str], secrets: frozenset[str]) -> None:
    config = load_stack_config(load_project(make_project("", {"dev": text})), "dev")
    assert (dict(config.values), config.secret_keys) == (values, secrets)


IMPORTS = {
    "a list": ("environment:\n  - shared\n  - team/base\n", "Pulumi.dev.yaml imports shared, team/base: "),
    "a mapping": ("environment:\n  imports:\n    - {shared: {merge: false}}\n", "Pulumi.dev.yaml imports shared: "),
    "none": ("environment:\n  values: {}\n", ""),
}


@pytest.mark.parametrize(("text", "message"), list(IMPORTS.values()), ids=list(IMPORTS))
def test_an_environment_that_is_not_opened_is_told(
    make_project: MakeProject, caplog: pytest.LogCaptureFixture, text: str, message: str
) -> None:
    load_stack_config(load_project(make_project("", {"dev": text})), "dev")
    told = "environments are not opened here, so what they set is absent"
    assert [record.getMessage() for record in caplog.records] == ([message + told] if message else [])


def test_defaults_of_the_project(make_project: MakeProject) -> None:
    yaml = (
        "name: demo\nruntime: python\nstackConfigDir: stacks\nconfig:\n"
        "  size: {type: integer, default: 3}\n  aws:region: {value: eu-west-1}\n  zone: {type: string}\n  set: 1\n"
    )
    root = make_project("", {"dev": "config:\n  set: 2\n"}, pulumi_yaml=yaml)
    config = load_stack_config(load_project(root), "dev")
    assert dict(config.values) == {"demo:size": "3", "aws:region": "eu-west-1", "demo:set": "2"}


STACK_ERRORS = {
    "an unknown stack": ("prod", "", "no stack 'prod': known stacks are dev; add Pulumi.prod.yaml to "),
    "a stack nearly named": ("de", "", "no stack 'de': known stacks are dev; did you mean 'dev'?"),
    "a path as a stack": ("../dev", "", "no stack '../dev': known stacks are dev"),
    "broken YAML": ("dev", "config:\n  a: b: c\n", "Pulumi.dev.yaml: 1 problem\n  line 2: is not YAML: mapping values"),
    "a tab": ("dev", "config:\n\ta: b\n", "line 2: is not YAML: found character '\\t'"),
    "config that is a list": ("dev", "config: [a]\n", "config: ['a'] is not a mapping of keys to values"),
    "a key with too many parts": ("dev", "config:\n  a:b:c:d: 1\n", "config.a:b:c:d: this is not a configuration key"),
    "a key set twice": ("dev", "config:\n  demo:a: 1\n  demo:a: 2\n", "line 3: the key 'demo:a' is set twice"),
    "an object of Python": ("dev", "config:\n  a: !!python/object:os.system x\n", "line 2: is not YAML: could not"),
    "bytes that are no text": ("dev", "\x00", "is not YAML"),
}


@pytest.mark.parametrize(("stack", "text", "message"), list(STACK_ERRORS.values()), ids=list(STACK_ERRORS))
def test_a_stack_that_cannot_be_used(make_project: MakeProject, stack: str, text: str, message: str) -> None:
    project = load_project(make_project("", {"dev": text}))
    with pytest.raises(ConfigError) as caught:
        load_stack_config(project, stack)
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_stack_file_that_is_not_text(make_project: MakeProject) -> None:
    root = make_project("")
    (root / "stacks" / "Pulumi.dev.yaml").write_bytes(b"config:\n  a: \xff\xfe\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_stack_config(load_project(root), "dev")


SECRETS = """
Thing("t", {
    "required": config.require_secret("s"),
    "got": config.get_secret("s"),
    "number": config.require_secret_int("s"),
    "object": config.require_secret_object("s"),
    "applied": config.require_secret("s").apply(lambda s: int(s)),
    "joined": Output.concat("user:", config.require_secret("s")),
    "plain": config.require("s"),
    "inside": "user:" + config.require("s"),
    "nested": config.require_object("o"),
    "given": config.require_secret("g"),
    "absent": config.get_secret("nothing"),
    "default": config.get_secret("nothing", "d"),
})
"""


def test_a_secret_without_plaintext_is_a_secret_unknown(make_project: MakeProject) -> None:
    text = "config:\n  s: {secure: abc}\n  o: {a: 1, p: {secure: abc}}\n"
    root = make_project(SECRETS, {"dev": text})
    loaded = load_stack_config(load_project(root), "dev")
    config = StackConfig({**loaded.values, "demo:g": "told"}, loaded.secret_keys | {"demo:g"})
    inputs = run_program(root, "dev", config).resources[1].inputs
    unknown = ("required", "got", "number", "object", "applied", "joined", "plain", "inside")
    assert {key: inputs[key] for key in unknown} == dict.fromkeys(unknown, Secret(UNKNOWN))
    assert inputs["nested"] == {"a": 1, "p": Secret(UNKNOWN)}
    assert (inputs["given"], inputs["default"], "absent" in inputs) == (Secret("told"), Secret("d"), False)


def test_a_secret_that_is_parsed_at_once_says_so(make_project: MakeProject) -> None:
    root = make_project('config.require_int("s")\n', {"dev": "config:\n  s: {secure: abc}\n"})
    with pytest.raises(ProgramError) as caught:
        run_program(root, "dev")
    assert "the value of 'demo:s' is a secret without plaintext here at __main__.py:" in str(caught.value)
    assert WITHHELD not in str(caught.value)


def test_program_reads_what_the_command_would_give_it(make_project: MakeProject) -> None:
    program = """
    Thing("t", {"project": pulumi.get_project(), "stack": pulumi.get_stack(), "org": pulumi.get_organization(),
                "dry": pulumi.runtime.is_dry_run(), "int": config.require_int("i"), "obj": config.require_object("o"),
                "bool": config.get_bool("b"), "secret": pulumi.runtime.is_config_secret("demo:s"),
                "other": pulumi.Config("aws").get("region")})
    """
    text = "config:\n  i: 3\n  o: {a: [1]}\n  b: true\n  s: {secure: x}\n  aws:region: r\n"
    assert run_program(make_project(program, {"dev": text}), "dev").resources[1].inputs == {
        "project": "demo",
        "stack": "dev",
        "org": "organization",
        "dry": True,
        "int": 3,
        "obj": {"a": [1]},
        "bool": True,
        "secret": True,
        "other": "r",
    }
