"""What botocore's service models say of the values that pulumi-aws passes on.

A resource's properties are laid beside the members of the operation that creates it: `Create<Type>` of the service that
its module is named after, or what tests/simulators/data/botocore_map.csv says. A property stands for the member of the
same name (case, a list's plural and the type's own name before it apart), and so on downwards. Rows of the file name
the others one by one. Where no model states anything, CloudFormation's schema of the type is asked. Two rules are not
in the models, because their fields are plain texts there: the classes of database and cache nodes, which are
`db.` and `cache.` before a type of machine, and the names of buckets.
"""

# Source: botocore's service-2.json files; Amazon S3 User Guide, Directory bucket naming rules (reserved prefixes and
# suffixes; other buckets may have dots); Amazon RDS User Guide, DB Instance Class, read 2026-11.

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.simulators.provider_aws_schemas import schema_constraints
from tests.simulators.provider_check import Failure
from tests.simulators.provider_values import DATA, constraint_of, failures, installed, kept, own_rows, same_name
from tests.simulators.sdk_types import sdk_of

MAP: Final = DATA / "botocore_map.csv"
ROWS: Final = DATA / "replacements_aws.csv"
_FORMAT: Final = 2
_BUCKET: Final = {
    "pattern": (
        r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(\.\.|-s3alias$|--ol-s3$))(?!\d+\.\d+\.\d+\.\d+$)"
        r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    ),
    "from": "the naming rules of S3",
}
_NODE_CLASSES: Final = {
    ("aws:rds/instance:Instance", "instanceClass"): "db.",
    ("aws:rds/clusterInstance:ClusterInstance", "instanceClass"): "db.",
    ("aws:elasticache/cluster:Cluster", "nodeType"): "cache.",
    ("aws:elasticache/replicationGroup:ReplicationGroup", "nodeType"): "cache.",
}
_NOT_IN_EC2: Final = ("db.serverless", "db.x2g.")
"""Classes without a machine of that type: capacity without machines, and a family that only databases have."""
_NUMBERS: Final = ("integer", "long", "double", "float")
_LEAVES: Final[Mapping[str, tuple[str, ...]]] = {
    "str": ("string",), "open": ("string",), "enum": ("string",), "int": _NUMBERS, "float": _NUMBERS,
    "bool": ("boolean",),
}  # fmt: skip
"""A property's type -> the types of fields that it can stand for."""
Api = Mapping[str, Any]


@cache
def rows() -> tuple[dict[str, str], ...]:
    """Return the rows of the map."""
    lines = [line for line in MAP.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return tuple(csv.DictReader(lines))


@cache
def service(name: str) -> Api | None:
    """Return the newest model of a service, or None where there is none or botocore is not installed."""
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "data" / name
    for path in sorted(folder.glob("*/service-2.json*"), reverse=True):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found: Api = json.loads(text)
        return found
    return None


def aws_failures(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what the models refuse of a resource's inputs."""
    return failures(inputs, {**aws_constraints(token), **own_rows().get(token, {})})


def aws_constraints(token: str) -> dict[str, dict[str, Any]]:
    """Return what the models state for a type: path -> constraint."""
    sdk = sdk_of("aws")
    if sdk is None or not installed("botocore"):
        return {}
    key = f"{_FORMAT} {sdk.version} {installed('botocore')} {MAP.read_text(encoding='utf-8')}"
    key += f" {installed('cfn-lint')} {ROWS.read_text(encoding='utf-8')}"
    return kept("aws-values", token, key, lambda: _stated(token))


def _stated(token: str) -> dict[str, dict[str, Any]]:
    sdk = sdk_of("aws")
    schema = sdk.resource(token) if sdk else None
    found = {path: constraint for path, constraint in mapped(token).items() if constraint}
    refused = {row["property"] for row in rows() if row["token"] == token and row["property"] and not row["shape"]}
    others = schema_constraints(token, schema) if schema and installed("cfn-lint") else {}
    return {path: one for path, one in others.items() if path not in refused} | found


def mapped(token: str) -> dict[str, dict[str, Any]]:
    """Return each path of a type that has a field in a model, with what it states, which may be nothing."""
    sdk = sdk_of("aws")
    schema = sdk.resource(token) if sdk else None
    if schema is None:
        return {}
    found = {}
    name, shape = _operation(token)
    api = service(name)
    if api is not None and shape:
        owner = token.rsplit(":", 1)[-1]
        found = dict(_members(schema["inputs"], schema["types"], api, shape, name, "", 6, owner))
    for row in rows():
        if row["token"] == token and row["property"]:
            found.pop(row["property"], None)
            api = service(row["service"])
            stated = api["shapes"].get(row["shape"]) if api else None
            if stated is not None:
                found[row["property"]] = constraint_of(stated, f"botocore {row['service']} {row['shape']}")
    if token in ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"):
        found["bucket"] = dict(_BUCKET)
    for (owner, path), prefix in _NODE_CLASSES.items():
        if owner == token:
            found[path] = _node_classes(prefix)
    return found


def _operation(token: str) -> tuple[str, str]:
    """Return the service and the shape whose members a type's properties are, empty where there is none."""
    module, name = token.split(":")[1].split("/")[0], token.split(":")[2]
    for row in rows():
        if row["token"] == token and not row["property"]:
            return row["service"], _input_of(row["service"], row["shape"])
    owner = next((row["service"] for row in rows() if row["token"] == f"aws:{module}/"), module)
    return owner, next((shape for verb in ("Create", "Put") if (shape := _input_of(owner, verb + name))), "")


def _input_of(name: str, wanted: str) -> str:
    api = service(name)
    if api is None:
        return ""
    operations = {key.lower(): value for key, value in api["operations"].items()}
    operation = operations.get(wanted.lower())
    return (
        str(operation["input"]["shape"]) if operation and "input" in operation else wanted * (wanted in api["shapes"])
    )


def _members(
    properties: Mapping[str, Any],
    types: Mapping[str, Any],
    api: Api,
    shape: str,
    name: str,
    path: str,
    depth: int,
    owner: str = "",
) -> Iterator[tuple[str, dict[str, Any]]]:
    members = api["shapes"][shape].get("members", {})
    for key, (type_, _) in properties.items():
        is_list = isinstance(type_, list) and type_[0] == "list"
        member = same_name(key, members, is_list=is_list, owner=owner)
        if member is not None and depth:
            place = f"{path}.{key}" if path else key
            yield from _value(type_, types, api, members[member]["shape"], name, place, depth)


def _value(
    type_: Any, types: Mapping[str, Any], api: Api, shape: str, name: str, path: str, depth: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    stated = api["shapes"][shape]
    kind, inner = type_ if isinstance(type_, list) else (type_, None)
    if kind == "list" and stated["type"] == "list":
        yield from _value(inner, types, api, stated["member"]["shape"], name, f"{path}[]", depth)
    elif kind == "map" and stated["type"] == "map":
        yield from _value(inner, types, api, stated["value"]["shape"], name, f"{path}{{}}", depth)
    elif kind == "ref" and stated["type"] == "structure":
        yield from _members(types.get(inner, {}), types, api, shape, name, path, depth - 1)
    elif kind == "list" and stated["type"] == "structure" and inner and inner[0] == "ref":
        yield from _members(types.get(inner[1], {}), types, api, shape, name, f"{path}[]", depth - 1)
    elif stated["type"] in _LEAVES.get(kind, ()):
        yield path, constraint_of(stated, f"botocore {name} {shape}")


def _node_classes(prefix: str) -> dict[str, Any]:
    ec2 = service("ec2")
    types = ec2["shapes"]["InstanceType"]["enum"] if ec2 else []
    if not types:
        return {}
    machines = "|".join(sorted(one.replace(".", r"\.") for one in types))
    others = "|".join(one.removeprefix("db.").replace(".", r"\.") for one in _NOT_IN_EC2) if prefix == "db." else ""
    named = f"(?:{machines})(?:\\.[a-z0-9.]+)?" + (f"|(?:{others}).*" if others else "")
    return {"pattern": f"{prefix[:-1]}\\.(?:{named})", "from": f"{prefix} before a type of machine of botocore ec2"}
