"""What a simulated cloud adds to a resource's inputs: each output of the SDK's own type, made up but of that type.

A preview knows the inputs and nothing else, as the embedded engine does. A value that is made up depends on the
resource's id and the output's name alone, so the same resource has the same outputs for ever. Rows are written by hand
where programs read into the format of a value, or where the SDK's types do not say that the cloud fills it in.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.simulators.provider_check import UNKNOWN, is_unknown, reveal
from tests.simulators.provider_forms import EC2_IDS
from tests.simulators.sdk_types import OUTPUT_DEPTH

ACCOUNT: Final = "000000000000"
_DEFAULT_REGION: Final = "eu-central-1"
_DATA: Final = "c2ltdWxhdGVk"
"""`simulated`, as certificates and keys travel."""

MARK: Final = "51e"
"""In every id that is made here: `sim` as far as hexadecimal digits go. See `new_id`."""
_PREFIXES: Final[Mapping[str, str]] = {
    # Other fields of the API take such an id by its form. Source: botocore's patterns (SubnetId, SecurityGroupId, ...).
    "aws:ec2/eip:Eip": "eipalloc-", "aws:ec2/instance:Instance": "i-",
    "aws:ec2/internetGateway:InternetGateway": "igw-",
    "aws:ec2/launchTemplate:LaunchTemplate": "lt-", "aws:ec2/natGateway:NatGateway": "nat-",
    "aws:ec2/networkInterface:NetworkInterface": "eni-", "aws:ec2/routeTable:RouteTable": "rtb-",
    "aws:ec2/securityGroup:SecurityGroup": "sg-", "aws:ec2/subnet:Subnet": "subnet-", "aws:ec2/vpc:Vpc": "vpc-",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "vpce-", "aws:ebs/volume:Volume": "vol-", "aws:efs/fileSystem:FileSystem": "fs-",
    "aws:efs/accessPoint:AccessPoint": "fsap-",
}  # fmt: skip
_ARNS: Final[Mapping[str, str]] = {
    # Where the form is not `service:region:account:kind/id`.
    "aws:iam/": "arn:{partition}:iam::{account}:{kind}/{id}",
    "aws:s3/": "arn:{partition}:s3:::{id}",
    "aws:sqs/": "arn:{partition}:sqs:{region}:{account}:{id}",
    "aws:sns/": "arn:{partition}:sns:{region}:{account}:{id}",
    "aws:lambda/": "arn:{partition}:lambda:{region}:{account}:{kind}:{id}",
    "aws:secretsmanager/": "arn:{partition}:secretsmanager:{region}:{account}:{kind}:{id}",
    "aws:lb/": "arn:{partition}:elasticloadbalancing:{region}:{account}:{kind}/{id}",
    "aws:cloudwatch/logGroup": "arn:{partition}:logs:{region}:{account}:log-group:{id}",
    "aws:ec2/": "arn:{partition}:ec2:{region}:{account}:{kind}/{id}",
    "aws:": "arn:{partition}:{service}:{region}:{account}:{kind}/{id}",
}
ROWS: Final[Mapping[str, Mapping[str, Any]]] = {
    # `{id}` is the resource's id. A row of a whole package fills in where the resource has such an output at all.
    "aws:s3/bucket:Bucket": {"bucket": "{id}", "bucketDomainName": "{id}.s3.amazonaws.com"},
    "aws:sqs/queue:Queue": {"url": "https://sqs.example/{id}"},
    "aws:lambda/function:Function": {"version": "1"},
    # The SDK calls what lies inside a block optional, whoever fills it in; programs read these.
    "aws:eks/cluster:Cluster": {
        "endpoint": "https://{id}.eks.example",
        "certificateAuthority": {"data": _DATA},
        "certificateAuthorities": [{"data": _DATA}],
        "vpcConfig": {"clusterSecurityGroupId": "sg-{id}", "vpcId": f"vpc-{MARK}eks"},
        "identities": [{"oidcs": [{"issuer": "https://oidc.example/{id}"}]}],
    },
    # Endpoint is host and port; clients split it.
    "aws:rds/instance:Instance": {
        "address": "{id}.rds.example",
        "endpoint": "{id}.rds.example:5432",
        "masterUserSecrets": [{"secretArn": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:{id}"}],
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": {"primaryEndpointAddress": "{id}.cache.example"},
    "aws:ec2/eip:Eip": {"publicIp": "192.0.2.1", "allocationId": "{id}"},
    # Looked up by these where the program gives no name of its own.
    "aws:iam/role:Role": {"uniqueId": "AROA{id}"},
    # What a controller inside the cluster writes; the provider waits for it.
    "kubernetes:core/v1:Service": {"spec": {"clusterIP": "192.0.2.10"}},
}
_FORMATS: Final[tuple[tuple[str, str], ...]] = (
    # The last words of an output's name -> its format; the first that fits.
    ("arn", "{arn}"),
    ("selfLink|selfLinkWithId", "https://www.googleapis.com/{service}/v1/{id}"),
    ("provisioningState", "Succeeded"),
    (
        "timestamp|createdAt|creationTime|createTime|createdTime|createdDate|updatedAt|updateTime",
        "2026-01-01T00:00:00Z",
    ),
    ("region|location", "{region}"),
    ("project", "simulated-project"),
    ("ownerId|accountId|registryId", ACCOUNT),
    ("azureApiVersion", "2026-01-01"),
    ("zone|availabilityZone", "{region}a"),
    ("url|uri|issuer", "https://{host}"),
    ("endpoint|address|fqdn|dnsName|domainName|domain|hostname|host|dns|server", "{host}"),
    ("cidrBlock|cidr|ipv4Cidr", "192.0.2.0/24"),
    ("ipv6Address|ipv6", "2001:db8::1"),
    ("ip|ipAddress|publicIp|privateIp|natIp|ipv4Address", "192.0.2.{octet}"),
    ("status|state", "ACTIVE"),
    ("certificate|ca|data|certificateAuthority|key|token|secret|password", _DATA),
    ("version|versionId|etag|fingerprint|hash|sha256", "{digest}"),
)
_COMPILED: Final = tuple((re.compile(rf"(?:^|.*[a-z0-9])(?:{p})s?$", re.IGNORECASE), f) for p, f in _FORMATS)


@dataclass(frozen=True, slots=True)
class Made:
    """The resource whose outputs are made up."""

    token: str
    name: str
    """The last part of its URN."""
    id: str
    """Empty in a preview."""
    region: str = ""

    def text(self, path: str) -> str:
        """Return a text for the output at `path`, in the format that its name stands for."""
        last = path.rsplit(".", 1)[-1]
        digest = hashlib.sha256(f"{self.id}#{path}".encode()).hexdigest()[:12]
        service = self.token.split(":")[1].split("/")[0] if self.token.count(":") == 2 else "sim"
        region = self.region or _DEFAULT_REGION
        values = {
            "id": self.id, "digest": digest, "service": service, "region": region,
            "octet": 1 + int(digest[:2], 16) % 254,
            "host": f"{self.id}.{service}.example",
            "arn": self._arn(service, region),
        }  # fmt: skip
        if last in ("name", "id"):
            return self.id
        for pattern, format_ in _COMPILED:
            if pattern.fullmatch(last):
                return format_.format(**values)
        prefix = EC2_IDS.get(last) or EC2_IDS.get(f"{last}s")
        if prefix and self.token.startswith("aws:"):
            return f"{prefix}{MARK}{digest}"
        if last.endswith(("Id", "Ids")):
            return f"sim-{digest}"
        return f"{last}-{digest}"

    def _arn(self, service: str, region: str) -> str:
        kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", self.token.rsplit(":", 1)[-1]).lower()
        parts = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
        partition = next((name for start, name in parts.items() if region.startswith(start)), "aws")
        form = next((form for start, form in _ARNS.items() if self.token.startswith(start)), _ARNS["aws:"])
        return form.format(
            partition=partition, service=service, region=region, account=ACCOUNT, kind=kind, id=self.id
        )  # fmt: skip


def new_id(token: str, digest: str) -> str:
    """Return an id in the form that the API gives one, marked as made here."""
    return f"{_PREFIXES.get(token, 'sim-')}{MARK}{digest[:14]}"


def outputs_of(made: Made, inputs: Mapping[str, Any], schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a resource's outputs; in a preview what the cloud adds is unknown.

    Args:
        made: the resource.
        inputs: wire values, secrets in their wrappers, which they keep.
        schema: what sdk_types read of the type; None leaves the inputs and the rows.
    """
    outputs = {key: value for key, value in inputs.items() if value is not None}
    identity = outputs.get("identity")
    if made.token.startswith("azure-native:") and isinstance(identity, Mapping):
        # Given as a list of ids, told as an object of them.
        # Source: pulumi/pulumi-azure-native provider/pkg/gen/properties.go, isStringSet, read 2026-11
        ids = identity.get("userAssignedIdentities")
        if isinstance(ids, list):
            told = {one: {} for one in ids} if all(isinstance(one, str) for one in ids) else UNKNOWN
            outputs["identity"] = {**identity, "userAssignedIdentities": told}
    _fill(outputs, ROWS.get(made.token, {}), made.id)
    for key, (type_, always) in (schema or {}).get("outputs", {}).items():
        if always and key not in outputs and not made.token.startswith("kubernetes:"):
            settable = key in schema["inputs"]
            outputs[key] = _added(made, inputs, key, type_, schema["types"], settable) if made.id else UNKNOWN
    if made.token.startswith("kubernetes:"):
        _add_to_object(made, outputs)
    return outputs


def _added(
    made: Made, inputs: Mapping[str, Any], key: str, type_: Any, types: Mapping[str, Any], settable: bool
) -> Any:
    if key in ("tagsAll", "effectiveLabels", "pulumiLabels"):
        return inputs.get("tags" if key == "tagsAll" else "labels") or {}
    if key in ("name", "bucket", "identifier") and type_ == "str":
        return made.id
    return _value(made, key, type_, types, settable, OUTPUT_DEPTH)


def _value(made: Made, path: str, type_: Any, types: Mapping[str, Any], settable: bool, depth: int) -> Any:
    if isinstance(type_, str):
        match type_:
            case "bool":
                return False
            case "int" | "float":
                return 5432 if path.lower().endswith("port") else 1
            case "any":
                return {}
        return made.text(path)
    kind, inner = type_
    match kind:
        case "enum" | "open":
            return inner[0] if inner else made.text(path)
        case "union":
            return _value(made, path, inner[0], types, settable, depth)
        case "map":
            return {}
        case "list":
            # What a program may set and did not is empty; what only the cloud sets has one element to read.
            return [] if settable or not depth else [_value(made, path, inner, types, settable, depth)]
    if not depth:
        return {}
    properties = types.get(inner, {})
    return {
        key: _value(made, f"{path}.{key}", below, types, settable, depth - 1) for key, (below, _) in properties.items()
    }


def _fill(outputs: dict[str, Any], added: Mapping[str, Any], id_: str) -> None:
    for key, value in added.items():
        given = outputs.get(key)
        if isinstance(given, dict) and isinstance(value, Mapping):
            outputs[key] = dict(given)
            _fill(outputs[key], value, id_)
        elif given is None:
            outputs[key] = json.loads(json.dumps(value).replace("{id}", id_)) if id_ else UNKNOWN


def _add_to_object(made: Made, outputs: dict[str, Any]) -> None:
    """Name a Kubernetes object that has no name, and say what a load balancer's controller says."""
    # Source: pulumi/pulumi-kubernetes provider/pkg/metadata/naming.go (AssignNameIfAutonamable), read 2026-11.
    metadata = outputs.get("metadata")
    if isinstance(metadata, dict) and not {"name", "generateName"} & set(metadata):
        outputs["metadata"] = {**metadata, "name": f"{made.name}-{made.id[-8:]}" if made.id else UNKNOWN}
    spec = reveal(outputs.get("spec"))
    if made.id and isinstance(spec, dict) and spec.get("type") == "LoadBalancer":
        outputs["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.20", "hostname": f"{made.id}.example"}]}}


def is_settled(value: Any) -> bool:
    """Say whether a value holds nothing unknown."""
    if isinstance(value, Mapping):
        return all(is_settled(item) for item in value.values())
    if isinstance(value, list):
        return all(is_settled(item) for item in value)
    return not is_unknown(value)
