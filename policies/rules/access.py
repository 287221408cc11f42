"""ACC: what keeps data, keys or images is open to nobody who is not named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.context import Context
from policies.reading import read
from policies.verdict import Judgement, Rule, Severity, ok, undetermined, violation
from skerry.graph import UNKNOWN, Resource, ResourceGraph, is_known, plain

_BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
_POLICIES: Final[Mapping[str, str]] = {
    _BUCKET_POLICY: "policy",
    "aws:s3/accessPoint:AccessPoint": "policy",
    "aws:kms/key:Key": "policy",
    "aws:kms/keyPolicy:KeyPolicy": "policy",
    "aws:sqs/queue:Queue": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
    "aws:sns/topic:Topic": "policy",
    "aws:sns/topicPolicy:TopicPolicy": "policy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "policy",
    "aws:secretsmanager/secret:Secret": "policy",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
    "aws:efs/fileSystemPolicy:FileSystemPolicy": "policy",
    "aws:backup/vaultPolicy:VaultPolicy": "policy",
    "aws:dynamodb/resourcePolicy:ResourcePolicy": "policy",
}
"""AWS's types -> the input with the policy of who may use it. Source: the types of pulumi-aws 7.51.1, read 2026-11."""

_ACLS: Final[Mapping[str, str]] = {
    "aws:s3/bucket:Bucket": "acl",
    "aws:s3/bucketV2:BucketV2": "acl",
    "aws:s3/bucketAcl:BucketAcl": "acl",
    "aws:s3/bucketAclV2:BucketAclV2": "acl",
    "aws:s3/bucketObject:BucketObject": "acl",
    "aws:s3/bucketObjectv2:BucketObjectv2": "acl",
    "gcp:storage/bucketACL:BucketACL": "predefinedAcl",
    "gcp:storage/objectACL:ObjectACL": "predefinedAcl",
    "azure-native:storage:BlobContainer": "publicAccess",
}
_OPEN_ACLS: Final = frozenset({
    "public-read", "public-read-write", "authenticated-read", "publicRead", "publicReadWrite", "authenticatedRead",
    "Blob", "Container",
})  # fmt: skip
"""Source: Amazon S3 "Access control list (ACL) overview", canned ACLs; Cloud Storage "Access control lists", predefined
ACLs; Azure "Blob Containers - Create", publicAccess (not opened; check before relying on it)."""

_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
"""Each is false where it is left out.

Source: the SDK's docs of BucketPublicAccessBlock, pulumi-aws 7.51.1, read 2026-11.
"""

_GOOGLE_DATA: Final = re.compile(
    r"gcp:(artifactregistry|bigquery|bigtable|healthcare|kms|pubsub|secretmanager|spanner|storage)/\w+:"
    r"\w*(?:IAM|Iam)(Member|Binding|Policy)"
)
_GOOGLE_ENTITIES: Final[Mapping[str, str]] = {
    "gcp:storage/bucketAccessControl:BucketAccessControl": "entity",
    "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl": "entity",
    "gcp:storage/objectAccessControl:ObjectAccessControl": "entity",
}
_ACCOUNTS: Final = ("gcp:serviceaccount/account:Account", "gcp:projects/serviceIdentity:ServiceIdentity")
_EVERYBODY: Final = ("allUsers", "allAuthenticatedUsers")
"""Source: Google Cloud IAM "Principal identifiers" (not opened; check before relying on it)."""

_NARROWING: Final = frozenset({
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount",
    "aws:sourcearn", "aws:sourceorgid", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "kms:calleraccount",
    "s3:dataaccesspointaccount",
})  # fmt: skip
"""Conditions that leave callers of named accounts, organizations or networks only.

Source: Amazon S3 "Blocking public access to your Amazon S3 storage", the meaning of "public", and AWS KMS "Condition
keys" (not opened; check before relying on it)."""
_POSITIVE: Final = re.compile(r"(ForAnyValue:)?(String|Arn)(Equals|Like|EqualsIgnoreCase)", re.IGNORECASE)


def _open(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    closed = _closed_buckets(graph)
    for resource in graph.resources:
        kind = resource.type
        if kind == _BUCKET_POLICY and closed.intersection(_bucket(resource)):
            yield ok(resource)
        elif kind in _POLICIES:
            yield from _policy(resource, _POLICIES[kind])
        if kind in _ACLS:
            yield from _acl(resource, _ACLS[kind])
        if kind in _GOOGLE_ENTITIES:
            yield _google_members(resource, _GOOGLE_ENTITIES[kind])
        elif kind == _BLOCK:
            yield from _blocks(resource)
        elif kind == "azure-native:storage:StorageAccount":
            yield _switch(resource, "allowBlobPublicAccess")
        elif found := _GOOGLE_DATA.fullmatch(kind):
            path = {"Member": "member", "Binding": "members", "Policy": "policyData"}[found[2]]
            yield ok(resource) if _account_of_ours(graph, resource, path) else _google_members(resource, path)


def _closed_buckets(graph: ResourceGraph) -> set[str]:
    """Return the buckets of which a whole block of public access takes the effect from every public policy."""
    blocks = (one for one in graph.of_type(_BLOCK) if all(read(one.inputs, key) is True for key in _BLOCKS))
    return {bucket for block in blocks for bucket in _bucket(block)}


def _bucket(resource: Resource) -> tuple[str, ...]:
    """Return the bucket of a resource: the one whose output it takes, or the name where one is written."""
    name = read(resource.inputs, "bucket")
    return resource.property_dependencies.get("bucket") or ((name,) if isinstance(name, str) else ())


def _policy(resource: Resource, path: str) -> Iterator[Judgement]:
    value = read(resource.inputs, path)
    if value is None:
        return
    document = _document(value)
    if document is None:
        yield undetermined(resource, "who may use it is not known before a deployment", path)
        return
    statements = document.get("Statement", [])
    told = [_statement(row) for row in (statements if isinstance(statements, list | tuple) else [statements])]
    texts = [text for verdict, text in told if verdict == "open"]
    if texts:
        yield violation(resource, texts[0], path)
    elif any(verdict == "perhaps" for verdict, _ in told):
        yield undetermined(resource, next(text for verdict, text in told if verdict == "perhaps"), path)
    else:
        yield ok(resource)


def _document(value: Any) -> dict[str, Any] | None:
    """Return a policy as an object; None where it cannot be read whole."""
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except ValueError:
            return None
    return found if isinstance(found, dict) else None


def _statement(row: Any) -> tuple[str, str]:
    """Return `open`, `perhaps` or `named`, and what is to be said."""
    if not isinstance(row, dict) or not is_known([row.get(key) for key in ("Effect", "Principal", "Condition")]):
        return "perhaps", "who may use it is not known before a deployment"
    if row.get("Effect") != "Allow":
        return "named", ""
    if "NotPrincipal" in row:
        return "open", "its policy allows everybody but those that it names"
    if not _everybody(row.get("Principal")):
        return "named", ""
    conditions = row.get("Condition") or {}
    if not isinstance(conditions, dict):
        return "perhaps", "its policy allows everybody under a condition that cannot be read"
    keys = {
        str(key).lower()
        for operator, tests in conditions.items()
        if isinstance(tests, dict) and _POSITIVE.fullmatch(str(operator))
        for key, values in tests.items()
        if "*" not in (values if isinstance(values, list) else [values])
    }
    if keys & _NARROWING:
        return "named", ""
    if conditions:
        return "perhaps", "its policy allows everybody under a condition, and whom that leaves is not known"
    return "open", "its policy allows everybody"


def _everybody(principal: Any) -> bool:
    if isinstance(principal, dict):
        return any(_everybody(value) for value in principal.values())
    return "*" in principal if isinstance(principal, list | tuple) else principal == "*"


def _acl(resource: Resource, path: str) -> Iterator[Judgement]:
    value = read(resource.inputs, path)
    if value is UNKNOWN:
        yield undetermined(resource, f"its input {path} is not known before a deployment", path)
    elif value in _OPEN_ACLS:
        yield violation(resource, f"its access list lets everybody in: {value}", path)
    elif value is not None:
        yield ok(resource)


def _blocks(resource: Resource) -> Iterator[Judgement]:
    values = {key: read(resource.inputs, key) for key in _BLOCKS}
    missing = [key for key, value in values.items() if value is not True and value is not UNKNOWN]
    if missing:
        yield violation(resource, f"its block of public access has gaps: {', '.join(missing)}", missing[0])
    elif UNKNOWN in values.values():
        yield undetermined(resource, "its block of public access is not known before a deployment")
    else:
        yield ok(resource)


def _switch(resource: Resource, path: str) -> Judgement:
    value = read(resource.inputs, path)
    if value is UNKNOWN:
        return undetermined(resource, f"its input {path} is not known before a deployment", path)
    return violation(resource, "its containers may be opened to everybody", path) if value is True else ok(resource)


def _account_of_ours(graph: ResourceGraph, resource: Resource, path: str) -> bool:
    """Say whether a member, not known before a deployment, is an account that the program itself makes."""
    found = [graph.get(urn) for urn in resource.property_dependencies.get(path, ())]
    unknown = path == "member" and resource.inputs.get(path) is UNKNOWN and bool(found)
    return unknown and all(one is not None and one.type in _ACCOUNTS for one in found)


def _google_members(resource: Resource, path: str) -> Judgement:
    value = plain(resource.inputs.get(path))
    if value is None or not is_known(value):
        return undetermined(resource, "who may use it is not known before a deployment", path)
    # A policy is JSON text: a member stands in it between quotation marks.
    text = value if isinstance(value, str) else json.dumps(value)
    found = next((name for name in _EVERYBODY if re.search(rf'(^|["\s]){name}($|["\s])', text)), None)
    if found is not None:
        return violation(resource, f"it is open to everybody: {found}", path)
    return ok(resource)


RULES: Final = (
    Rule(
        id="ACC001",
        title="nothing that keeps data, keys or images is open to everybody",
        severity=Severity.CRITICAL,
        rationale="whoever finds its name reads it, from anywhere",
        remedy="name the accounts, roles or members that need it; whole blocks of public access (S3), no allUsers "
        "(Google Cloud), allowBlobPublicAccess false (Azure); a page for the world is served by a proxy, or waived",
        controls=("CKV_AWS_53", "CKV_AWS_32", "CKV_AWS_33", "CKV_GCP_28", "CKV_AZURE_190", "NIST SP 800-53 AC-3"),
        subject="policies and access lists",
        check=_open,
    ),
)
