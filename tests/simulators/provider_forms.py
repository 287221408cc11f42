"""Refuses texts whose form is known by the name of their property, where no model of an API states it.

Ranges of addresses, ARNs, ids of EC2, zones, tags, policies in JSON, a minimum above its maximum. A value that is not
known yet, or empty, is not judged.
"""

# Source: hashicorp/terraform-provider-aws internal/verify/validate.go at 02f97af8 (ValidARNCheck,
# ValidateIPv4CIDRBlock, ValidIAMPolicyJSON); hashicorp/terraform-provider-google google/verify/validation.go at
# 0937ec5b (ValidateIpCidrRange); botocore's endpoints.json; Amazon ECS API Reference, Tag; AWS IAM User Guide, IAM JSON
# policy elements, read 2026-11.

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.simulators.provider_check import Failure, is_unknown, not_one_of, reveal, step

_RANGE: Final = re.compile(
    r".*(cidr|cidrs|cidrblocks?|cidripv[46]|ipcidrrange)|sourceranges|destinationranges|addressprefix(es)?",
    re.IGNORECASE,
)
_NETWORKS_ONLY: Final = ("aws:ec2/", "aws:vpc/")
"""Where an address inside a network does not stand for the network."""
_ARN: Final = re.compile(
    r"arn:aws(-[a-z]+)*:[^:]*:(\*|[a-z]{2}(-[a-z]+)+-\d)?:(aws|aws-managed|third-party|\d{12}|cw.{10}|\*)?:.+",
    re.DOTALL,
)
EC2_IDS: Final[Mapping[str, str]] = {
    "vpcId": "vpc-", "subnetId": "subnet-", "subnetIds": "subnet-", "securityGroupIds": "sg-",
    "vpcSecurityGroupIds": "sg-", "routeTableId": "rtb-", "natGatewayId": "nat-", "internetGatewayId": "igw-",
    "networkInterfaceId": "eni-", "allocationId": "eipalloc-", "vpcEndpointId": "vpce-",
}  # fmt: skip
"""Property -> how an id of EC2 begins that stands there."""
_ZONES: Final = ("availabilityZone", "availabilityZones")
_TAG_KEY: Final = 128
_TAG_VALUE: Final = 256
_POLICY_MODULES: Final = ("iam", "kms", "s3", "secretsmanager", "sns", "sqs")
"""Whose property `policy` is a policy document."""
_DOCUMENTS: Final = ("assumeRolePolicy", "containerDefinitions", "dashboardBody", "eventPattern", "redrivePolicy")
_STATEMENT: Final = (
    "Action", "Condition", "Effect", "NotAction", "NotPrincipal", "NotResource", "Principal", "Resource", "Sid"
)  # fmt: skip


def form_failures(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what is refused of a resource's inputs by the names of its properties."""
    return list(_walk(reveal(inputs), token, "", ""))


def _walk(value: Any, token: str, name: str, path: str) -> Iterator[Failure]:
    if isinstance(value, Mapping):
        yield from _bounds(value, path)
        if token.startswith("aws:") and name == "tags":
            yield from _tags(value, path)
        for key, item in value.items():
            if not key.startswith("__"):
                yield from _walk(item, token, key, step(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, token, name, f"{path}[{index}]")
    elif isinstance(value, str) and value and not is_unknown(value):
        yield from (Failure(path, reason) for reason in _text(token, name, value))


def _text(token: str, name: str, value: str) -> Iterator[str]:
    package = token.split(":")[0]
    if _RANGE.fullmatch(name):
        yield from _range(token, value)
    if package != "aws":
        return
    if name.endswith(("Arn", "Arns")) and not _ARN.fullmatch(value):
        yield f"{value!r} is not an ARN: arn:partition:service:region:account:resource"
    if name in EC2_IDS and not re.fullmatch(rf"{EC2_IDS[name]}[0-9a-z]+", value):
        yield f"{value!r} is not such an id: it begins with '{EC2_IDS[name]}'"
    if name in _ZONES and regions() and not _zone().fullmatch(value):
        yield f"{value!r} is not a zone of a region: " + not_one_of(value[:-1], regions()).partition(": ")[2]
    if name in _DOCUMENTS or (name == "policy" and token.split(":")[1].split("/")[0] in _POLICY_MODULES):
        yield from _document(name, value)


def _range(token: str, value: str) -> Iterator[str]:
    package = token.split(":")[0]
    if package == "azure-native" and not re.match(r"\d.*/", value):
        # A service tag, or everything.
        return
    if package == "gcp" and (re.fullmatch(r"/\d{1,3}", value) or "/" not in value):
        # A length alone, for a range that Google chooses; an address alone.
        return
    try:
        if "/" not in value:
            raise ValueError("it has no length")
        ipaddress.ip_network(value, strict=token.startswith(_NETWORKS_ONLY))
    except ValueError as exc:
        yield f"{value!r} is not a range of addresses: {exc}"


def _document(name: str, value: str) -> Iterator[str]:
    try:
        found = json.loads(value)
    except ValueError as exc:
        yield f"it is not JSON: {exc}"
        return
    if name not in ("policy", "assumeRolePolicy"):
        return
    if not isinstance(found, dict) or "Statement" not in found:
        yield "it is not a policy: it has no Statement"
        return
    statements = found["Statement"] if isinstance(found["Statement"], list) else [found["Statement"]]
    for one in statements:
        if not isinstance(one, dict):
            yield "a Statement of the policy is not an object"
            continue
        if one.get("Effect") not in ("Allow", "Deny"):
            yield f"Effect {not_one_of(one.get('Effect'), ('Allow', 'Deny'))}"
        yield from (f"Statement: {not_one_of(key, _STATEMENT)}" for key in one if key not in _STATEMENT)


def _tags(tags: Mapping[str, Any], path: str) -> Iterator[Failure]:
    for key, value in tags.items():
        if len(key) > _TAG_KEY or key.lower().startswith("aws:"):
            yield Failure(step(path, key), f"a tag's key has at most {_TAG_KEY} characters and no 'aws:' before it")
        if isinstance(value, str) and len(value) > _TAG_VALUE:
            yield Failure(step(path, key), f"a tag's value has {len(value)} characters: the most is {_TAG_VALUE}")


def _bounds(value: Mapping[str, Any], path: str) -> Iterator[Failure]:
    for key, least in value.items():
        most = value.get(f"max{key[3:]}") if key.startswith("min") and key[3:4].isupper() else None
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            yield Failure(step(path, key), f"{least:g} is more than max{key[3:]}, {most:g}")


@cache
def regions() -> tuple[str, ...]:
    """Return the regions of AWS that botocore knows; none where it is not installed."""
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        return ()
    path = Path(spec.submodule_search_locations[0]) / "data" / "endpoints.json"
    partitions = json.loads(path.read_text(encoding="utf-8"))["partitions"]
    return tuple(sorted(region for partition in partitions for region in partition["regions"]))


@cache
def _zone() -> re.Pattern[str]:
    return re.compile(rf"({'|'.join(regions())})(-[a-z]+-\d+|-wl\d?-[a-z]+-wlz-\d+)?[a-z]")
