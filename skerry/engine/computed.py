"""Provider functions whose answer is a pure function of their arguments, computed as the provider computes it."""

# Source: hashicorp/terraform-provider-aws internal/service/iam policy_document_data_source.go and policy_model.go,
# hashicorp/terraform-provider-google data_source_google_iam_policy.go, read 2026-11.

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

Args = Mapping[str, Any]
Resolve = Callable[[str], Any]

_DEFAULT_VERSION: Final = "2012-10-17"
_OLD_VERSION: Final = "2008-10-17"
_STATEMENT_KEYS: Final = (
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
)  # fmt: skip


_IMAGE_FIELDS: Final = {
    "architecture": "architecture",
    "virtualization-type": "virtualizationType",
    "root-device-type": "rootDeviceType",
}


class UncomputableError(Exception):
    """The arguments are such that the answer cannot be told here, or that the provider would refuse them."""


def policy_document(args: Args, resolve: Resolve) -> dict[str, Any]:
    """Return an IAM policy document: sources merged first, then the statements, then the overrides."""
    del resolve
    if args.get("sourceJson") or args.get("overrideJson"):
        raise UncomputableError("arguments that the provider no longer uses")
    version = str(args.get("version") or _DEFAULT_VERSION)
    document: dict[str, Any] = {"Version": "", "Id": "", "Statement": []}
    sids = set[str]()
    for text in args.get("sourcePolicyDocuments") or ():
        source = _parsed_document(text)
        given = [statement["Sid"] for statement in source["Statement"] if statement.get("Sid")]
        if len(set(given)) < len(given) or sids & set(given):
            raise UncomputableError("a Sid that stands in two source documents")
        sids |= set(given)
        _merge(document, source)
    statements = [_statement(statement, version) for statement in args.get("statements") or ()]
    own = [statement["Sid"] for statement in statements if statement["Sid"]]
    if len(set(own)) < len(own):
        raise UncomputableError("a Sid that stands in two statements")
    _merge(document, {"Version": version, "Id": str(args.get("policyId") or ""), "Statement": statements})
    for text in args.get("overridePolicyDocuments") or ():
        _merge(document, _parsed_document(text))
    shown = _without_empty(document, ("Version", "Id", "Statement"))
    if "Statement" in shown:
        shown["Statement"] = [_without_empty(statement, _STATEMENT_KEYS) for statement in shown["Statement"]]
    text = _go_json(shown, indent=2)
    return {
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": _go_json(shown, indent=None),
        "version": version,
        **(
            {"statements": [{"effect": "Allow", **item} for item in args["statements"]]}
            if args.get("statements")
            else {}
        ),
    }


def _statement(given: Args, version: str) -> dict[str, Any]:
    return {
        "Sid": str(given.get("sid") or ""),
        "Effect": str(given.get("effect") or "Allow"),
        "Action": _one_or_sorted(given.get("actions")),
        "NotAction": _one_or_sorted(given.get("notActions")),
        "Resource": _one_or_sorted(_replaced(given.get("resources"), version)),
        "NotResource": _one_or_sorted(_replaced(given.get("notResources"), version)),
        "Principal": _principals(given.get("principals"), version),
        "NotPrincipal": _principals(given.get("notPrincipals"), version),
        "Condition": _conditions(given.get("conditions"), version),
    }


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UncomputableError("a list of texts was expected")
    return list(value)


def _replaced(value: Any, version: str) -> list[str]:
    texts = _texts(value)
    if version == _OLD_VERSION and any("&{" in text for text in texts):
        raise UncomputableError("the sequence &{ in a document of an old version")
    return [text.replace("&{", "${") for text in texts]


def _one_or_sorted(value: Any) -> Any:
    """Return the members of a set as the provider writes them: a single one bare, more in falling order."""
    texts = sorted(set(_texts(value)), reverse=True)
    return texts[0] if len(texts) == 1 else texts


def _principals(given: Any, version: str) -> Any:
    by_type: dict[str, Any] = {}
    for principal in given or ():
        kind = str(principal["type"])
        if kind in by_type:
            # The order of the two depends on how the provider hashes sets.
            raise UncomputableError("two principals of one type")
        by_type[kind] = _one_or_sorted(_replaced(principal.get("identifiers"), version))
    return "*" if by_type == {"*": "*"} else dict(sorted(by_type.items()))


def _conditions(given: Any, version: str) -> dict[str, Any]:
    tests: dict[str, dict[str, Any]] = {}
    for condition in given or ():
        variables = tests.setdefault(str(condition["test"]), {})
        variable = str(condition["variable"])
        if variable in variables:
            raise UncomputableError("two conditions on one variable")
        values = _replaced(condition.get("values"), version)
        variables[variable] = values[0] if len(values) == 1 else values
    return {test: dict(sorted(variables.items())) for test, variables in sorted(tests.items())}


def _parsed_document(text: Any) -> dict[str, Any]:
    try:
        data = json.loads(text)
        given = {str(key).lower(): value for key, value in data.items()}
        listed = given.get("statement")
        listed = [] if listed is None else listed
        if not isinstance(listed, list):
            raise UncomputableError("a source document whose Statement is no list")
        statements = [_parsed_statement(statement) for statement in listed]
        return {"Version": str(given.get("version") or ""), "Id": str(given.get("id") or ""), "Statement": statements}
    except (ValueError, TypeError, AttributeError, RecursionError) as exc:
        raise UncomputableError("a source document that is no policy") from exc


def _parsed_statement(found: Mapping[str, Any]) -> dict[str, Any]:
    given = {str(key).lower(): value for key, value in found.items()}
    statement = {key: given.get(key.lower()) for key in _STATEMENT_KEYS}
    for key in ("Principal", "NotPrincipal"):
        statement[key] = _parsed_principals(statement[key])
    conditions: dict[str, dict[str, Any]] = {}
    for test, variables in sorted((statement["Condition"] or {}).items()):
        conditions[test] = {}
        for name, value in sorted(variables.items()):
            values = _condition_values(value)
            if values is not None:
                conditions[test][name] = values[0] if len(values) == 1 else values
    statement["Condition"] = {test: found for test, found in conditions.items() if found}
    return statement


def _condition_values(value: Any) -> list[str] | None:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str):
        return [value]
    return _texts(value) if isinstance(value, list) else None


def _parsed_principals(value: Any) -> Any:
    if value is None:
        return {}
    if isinstance(value, str):
        return "*"
    if not isinstance(value, dict):
        raise UncomputableError("a principal that is neither text nor a mapping")
    found: dict[str, Any] = {}
    for kind, names in sorted(value.items()):
        found[kind] = names if isinstance(names, str) else sorted(_texts(names), reverse=True)
    return "*" if found in ({"*": "*"}, {"*": ["*"]}) else found


def _merge(document: dict[str, Any], new: Mapping[str, Any]) -> None:
    document["Id"] = new["Id"] or document["Id"]
    document["Version"] = max(document["Version"], new["Version"])
    for statement in new["Statement"]:
        sid = statement.get("Sid")
        places = [i for i, known in enumerate(document["Statement"]) if sid and known.get("Sid") == sid]
        if places:
            document["Statement"][places[0]] = statement
        else:
            document["Statement"].append(statement)


def _without_empty(value: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value[key] for key in keys if value.get(key) not in (None, "", [], {})}


def _go_json(value: Any, indent: int | None) -> str:
    """Write JSON as Go does, which escapes what could end a script element."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def google_iam_policy(args: Args, resolve: Resolve) -> dict[str, Any]:
    """Return the JSON of a Google IAM policy: members of one role joined, roles and members sorted."""
    del resolve
    if args.get("auditConfigs"):
        raise UncomputableError("audit configurations, whose order depends on how the provider hashes sets")
    members: dict[str, set[str]] = {}
    for binding in args.get("bindings") or ():
        if binding.get("condition"):
            raise UncomputableError("a binding with a condition")
        members.setdefault(str(binding["role"]), set()).update(_texts(binding.get("members")))
    bindings = [{"members": sorted(found), "role": role} for role, found in sorted(members.items())]
    text = _go_json({"bindings": bindings} if bindings else {}, indent=None)
    return {"id": str(zlib.crc32(text.encode())), "policyData": text}


def arn_parts(args: Args, resolve: Resolve) -> dict[str, Any]:
    """Return the parts of an ARN."""
    del resolve
    arn = str(args["arn"])
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise UncomputableError("a text that is no ARN")
    _, partition, service, region, account, resource = parts
    return {
        "id": arn, "arn": arn, "partition": partition, "service": service, "region": region, "account": account,
        "resource": resource,
    }  # fmt: skip


def zone_of_region(args: Args, resolve: Resolve) -> dict[str, Any]:
    """Return one availability zone of AWS, found by its name or its id."""
    names, ids = list(resolve("aws.zone_names")), list(resolve("aws.zone_ids"))
    region, name, zone_id = resolve("aws.region"), args.get("name"), args.get("zoneId")
    pairs = [pair for pair in zip(names, ids, strict=True) if name in (None, pair[0]) and zone_id in (None, pair[1])]
    if len(pairs) != 1:
        raise UncomputableError("no zone, or more than one")
    name, zone_id = pairs[0]
    return {"id": name, "name": name, "zoneId": zone_id, "nameSuffix": name.removeprefix(str(region))}


def stand_in_subnets(args: Args, resolve: Resolve) -> dict[str, Any]:
    """Return the subnets of the stand-in for a default VPC: one in each zone of the region."""
    filters = args.get("filters")
    vpc = str(resolve("aws.default_vpc"))
    if filters != [{"name": "vpc-id", "values": [vpc]}]:
        raise UncomputableError("subnets of a network that nothing here knows")
    return {"ids": [f"subnet-{number:017x}" for number, _ in enumerate(resolve("aws.zone_names"), start=1)]}


def stand_in_image(args: Args, resolve: Resolve) -> dict[str, Any]:
    """Return the fields of a machine image that its filters decide; the rest of the row are stand-ins."""
    del resolve
    found: dict[str, Any] = {}
    for entry in args.get("filters") or ():
        field = _IMAGE_FIELDS.get(str(entry.get("name")))
        wanted = _texts(entry.get("values"))
        if field and len(wanted) == 1 and not any("*" in text for text in wanted):
            found[field] = wanted[0]
    return found


def manifest_objects(args: Args, resolve: Resolve) -> dict[str, Any]:
    """Return the objects of a text of Kubernetes manifests."""
    del resolve
    from skerry.engine.manifests import ManifestError, objects

    if args.get("defaultNamespace"):
        raise UncomputableError("which kinds have a namespace, the cluster says")
    try:
        return {"result": objects(args["text"])}
    except ManifestError as exc:
        raise UncomputableError(str(exc)) from exc


COMPUTED: Final[Mapping[str, Callable[[Args, Resolve], dict[str, Any]]]] = {
    "aws-policy-document": policy_document,
    "aws-arn": arn_parts,
    "aws-zone": zone_of_region,
    "aws-default-subnets": stand_in_subnets,
    "aws-image": stand_in_image,
    "gcp-iam-policy": google_iam_policy,
    "kubernetes-objects": manifest_objects,
}
