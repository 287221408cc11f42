"""The table of answers: right shapes by the SDKs' own types, honest about what it does not know."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi import _types as sdk_types

from skerry.engine.answers import Answers, builtin_answers, load_answers
from skerry.engine.run import run_program
from skerry.errors import ConfigError
from skerry.graph import UNKNOWN, Invoke, Secret

MakeProject = Callable[..., Path]
CONFIG = {
    "aws:region": "eu-west-1",
    "gcp:project": "shop",
    "gcp:region": "europe-west1",
    "gcp:zone": "europe-west1-b",
    "azure-native:subscriptionId": "11111111-1111-1111-1111-111111111111",
}
NO_SDK = {
    "azure:core/getClientConfig:getClientConfig",
    "azure:core/getSubscription:getSubscription",
    "kubernetes:yaml:decode",
}
"""Functions of the classic Azure provider, whose SDK is no dependency, and one whose answer is a program's own."""
STATEMENTS = [{"actions": ["s3:GetObject"], "resources": ["*"]}]
CALLS: dict[str, dict[str, Any]] = {
    "aws:ec2/getAmi:getAmi": {"mostRecent": True, "owners": ["amazon"], "filters": [{"name": "name", "values": ["x"]}]},
    "aws:ec2/getSubnets:getSubnets": {"filters": [{"name": "vpc-id", "values": ["vpc-00000000000000000"]}]},
    "aws:ec2/getVpc:getVpc": {"default": True},
    "aws:iam/getPolicyDocument:getPolicyDocument": {"statements": STATEMENTS},
    "aws:index/getArn:getArn": {"arn": "arn:aws:s3:::bucket/key:x"},
    "aws:index/getAvailabilityZone:getAvailabilityZone": {"name": "eu-west-1b"},
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"state": "available"},
    "aws:index/getServicePrincipal:getServicePrincipal": {"serviceName": "ec2"},
    "aws:route53/getZone:getZone": {"name": "example.com"},
    "aws:ssm/getParameter:getParameter": {"name": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default"},
    "gcp:organizations/getIAMPolicy:getIAMPolicy": {"bindings": [{"role": "r", "members": ["user:a"]}]},
}


def ask(token: str, args: Mapping[str, Any] = {}, **given: Any) -> dict[str, Any] | None:
    return builtin_answers().answer(token, args, **{"config": CONFIG, **given})


# -- shapes -----------------------------------------------------------------------------------------------------------


def result_type(token: str) -> type:
    package, path, name = token.split(":")
    module = path.split("/")[0]
    sdk = importlib.import_module(f"pulumi_{package.replace('-', '_')}")
    # As a program reaches it: importing a module of an SDK by its path loads it a second time.
    return getattr(sdk if module == "index" else getattr(sdk, module), f"{name[0].upper()}{name[1:]}Result")


def complaints(value: Any, type_: Any, place: str = "") -> list[str]:
    """Say where a value is not of a type of the SDK: unknown fields, missing fields, wrong kinds."""
    origin, inner = typing.get_origin(type_), typing.get_args(type_)
    if origin is typing.Union:
        type_ = next(item for item in inner if item is not type(None))
        return complaints(value, type_, place)
    if origin is not None and issubclass(origin, Mapping):
        return [] if isinstance(value, dict) else [f"{place}: {value!r} is no mapping"]
    if origin is not None:
        if not isinstance(value, list):
            return [f"{place}: {value!r} is no list"]
        return [line for index, item in enumerate(value) for line in complaints(item, inner[0], f"{place}[{index}]")]
    if not sdk_types.is_output_type(type_):
        return [] if type(value) is type_ or (type_ is float and type(value) is int) else [f"{place}: {value!r}"]
    fields = {wire: python for python, wire, _ in sdk_types._py_properties(type_)}
    kinds = sdk_types.output_type_types(type_)
    hints = {
        python: typing.get_type_hints(found.fget, vars(importlib.import_module(type_.__module__)))["return"]
        for python, _, found in sdk_types._py_properties(type_)
    }
    found = [f"{place}.{key}: no such field" for key in value if key not in fields]
    for wire, python in fields.items():
        if wire in value:
            found += complaints(value[wire], kinds[wire], f"{place}.{wire}")
        elif type(None) not in typing.get_args(hints[python]):
            found.append(f"{place}.{wire}: missing")
    return found


@pytest.mark.parametrize("token", sorted(set(builtin_answers().tokens()) - NO_SDK))
def test_each_answer_has_the_shape_of_the_sdk_s_own_type(token: str) -> None:
    answer = ask(token, CALLS.get(token, {}))
    assert answer is not None
    assert complaints(answer, result_type(token)) == []


def test_a_wrong_shape_is_found() -> None:
    type_ = result_type("aws:index/getPartition:getPartition")
    good = ask("aws:index/getPartition:getPartition")
    assert good is not None
    assert complaints(
        {**{key: value for key, value in good.items() if key != "dnsSuffix"}, "shape": "x", "id": 3}, type_
    ) == [".shape: no such field", ".dnsSuffix: missing", ".id: 3"]


# -- what is answered -------------------------------------------------------------------------------------------------

ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"
REGION = "aws:index/getRegion:getRegion"
ANSWERED: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "zones of the configured region": (ZONES, {}, {}, {"names": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]}),
    "zones of a region that is asked for": (ZONES, {"region": "us-west-1"}, {}, {"zoneIds": ["usw1-az3", "usw1-az1"]}),
    "zones of an explicit provider's region": (
        ZONES,
        {},
        {"provider": {"region": "cn-north-1"}},
        {"names": ["cn-north-1a", "cn-north-1b"]},
    ),
    "zones that need no opting in": (
        ZONES,
        {"filters": [{"name": "opt-in-status", "values": ["opt-in-not-required"]}]},
        {},
        {"groupNames": ["eu-west-1"]},
    ),
    "the region, as it is called since version 7": (REGION, {}, {}, {"region": "eu-west-1", "name": "eu-west-1"}),
    "a region by name, as before version 7": (REGION, {"name": "us-gov-west-1"}, {}, {"region": "us-gov-west-1"}),
    "a partition elsewhere": (
        "aws:index/getPartition:getPartition",
        {},
        {"provider": {"region": "cn-northwest-1"}},
        {"partition": "aws-cn", "dnsSuffix": "amazonaws.com.cn", "reverseDnsPrefix": "cn.com.amazonaws"},
    ),
    "the account behind load balancers": (
        "aws:elb/getServiceAccount:getServiceAccount",
        {},
        {},
        {"arn": "arn:aws:iam::156460612806:root"},
    ),
    "an image for the architecture that is asked for": (
        "aws:ec2/getAmi:getAmi",
        {"filters": [{"name": "architecture", "values": ["arm64"]}]},
        {},
        {"architecture": "arm64", "id": "ami-00000000000000000"},
    ),
    "a text where a bool is wanted comes back as the bool": (
        "aws:ec2/getAmi:getAmi", {"mostRecent": "true"}, {}, {"mostRecent": True}
    ),
    "the caller where no region is known": (
        "aws:index/getCallerIdentity:getCallerIdentity",
        {},
        {"config": {}},
        {"accountId": "000000000000", "arn": "arn:aws:iam::000000000000:root"},
    ),
    "zones of Google": (
        "gcp:compute/getZones:getZones",
        {},
        {},
        {"names": ["europe-west1-b", "europe-west1-c", "europe-west1-d"]},
    ),
    "the project of Google": (
        "gcp:organizations/getProject:getProject", {}, {}, {"projectId": "shop", "number": "000000000000"}
    ),
    "a client of Google without a region": (
        "gcp:organizations/getClientConfig:getClientConfig",
        {},
        {"config": {"gcp:project": "shop"}},
        {"project": "shop", "region": "", "zone": ""},
    ),
    "the subscription of Azure": (
        "azure-native:authorization:getClientConfig",
        {},
        {},
        {"subscriptionId": "11111111-1111-1111-1111-111111111111", "tenantId": "00000000-0000-0000-0000-000000000000"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("token", "args", "given", "expected"), list(ANSWERED.values()), ids=list(ANSWERED))
def test_what_is_answered(token: str, args: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]) -> None:
    answer = ask(token, args, **given)
    assert answer is not None
    assert expected == {key: answer[key] for key in expected}


UNANSWERED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a function without a row": ("aws:ec2/getInstance:getInstance", {}, {}),
    "no region": (ZONES, {}, {"config": {}}),
    "a region that does not exist": (ZONES, {}, {"config": {"aws:region": "eu-centrl-1"}}),
    "an explicit provider does not see the configuration": (ZONES, {}, {"provider": {}}),
    "a provider whose region is unknown": (ZONES, {}, {"provider": {"region": UNKNOWN}}),
    "an argument that changes the answer": (ZONES, {"excludeNames": ["eu-west-1a"]}, {}),
    "a filter that the row does not know": (ZONES, {"filters": [{"name": "zone-id", "values": ["x"]}]}, {}),
    "an unknown argument": (ZONES, {"region": UNKNOWN}, {}),
    "a network that is somebody's own": ("aws:ec2/getVpc:getVpc", {"id": "vpc-1"}, {}),
    "subnets of it": ("aws:ec2/getSubnets:getSubnets", {"filters": [{"name": "vpc-id", "values": ["vpc-1"]}]}, {}),
    "a parameter that is somebody's own": ("aws:ssm/getParameter:getParameter", {"name": "/shop/password"}, {}),
    "an argument of the wrong shape": ("aws:ec2/getAmi:getAmi", {"filters": "all"}, {}),
    "a text where a bool is wanted that spells none": ("aws:ec2/getAmi:getAmi", {"mostRecent": "yes"}, {}),
    "a list where a bool is wanted": ("aws:ec2/getAmi:getAmi", {"mostRecent": [True]}, {}),
    "a text that is no ARN": ("aws:index/getArn:getArn", {"arn": "bucket"}, {}),
    "a zone of another region": ("aws:index/getAvailabilityZone:getAvailabilityZone", {"name": "us-west-1a"}, {}),
    "a service of China with a name of its own": (
        "aws:index/getServicePrincipal:getServicePrincipal", {"serviceName": "logs", "region": "cn-north-1"}, {}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("token", "args", "given"), list(UNANSWERED.values()), ids=list(UNANSWERED))
def test_what_is_not_known_is_not_answered(token: str, args: dict[str, Any], given: dict[str, Any]) -> None:
    assert ask(token, args, **given) is None


@pytest.mark.parametrize(
    ("args", "given", "reason"),
    [
        ({}, {"config": {}}, "aws:region is not set"),
        ({}, {"provider": {}}, "its provider has no known 'region'"),
        ({"excludeNames": ["x"]}, {}, "the table has no row for these arguments"),
        ({}, {"config": {"aws:region": "eu-centrl-1"}}, "the table has no 'eu-centrl-1': did you mean 'eu-central-1'?"),
        ({}, {}, ""),
    ],
)
def test_why_there_is_no_answer(args: dict[str, Any], given: dict[str, Any], reason: str) -> None:
    assert reason == builtin_answers().reason(ZONES, args, **{"config": CONFIG, **given})


def test_a_secret_argument_is_looked_through() -> None:
    answer = ask(ZONES, {"region": Secret("us-east-2")})
    assert answer is not None
    assert answer["id"] == "us-east-2"


def test_the_table_needs_no_sdk() -> None:
    code = "import sys; from skerry.engine.answers import builtin_answers as b; b(); print('pulumi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# -- in a program -----------------------------------------------------------------------------------------------------


def test_a_program_gets_answers_and_the_graph_says_what_gave_them(make_project: MakeProject) -> None:
    program = """
    import pulumi_aws as aws
    zones = aws.get_availability_zones(state="available")
    account = aws.get_caller_identity_output().account_id
    policy = aws.iam.get_policy_document(statements=[{"actions": ["s3:*"], "resources": ["*"]}]).json
    west = aws.Provider("west", region="us-west-2")
    west_region = aws.get_region(opts=pulumi.InvokeOptions(provider=west))
    other = aws.ec2.get_instance_output(instance_id="i-1")
    Thing("t", {"zone": zones.names[1], "account": account, "policy": policy, "west": west_region.region,
                "other": other.arn})
    """
    graph = run_program(make_project(program, {"dev": "config: {aws:region: eu-west-1}\n"}), "dev")
    inputs = next(resource for resource in graph.resources if resource.name == "t").inputs
    assert (
        inputs["zone"], inputs["account"], inputs["west"], inputs["other"]
    ) == ("eu-west-1b", "000000000000", "us-west-2", UNKNOWN)  # fmt: skip
    assert json.loads(inputs["policy"])["Statement"][0] == {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    assert {
        ("getAvailabilityZones", True, "table"),
        ("getCallerIdentity", True, "stand-in"),
        ("getPolicyDocument", True, "computed"),
        ("getRegion", True, "table"),
        ("getInstance", False, ""),
    } == {(call.token.rsplit(":", 1)[-1], call.answered, call.answered_by) for call in graph.invokes}


def test_the_user_s_rows_win_and_are_recorded_as_such(make_project: MakeProject, tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(
        "schema: skerry.answers/1\nvalues: {own.account: '210987654321'}\n"
        "tables: {t: {eu-west-1: {vpc: vpc-9}}}\nanswers:\n"
        "  - {token: 'aws:index/getCallerIdentity:getCallerIdentity', result: {accountId: '${own.account}', arn: a, "
        "id: i, userId: u}}\n"
        "  - token: sim:core:getThing\n    needs: {name: {like: 'a*'}}\n"
        "    result: {vpc: {$table: t, key: '${config.aws:region}', field: vpc}, named: 'x-${args.name}', "
        "key: {$secret: 'k-${args.name}'}}\n"
    )
    program = """
    import pulumi_aws as aws
    Thing("t", {"account": aws.get_caller_identity().account_id, "region": aws.get_region().region})
    for name in ("abc", "xyz"):
        pulumi.export(name, pulumi.runtime.invoke_output("sim:core:getThing", {"name": name}))
    """
    root = make_project(program, {"dev": "config: {aws:region: eu-west-1}\n"})
    graph = run_program(root, "dev", answers=load_answers(path))
    assert graph.resources[1].inputs == {"account": "210987654321", "region": "eu-west-1"}
    # The SDK makes a whole answer secret that holds one.
    abc = Secret({"vpc": "vpc-9", "named": "x-abc", "key": "k-abc"})
    assert graph.stack_outputs("dev") == {"abc": abc, "xyz": UNKNOWN}
    assert Invoke("sim:core:getThing", "dev", True, {"name": "abc"}, "file") in graph.invokes
    assert Invoke("sim:core:getThing", "dev", False, {"name": "xyz"}) in graph.invokes


# -- a file of the user's ---------------------------------------------------------------------------------------------

ROW = "answers:\n  - {token: 'a:b:c', result: {x: %s}}\n"
HEAD = "schema: skerry.answers/1\n"
HOSTILE = {
    "nothing": ("", "holds nothing where a mapping is needed"),
    "a list": ("- a\n", "holds a list where a mapping is needed"),
    "no YAML": ("a: [\n", "line 2: cannot be used"),
    "binary": ("\x00\x01", "cannot be"),
    "another schema": ("schema: skerry.answers/2\nanswers: []\n", "schema: 'skerry.answers/2' is not known; write"),
    "no schema": ("answers: []\n", "schema: None is not known"),
    "an unknown field": (
        HEAD + "answer: []\nanswers: []\n",
        "answer: this field is not known; did you mean 'answers'?",
    ),
    "no rows": (HEAD, "answers: nothing where a list of rows is needed"),
    "a row that is text": (HEAD + "answers: [x]\n", "answers[0]: a str where a row is needed"),
    "a row without a result": (HEAD + "answers:\n  - {token: 'a:b:c'}\n", "answers[0].result: is missing"),
    "no token": (HEAD + "answers:\n  - {result: {}}\n", "answers[0].token: None is not a function's token"),
    "a short token": (HEAD + "answers:\n  - {token: 'a:b', result: {}}\n", "write package:module:name"),
    "a rule that is none": (
        HEAD + "answers:\n  - {token: 'a:b:c', args: {x: 3}, result: {}}\n",
        "answers[0].args.x: 3 is not any, bool, a list of values, or {like: pattern}",
    ),
    "a computation that is none": (
        HEAD + "answers:\n  - {token: 'a:b:c', compute: os.system}\n",
        "answers[0].compute: 'os.system' is not one of aws-policy-document",
    ),
    "a reference to nothing": (HEAD + ROW % "'${env.HOME}'", "answers[0].result: ${env.HOME} refers to nothing"),
    "a table that is not there": (
        HEAD + ROW % "{$table: t, key: k, field: f}",
        "there is no table 't'; known are none",
    ),
    "a secret with more beside it": (
        HEAD + ROW % "{$secret: a, b: c}",
        "answers[0].result: $secret is written {$secret: value}",
    ),
    "half a lookup": (HEAD + ROW % "{$table: t}", "$table is written {$table: name, key: text, field: name}"),
    "a date": (HEAD + ROW % "2020-01-01", "is not a value of JSON; put it into quotation marks"),
    "a circle of values": (
        HEAD + "values: {a: '${b}', b: '${a}'}\nanswers: []\n",
        "values.a: refers to itself; take the circle out",
    ),
    "an alias, which could grow without bound": (HEAD + "values: {a: &x [1], b: *x}\nanswers: []\n", "alias"),
    "a key twice": (HEAD + "answers: []\nanswers: []\n", "the key 'answers' is set twice"),
    "a tag that would run code": (HEAD + "answers: !!python/object/apply:os.system [x]\n", "could not determine"),
    "too deep": (HEAD + ROW % ("[" * 60 + "]" * 60), "is nested deeper than 32 levels"),
}


@pytest.mark.parametrize(("text", "message"), list(HOSTILE.values()), ids=list(HOSTILE))
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_answers(path)
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("answers:\n  - {token: x, kind: guess, echo: yes please, result: {a: '${no}'}}\n")
    with pytest.raises(ConfigError) as caught:
        load_answers(path)
    assert [problem.path for problem in caught.value.problems] == [
        "schema",
        "answers[0].token",
        "answers[0].kind",
        "answers[0].echo",
    ]


@pytest.mark.parametrize("make", ["missing", "a folder", "too large"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, make: str) -> None:
    path = tmp_path / "answers.yaml"
    if make == "a folder":
        path.mkdir()
    elif make == "too large":
        with path.open("wb") as file:
            file.truncate(5 * 1024 * 1024)
    with pytest.raises(ConfigError, match=r"answers\.yaml: 1 problem"):
        load_answers(path)


def test_an_empty_table_answers_nothing() -> None:
    assert Answers([]).answer(ZONES, {}, config=CONFIG) is None


def test_the_example_of_the_documentation_is_a_table(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "engine.md").read_text()
    path = tmp_path / "answers.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0])
    answers = load_answers(path)
    found = answers.answer("aws:ec2/getVpc:getVpc", {"tags": {"a": "b"}}, config=CONFIG)
    assert found == {"id": "vpc-0a1b2c3d", "tags": {"a": "b"}}
    caller = answers.find("aws:index/getCallerIdentity:getCallerIdentity", {}, config=CONFIG)
    assert caller is not None
    assert (caller.result["accountId"], caller.by) == ("210987654321", "file")
