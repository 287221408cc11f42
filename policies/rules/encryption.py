"""ENC: data are encrypted at rest and in transit, under the right key, and secrets are secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.context import Context
from policies.reading import read, rows
from policies.rules import azure, plain_secrets
from policies.rules.plain_secrets import SECRET_VALUE, looks_secret
from policies.rules.residency import class_of
from policies.verdict import Judgement, Rule, Severity, not_applicable, ok, undetermined, violation
from policies.workloads import containers, kind_of
from skerry.facts import DataClass
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret, find, plain

# Inputs that switch encryption at rest on.
# Source: schema of pulumi-aws 7.51.1, read 2026-11
_AT_REST: Final = {
    "aws:rds/instance:Instance": "storageEncrypted",
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:docdb/cluster:Cluster": "storageEncrypted",
    "aws:elasticache/replicationGroup:ReplicationGroup": "atRestEncryptionEnabled",
    "aws:ebs/volume:Volume": "encrypted",
    "aws:efs/fileSystem:FileSystem": "encrypted",
}
_DISKS: Final = {
    "aws:ec2/instance:Instance": (("rootBlockDevice", "encrypted"), ("ebsBlockDevices", "encrypted")),
    "aws:ec2/launchTemplate:LaunchTemplate": (("blockDeviceMappings", "ebs.encrypted"),),
}
"""Machines -> where their disks stand, and the input of a disk that encrypts it."""
_IN_TRANSIT: Final = {
    "aws:elasticache/replicationGroup:ReplicationGroup": "transitEncryptionEnabled",
    "aws:elasticache/cluster:Cluster": "transitEncryptionEnabled",
}
_MEMORYSTORE: Final = "gcp:redis/instance:Instance"
_CLOUD_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_GKE: Final = "gcp:container/cluster:Cluster"
# Google encrypts everything at rest; in transit it is a choice of the resource.
# Source: the discovery documents redis.v1 and sqladmin.v1 of google-api-python-client 2.202.0, read 2026-11
_MODES: Final[Mapping[str, tuple[str, tuple[object, ...]]]] = {
    _MEMORYSTORE: ("transitEncryptionMode", ("SERVER_AUTHENTICATION",)),
    _CLOUD_SQL: (
        "settings.ipConfiguration.sslMode",
        ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"),
    ),
    **azure.TLS,
}
# Inputs that name the customer's key.
_KEYS: Final = {
    **azure.KEYS,
    _MEMORYSTORE: "customerManagedKey",
    _CLOUD_SQL: "encryptionKeyName",
    "gcp:storage/bucket:Bucket": "encryption.defaultKmsKeyName",
    "gcp:cloudrunv2/service:Service": "template.encryptionKey",
    "gcp:cloudrunv2/workerPool:WorkerPool": "template.encryptionKey",
    "gcp:pubsub/topic:Topic": "kmsKeyName",
    "gcp:compute/disk:Disk": "diskEncryptionKey.kmsKeySelfLink",
    "aws:rds/instance:Instance": "kmsKeyId",
    "aws:rds/cluster:Cluster": "kmsKeyId",
    "aws:elasticache/replicationGroup:ReplicationGroup": "kmsKeyId",
    "aws:ebs/volume:Volume": "kmsKeyId",
    "aws:efs/fileSystem:FileSystem": "kmsKeyId",
}
_BUCKETS: Final = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
_BUCKET_SSE: Final = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)
_EKS: Final = "aws:eks/cluster:Cluster"


def _switch(resource: Resource, key: str, message: str) -> Judgement:
    value = plain(resource.inputs.get(key))
    if value is UNKNOWN:
        return undetermined(resource, f"its input {key} is not known before a deployment", key)
    if value in (True, "true"):
        return ok(resource)
    return violation(resource, message, key)


def _at_rest(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.resources:
        if resource.type in _AT_REST:
            yield _switch(resource, _AT_REST[resource.type], "its data are not encrypted at rest")
        elif resource.type in _DISKS:
            yield from _disks(resource)
        elif kind_of(resource) == "StorageClass":
            yield from _storage_class(resource)
    for resource, facts in context.components():
        if facts.encrypted_at_rest is True:
            yield ok(resource)
        elif facts.encrypted_at_rest is False:
            yield violation(resource, "its data are not encrypted at rest", "encryptedAtRest")
        elif facts.stateful:
            text = "nobody says whether its data are encrypted at rest"
            yield undetermined(resource, text, "encryptedAtRest")


def _disks(resource: Resource) -> Iterator[Judgement]:
    """Judge the disks of a machine; where nothing is said, the account and the image decide."""
    for place, key in _DISKS[resource.type]:
        disks = rows(resource.inputs, place)
        if disks is UNKNOWN:
            yield undetermined(resource, f"its input {place} is not known before a deployment", place)
            continue
        root = place == "rootBlockDevice"
        for index, disk in enumerate(disks or ([{}] if root else [])):
            path = f"{place}.{key}" if root else f"{place}[{index}].{key}"
            found = read(disk, key, "")
            value = str(found).lower()
            if found is UNKNOWN:
                yield undetermined(resource, f"its input {path} is not known before a deployment", path)
            elif value == "true":
                yield ok(resource)
            elif value == "false":
                yield violation(resource, "a disk of it is not encrypted at rest", path)
            elif key == "encrypted" or read(disk, "ebs") is not None:
                text = "nobody says whether a disk of it is encrypted, so the account and the image decide"
                yield undetermined(resource, text, path)


def _storage_class(resource: Resource) -> Iterator[Judgement]:
    if find(plain(resource.inputs), "provisioner") != "ebs.csi.aws.com":
        return
    value = find(plain(resource.inputs), "parameters.encrypted")
    if value is UNKNOWN:
        yield undetermined(resource, "its parameters are not known before a deployment", "parameters.encrypted")
    elif str(value).lower() == "true":
        yield ok(resource)
    else:
        yield violation(resource, "volumes of this class are not encrypted at rest", "parameters.encrypted")


def _in_transit(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type(*_IN_TRANSIT):
        yield _switch(resource, _IN_TRANSIT[resource.type], "its traffic is not encrypted")
    for resource in graph.of_type(*_MODES):
        path, modes = _MODES[resource.type]
        value = read(resource.inputs, path)
        if value is UNKNOWN:
            yield undetermined(resource, f"its input {path} is not known before a deployment", path)
        elif value in modes:
            yield ok(resource)
        else:
            yield violation(resource, "its traffic need not be encrypted", path)
    for resource, facts in context.components():
        if facts.encrypted_in_transit is True:
            yield ok(resource)
        elif facts.encrypted_in_transit is False and context.on_a_machine(resource):
            yield not_applicable("HST003 judges its machine, port by port", resource)
        elif facts.encrypted_in_transit is False:
            yield violation(resource, "its traffic is not encrypted", "encryptedInTransit")
        elif facts.stateful or facts.guarantee:
            yield undetermined(resource, "nobody says whether its traffic is encrypted", "encryptedInTransit")


def _cluster_secrets(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type(_EKS):
        config = plain(resource.inputs.get("encryptionConfig"))
        if config is UNKNOWN or find(config, "resources") is UNKNOWN:
            text = "its encryption is not known before a deployment"
            yield undetermined(resource, text, "encryptionConfig")
        elif not config or "secrets" not in (config.get("resources") or []):
            text = "Kubernetes secrets are not encrypted with a key of yours"
            yield violation(resource, text, "encryptionConfig")
        elif find(config, "provider.keyArn") is None:
            yield violation(resource, "its encryption names no key", "encryptionConfig.provider.keyArn")
        else:
            yield ok(resource)
    for resource in graph.of_type(_GKE):
        state, key = (read(resource.inputs, f"databaseEncryption.{name}") for name in ("state", "keyName"))
        if state is UNKNOWN:
            text = "its encryption is not known before a deployment"
            yield undetermined(resource, text, "databaseEncryption")
        elif state not in ("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"):
            text = "Kubernetes secrets are not encrypted with a key of yours"
            yield violation(resource, text, "databaseEncryption.state")
        elif key is None:
            yield violation(resource, "its encryption names no key", "databaseEncryption.keyName")
        else:
            yield ok(resource)
    yield from azure.cluster_secrets(graph)


def _customer_key(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.resources:
        bucket = resource.type in _BUCKETS
        if resource.type not in _KEYS and not bucket:
            continue
        named = class_of(context, resource)
        if named is None:
            yield undetermined(resource, "its data class is not known, so nobody can say whose key it needs")
        elif named is not DataClass.RESTRICTED:
            yield not_applicable(f"{named.value} data may be under the provider's key", resource)
        elif bucket:
            yield _bucket_key(graph, resource)
        else:
            yield _key(resource, find(resource.inputs, _KEYS[resource.type]), _KEYS[resource.type], resource)


def _key(resource: Resource, value: Any, path: str, holder: Resource) -> Judgement:
    value = plain(value)
    if value is None:
        return violation(resource, "restricted data are not under a key of yours", path)
    if value is UNKNOWN and not holder.property_dependencies.get(path.split(".")[0].split("[")[0]):
        return undetermined(resource, "the key is not known before a deployment, and no resource gives it", path)
    return ok(resource)


def _bucket_key(graph: ResourceGraph, bucket: Resource) -> Judgement:
    """Find the bucket's encryption in its own input or in the resource that configures it."""
    inline = plain(bucket.inputs.get("serverSideEncryptionConfiguration"))
    if inline is not None:
        base = "rule.applyServerSideEncryptionByDefault.kmsMasterKeyId"
        path = f"serverSideEncryptionConfiguration.{base}"
        if inline is UNKNOWN:
            return undetermined(bucket, "its encryption is not known before a deployment", path)
        return _key(bucket, find(inline, base), path, bucket)
    for other in graph.of_type(*_BUCKET_SSE):
        names = [name for name in (read(bucket.inputs, "bucket"), bucket.id) if isinstance(name, str) and name]
        linked = bucket.urn in other.property_dependencies.get("bucket", ())
        if not linked and read(other.inputs, "bucket") not in names:
            continue
        path = "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId"
        if plain(other.inputs.get("rules")) is UNKNOWN:
            return undetermined(bucket, "its encryption is not known before a deployment", "rules")
        return _key(bucket, find(other.inputs, path), path, other)
    return violation(bucket, "restricted data are not under a key of yours", "serverSideEncryptionConfiguration")


_SECRET_INPUTS: Final = ("password", "masterPassword", "authToken", "secretString", "adminPassword", "rootPassword")


def _plaintext(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    if not context.sees_secrets:
        yield not_applicable("the producer of this graph does not mark secrets")
        return
    for resource in graph.resources:
        kind = kind_of(resource)
        if kind == "ConfigMap":
            yield from _pairs(resource, resource.inputs.get("data"), "data")
        elif kind == "Secret":
            yield from _secret_object(resource)
        elif kind:
            yield from _environment(resource)
        elif resource.custom and not resource.is_provider:
            yield from _secret_inputs(resource)
            yield from plain_secrets.inputs_of(resource)


def _pairs(resource: Resource, data: Any, path: str) -> Iterator[Judgement]:
    if isinstance(data, Secret):
        data = data.value
    if data is UNKNOWN:
        yield undetermined(resource, f"its {path} is not known before a deployment", path)
        return
    if data and not isinstance(data, Mapping):
        yield undetermined(resource, f"its {path} is no mapping, so its keys cannot be told", path)
        return
    found = False
    for key, value in (data or {}).items():
        if looks_secret(key, value):
            found = True
            yield violation(resource, f"{key} looks like a secret and stands in plain text", f"{path}.{key}")
    if not found:
        yield ok(resource)


def _secret_object(resource: Resource) -> Iterator[Judgement]:
    for key in ("stringData", "data"):
        data = resource.inputs.get(key)
        if data is None:
            continue
        if isinstance(data, Secret):
            yield ok(resource)
            continue
        values = {key: UNKNOWN} if data is UNKNOWN else data
        if not isinstance(values, Mapping):
            yield undetermined(resource, f"its {key} is no mapping, so its keys cannot be told", key)
            continue
        plain_keys = [name for name, item in values.items() if isinstance(item, str) and item]
        if any(item is UNKNOWN for item in values.values()):
            yield undetermined(resource, f"part of its {key} is unknown and not marked secret", key)
        elif plain_keys:
            names = ", ".join(sorted(plain_keys))
            text = f"{names} of a Secret is not marked secret, so the state holds it in plain text"
            yield violation(resource, text, key)
        else:
            yield ok(resource)


def _environment(resource: Resource) -> Iterator[Judgement]:
    seen = found = False
    for path, container in containers(resource):
        seen = True
        for key in ("command", "args"):
            words = read(container, key, ())
            if isinstance(words, list) and any(isinstance(word, str) and SECRET_VALUE.search(word) for word in words):
                found = True
                yield violation(resource, f"its {key} hold a secret in plain text", f"{path}.{key}")
        env = UNKNOWN if container is UNKNOWN else rows(container, "env")
        if env is UNKNOWN:
            found = True
            yield undetermined(resource, "its environment is not known before a deployment", path)
            continue
        for index, row in enumerate(_raw_env(resource, path) or env):
            name, value = (find(row, "name", ""), find(row, "value"))
            if isinstance(value, Secret):
                found = True
                text = f"{name} is a secret in the environment of a pod, where everybody who may list pods reads it"
                yield violation(resource, text, f"{path}.env[{index}]")
            elif isinstance(name, str) and looks_secret(name, value):
                found = True
                yield violation(resource, f"{name} is a secret in plain text", f"{path}.env[{index}]")
            elif value is UNKNOWN and isinstance(name, str) and looks_secret(name, "unknown"):
                found = True
                text = f"{name} is not known before a deployment and not marked secret"
                yield undetermined(resource, text, f"{path}.env[{index}]")
    if seen and not found:
        yield ok(resource)


def _raw_env(resource: Resource, path: str) -> Any:
    """Return the environment with its secret marks, which `containers` takes off."""
    value = find(resource.inputs, path.replace("[", ".").replace("]", "") + ".env")
    return value if isinstance(value, list | tuple) else None


def _secret_inputs(resource: Resource) -> Iterator[Judgement]:
    for key in _SECRET_INPUTS:
        value = resource.inputs.get(key)
        if value is None:
            continue
        if isinstance(value, Secret):
            yield ok(resource)
        elif value is UNKNOWN:
            yield undetermined(resource, f"its input {key} is unknown and not marked secret", key)
        elif isinstance(value, str) and value:
            yield violation(resource, f"its input {key} is a secret in plain text", key)


RULES: Final = (
    Rule(
        id="ENC001",
        title="data at rest are encrypted",
        severity=Severity.HIGH,
        rationale="disks, snapshots and backups leave the house by themselves",
        remedy="switch encryption at rest on; on own machines say target.storage_encrypted",
        controls=("NIST SP 800-53 SC-28", "CKV_AWS_16", "CKV_AWS_3", "CKV_AWS_29", "CKV_AWS_42"),
        subject="stores",
        check=_at_rest,
    ),
    Rule(
        id="ENC002",
        title="traffic to stores and channels is encrypted",
        severity=Severity.MEDIUM,
        rationale="whoever shares the network reads what is not encrypted",
        remedy="switch TLS on, or waive it where the network itself encrypts (WireGuard, a service mesh)",
        controls=("NIST SP 800-53 SC-8", "CKV_AWS_30"),
        subject="stores and channels",
        check=_in_transit,
    ),
    Rule(
        id="ENC003",
        title="Kubernetes secrets are encrypted with a key of yours",
        severity=Severity.HIGH,
        rationale="everything that opens the stores lies in the cluster's secrets",
        remedy="name a key: encryptionConfig with resources [secrets] on EKS, databaseEncryption on GKE, "
        "azureKeyVaultKms on AKS",
        controls=("CKV_AWS_58", "CIS Amazon EKS Benchmark 5.3.1", "NIST SP 800-53 SC-12"),
        subject="EKS, GKE and AKS clusters",
        check=_cluster_secrets,
    ),
    Rule(
        id="ENC004",
        title="restricted data are under a key of yours",
        severity=Severity.HIGH,
        rationale="who holds the key decides who reads",
        remedy="name a KMS key of your account in the resource",
        controls=("NIST SP 800-53 SC-12", "CKV_AWS_145", "CKV_AWS_191"),
        subject="managed stores",
        check=_customer_key,
    ),
    Rule(
        id="ENC005",
        title="no secret stands in plain text",
        severity=Severity.CRITICAL,
        rationale="inputs are kept in the state, shown in previews and copied into manifests",
        remedy="keep it in a secret config key, wrap it with Output.secret, and mount it from a Secret",
        controls=("NIST SP 800-53 IA-5", "CIS Kubernetes Benchmark 5.4.1"),
        subject="inputs that may hold secrets",
        check=_plaintext,
    ),
)
