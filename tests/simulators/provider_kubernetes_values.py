"""Refuses what a Kubernetes API server refuses of an object whose fields have the right names and types.

data/kubernetes_values.csv says which rule holds for which field: the enums and the quantities as the types of
k8s.io/api mark them, the rest as the server's validation code has it. What is judged here needs nothing but the object
itself: enums, quantities, names, labels, ports, base64, schedules, selectors, and what one part of a pod says of
another.
"""

# Source: k8s.io/api v0.34.1, k8s.io/apimachinery v0.34.1 pkg/util/validation/validation.go and
# pkg/api/resource/quantity.go, k8s.io/kubernetes v1.34.0 pkg/apis/*/validation/validation.go, read 2026-11.

from __future__ import annotations

import base64
import binascii
import csv
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from tests.simulators.provider_check import UNKNOWN, Failure, is_unknown, not_one_of, reveal, step
from tests.simulators.provider_values import DATA

TABLE: Final = DATA / "kubernetes_values.csv"
_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN: Final = rf"(?=.{{1,253}}$){_LABEL.replace('{0,61}', '*')}(\.{_LABEL.replace('{0,61}', '*')})*"
_LABEL_1035: Final = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
_PATH_SEGMENT: Final = r"(?!\.{1,2}$)[^/%]+"
_QUALIFIED: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY: Final = rf"((?=[^/]{{1,253}}/){_LABEL.replace('{0,61}', '*')}(\.{_LABEL.replace('{0,61}', '*')})*/)?{_QUALIFIED}"
_LABEL_VALUE: Final = rf"({_QUALIFIED})?"
_QUANTITY: Final = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:(?P<unit>[KMGTPE]i|[numkMGTPE]?)|(?P<exponent>[eE][+-]?\d+))"
)
_UNITS: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_PORT_NAME: Final = r"(?=.*[a-z])(?!.*--)(?!-)(?!.*-$)[-a-z0-9]{1,15}"
_VARIABLE: Final = r"[ -<>-~]+"
_DATA_KEY: Final = r"(?!\.{1,2}$)(?!\.\.)[-._a-zA-Z0-9]{1,253}"
_SCHEDULE: Final = (
    r"@(?:yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)|[\d*?/,A-Za-z-]+(?: +[\d*?/,A-Za-z-]+){4}"
)
_NAMES: Final = {
    "core/v1:Namespace": _LABEL, "core/v1:Service": _LABEL_1035, "apps/v1:StatefulSet": _LABEL,
}  # fmt: skip
"""Kinds whose name is more than a DNS subdomain; those of rbac.authorization.k8s.io are less."""
_CLAIMS: Final = "__claims"
"""Under which a pod carries the names of its stateful set's claims while it is judged."""
Rule = Callable[[Any, str, str], Iterator[Failure]]


@cache
def rows() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return the table: type -> property, empty for the whole -> rule and values."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            found.setdefault(line["type"], {})[line["property"]] = line["rule"], line["values"]
    return found


def kubernetes_failures(token: str, inputs: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Failure]:
    """Return what an API server refuses of an object whose types are right; unknown values are not judged."""
    inputs = reveal(inputs)
    _, module, kind = token.split(":")
    whole = not kind.endswith("Patch")
    found = list(_object(inputs, schema["inputs"], schema["types"], f"{_folder(module)}:{kind}", "", whole))
    return found + list(_named(inputs, f"{_folder(module)}:{kind.removesuffix('Patch')}"))


def _folder(module: str) -> str:
    """Return the SDK's folder of an API group: `networking.k8s.io/v1` -> `networking/v1`."""
    group, _, version = module.partition("/")
    return f"{group.split('.')[0]}/{version}"


def _type(reference: str) -> str:
    file, name = reference.rsplit(":", 1)
    return f"{file.rsplit('/', 1)[0]}:{re.sub('(Patch)?(Args)?$', '', name)}"


def _object(
    value: Mapping[str, Any],
    properties: Mapping[str, Any],
    types: Mapping[str, Any],
    type_: str,
    path: str,
    whole: bool,
) -> Iterator[Failure]:
    known = rows().get(type_, {})
    if type_ == "apps/v1:StatefulSetSpec":
        value = _with_claims(value)
    for key, item in value.items():
        if item is None or is_unknown(item) or key not in properties:
            continue
        below = step(path, key)
        if key in known:
            rule, values = known[key]
            yield from _RULES[rule](item, values, below)
        yield from _below(item, properties[key][0], types, below, whole)
    if whole and "" in known:
        yield from _RULES[known[""][0]](value, "", path)


def _below(item: Any, type_: Any, types: Mapping[str, Any], path: str, whole: bool) -> Iterator[Failure]:
    if not isinstance(type_, list):
        return
    kind, inner = type_
    if kind == "ref" and isinstance(item, Mapping):
        yield from _object(item, types.get(inner, {}), types, _type(inner), path, whole)
    elif kind == "list" and isinstance(item, list):
        for index, one in enumerate(item):
            yield from _below(one, inner, types, f"{path}[{index}]", whole)
    elif kind == "map" and isinstance(item, Mapping):
        for key, one in item.items():
            yield from _below(one, inner, types, step(path, key), whole)


def _named(inputs: Mapping[str, Any], type_: str) -> Iterator[Failure]:
    metadata = inputs.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if isinstance(name, str) and not is_unknown(name):
        group = type_.split("/")[0]
        pattern = _PATH_SEGMENT if group == "rbac" else _NAMES.get(type_, _SUBDOMAIN)
        if type_ != "networking/v1:IPAddress":
            yield from _text(pattern, "a name that the API server takes")(name, "", "metadata.name")


# The rules, each (value, values of its row, path) -> failures.


def _each(value: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Yield a value, or the elements of a list, as far as they are known."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _each(item, f"{path}[{index}]")
    elif value is not None and not is_unknown(value):
        yield value, path


def _text(pattern: str, told: str) -> Rule:
    compiled = re.compile(pattern)

    def rule(value: Any, values: str, path: str) -> Iterator[Failure]:
        for one, place in _each(value, path):
            if isinstance(one, str) and one and not compiled.fullmatch(one):
                yield Failure(place, f"{one!r} is not {told}")

    return rule


def _enum(value: Any, values: str, path: str) -> Iterator[Failure]:
    for one, place in _each(value, path):
        if one != "" and one not in values.split():
            yield Failure(place, not_one_of(one, values.split()))


def amount(value: Any) -> Decimal | None:
    """Return the number that a Kubernetes quantity stands for, or None for what is none."""
    found = _QUANTITY.fullmatch(str(value))
    if found is None:
        return None
    unit, text = found["unit"] or "", str(value)
    if unit.endswith("i"):
        return Decimal(text[:-2]) * Decimal(1024) ** ("KMGTPE".index(unit[0]) + 1)
    return Decimal(text) if found["exponent"] else Decimal(text.removesuffix(unit)).scaleb(_UNITS[unit])


def _quantity(value: Any, values: str, path: str) -> Iterator[Failure]:
    for one, place in _each(value, path):
        if amount(one) is None:
            yield Failure(
                place, f"{one!r} is not a quantity: a number, and then m, k, M, G, T, Ki, Mi, Gi, Ti or nothing"
            )


def _over(rule: Rule) -> Rule:
    """Return the rule for each value of a map."""

    def over(value: Any, values: str, path: str) -> Iterator[Failure]:
        for key, item in value.items() if isinstance(value, Mapping) else ():
            yield from rule(item, values, step(path, key))

    return over


def _keys(pattern: str, told: str) -> Rule:
    compiled = re.compile(pattern)

    def rule(value: Any, values: str, path: str) -> Iterator[Failure]:
        for key in value if isinstance(value, Mapping) else ():
            if not key.startswith("__") and not compiled.fullmatch(key):
                yield Failure(step(path, key), f"{key!r} is not {told}")

    return rule


def _both(*rules: Rule) -> Rule:
    def both(value: Any, values: str, path: str) -> Iterator[Failure]:
        for rule in rules:
            yield from rule(value, values, path)

    return both


def _number(lowest: int, highest: int, told: str, or_text: Rule | None = None) -> Rule:
    def rule(value: Any, values: str, path: str) -> Iterator[Failure]:
        if isinstance(value, str):
            yield from or_text(value, values, path) if or_text else ()
        elif isinstance(value, int | float) and not lowest <= value <= highest:
            yield Failure(path, f"{value:g} is not {told}")

    return rule


def _base64(value: Any, values: str, path: str) -> Iterator[Failure]:
    for one, place in _each(value, path):
        try:
            base64.b64decode(re.sub(r"[\r\n]", "", str(one)), validate=True)
        except (binascii.Error, ValueError):
            yield Failure(place, "its value is not base64: stringData takes plain text")


def _network(value: Any, values: str, path: str) -> Iterator[Failure]:
    for one, place in _each(value, path):
        try:
            if "/" not in str(one):
                raise ValueError
            ipaddress.ip_network(str(one).strip(), strict=False)
        except ValueError:
            yield Failure(place, f"{one!r} is not a range of addresses such as 10.0.0.0/16")


def _toleration(value: Any, values: str, path: str) -> Iterator[Failure]:
    if not value.get("key") and value.get("operator") != "Exists" and not is_unknown(value.get("operator")):
        yield Failure(step(path, "operator"), "without a key it must be 'Exists'")
    if value.get("operator") == "Exists" and value.get("value"):
        yield Failure(step(path, "value"), "it must be empty where the operator is 'Exists'")


def _requests(value: Any, values: str, path: str) -> Iterator[Failure]:
    limits, requests = value.get("limits"), value.get("requests")
    for name, wanted in requests.items() if isinstance(requests, Mapping) and isinstance(limits, Mapping) else ():
        most, asked = limits.get(name), amount(wanted)
        limit = amount(most) if most is not None else None
        if asked is not None and limit is not None and asked > limit:
            yield Failure(step(step(path, "requests"), name), f"{wanted} is more than the limit, {most}")


def _selector(value: Any, values: str, path: str) -> Iterator[Failure]:
    selector, template = value.get("selector"), value.get("template")
    if not isinstance(selector, Mapping) or not isinstance(template, Mapping):
        return
    metadata = template.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None if is_unknown(metadata) else {}
    wanted = selector.get("matchLabels")
    for key, one in wanted.items() if isinstance(wanted, Mapping) else ():
        if is_unknown(labels) or is_unknown(metadata) or is_unknown(one):
            continue
        if not is_unknown((labels or {}).get(key)) and (labels or {}).get(key) != one:
            where = step(step(step(path, "template"), "metadata"), "labels")
            yield Failure(where, f"the selector wants {key}={one}, which the template's labels do not say")


def _pod(value: Any, values: str, path: str) -> Iterator[Failure]:
    """Hold a pod's containers against each other and against its volumes."""
    seen: set[str] = set()
    for group in ("initContainers", "containers"):
        for index, one in enumerate(value.get(group) or ()) if isinstance(value.get(group), list) else ():
            if not isinstance(one, Mapping):
                continue
            place = f"{step(path, group)}[{index}]"
            name = one.get("name")
            if isinstance(name, str) and not is_unknown(name):
                if name in seen:
                    yield Failure(f"{place}.name", f"another container is named {name!r}")
                seen.add(name)
            if not one.get("image"):
                yield Failure(f"{place}.image", "it must be given")
            yield from _mounts(one, value, place)


def _with_claims(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a stateful set's spec whose pod knows its claims, which are volumes that it does not name itself."""
    template, claims = value.get("template"), value.get("volumeClaimTemplates") or []
    pod = template.get("spec") if isinstance(template, Mapping) else None
    if not isinstance(template, Mapping) or not isinstance(pod, Mapping):
        return value
    names: list[Any] = [UNKNOWN]
    if isinstance(claims, list) and all(isinstance(one, Mapping) for one in claims):
        metadata = [one.get("metadata") for one in claims]
        names = [one.get("name") if isinstance(one, Mapping) else UNKNOWN for one in metadata]
    return {**value, "template": {**template, "spec": {**pod, _CLAIMS: names}}}


def _mounts(container: Mapping[str, Any], pod: Mapping[str, Any], place: str) -> Iterator[Failure]:
    mounts, volumes = container.get("volumeMounts"), pod.get("volumes") or []
    if not isinstance(mounts, list) or not isinstance(volumes, list) or any(map(is_unknown, volumes)):
        return
    named = [one.get("name") for one in volumes if isinstance(one, Mapping)] + pod.get(_CLAIMS, [])
    if any(map(is_unknown, named)):
        return
    for index, one in enumerate(mounts):
        name = one.get("name") if isinstance(one, Mapping) else None
        if isinstance(name, str) and not is_unknown(name) and name not in named:
            told = ", ".join(repr(each) for each in named) or "none"
            yield Failure(f"{place}.volumeMounts[{index}].name", f"the pod has no volume {name!r}: it has {told}")


_NAME_RULE: Final = _text(_LABEL, "a DNS label: at most 63 of a-z, 0-9 and '-'")
_PORT_RULE: Final = _number(1, 65535, "a port, 1 to 65535")
_LABEL_KEYS: Final = _keys(
    _KEY, "a key of a label: [prefix/]name, the name at most 63 of letters, digits, '-', '_', '.'"
)
_DATA_KEYS: Final = _keys(_DATA_KEY, "a key of data: at most 253 of letters, digits, '-', '_', '.'")
_RULES: Final[Mapping[str, Rule]] = {
    "enum": _enum,
    "quantity": _quantity,
    "quantities": _over(_quantity),
    "label": _NAME_RULE,
    "labels": _both(_LABEL_KEYS, _over(_text(_LABEL_VALUE, "a label: at most 63 of letters, digits, '-', '_', '.'"))),
    "keys": _LABEL_KEYS,
    "data-keys": _DATA_KEYS,
    "base64": _both(_DATA_KEYS, _over(_base64)),
    "port": _PORT_RULE,
    "port-name": _text(_PORT_NAME, "a port's name: at most 15 of a-z, 0-9 and '-'"),
    "port-or-name": _number(1, 65535, "a port, 1 to 65535", _text(_PORT_NAME, "a port's name")),
    "not-negative": _number(0, 2**63 - 1, "zero or more"),
    "percentage": _number(0, 2**31 - 1, "zero or more", _text("[0-9]+%", "a number or a percentage such as 25%")),
    "variable": _text(_VARIABLE, "a variable's name: printable ASCII without '='"),
    "cidr": _network,
    "cron": _text(_SCHEDULE, "a schedule: five fields, or @hourly, @daily and so on"),
    "toleration": _toleration,
    "requests": _requests,
    "selector": _selector,
    "pod": _pod,
}
