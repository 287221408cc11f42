"""Who may do what on AWS: each document says exactly what is needed, and stays within what IAM takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.aws import permissions

ACCOUNT, REGION = "111122223333", "eu-central-1"
NAME = "n" * 63
"""The longest name that a cluster of ours can have."""

CLUSTER = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{NAME}"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{'q' * 80}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{'r' * 64}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
BUCKET = f"arn:aws:s3:::{'b' * 63}"

# Bounds of our own, below what each service takes; IAM takes 2,048 characters of a trust policy.
SMALL, LARGE = 2048, 6144
DOCUMENTS = {
    "trust": (permissions.trust_of("pods.eks.amazonaws.com", tag_session=True), SMALL),
    "key": (permissions.key_policy(ACCOUNT, REGION), LARGE),
    "queue": (permissions.queue_policy(), LARGE),
    "bucket": (permissions.bucket_policy(BUCKET), LARGE),
    "agents": (permissions.agents_policy(BUCKET, KEY), LARGE),
    "flow logs": (permissions.flow_log_policy(f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g"), LARGE),
    "karpenter": (permissions.karpenter_policy(QUEUE, ROLE, CLUSTER), LARGE),
}


def statements(text: str) -> list[dict[str, Any]]:
    return list(json.loads(text)["Statement"])


def actions(row: dict[str, Any]) -> set[str]:
    found = row["Action"]
    return {found} if isinstance(found, str) else set(found)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_of_the_current_version_and_small_enough(name: str) -> None:
    text, limit = DOCUMENTS[name]
    assert json.loads(text)["Version"] == "2012-10-17"
    assert len(text) <= limit


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_allowed_to_everybody_or_on_every_action(name: str) -> None:
    for row in statements(DOCUMENTS[name][0]):
        if row["Effect"] != "Allow":
            continue
        assert "*" not in actions(row)
        anybody = row.get("Principal") in ("*", {"AWS": "*"})
        assert not anybody or row["Condition"]["StringEquals"]["kms:CallerAccount"] == ACCOUNT


def test_the_key_encrypts_volumes_that_aws_makes_for_the_account_and_logs_of_the_account_only() -> None:
    rows = {row["Sid"]: row for row in statements(permissions.key_policy(ACCOUNT, REGION))}
    assert sorted(rows) == ["Account", "Logs", "Volumes"]
    assert {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"ec2.{REGION}.amazonaws.com"} == rows["Volumes"][
        "Condition"
    ]["StringEquals"]
    assert {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"} <= actions(rows["Volumes"])
    assert f"logs.{REGION}.amazonaws.com" == rows["Logs"]["Principal"]["Service"]
    context = rows["Logs"]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*" == context


@pytest.mark.parametrize("text", [permissions.bucket_policy(BUCKET), permissions.queue_policy()])
def test_what_is_not_tls_is_refused(text: str) -> None:
    refusals = [row for row in statements(text) if row["Effect"] == "Deny"]
    assert [row["Condition"] for row in refusals] == [{"Bool": {"aws:SecureTransport": "false"}}]
    assert [row["Principal"] for row in refusals] == ["*"]


def test_karpenter_ends_and_tags_only_machines_of_its_own_cluster() -> None:
    rows = statements(permissions.karpenter_policy(QUEUE, ROLE, CLUSTER))
    owned = f"aws:ResourceTag/kubernetes.io/cluster/{NAME}"
    ends = [row for row in rows if "ec2:TerminateInstances" in actions(row)]
    assert [row["Condition"]["StringEquals"][owned] for row in ends] == ["owned"]
    for row in rows:
        if "ec2:CreateTags" in actions(row):
            assert {f"kubernetes.io/cluster/{NAME}"} == {
                key.partition("/")[2] for key in row["Condition"]["StringEquals"] if key.endswith(NAME)
            }
            assert row["Resource"] != "*"


def test_karpenter_passes_only_the_role_of_the_nodes_and_only_to_ec2() -> None:
    rows = statements(permissions.karpenter_policy(QUEUE, ROLE, CLUSTER))
    passing = [row for row in rows if "iam:PassRole" in actions(row)]
    assert [row["Resource"] for row in passing] == [ROLE]
    assert [row["Condition"] for row in passing] == [{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}]


def test_karpenter_changes_nothing_of_iam() -> None:
    rows = statements(permissions.karpenter_policy(QUEUE, ROLE, CLUSTER))
    assert {name for row in rows for name in actions(row) if name.startswith("iam:")} == {"iam:PassRole"}


def test_karpenter_on_every_resource_can_only_read() -> None:
    for row in statements(permissions.karpenter_policy(QUEUE, ROLE, CLUSTER)):
        if row["Resource"] == "*":
            assert all(name.partition(":")[2].startswith(("Describe", "Get", "List")) for name in actions(row))


def test_region_and_partition_come_from_the_clusters_own_arn() -> None:
    text = permissions.karpenter_policy(QUEUE, ROLE, "arn:aws-us-gov:eks:us-gov-west-1:999:cluster/gov")
    assert "arn:aws:ec2" not in text and "arn:aws:ssm" not in text
    assert "arn:aws-us-gov:ec2:us-gov-west-1:*:instance/*" in text
    assert "arn:aws-us-gov:ssm:us-gov-west-1::parameter/aws/service/*" in text
    assert "kubernetes.io/cluster/gov" in text


def test_agents_reach_one_bucket_and_one_key() -> None:
    rows = statements(permissions.agents_policy(BUCKET, KEY))
    assert {BUCKET, f"{BUCKET}/*", KEY} == {row["Resource"] for row in rows}
    assert not any(name.startswith("s3:Put") and "Policy" in name for row in rows for name in actions(row))
