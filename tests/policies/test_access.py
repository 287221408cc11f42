"""What keeps data, keys or images is open to nobody who is not named (ACC001)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.rules.access import RULES
from skerry.graph import UNKNOWN
from tests.simulators.policy_graphs import Build, Builder, run, told

POLICY, QUEUE, KEY = "aws:s3/bucketPolicy:BucketPolicy", "aws:sqs/queuePolicy:QueuePolicy", "aws:kms/key:Key"
BLOCK, ACL = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/bucketAcl:BucketAcl"
MEMBER, BINDING = "gcp:storage/bucketIAMMember:BucketIAMMember", "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding"
GOOGLE_POLICY, ENTITY = (
    "gcp:storage/bucketIAMPolicy:BucketIAMPolicy", "gcp:storage/bucketAccessControl:BucketAccessControl",
)  # fmt: skip
ACCOUNT, CONTAINER = "azure-native:storage:StorageAccount", "azure-native:storage:BlobContainer"
WHOLE = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
OPEN = ("violation", "it", "its policy allows everybody")
CONDITION = ("undetermined", "it", "its policy allows everybody under a condition, and whom that leaves is not known")
NOT_KNOWN = ("undetermined", "it", "who may use it is not known before a deployment")
Told = list[tuple[str, str, str]]


def one(kind: str, inputs: dict[str, Any]) -> Build:
    return lambda b: b.add(kind, "it", inputs)


def statement(kind: str = QUEUE, text: bool = True, **row: Any) -> Build:
    document = {"Version": "2012-10-17", "Statement": [{**ANYBODY, **row}]}
    return one(kind, {"policy": json.dumps(document) if text else document})


def blocked(block: dict[str, bool], bucket: str) -> Build:
    def build(b: Builder) -> None:
        own = {"bucket": (b.add("aws:s3/bucket:Bucket", "bucket"),)}
        other = {"bucket": (b.add("aws:s3/bucket:Bucket", "other"),)}
        b.add(BLOCK, "block", block, property_dependencies=own)
        b.add(POLICY, "it", {"policy": UNKNOWN}, property_dependencies=own if bucket == "bucket" else other)

    return build


CASES: dict[str, tuple[Build, Told]] = {
    "a policy for everybody": (statement(), [OPEN]),
    "one that is written as an object": (statement(text=False), [OPEN]),
    "everybody in a list": (statement(Principal={"AWS": ["arn:aws:iam::1:root", "*"]}), [OPEN]),
    "everybody but one": (
        one(QUEUE, {"policy": json.dumps({"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": "1"}}})}),
        [("violation", "it", "its policy allows everybody but those that it names")],
    ),
    "a named account": (statement(Principal={"AWS": "arn:aws:iam::1:root"}), [("ok", "it", "")]),
    "everybody is denied": (statement(Effect="Deny"), [("ok", "it", "")]),
    "everybody of one organization": (
        statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), [("ok", "it", "")]
    ),
    "everybody of any organization": (statement(Condition={"StringLike": {"aws:PrincipalOrgID": "*"}}), [CONDITION]),
    "everybody but one organization": (
        statement(Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}), [CONDITION]
    ),
    "everybody who calls by TLS": (statement(Condition={"Bool": {"aws:SecureTransport": "true"}}), [CONDITION]),
    "a resource that is not known yet": (
        statement(text=False, Principal={"Service": "events.amazonaws.com"}, Resource=UNKNOWN), [("ok", "it", "")]
    ),
    "a principal that is not known yet": (statement(text=False, Principal={"AWS": UNKNOWN}), [NOT_KNOWN]),
    "a policy that is not known yet": (one(QUEUE, {"policy": UNKNOWN}), [NOT_KNOWN]),
    "a policy that is no JSON": (one(QUEUE, {"policy": "{"}), [NOT_KNOWN]),
    "a key without a policy of its own": (one(KEY, {}), []),
    "a bucket's policy behind a whole block": (blocked(WHOLE, "bucket"), [("ok", "block", ""), ("ok", "it", "")]),
    "a block of another bucket": (blocked(WHOLE, "other"), [("ok", "block", ""), NOT_KNOWN]),
    "a block with a gap": (
        blocked({**WHOLE, "restrictPublicBuckets": False}, "bucket"),
        [("violation", "block", "its block of public access has gaps: restrictPublicBuckets"), NOT_KNOWN],
    ),
    "a public access list": (
        one(ACL, {"acl": "public-read"}), [("violation", "it", "its access list lets everybody in: public-read")]
    ),
    "a private access list": (one(ACL, {"acl": "private"}), [("ok", "it", "")]),
    "all users of the internet": (
        one(MEMBER, {"member": "allUsers"}), [("violation", "it", "it is open to everybody: allUsers")]
    ),
    "all users with an account": (
        one(BINDING, {"members": ["user:a@b.example", "allAuthenticatedUsers"]}),
        [("violation", "it", "it is open to everybody: allAuthenticatedUsers")],
    ),
    "a service account": (one(MEMBER, {"member": "serviceAccount:x@y.example"}), [("ok", "it", "")]),
    "a group called like everybody": (one(MEMBER, {"member": "group:allUsers@b.example"}), [("ok", "it", "")]),
    "a member that is not known yet": (one(MEMBER, {"member": UNKNOWN}), [NOT_KNOWN]),
    "a whole policy of Google's": (
        one(GOOGLE_POLICY, {"policyData": json.dumps({"bindings": [{"members": ["allUsers"], "role": "r"}]})}),
        [("violation", "it", "it is open to everybody: allUsers")],
    ),
    "an entity": (one(ENTITY, {"entity": "allUsers"}), [("violation", "it", "it is open to everybody: allUsers")]),
    "a service that anybody may call keeps no data": (
        one("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", {"member": "allUsers"}), []
    ),
    "an account whose containers may be opened": (
        one(ACCOUNT, {"allowBlobPublicAccess": True}),
        [("violation", "it", "its containers may be opened to everybody")],
    ),
    "an account of Azure's own default": (one(ACCOUNT, {}), [("ok", "it", "")]),
    "an open container": (
        one(CONTAINER, {"publicAccess": "Blob"}), [("violation", "it", "its access list lets everybody in: Blob")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_case_is_judged(case: str) -> None:
    build, expected = CASES[case]
    assert expected == [row for row in told(run(build, *RULES)) if row[0] != "not-applicable"]
