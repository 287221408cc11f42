"""The adapter, driven through pulumi_policy's own servicer with the messages that the engine sends."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pulumi_policy
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.crossguard import UNDETERMINED_NAME, policies, to_value
from policies.rules.catalogue import ALL_RULES
from policies.runner import check
from policies.verdict import Verdict
from policies.waivers import WAIVER_RULES
from skerry.facts import DataClass, Tier, WaiverFact
from skerry.graph import UNKNOWN, Asset, Resource, Secret
from tests.simulators.policy_graphs import TODAY, Builder

ROOT = Path(__file__).resolve().parents[2]
RDS = "aws:rds/instance:Instance"


def wire(value: Any) -> Any:
    """Return a value as the engine marshals it."""
    if value is UNKNOWN:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, Secret):
        return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": wire(value.value)}
    if isinstance(value, Mapping):
        return {key: wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wire(item) for item in value]
    return value


def struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(wire(value), struct_pb2.Struct())


class Engine:
    """Sends what the engine sends: each resource before it is made, then the stack with outputs only."""

    def __init__(self, servicer: Any) -> None:
        self.servicer = servicer

    def preview(self, resources: list[Resource], *, remediate: bool = True) -> list[Any]:
        for one in resources:
            message = {"type": one.type, "urn": one.urn, "name": one.name, "properties": struct(one.inputs)}
            options = proto.AnalyzerResourceOptions(protect=one.protect, parent=one.parent)
            request = proto.AnalyzeRequest(**message, options=options, provider=self._provider(one, resources))
            if remediate:
                changed = self.servicer.Remediate(request, None).remediations
                assert list(changed) == []
            assert list(self.servicer.Analyze(request, None).diagnostics) == []
        stack = [self._stack_resource(one, resources) for one in reversed(resources)]
        response = self.servicer.AnalyzeStack(proto.AnalyzeStackRequest(resources=stack), None)
        self.not_applicable = {one.policy_name: one.reason for one in response.not_applicable}
        return list(response.diagnostics)

    @staticmethod
    def _provider(one: Resource, resources: list[Resource]) -> Any:
        urn = one.provider.rsplit("::", 1)[0]
        for other in resources:
            if other.urn == urn:
                return proto.AnalyzerProviderResource(
                    type=other.type, urn=urn, name=other.name, properties=struct(other.inputs)
                )
        return None

    def _stack_resource(self, one: Resource, resources: list[Resource]) -> Any:
        outputs = one.inputs if one.custom else one.outputs
        dependencies = {
            key: proto.AnalyzerPropertyDependencies(urns=urns) for key, urns in one.property_dependencies.items()
        }
        return proto.AnalyzerResource(
            type=one.type,
            urn=one.urn,
            name=one.name,
            properties=struct(outputs),
            options=proto.AnalyzerResourceOptions(protect=one.protect, parent=one.parent),
            provider=self._provider(one, resources),
            parent=one.parent,
            dependencies=one.dependencies,
            propertyDependencies=dependencies,
        )


def engine() -> Engine:
    level = pulumi_policy.EnforcementLevel.ADVISORY
    return Engine(_PolicyAnalyzerServicer("skerry", "0.0.1", policies(lambda: TODAY), level))


def platform() -> Builder:
    b = Builder()
    root = b.deployment(budget_usd_per_month=1)
    provider = b.add("pulumi:providers:aws", "aws", {"region": "us-east-1"})
    store = b.component("facts", root, tier=Tier.META, data_class=DataClass.RESTRICTED, stateful=True)
    password = {"password": Secret("hunter2"), "storageEncrypted": UNKNOWN, "kmsKeyId": "k"}
    b.add(RDS, "db", password, parent=store, provider=f"{provider}::id", protect=True)
    return b


def by_policy(diagnostics: list[Any], name: str) -> list[tuple[str, str, int]]:
    return [
        (one.message.split("\n", 1)[1], one.urn.rsplit("::", 1)[-1], one.enforcementLevel)
        for one in diagnostics
        if one.policyName == name
    ]


def test_a_violation_is_reported_at_the_level_of_its_rule() -> None:
    found = engine().preview(platform().resources)
    expected = (
        "demo-dev > platform > facts > db: region us-east-1 (its provider aws) lies in US, but restricted data must"
        " stay in EU; remedy: move it to a region inside the boundary, or widen residency.boundaries if the data may"
        " really go there"
    )
    assert by_policy(found, "RES001") == [(expected, "db", proto.MANDATORY)]
    assert [level for _, _, level in by_policy(found, "BUD002")] == [proto.ADVISORY]


def test_components_bring_their_facts_though_the_stack_has_only_outputs() -> None:
    started = engine()
    started.preview(platform().resources)
    assert "NET001" in started.not_applicable
    assert started.not_applicable["NET001"] == "the target is connected"


def test_what_is_undetermined_is_advice() -> None:
    found = by_policy(engine().preview(platform().resources), UNDETERMINED_NAME)
    text = "ENC001: demo-dev > platform > facts > db: its input storageEncrypted is not known before a deployment"
    assert [level for _, _, level in found] == [proto.ADVISORY] * len(found)
    assert any(message.startswith(text) for message, _, _ in found)


def test_secrets_are_seen_and_never_shown() -> None:
    found = engine().preview(platform().resources)
    assert by_policy(found, "ENC005") == []
    assert not any("hunter2" in one.message for one in found)


def test_without_remediations_nobody_judges_secrets() -> None:
    started = engine()
    found = started.preview(platform().resources, remediate=False)
    assert by_policy(found, "ENC005") == []
    assert started.not_applicable["ENC005"] == "the producer of this graph does not mark secrets"


def test_a_plain_secret_is_reported() -> None:
    b = Builder()
    provider = b.add("pulumi:providers:aws", "aws", {"region": "eu-central-1"})
    b.add(RDS, "db", {"password": "hunter2"}, provider=f"{provider}::id")
    messages = [message for message, _, _ in by_policy(engine().preview(b.resources), "ENC005")]
    assert len(messages) == 1
    assert messages[0].startswith("demo-dev > db: its input password is a secret in plain text [password]")


def test_protection_is_seen_and_retention_is_not_judged() -> None:
    assert by_policy(engine().preview(platform().resources), "REL002") == []


def test_a_second_run_of_the_same_process_sees_the_new_inputs() -> None:
    started = engine()
    b = platform()
    started.preview(b.resources)
    moved = [
        replace(one, inputs={"region": "eu-west-1"}) if one.type == "pulumi:providers:aws" else one
        for one in b.resources
    ]
    assert by_policy(started.preview(moved), "RES001") == []


def test_a_waiver_holds_in_the_pack() -> None:
    b = Builder()
    fact = WaiverFact(rule="NET006", resource="db", owner="Ada", reason="a demo for a week", expires="2026-11-30")
    root = b.deployment(waivers=(fact,))
    provider = b.add("pulumi:providers:aws", "aws", {"region": "eu-central-1"})
    b.add(RDS, "db", {"publiclyAccessible": True}, parent=root, provider=f"{provider}::id")
    assert by_policy(engine().preview(b.resources), "NET006") == []


def test_a_foreign_program_is_judged_by_what_can_be_told() -> None:
    b = Builder()
    provider = b.add("pulumi:providers:aws", "default_7_0_0", {"region": "us-east-1"})
    b.add(RDS, "db", {"publiclyAccessible": True}, provider=f"{provider}::id")
    started = engine()
    found = started.preview(b.resources)
    assert [urn for _, urn, _ in by_policy(found, "NET006")] == ["db"]
    assert started.not_applicable["RES001"] == "the graph names no deployment, so no boundary is known"


def test_the_pack_says_what_the_check_says() -> None:
    b = platform()
    report = check(b.graph(), today=TODAY, sees_retain=False)
    expected = {(one.rule.id, one.urn) for one in report.of(Verdict.VIOLATION)}
    given = {(one.policyName, one.urn) for one in engine().preview(b.resources)}
    assert expected == {one for one in given if one[0] != UNDETERMINED_NAME}
    assert len(expected) > 2


def test_every_rule_is_a_policy() -> None:
    names = {one.name for one in policies(lambda: TODAY)}
    assert names >= {rule.id for rule in (*ALL_RULES, *WAIVER_RULES)}


def _values() -> dict[str, tuple[Any, Any]]:
    import pulumi

    return {
        "a whole number": (3.0, 3),
        "a broken number": (0.5, 0.5),
        "unknown": (UNKNOWN_STRING_VALUE, UNKNOWN),
        "unknown within": ({"a": [UNKNOWN_STRING_VALUE]}, {"a": [UNKNOWN]}),
        "secret": (pulumi_policy.secret.Secret("x"), Secret("x")),
        "a file": (pulumi.FileAsset("a.txt"), Asset("file", "a.txt")),
        "an archive": (pulumi.FileArchive("a.zip"), Asset("archive", "a.zip")),
        "a text": (pulumi.StringAsset("secret text"), Asset("text", "")),
        "true": (True, True),
        "null": (None, None),
    }


@pytest.mark.parametrize("case", list(_values()))
def test_values(case: str) -> None:
    given, expected = _values()[case]
    assert to_value(given) == expected
    assert type(to_value(given)) is type(expected)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """Start the pack as the language host does: its folder first on sys.path, from another folder."""
    process = subprocess.Popen(
        [sys.executable, "-u", str(ROOT / "policies" / "__main__.py")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.kill()
        process.wait(timeout=10)


@pytest.mark.timeout(60)
def test_the_pack_starts_and_answers(served: Any) -> None:
    info = served.GetAnalyzerInfo(empty_pb2.Empty(), timeout=20)
    levels = {policy.name: policy.enforcementLevel for policy in info.policies}
    assert info.name == "skerry"
    assert levels["RES001"] == proto.MANDATORY
    assert levels["BUD002"] == proto.ADVISORY
    assert levels[UNDETERMINED_NAME] == proto.ADVISORY


def test_no_module_of_the_pack_hides_another() -> None:
    """The pack's folder is first on sys.path, so its modules hide any of the same name."""
    own = {path.stem for path in (ROOT / "policies").iterdir() if path.suffix == ".py" or path.is_dir()}
    own -= {"__init__", "__main__", "__pycache__"}
    rooms = {"cli", "policies", "components", "airgap_bundle", "cost", "skerry", "images", "stacks", "tests"}
    installed = set(importlib.metadata.packages_distributions())
    assert own & (rooms | installed | sys.stdlib_module_names) == set()
