"""RES: data and the machines that hold them stay inside the boundary of their class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from policies.context import Context, boundary
from policies.places import cloud_of, country_of, place_of
from policies.rules import azure
from policies.rules.outside_models import prompts
from policies.verdict import Judgement, Rule, Severity, not_applicable, ok, undetermined, violation
from policies.workloads import kind_of
from skerry.facts import DataClass
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret, find, is_known, plain
from skerry.jurisdictions import inside
from skerry.opaque import is_opaque

_NO_BOUNDARY: Final = "the graph names no deployment, so no boundary is known"
CLASS_TAGS: Final = (
    "skerry.dev/data-class",
    "skerry:data-class",
    "skerry-data-class",
    "data-class",
    "dataClass",
    "DataClass",
)
"""Tag and label keys under which a resource may name its data class."""

# Inputs that name a further region into which a resource copies its data.
# Source: schema of pulumi-aws 7.51.1, read 2026-11
_COPIES: Final = {
    "aws:dynamodb/table:Table": ("replicas", "regionName"),
    "aws:secretsmanager/secret:Secret": ("replicas", "region"),
    "aws:ecr/replicationConfiguration:ReplicationConfiguration": (
        "replicationConfiguration.rules.destinations", "region",
    ),
}  # fmt: skip
_BUCKETS: Final = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
_BUCKET_REPLICATIONS: Final = (
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
    "aws:s3/bucketReplicationConfiguration:BucketReplicationConfiguration",
)
_ARN_COPIES: Final = {
    "aws:rds/instance:Instance": "replicateSourceDb",
    "aws:rds/cluster:Cluster": "replicationSourceIdentifier",
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": "sourceDbInstanceArn",
}
"""Inputs that name, by ARN, the database from which a resource copies into its own region."""

_TOPIC: Final = "gcp:pubsub/topic:Topic"

_STORES: Final = frozenset({
    *_BUCKETS, "aws:rds/instance:Instance", "aws:rds/cluster:Cluster", "aws:efs/fileSystem:FileSystem",
    "aws:elasticache/replicationGroup:ReplicationGroup", "aws:elasticache/cluster:Cluster",
    "aws:elasticache/serverlessCache:ServerlessCache", "aws:dynamodb/table:Table", "aws:ebs/volume:Volume",
    "aws:opensearch/domain:Domain", "aws:docdb/cluster:Cluster", "gcp:storage/bucket:Bucket",
    "gcp:sql/databaseInstance:DatabaseInstance", "gcp:redis/instance:Instance", "gcp:compute/disk:Disk",
    "gcp:bigquery/dataset:Dataset", _TOPIC,
    "azure-native:servicebus:Namespace", "azure-native:storage:StorageAccount", "azure-native:sql:Database",
    "azure-native:dbforpostgresql:Server", "azure-native:redis:Redis", "azure-native:cosmosdb:DatabaseAccount",
    "azure-native:redisenterprise:RedisEnterprise", "azure-native:compute:Disk",
    "kubernetes:apps/v1:StatefulSet", "kubernetes:core/v1:PersistentVolumeClaim",
})  # fmt: skip
"""Types that keep data."""


def _class_word(data_class: DataClass | None) -> str:
    return f"{data_class.value} data" if data_class else "data of no named class (held to the highest class)"


def _judge(context: Context, resource: Resource, country: str | None, what: str, path: str = "") -> Judgement | None:
    """Judge one country for one resource; None where no boundary reaches its class."""
    deployment = context.deployment(resource)
    if deployment is None:
        return not_applicable(_NO_BOUNDARY, resource)
    row = boundary(deployment, class_of(context, resource))
    if row is None:
        return None
    if country is None:
        return undetermined(resource, f"{what}, and its country is not known", path)
    allowed = ", ".join(row.jurisdictions)
    if inside(country, row.jurisdictions):
        return ok(resource, f"{what} ({country}) lies within {allowed}")
    word = _class_word(class_of(context, resource))
    return violation(resource, f"{what} lies in {country}, but {word} must stay in {allowed}", path)


def class_of(context: Context, resource: Resource) -> DataClass | None:
    """Return the data class of a resource: its component's, or that of its tags or labels."""
    around = context.facts(resource).data_class
    if around is not None:
        return around
    for path in ("tags", "labels", "metadata.labels", "metadata.annotations"):
        tags = plain(find(resource.inputs, path))
        if not isinstance(tags, dict):
            continue
        for key in CLASS_TAGS:
            value = tags.get(key)
            if isinstance(value, str) and value in {item.value for item in DataClass}:
                return DataClass(value)
    return None


def _region(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for root, deployment in context.roots:
        where = f"the target ({deployment.target.kind})"
        judged = _judge(context, root, deployment.target.jurisdiction, where, "deployment.target.jurisdiction")
        if judged:
            yield judged
    for resource, facts in context.components():
        if context.own[resource.urn].jurisdiction is not None:
            judged = _judge(context, resource, facts.jurisdiction, f"the {facts.role or 'component'}", "jurisdiction")
            if judged:
                yield judged
    for resource in graph.resources:
        cloud = cloud_of(resource)
        if cloud is None:
            continue
        if not context.roots:
            yield not_applicable(_NO_BOUNDARY)
            return
        place = place_of(context, resource, cloud)
        if place.region is None:
            yield undetermined(resource, f"the region cannot be told: {place.origin}", place.property_path)
            continue
        country = country_of(cloud, place.region)
        judged = _judge(context, resource, country, f"region {place.region} ({place.origin})", place.property_path)
        if judged:
            yield judged


def _items(value: Any, path: str) -> Iterator[Any]:
    """Yield what a dotted path leads to, going into every list on the way; UNKNOWN where a mark stands in the way."""
    if value is UNKNOWN or isinstance(value, Secret):
        yield UNKNOWN
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _items(item, path)
    elif not path:
        yield from () if value is None else (value,)
    elif isinstance(value, dict):
        head, _, rest = path.partition(".")
        yield from _items(value.get(head), rest)


def _copies(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    yield from prompts(context)
    for resource, facts in context.components():
        if facts.backup is not None:
            what = f"its backup to {facts.backup.destination}"
            judged = _judge(context, resource, facts.backup.jurisdiction, what, "backup.jurisdiction")
            if judged:
                yield judged
    for resource in graph.resources:
        if resource.type in _COPIES:
            base, key = _COPIES[resource.type]
            path = f"{base}.{key}" if base else key
            for region in _items(dict(resource.inputs), path):
                yield from _copy_to(context, resource, region, path)
        elif resource.type in _BUCKET_REPLICATIONS:
            yield from _bucket_copies(graph, context, resource, "rules.destination.bucket", "rules")
        elif resource.type in _BUCKETS and resource.inputs.get("replicationConfiguration") is not None:
            path = "replicationConfiguration.rules.destination.bucket"
            yield from _bucket_copies(graph, context, resource, path, "replicationConfiguration")
        elif resource.type in _ARN_COPIES and resource.inputs.get(_ARN_COPIES[resource.type]) is not None:
            yield from _arn_copy(context, resource, _ARN_COPIES[resource.type])
        elif resource.type == "gcp:sql/databaseInstance:DatabaseInstance":
            yield from _google_backups(context, resource)
        elif resource.type == _TOPIC:
            yield from _google_jobs(context, resource)
        elif resource.type in azure.COPIES:
            yield from azure.copies(resource)


MULTI_REGIONS: Final = {"us": "US", "eu": "EU"}
"""Google's multi-regions that lie in one country or bloc. Source: Cloud SQL "Backup location" (not opened)."""


def _google_backups(context: Context, resource: Resource) -> Iterator[Judgement]:
    """Judge where Cloud SQL keeps backups: left out, in the multi-region that is nearest, whichever that is."""
    path = "settings.backupConfiguration"
    if find(plain(resource.inputs), f"{path}.enabled") is not True:
        return
    where = find(plain(resource.inputs), f"{path}.location")
    if where is None or where is UNKNOWN:
        text = "nobody says where its backups lie" if where is None else "where its backups lie is not known"
        yield undetermined(resource, text, f"{path}.location")
        return
    country = MULTI_REGIONS.get(str(where)) or country_of("gcp", str(where))
    judged = _judge(context, resource, country, f"the backups in {where}", f"{path}.location")
    if judged:
        yield judged


def _google_jobs(context: Context, resource: Resource) -> Iterator[Judgement]:
    """Judge where Pub/Sub keeps what waits: left out, in whatever region of Google's it was put in.

    Source: pulumi-gcp 10.2.0, Topic.message_storage_policy, read 2026-11.
    """
    path = "messageStoragePolicy.allowedPersistenceRegions"
    regions = find(plain(resource.inputs), path)
    if regions is UNKNOWN or not is_known(regions):
        yield undetermined(resource, "where what waits lies is not known before a deployment", path)
    elif not regions:
        yield undetermined(resource, "nobody says in which regions what waits may lie", path)
    else:
        for region in regions:
            country = country_of("gcp", str(region))
            judged = _judge(context, resource, country, f"what waits in {region}", path)
            if judged:
                yield judged


def _copy_to(context: Context, resource: Resource, region: Any, path: str) -> Iterator[Judgement]:
    if region is UNKNOWN:
        yield undetermined(resource, "the region that it copies to is not known before a deployment", path)
        return
    country = country_of("aws", str(region))
    judged = _judge(context, resource, country, f"the copy in region {region}", path)
    if judged:
        yield judged


def _bucket_copies(
    graph: ResourceGraph, context: Context, resource: Resource, path: str, key: str
) -> Iterator[Judgement]:
    """Judge the bucket that objects are copied to, found in the graph by its name or by what the input depends on."""
    buckets = [bucket for bucket in graph.resources if bucket.type in _BUCKETS and bucket.urn != resource.urn]
    for target in _items(dict(resource.inputs), path):
        name = "" if target is UNKNOWN else str(target).rsplit(":", 1)[-1]
        found = [bucket for bucket in buckets if name and bucket.inputs.get("bucket") == name]
        if target is UNKNOWN:
            linked = resource.property_dependencies.get(key, ())
            source = resource.property_dependencies.get("bucket", ())
            found = [bucket for bucket in buckets if bucket.urn in linked and bucket.urn not in source]
        if not found:
            yield undetermined(resource, f"the bucket that it copies to is not in the graph: {target}", path)
        for bucket in found:
            place = place_of(context, bucket, "aws")
            if place.region is None:
                yield undetermined(
                    resource, f"the region of the copy {bucket.name} cannot be told: {place.origin}", path
                )
            else:
                yield from _copy_to(context, resource, place.region, path)


def _arn_copy(context: Context, resource: Resource, key: str) -> Iterator[Judgement]:
    """A copy lands in the resource's own region: judge that one, whatever the source is."""
    place = place_of(context, resource, "aws")
    if place.region is None:
        yield undetermined(resource, f"the region that it copies to cannot be told: {place.origin}", key)
    else:
        yield from _copy_to(context, resource, place.region, key)


_AWS_KEY_REGION: Final = re.compile(r"^awskms://(?:.*[?&]region=([a-z0-9-]+)|arn:aws[a-z-]*:kms:([a-z0-9-]+):)")
_GCP_KEY_REGION: Final = re.compile(r"^gcpkms://projects/[^/]+/locations/([^/]+)/")
_S3_REGION: Final = re.compile(r"^s3://.*[?&]region=([a-z0-9-]+)")


def _state(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for root, deployment in context.roots:
        backend, keeper = deployment.state_backend, deployment.secrets_provider
        judged = _judge_state(context, root, deployment.state_jurisdiction, f"the state backend {backend}")
        if judged:
            yield judged
        found = _S3_REGION.match(backend)
        if found and country_of("aws", found.group(1)) not in (None, deployment.state_jurisdiction):
            yield violation(
                root,
                f"state.jurisdiction says {deployment.state_jurisdiction}, but {backend} stands in "
                f"{country_of('aws', found.group(1))}",
                "deployment.stateJurisdiction",
            )
        yield from _secrets_provider(context, root, keeper, deployment.secrets_jurisdiction)


def _judge_state(context: Context, root: Resource, country: str | None, what: str) -> Judgement | None:
    """State holds everything, so it is held to the highest class."""
    deployment = context.deployment(root)
    row = boundary(deployment, None) if deployment else None
    if row is None:
        return None
    if country is None:
        return undetermined(root, f"{what}: its country is not known", "deployment")
    allowed = ", ".join(row.jurisdictions)
    if inside(country, row.jurisdictions):
        return ok(root, f"{what} lies within {allowed}")
    return violation(root, f"{what} lies in {country}, but the state may only be in {allowed}", "deployment")


def _secrets_provider(context: Context, root: Resource, keeper: str, named: str | None) -> Iterator[Judgement]:
    if keeper == "passphrase":
        yield ok(root, "the secrets of the state are under a passphrase that stays with its holders")
        return
    aws, gcp = _AWS_KEY_REGION.match(keeper), _GCP_KEY_REGION.match(keeper)
    country: str | None = named
    if aws:
        country = country_of("aws", aws.group(1) or aws.group(2))
    elif gcp:
        country = country_of("gcp", gcp.group(1))
    judged = _judge_state(context, root, country, f"the secrets provider {keeper.split('?')[0]}")
    if judged:
        yield judged


def _data_class(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, facts in context.components():
        if facts.stateful:
            if facts.data_class is None:
                yield violation(resource, "it keeps data but names no data class", "dataClass")
            else:
                yield ok(resource)
    for resource in graph.resources:
        if resource.type not in _STORES:
            continue
        if class_of(context, resource) is not None:
            yield ok(resource)
        elif not is_known(resource.inputs.get("tags")) or not is_known(resource.inputs.get("labels")):
            yield undetermined(resource, "its tags are not known before a deployment", "tags")
        else:
            yield violation(resource, "it keeps data but neither it nor a component above it names a data class")


def _opaque(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.resources:
        if not is_opaque(graph, resource):
            continue
        declared = kind_of(resource) == "Release" and any(
            ancestor.urn in context.own and context.own[ancestor.urn].charts for ancestor in graph.ancestors(resource)
        )
        if declared:
            yield ok(resource, "what it installs is declared by its component")
        elif context.on_a_machine(resource):
            yield ok(resource, "its machine's facts and files say what it makes")
        else:
            yield undetermined(resource, f"what a {resource.type} makes cannot be seen in the graph")


RULES: Final = (
    Rule(
        id="RES001",
        title="every resource stands inside the boundary of its data class",
        severity=Severity.CRITICAL,
        rationale="data under another country's law cannot be called back",
        remedy="move it to a region inside the boundary, or widen residency.boundaries if the data may really go there",
        controls=("NIST SP 800-53 SA-9(5)", "GDPR Art. 44", "AWS Control Tower CT.MULTISERVICE.PV.1"),
        subject="located resources",
        check=_region,
    ),
    Rule(
        id="RES002",
        title="no copy of data leaves the boundary of its class",
        severity=Severity.CRITICAL,
        rationale="replication moves data without anybody moving it",
        remedy="replicate or back up to a place inside the boundary, or remove the copy",
        controls=("AWS-GR_RESTRICT_S3_CROSS_REGION_REPLICATION", "NIST SP 800-53 CP-9", "GDPR Art. 44"),
        subject="replications",
        check=_copies,
    ),
    Rule(
        id="RES003",
        title="the Pulumi state and the key to its secrets stand inside the boundary",
        severity=Severity.HIGH,
        rationale="the state holds every address, size and secret of the deployment",
        remedy="use a backend and a secrets provider inside the boundary and say where they stand under state",
        controls=("NIST SP 800-53 SA-9(5)", "NIST SP 800-53 SC-12"),
        subject="deployments with a state backend",
        check=_state,
    ),
    Rule(
        id="RES004",
        title="everything that keeps data names its data class",
        severity=Severity.HIGH,
        rationale="without a class nobody can say where data may be",
        remedy="set the component's data class, or tag the resource with data-class",
        controls=("NIST SP 800-53 RA-2", "ISO/IEC 27001 A.5.12"),
        subject="data stores",
        check=_data_class,
    ),
    Rule(
        id="RES005",
        title="nothing in the stack hides what it makes",
        severity=Severity.MEDIUM,
        rationale="charts, commands and dynamic resources make things that no rule can see",
        remedy="declare the chart through the component Operator, or write the resources out",
        controls=("NIST SP 800-53 CM-8",),
        subject="opaque resources",
        check=_opaque,
    ),
)
