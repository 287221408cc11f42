from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from policies.rules.encryption import RULES
from skerry.graph import UNKNOWN, Secret
from tests.simulators.policy_graphs import Builder, run, told

ENC005 = RULES[4]
LAMBDA, TASK, VM = "aws:lambda/function:Function", "aws:ecs/taskDefinition:TaskDefinition", "aws:ec2/instance:Instance"
RUN_1, RUN_2 = "gcp:cloudrun/service:Service", "gcp:cloudrunv2/service:Service"
BUILD, GCE = "aws:codebuild/project:Project", "gcp:compute/instance:Instance"
APP, BATCH = "azure-native:web:WebApp", "aws:batch/jobDefinition:JobDefinition"


def variables(values: Any) -> dict[str, Any]:
    return {"environment": {"variables": values}}


def tasks(*rows: dict[str, str]) -> dict[str, Any]:
    return {"containerDefinitions": json.dumps([{"name": "web", "image": "web:1", "environment": rows}])}


def packed(script: bytes) -> str:
    return base64.b64encode(script).decode()


PASSWORD = {"name": "DB_PASSWORD", "value": "hunter2"}
PLAIN = [("violation", "DB_PASSWORD is a secret in plain text")]
SHOWN = "is a secret that everybody reads who may look at the resource: name it by reference"
NO_JSON = [("undetermined", "it is no list of containers in JSON, so its environment cannot be told")]
KEPT = [("ok", "")]

CASES: dict[str, tuple[str, dict[str, Any], list[tuple[str, str]]]] = {
    "a password in a Lambda": (LAMBDA, variables({"DB_PASSWORD": "hunter2", "STAGE": "prod"}), PLAIN),
    "an environment without one": (LAMBDA, variables({"STAGE": "prod", "SECRET_ARN": "arn:aws:x"}), KEPT),
    "a password in an address": (
        LAMBDA,
        variables({"DATABASE": "postgres://app:hunter2@db/app"}),
        [("violation", "DATABASE is a secret in plain text")],
    ),
    "a Lambda with an unknown password": (
        LAMBDA,
        variables({"DB_PASSWORD": UNKNOWN, "STAGE": UNKNOWN}),
        [("undetermined", "DB_PASSWORD is not known before a deployment and not marked secret")],
    ),
    "a Lambda whose variables are unknown": (
        LAMBDA,
        variables(UNKNOWN),
        [("undetermined", "its variables is not known before a deployment")],
    ),
    "a Lambda whose environment is unknown": (
        LAMBDA,
        {"environment": UNKNOWN},
        [("undetermined", "its environment is not known before a deployment")],
    ),
    "a marked password is still shown": (
        LAMBDA,
        variables({"KEY": Secret("hunter2")}),
        [("violation", f"KEY {SHOWN}")],
    ),
    "a marked environment is judged by its names": (
        LAMBDA,
        {"environment": Secret({"variables": {"DB_PASSWORD": "hunter2", "STAGE": "prod"}})},
        [("violation", f"DB_PASSWORD {SHOWN}")],
    ),
    "a marked environment that is unknown": (
        LAMBDA,
        variables(Secret(UNKNOWN)),
        [("undetermined", "its variables is not known before a deployment")],
    ),
    "a label is no environment": (LAMBDA, {"tags": {"environment": UNKNOWN, "token": "x"}}, []),
    "nothing to look at": (LAMBDA, {"memorySize": 128}, []),
    "the first Cloud Run": (
        RUN_1,
        {"template": {"spec": {"containers": [{"image": "web:1", "envs": [PASSWORD]}]}}},
        PLAIN,
    ),
    "the second Cloud Run": (RUN_2, {"template": {"containers": [{"envs": [PASSWORD]}]}}, PLAIN),
    "Cloud Run with a reference": (
        RUN_2,
        {"template": {"containers": [{"envs": [{"name": "DB_PASSWORD", "valueSource": {"secretKeyRef": {}}}]}]}},
        KEPT,
    ),
    "Cloud Run with unknown rows": (
        RUN_2,
        {"template": {"containers": [{"envs": UNKNOWN}]}},
        [("undetermined", "its envs is not known before a deployment")],
    ),
    "a task of ECS": (TASK, tasks({"name": "STAGE", "value": "prod"}, PASSWORD), PLAIN),
    "a task without one": (TASK, tasks({"name": "STAGE", "value": "prod"}), KEPT),
    "a marked task is judged by its names": (
        TASK,
        {"containerDefinitions": Secret(tasks(PASSWORD)["containerDefinitions"])},
        [("violation", f"DB_PASSWORD {SHOWN}")],
    ),
    "a task that is unknown": (
        TASK,
        {"containerDefinitions": UNKNOWN},
        [("undetermined", "its containerDefinitions is not known before a deployment")],
    ),
    "a task that is no JSON": (TASK, {"containerDefinitions": "${file}"}, NO_JSON),
    "a task that is a number": (TASK, {"containerDefinitions": "4"}, NO_JSON),
    "a task that never ends": (TASK, {"containerDefinitions": "[" * 100_000}, NO_JSON),
    "a job of Batch": (BATCH, {"containerProperties": json.dumps({"environment": [PASSWORD]})}, PLAIN),
    "a build that reads from a store": (
        BUILD,
        {"environment": {"type": "LINUX", "environmentVariables": [{**PASSWORD, "type": "SECRETS_MANAGER"}]}},
        KEPT,
    ),
    "a build with a password": (
        BUILD,
        {"environment": {"environmentVariables": [{**PASSWORD, "type": "PLAINTEXT"}]}},
        PLAIN,
    ),
    "an app on Azure": (APP, {"siteConfig": {"appSettings": [PASSWORD]}}, PLAIN),
    "a script that exports one": (VM, {"userData": "#!/bin/sh\nexport DB_PASSWORD=hunter2\n"}, PLAIN),
    "a script that quotes one": (VM, {"userData": "#!/bin/sh\ndocker run -e DB_PASSWORD='hunter2' web\n"}, PLAIN),
    "a script that fetches one": (VM, {"userData": "#!/bin/sh\nDB_PASSWORD=$(fetch db)\nTOKEN=\"$T\"\n"}, KEPT),
    "cloud-init with one": (
        VM,
        {"userData": "#cloud-config\npassword: hunter2\nlock_passwd: false\n"},
        [("violation", "password is a secret in plain text")],
    ),
    "a script with a key": (
        VM,
        {"userData": "#!/bin/sh\ncat <<E\n-----BEGIN PRIVATE KEY-----\nE\n"},
        [("violation", "its userData holds a secret in plain text")],
    ),
    "a script in base64": (VM, {"userDataBase64": packed(b"#!/bin/sh\nexport DB_PASSWORD=hunter2\n")}, PLAIN),
    "a template in base64": (
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"userData": packed(b"#!/bin/sh\nexport DB_PASSWORD=hunter2\n")},
        PLAIN,
    ),
    "a packed script": (
        VM,
        {"userDataBase64": packed(gzip.compress(b"export DB_PASSWORD=hunter2"))},
        [("undetermined", "its userDataBase64 is no text, so nobody can say what it holds")],
    ),
    "a script that is unknown": (
        VM,
        {"userData": UNKNOWN},
        [("undetermined", "its userData is not known before a deployment")],
    ),
    "a script among Google's metadata": (
        GCE,
        {"metadata": {"startup-script": "export DB_PASSWORD=hunter2"}},
        PLAIN,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_enc005_outside_kubernetes(case: str) -> None:
    kind, inputs, expected = CASES[case]
    report = run(lambda b: b.add(kind, "it", inputs), ENC005)
    none = [("not-applicable", "no inputs that may hold secrets in the graph")]
    assert (expected or none) == [(verdict, message) for verdict, _, message in told(report)]
    assert all("hunter2" not in one.message for one in report.findings)


def test_a_finding_names_the_place() -> None:
    def build(b: Builder) -> None:
        b.add(LAMBDA, "f", variables({"DB_PASSWORD": "x"}))
        b.add(RUN_2, "r", {"template": {"containers": [{"envs": [{"name": "A", "value": "b"}, PASSWORD]}]}})

    assert [one.property_path for one in run(build, ENC005).findings] == [
        "environment.variables.DB_PASSWORD",
        "template.containers[0].envs[1]",
    ]
