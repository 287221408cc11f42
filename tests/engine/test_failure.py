"""How a run that fails is reported: the user's line, the exception, the resource, and never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.engine.project import StackConfig
from skerry.engine.run import run_deployment, run_program
from skerry.errors import ConfigError, MissingPackageError, ProgramError, SizingError, UnansweredError
from skerry.graph import UNKNOWN, Secret

MakeProject = Callable[..., Path]

FAILURES = {
    "an exception at the top": (
        'raise ValueError("no luck")\n',
        "the program failed at __main__.py:{line}: ValueError: no luck",
    ),
    "an exception in a function of another file": (
        "import lib.more\nlib.more.fail()\n",
        "the program failed at lib/more.py:3 in fail: KeyError: 'gone'",
    ),
    "an exception in an apply": (
        'Thing("t", {"x": Output.from_input(1).apply(lambda v: v // 0)})\n',
        "the program failed at __main__.py:{line} in <lambda>: ZeroDivisionError: "
        "integer division or modulo by zero (while registering sim:core:Thing 't' of __main__.py:{made}, input 'x')",
    ),
    "an exception in an awaited input": (
        'async def fail():\n    raise RuntimeError("later")\nThing("t", {"x": fail()})\n',
        "the program failed at __main__.py:{next} in fail: RuntimeError: later "
        "(while registering sim:core:Thing 't' of __main__.py:{made}, input 'x')",
    ),
    "an exception in an output that nothing uses": (
        'Output.from_input(1).apply(lambda v: {}["k"])\n',
        "the program failed at __main__.py:{line} in <lambda>: KeyError: 'k'",
    ),
    "a value that cannot be an input": (
        'Thing("t", {"x": object()})\n',
        "(while registering sim:core:Thing 't' of __main__.py:{made})",
    ),
    "a RunError is shown as its message": (
        'raise pulumi.RunError("do it so")\n',
        "do it so (raised at __main__.py:{line})",
    ),
    "a syntax error": (
        "def broken(:\n",
        "the program failed at __main__.py:{line}: SyntaxError: invalid syntax",
    ),
    "a syntax error in another file": ("import lib.bad\n", "at lib/bad.py:1: SyntaxError"),
    "an exit with a code": (
        "import sys\nsys.exit(3)\n",
        "the program ended itself with exit code 3 at __main__.py:{next}\n    sys.exit(3)",
    ),
    "an exit with a text": ("import sys\nsys.exit('no key')\n", "the program ended itself with: no key at __main__.py"),
    "a wrong argument of a resource": (
        'Thing("t", colour="red")\n',
        'got an unexpected keyword argument \'colour\'\n    Thing("t", colour="red")',
    ),
    "an exception in the body of a component": (
        'def body(self):\n    {}["gone"]\nGroup("g", body=body)\n',
        "the program failed at __main__.py:{next} in body: KeyError: 'gone' (while making pkg:index:Group 'g')"
        '\n    {{}}["gone"]',
    ),
    "a group of exceptions": (
        'raise ExceptionGroup("both", [ValueError("one"), KeyError("two")])\n',
        "ExceptionGroup: both: ValueError: one; KeyError: 'two'",
    ),
    "the line stands below the message": ('raise ValueError("x")\n', 'ValueError: x\n    raise ValueError("x")'),
    "a transform that fails": (
        'def bad(args):\n    raise ValueError("in transform")\nThing("t", opts=Opts(transforms=[bad]))\n',
        "the program failed at __main__.py:{next} in bad: ValueError: in transform (while registering "
        "sim:core:Thing 't' of __main__.py:{made})",
    ),
    "a circle of dependencies": (
        'a = Thing("a")\nb = Thing("b", opts=Opts(depends_on=[a]))\n'
        'Group("g", body=lambda self: Thing("c", opts=Opts(parent=self, depends_on=[self])))\n',
        "circular dependency",
    ),
    "a plain call whose answer is missing": (
        'pulumi.runtime.invoke("aws:index/getZones:getZones", {}).value["names"]\n',
        "functions without an answer here: aws:index/getZones:getZones: call them in their output form "
        "(get_x_output), which can be unknown, or give their answer with --answers FILE",
    ),
}
FILES = {"lib/more.py": "\ndef fail():\n    {}['gone']\n", "lib/bad.py": "def broken(:\n"}


@pytest.mark.parametrize(("program", "message"), list(FAILURES.values()), ids=list(FAILURES))
def test_failure(make_project: MakeProject, first_line: int, program: str, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        run_program(make_project(program, files=FILES), "dev", timeout_s=20)
    text = str(caught.value)
    made = first_line + program[: program.find('Thing("t"')].count("\n")
    assert message.format(line=first_line, next=first_line + 1, made=made) in text
    assert "Traceback" not in text
    assert "asyncio" not in text


AWS = "import pulumi_aws as aws\n"
UNANSWERED = {
    "a region that does not exist": (
        AWS + "aws.ec2.get_ami(owners=['amazon'])\naws.get_availability_zones(state='available').names[0]\n",
        "config: {aws:region: eu-centrl-1}\n",
        "the program needs an answer of aws:index/getAvailabilityZones:getAvailabilityZones at __main__.py:{line}, and "
        "there is none here: the table has no 'eu-centrl-1': did you mean 'eu-central-1'?; call it in its output form "
        "(get_x_output), which can be unknown, or give its answer with --answers FILE\n    aws.get_availability_zones",
    ),
    "no region": (
        AWS + "\naws.get_region().region\n",
        "",
        "the program needs an answer of aws:index/getRegion:getRegion at __main__.py:{line}, and there is none here: "
        "aws:region is not set; give --config aws:region=VALUE, or call it in its output form",
    ),
    "a function that the table does not know": (
        AWS + "\naws.ec2.get_instance(instance_id='i-1')\n",
        "",
        "the program needs an answer of aws:ec2/getInstance:getInstance at __main__.py:{line}, and there is none here; "
        "call it in its output form",
    ),
    "a call about what does not exist yet, after another one without an answer": (
        AWS + "aws.ec2.get_instance_output(instance_id='i-1'); v = aws.ec2.Vpc('v', cidr_block='10.0.0.0/16')\n"
        "aws.ec2.get_subnets(filters=[{'name': 'vpc-id', 'values': [v.id]}])\n",
        "",
        "the program needs an answer of aws:ec2/getSubnets:getSubnets at __main__.py:{line}, and there is none here: "
        "it is asked about something that does not exist yet; call it in its output form (get_x_output), which can be "
        "unknown\n    aws.ec2.get_subnets",
    ),
    "a call with an output of what does not exist yet": (
        AWS + "v = aws.ec2.Vpc('v', cidr_block='10.0.0.0/16')\naws.ec2.get_vpc(id=v.id)\n",
        "",
        "the program needs an answer of aws:ec2/getVpc:getVpc at __main__.py:{line}, and there is none here: it is "
        "asked about something that does not exist yet; call it in its output form (get_x_output), which can be unknown"
        "\n    aws.ec2.get_vpc",
    ),
}


def test_a_field_that_a_stand_in_lacks_is_told_with_the_function(make_project: MakeProject) -> None:
    program = AWS + "aws.ec2.get_ami(owners=['amazon'], most_recent=True).block_device_mappings[0]\n"
    with pytest.raises(ProgramError) as caught:
        run_program(make_project(program, {"dev": "config: {aws:region: eu-central-1}\n"}), "dev")
    message = (
        "IndexError: list index out of range; a stand-in may lack what the program looks for: aws:ec2/getAmi:getAmi: "
        "give yours with --answers FILE\n    aws.ec2.get_ami"
    )
    assert message in str(caught.value)


@pytest.mark.parametrize(("program", "config", "message"), list(UNANSWERED.values()), ids=list(UNANSWERED))
def test_a_plain_call_without_an_answer_says_what_to_give(
    make_project: MakeProject, first_line: int, program: str, config: str, message: str
) -> None:
    with pytest.raises(UnansweredError) as caught:
        run_program(make_project(program, {"dev": config}), "dev")
    assert message.format(line=first_line + 2) in str(caught.value)
    assert caught.value.exit_code == 2


CONFIG = """
config:
  demo:count: three
  demo:sealed: {secure: v1:abc}
  demo:open: {nested: {secure: v1:abc}, other: planted-value}
"""
CONFIG_FAILURES = {
    "a missing value": (
        'config.require("nope")\n',
        "demo:nope: the program needs this value at __main__.py:{line} and it is not set; run `pulumi config set "
        'demo:nope <value>`, or give --config demo:nope=VALUE\n    config.require("nope")',
        2,
    ),
    "a missing secret, whose remedy does not ask for it in plain": (
        'config.require_secret("nope")\n',
        "demo:nope: the program needs this value at __main__.py:{line} and it is not set; run `pulumi config set "
        '--secret demo:nope`, which asks for it; here it is then a secret unknown\n    config.require_secret("nope")',
        2,
    ),
    "a missing value that an apply asks for": (
        'Thing("t", {"x": Output.from_input(1).apply(lambda v: config.require("late"))})\n',
        "demo:late: the program needs this value at __main__.py:{line} in <lambda> and it is not set",
        2,
    ),
    "a value of the wrong type": (
        'config.require_int("count")\n',
        "demo:count: 'three' is not of type int at __main__.py:{line}\n    config.require_int(\"count\")",
        2,
    ),
    "a secret of the wrong type is not shown": (
        'config.require_int("open")\n',
        "the value of 'demo:open' is a secret without plaintext here at __main__.py:{line}",
        3,
    ),
}


@pytest.mark.parametrize(("program", "message", "code"), list(CONFIG_FAILURES.values()), ids=list(CONFIG_FAILURES))
def test_a_wrong_configuration_is_the_user_s_to_mend(
    make_project: MakeProject, first_line: int, program: str, message: str, code: int
) -> None:
    with pytest.raises((ConfigError, ProgramError)) as caught:
        run_program(make_project(program, {"dev": CONFIG}), "dev")
    assert message.format(line=first_line) in str(caught.value)
    assert "planted-value" not in str(caught.value)
    assert code == caught.value.exit_code


SECRETS_IN_MESSAGES = {
    "in an exception of the program": "raise ValueError(f\"bad pin {config.require('pin')}\")\n",
    "in a value of the wrong type": 'config.require_int("word")\n',
}


@pytest.mark.parametrize("program", list(SECRETS_IN_MESSAGES.values()), ids=list(SECRETS_IN_MESSAGES))
def test_a_secret_in_the_message_of_an_exception_is_masked(make_project: MakeProject, program: str) -> None:
    config = StackConfig({"demo:pin": "48151623", "demo:word": "sesame"}, frozenset({"demo:pin", "demo:word"}))
    with pytest.raises((ConfigError, ProgramError)) as caught:
        run_program(make_project(program), "dev", config)
    assert "<secret>" in str(caught.value)
    assert [secret for secret in config.values.values() if secret in str(caught.value)] == []


OVERRIDDEN = {
    "a key that the file holds as secure": ("{}[config.require('pin')]\n", "config:\n  pin: {secure: v1:abc}\n"),
    "a key that the file holds in plain": (
        "config.require_secret('pin').apply(lambda v: {}[v])\n",
        "config: {pin: x}\n",
    ),
    "a key that no file holds": ("config.get_secret('pin').apply(lambda v: {}[v])\n", ""),
    "a key of another type": ("config.require_secret_int('pin')\n", ""),
}


@pytest.mark.parametrize("given", ["very-secret", 'it\'s "so" \\secret'])
@pytest.mark.parametrize(("program", "file"), list(OVERRIDDEN.values()), ids=list(OVERRIDDEN))
def test_a_secret_that_is_given_from_outside_is_masked(
    make_project: MakeProject, program: str, file: str, given: str
) -> None:
    with pytest.raises((ConfigError, ProgramError)) as caught:
        run_deployment(make_project(program, {"dev": file}), "dev", {"demo:pin": given})
    assert "<secret>" in str(caught.value)
    assert "secret" not in str(caught.value).replace("<secret>", "").replace("_secret", "")


@pytest.mark.parametrize(
    "look", [".encode()", ".split('x')", "[0]", ".upper()"], ids=["bytes", "parts", "a letter", "other letters"]
)
def test_a_program_that_looks_into_a_withheld_secret_is_told_how_to_read_it(
    make_project: MakeProject, first_line: int, look: str
) -> None:
    with pytest.raises(ProgramError) as caught:
        run_program(make_project(f'config.require("sealed"){look}\n', {"dev": CONFIG}), "dev")
    assert (
        f"the value of 'demo:sealed' is a secret without plaintext here at __main__.py:{first_line}: read it with "
        "require_secret or get_secret and their kin, whose result can be unknown"
    ) in str(caught.value)


def test_a_withheld_secret_may_be_handed_on(make_project: MakeProject) -> None:
    program = """
    import json
    sealed = config.require("sealed")
    Thing("t", {"plain": sealed, "joined": "a" + sealed, "formatted": f"<{sealed}>", "json": json.dumps({"p": sealed})})
    """
    graph = run_program(make_project(program, {"dev": CONFIG}), "dev")
    expected = dict.fromkeys(("plain", "joined", "formatted", "json"), Secret(UNKNOWN))
    assert expected == graph.resources[1].inputs


@pytest.mark.parametrize(
    ("imported", "message"),
    [
        ("import no_such_module", "run `pip install no-such-module` (or all of requirements.txt) in the environment"),
        ("import pulumi_random.pet", "run `pip install pulumi-random`"),
        ("import slugify", "run `pip install python-slugify`"),
    ],
)
def test_a_package_that_is_missing_is_named_with_its_remedy(
    make_project: MakeProject, first_line: int, imported: str, message: str
) -> None:
    program = make_project(f"{imported}\n", files={"requirements.txt": "x\n"})
    with pytest.raises(MissingPackageError) as caught:
        run_program(program, "dev")
    assert f"at __main__.py:{first_line}, which is neither in its folder" in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


LOCKS = {".ci/venv": "#!/bin/sh\n", "requirements/aws.txt": "x==1\n", "requirements/gcp.txt": "x==1\nno-such-sdk==1\n"}


@pytest.mark.parametrize(
    ("files", "remedy"),
    [
        (LOCKS, "run `make venv CLOUD=gcp` in its folder"),
        ({**LOCKS, "requirements/gcp.txt": "no-such-sdk-too==1\n"}, "run `pip install no-such-sdk` in the environment"),
        ({"requirements/gcp.txt": "no-such-sdk==1\n"}, "run `pip install no-such-sdk` in the environment"),
    ],
    ids=["in a lock of the checkout", "in no lock", "in another project"],
)
def test_skerry_s_own_program_is_told_which_set_has_the_package(
    make_project: MakeProject, files: dict[str, str], remedy: str
) -> None:
    with pytest.raises(MissingPackageError) as caught:
        run_program(make_project("import no_such_sdk\n", files=files), "dev")
    assert remedy in str(caught.value)


def test_a_missing_module_of_an_installed_package_is_no_missing_package(make_project: MakeProject) -> None:
    with pytest.raises(ProgramError, match=r"ModuleNotFoundError: No module named 'yaml\.nothing'") as caught:
        run_program(make_project("import yaml.nothing\n"), "dev")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("where", ["top", "apply"])
def test_an_error_of_skerry_passes_through(make_project: MakeProject, where: str) -> None:
    raised = 'SizingError("140 GiB do not fit into 80 GiB")'
    program = (
        "from skerry.errors import SizingError\n"
        + {
            "top": f"raise {raised}\n",
            "apply": f'def f(v):\n    raise {raised}\nThing("t", {{"x": Output.from_input(1).apply(f)}})\n',
        }[where]
    )
    with pytest.raises(SizingError, match="140 GiB do not fit into 80 GiB"):
        run_program(make_project(program), "dev")
