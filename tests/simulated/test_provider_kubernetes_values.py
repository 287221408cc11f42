"""What the simulated provider refuses as a Kubernetes API server would, and what it takes as one would."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any

import pytest

from tests.simulators import provider_kubernetes_values as values
from tests.simulators.provider_check import SECRET, SIGNATURE, UNKNOWN
from tests.simulators.pulumi_provider import check, schema_of
from tests.simulators.sdk_types import sdk_of

POD, DEPLOYMENT, SET = "kubernetes:core/v1:Pod", "kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"
MAP, SERVICE, SECRETS = "kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Service", "kubernetes:core/v1:Secret"
POLICY, JOB = "kubernetes:networking.k8s.io/v1:NetworkPolicy", "kubernetes:batch/v1:CronJob"
CLAIM, BUDGET = "kubernetes:core/v1:PersistentVolumeClaim", "kubernetes:policy/v1:PodDisruptionBudget"
ROLE, RAY = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "kubernetes:ray.io/v1:RayCluster"


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "c", "image": "registry.example/c:1", **fields}


def pod(*containers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers) or [container()], **fields}}


def workload(template: dict[str, Any], **fields: Any) -> dict[str, Any]:
    labelled = {"metadata": {"labels": {"app": "a"}}, **template}
    return {"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": labelled, **fields}}


def resources(**fields: Any) -> dict[str, Any]:
    return pod(container(resources=fields))


IN = "spec.containers[0]"
REFUSED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a quantity in another unit": (
        POD, resources(limits={"memory": "1Gb"}), f"{IN}.resources.limits.memory", "'1Gb' is not a quantity"
    ),
    "a quantity in words": (
        CLAIM, {"spec": {"resources": {"requests": {"storage": "ten"}}}}, "spec.resources.requests.storage", "quantity"
    ),
    "a quantity with a space": (
        POD, pod(volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1 Gi"}}]), "spec.volumes[0].emptyDir.sizeLimit",
        "'1 Gi' is not a quantity",
    ),
    "more asked for than the limit": (
        POD, resources(requests={"cpu": "1500m"}, limits={"cpu": 1}), f"{IN}.resources.requests.cpu",
        "1500m is more than the limit, 1",
    ),
    "a name with capitals": (MAP, {"metadata": {"name": "My_Map"}}, "metadata.name", "'My_Map' is not a name"),
    "a service's name of 64 characters": (SERVICE, {"metadata": {"name": "s" * 64}}, "metadata.name", "is not a name"),
    "a service's name that begins with a digit": (SERVICE, {"metadata": {"name": "1s"}}, "metadata.name", "not a name"),
    "a custom resource's name": (
        RAY, {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "A b"}}, "metadata.name",
        "'A b' is not a name",
    ),
    "a namespace with a space": (MAP, {"metadata": {"namespace": "my ns"}}, "metadata.namespace", "not a DNS label"),
    "a label with a space": (MAP, {"metadata": {"labels": {"a": "b c"}}}, "metadata.labels.a", "'b c' is not a label"),
    "a label's key with a space": (MAP, {"metadata": {"labels": {"a b": "c"}}}, 'metadata.labels["a b"]', "not a key"),
    "a label of 64 characters": (MAP, {"metadata": {"labels": {"a": "b" * 64}}}, "metadata.labels.a", "not a label"),
    "an enum's value with a slip": (
        POD, pod(container(imagePullPolicy="Allways")), f"{IN}.imagePullPolicy", "did you mean 'Always'?"
    ),
    "an enum's value in other letters": (POD, pod(restartPolicy="always"), "spec.restartPolicy", "mean 'Always'?"),
    "an enum in a list": (
        CLAIM, {"spec": {"accessModes": ["ReadWriteOnce", "ReadWrite"]}}, "spec.accessModes[1]", "mean 'ReadWriteOnce'?"
    ),
    "a kind of service that there is not": (
        SERVICE, {"spec": {"type": "LoadBalance"}}, "spec.type", "did you mean 'LoadBalancer'?"
    ),
    "a protocol that there is not": (
        SERVICE, {"spec": {"ports": [{"port": 1, "protocol": "TPC"}]}}, "spec.ports[0].protocol", "mean 'TCP'?"
    ),
    "a port beyond the last": (SERVICE, {"spec": {"ports": [{"port": 70000}]}}, "spec.ports[0].port", "70000 is not a"),
    "a port's name that is too long": (
        POD, pod(container(ports=[{"containerPort": 1, "name": "a-name-of-sixteen"}])), f"{IN}.ports[0].name", "most 15"
    ),
    "a container's name": (POD, pod(container(name="My_C")), f"{IN}.name", "'My_C' is not a DNS label"),
    "two containers of one name": (
        POD, pod(container(), container()), "spec.containers[1].name", "another container is named 'c'"
    ),
    "a container without an image": (POD, pod({"name": "c"}), f"{IN}.image", "it must be given"),
    "a volume that the pod does not have": (
        POD, pod(container(volumeMounts=[{"name": "x", "mountPath": "/x"}])), f"{IN}.volumeMounts[0].name",
        "the pod has no volume 'x': it has none",
    ),
    "a volume that neither the pod nor the set's claims have": (
        SET,
        workload(
            pod(container(volumeMounts=[{"name": "dta", "mountPath": "/x"}])), serviceName="s",
            volumeClaimTemplates=[{"metadata": {"name": "data"}}],
        ),
        "spec.template.spec.containers[0].volumeMounts[0].name", "it has 'data'",
    ),
    "a selector that the template's labels do not meet": (
        DEPLOYMENT, workload({"metadata": {"labels": {"app": "b"}}, **pod()}), "spec.template.metadata.labels",
        "the selector wants app=a",
    ),
    "a variable's name": (POD, pod(container(env=[{"name": "A=B"}])), f"{IN}.env[0].name", "not a variable's name"),
    "a secret that is not base64": (SECRETS, {"data": {"a": "not base64!"}}, "data.a", "its value is not base64"),
    "a key of data with a slash": (MAP, {"data": {"a/b": "c"}}, 'data["a/b"]', "is not a key of data"),
    "a range of addresses": (
        POLICY, {"spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/99"}}]}]}},
        "spec.ingress[0].from[0].ipBlock.cidr", "not a range of addresses",
    ),
    "a schedule in words": (JOB, {"spec": {"schedule": "every day", "jobTemplate": {}}}, "spec.schedule", "five"),
    "half of the pods, in words": (BUDGET, {"spec": {"maxUnavailable": "half"}}, "spec.maxUnavailable", "a percentage"),
    "fewer than no replicas": (DEPLOYMENT, workload(pod(), replicas=-1), "spec.replicas", "-1 is not zero or more"),
    "a toleration of nothing": (
        POD, pod(tolerations=[{"operator": "Equal", "value": "x"}]), "spec.tolerations[0].operator", "must be 'Exists'"
    ),
    "a field of a pod inside a cron job": (
        JOB,
        {"spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": pod(restartPolicy="Sometimes")}}}},
        "spec.jobTemplate.spec.template.spec.restartPolicy", "'Sometimes' is not among its values",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused(sentence: str) -> None:
    token, inputs, place, reason = REFUSED[sentence]
    (found,) = check(token, inputs)
    assert (found.property, reason in found.reason) == (place, True), found


TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "quantities of all kinds": (
        POD,
        resources(limits={"cpu": 2, "memory": "1.5Gi", "amd.com/gpu": "1"}, requests={"cpu": "250m", "memory": "1e9"}),
    ),
    "what is not known yet": (POD, {"spec": UNKNOWN, "metadata": UNKNOWN}),
    "parts that are not known yet": (
        DEPLOYMENT,
        workload(
            {"metadata": {"labels": UNKNOWN}, **pod(container(image=UNKNOWN, volumeMounts=UNKNOWN))}, replicas=UNKNOWN
        ),
    ),
    "a mount of volumes that are not known yet": (
        POD, pod(container(volumeMounts=[{"name": "x", "mountPath": "/"}]), volumes=UNKNOWN)
    ),
    "a secret's data that is a secret": (SECRETS, {"data": {"a": {SIGNATURE: SECRET, "value": "YQ=="}}}),
    "a role's name with colons": (ROLE, {"metadata": {"name": "system:Thing"}}),
    "a label's key with a prefix, and an empty label": (
        MAP, {"metadata": {"labels": {"app.kubernetes.io/name": "a", "empty": ""}}}
    ),
    "a toleration of everything": (POD, pod(tolerations=[{"operator": "Exists"}])),
    "a claim of a stateful set": (
        SET,
        workload(
            pod(container(volumeMounts=[{"name": "data", "mountPath": "/x"}])), serviceName="s",
            volumeClaimTemplates=[{"metadata": {"name": "data"}}],
        ),
    ),
    "a part of an object, in a patch": (
        "kubernetes:apps/v1:DeploymentPatch",
        {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {}}}},
    ),
    "a percentage and a number": (BUDGET, {"spec": {"maxUnavailable": "25%", "minAvailable": 1}}),
    "schedules": (JOB, {"spec": {"schedule": "*/5 0-4,8 1 JAN MON-FRI", "jobTemplate": {}}}),
    "a variable's name with a dot": (POD, pod(container(env=[{"name": "a.b-C", "value": ""}]))),
}  # fmt: skip


@pytest.mark.parametrize("sentence", TAKEN)
def test_taken(sentence: str) -> None:
    token, inputs = TAKEN[sentence]
    assert check(token, inputs) == []


AMOUNTS = {
    "1": Decimal(1), "1500m": Decimal("1.5"), "1Ki": Decimal(1024), "2.5Gi": Decimal(5 * 2**29), "1e3": Decimal(1000),
    "1E": Decimal(10) ** 18, "1Ei": Decimal(2) ** 60, ".5": Decimal("0.5"), "1kb": None, "": None, "1 ": None,
    "Gi": None,
}  # fmt: skip


@pytest.mark.parametrize("text", AMOUNTS)
def test_a_quantity_is_a_number(text: str) -> None:
    assert AMOUNTS[text] == values.amount(text)


def test_every_row_is_of_a_type_and_a_property_that_the_sdk_has() -> None:
    sdk = sdk_of("kubernetes")
    assert sdk is not None
    with values.TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["type"], row["property"]) for row in rows}) == len(rows)
    wrong = []
    for row in rows:
        folder, name = row["type"].split(":")
        known = sdk._properties(sdk.folder / folder / "_inputs.py", f"{name}Args")
        schema = schema_of(f"kubernetes:{row['type']}") or {"inputs": {}}
        if row["property"] and row["property"] not in {**known, **schema["inputs"]}:
            wrong.append(f"{row['type']} {row['property']}")
        assert row["rule"] in values._RULES
        assert (row["rule"] == "enum") == bool(row["values"])
        assert row["source"].endswith("read 2026-11")
    assert wrong == []


@pytest.mark.parametrize("hostile", [[], "text", 3, {"a": [{"b": {}}]}, {"containers": [None, 3]}, [[1]], {"": ""}])
def test_values_of_any_shape_are_refused_without_a_crash(hostile: Any) -> None:
    schema = schema_of(DEPLOYMENT)
    assert schema is not None
    for inputs in (
        {"spec": hostile},
        {"metadata": hostile},
        workload({"spec": hostile}),
        {"spec": {"template": hostile}},
    ):
        assert isinstance(values.kubernetes_failures(DEPLOYMENT, inputs, schema), list)
