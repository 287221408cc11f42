"""What the simulated providers refuse by the SDK's own types, and what they take because a real provider does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulators.provider_check import RULES, SECRET, SIGNATURE, UNKNOWN, Checker, Rules
from tests.simulators.pulumi_provider import schema_of


def found(token: str, inputs: dict[str, Any]) -> list[tuple[str, str]]:
    schema = schema_of(token)
    assert schema is not None
    rules = RULES.get(token.split(":")[0], Rules())
    return [(one.property, one.reason) for one in Checker(schema, rules).failures(inputs)]


QUEUE, CLUSTER, DEPLOYMENT = "aws:sqs/queue:Queue", "aws:eks/cluster:Cluster", "kubernetes:apps/v1:Deployment"
ACCOUNT, VOLUME = "azure-native:storage:StorageAccount", "azure-native:compute:VirtualMachine"
GIVEN = {"resourceGroupName": "g", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}


def pod(container: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": metadata,
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"spec": {"containers": [{"name": "c", **container}]}},
        },
    }


IN_POD = "spec.template.spec.containers[0]"
REFUSED: dict[str, tuple[str, dict[str, Any], list[tuple[str, str]]]] = {
    "a name with a slip": (
        QUEUE, {"delaySecond": 1}, [("delaySecond", "there is no such property: did you mean 'delaySeconds'?")]
    ),
    "a name as Python spells it": (
        QUEUE, {"delay_seconds": 1}, [("delay_seconds", "there is no such property: did you mean 'delaySeconds'?")]
    ),
    "a text that is no number": (
        QUEUE, {"delaySeconds": "soon"}, [("delaySeconds", "it takes a whole number, not 'soon'")]
    ),
    "half a second": (QUEUE, {"delaySeconds": 0.5}, [("delaySeconds", "it takes a whole number, not 0.5")]),
    "a list for a text": (QUEUE, {"name": ["a"]}, [("name", "it takes a string, not a list")]),
    "a text for a map": (QUEUE, {"tags": "a=b"}, [("tags", "it takes a map, not 'a=b'")]),
    "an object in a map of texts": (
        QUEUE, {"tags": {"a": {"b": "c"}}}, [("tags.a", "it takes a string, not an object")]
    ),
    "what must be given, at each depth": (
        CLUSTER, {"vpcConfig": {}}, [("vpcConfig.subnetIds", "it must be given"), ("roleArn", "it must be given")]
    ),
    "a name inside": (
        CLUSTER,
        {"roleArn": "r", "vpcConfig": {"subnetIds": ["s"], "publicAccess": True}},
        [("vpcConfig.publicAccess", "there is no such property: did you mean 'publicAccessCidrs'?")],
    ),
    "a text for a list": (
        CLUSTER, {"roleArn": "r", "vpcConfig": {"subnetIds": "s"}},
        [("vpcConfig.subnetIds", "it takes a list, not 's'")],
    ),
    "a path for an archive": (
        "aws:lambda/function:Function", {"role": "r", "code": "./code"},
        [("code", "it takes an asset or an archive, not './code'")],
    ),
    "a number of replicas as a text, which an API server refuses": (
        DEPLOYMENT, {**pod({}), "spec": {**pod({})["spec"], "replicas": "3"}},
        [("spec.replicas", "it takes a whole number, not '3'")],
    ),
    "a number in a variable of a container": (
        DEPLOYMENT, pod({"env": [{"name": "A", "value": 1}]}), [(f"{IN_POD}.env[0].value", "it takes a string, not 1")]
    ),
    "a label that is a number": (
        DEPLOYMENT, pod({}, labels={"a.b/c": 1}), [('metadata.labels["a.b/c"]', "it takes a string, not 1")]
    ),
    "a field of a container that is none": (
        DEPLOYMENT, pod({"img": "a"}), [(f"{IN_POD}.img", "there is no such property: did you mean 'image'?")]
    ),
    "another kind": (DEPLOYMENT, {"kind": "Pod", **pod({})}, [("kind", "'Pod' is not among its values: 'Deployment'")]),
    "a value outside a closed enum": (
        ACCOUNT, {**GIVEN, "accessTier": "Colder"},
        [("accessTier", "'Colder' is not among its values: did you mean 'Cold'?")],
    ),
    "a value outside an enum that the SDK leaves open and the API's version does not": (
        ACCOUNT, {**GIVEN, "kind": "StorageV3"},
        [("kind", "'StorageV3' is not among its values: did you mean 'StorageV2'?")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused(sentence: str) -> None:
    token, inputs, expected = REFUSED[sentence]
    assert sorted(found(token, inputs)) == sorted(expected)


TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing at all": (QUEUE, {}),
    "a number as a text, which a bridged provider reads": (QUEUE, {"delaySeconds": "3"}),
    "a boolean as a text": (QUEUE, {"fifoQueue": "true"}),
    "a boolean for a text": (QUEUE, {"tags": {"a": True, "b": 3}}),
    "a whole number as the wire carries it": (QUEUE, {"delaySeconds": 3.0}),
    "what is not known yet": (CLUSTER, {"roleArn": UNKNOWN, "vpcConfig": UNKNOWN}),
    "what is not known yet in a list": (CLUSTER, {"roleArn": "r", "vpcConfig": {"subnetIds": [UNKNOWN]}}),
    "a secret": (QUEUE, {"delaySeconds": {SIGNATURE: SECRET, "value": 3}}),
    "what is null": (QUEUE, {"delaySeconds": None}),
    "what the SDK notes for itself": (QUEUE, {"__defaults": []}),
    "an archive": (
        "aws:lambda/function:Function",
        {"role": "r", "code": {SIGNATURE: "0def7320c3a5731c473e5ecbe6d01bc7", "path": "./code"}},
    ),
    "a quantity as a number, which an API server reads": (
        DEPLOYMENT, pod({"resources": {"limits": {"cpu": 2, "memory": "1Gi"}}})
    ),
    "a port by number and by name": (
        "kubernetes:core/v1:Service",
        {"spec": {"ports": [{"port": 80, "targetPort": 80}, {"port": 81, "targetPort": "web"}]}},
    ),
    "an enum in other letters, on Azure": (ACCOUNT, {**GIVEN, "accessTier": "hot"}),
    "a size of machine that is newer than Azure's list": (
        VOLUME, {"resourceGroupName": "g", "hardwareProfile": {"vmSize": "Standard_D4s_v6"}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", TAKEN)
def test_taken(sentence: str) -> None:
    token, inputs = TAKEN[sentence]
    assert found(token, inputs) == []


@pytest.mark.parametrize(
    "hostile", [[], "text", 3, {"a": [{"b": {}}]}, {SIGNATURE: "unheard-of"}, {"": ""}, {"a\n.b": None}]
)
def test_values_of_any_shape_are_refused_without_a_crash(hostile: Any) -> None:
    for key in ("spec", "metadata", "status", ""):
        assert isinstance(found(DEPLOYMENT, {key: hostile}), list)
