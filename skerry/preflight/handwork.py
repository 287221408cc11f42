"""What people do beside the deployment: secrets, licences, images, machines of their own, names, accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from skerry.facts import ComponentFacts, deployments, facts_of
from skerry.graph import Resource, ResourceGraph, find, is_known, plain
from skerry.preflight.document import Mark, Step
from skerry.preflight.host_steps import host_steps
from skerry.preflight.pools import Pool

SECRETS, LICENCES, IMAGES, MACHINES = "secrets", "licences", "images", "machines"
NAMES, ACCOUNTS = "names", "accounts"

_MADE_BY_CNPG: Final = "kubernetes:postgresql.cnpg.io/v1:Cluster"
_SECRET: Final = "kubernetes:core/v1:Secret"
_EXTERNAL: Final = "kubernetes:external-secrets.io/v1:ExternalSecret"
_CERTIFICATE: Final = "kubernetes:cert-manager.io/v1:Certificate"
_OF_GATEWAYS: Final[Mapping[str, set[str]]] = {
    "certificateRefs": {"tls.crt", "tls.key"},
    "caCertificateRefs": {"ca.crt"},
    "crl": {"ca.crl"},
}
"""Where Gateways and their policies name Secrets -> the keys that these must have."""


def hand_steps(graph: ResourceGraph, pools: Iterable[Pool]) -> Iterator[Step]:
    """Yield everything that somebody must do, or that the plan already shows to be done.

    Args:
        graph: the plan.
        pools: its machines.
    """
    yield from _accounts(graph)
    yield from _machines(list(pools))
    yield from host_steps(graph)
    yield from _secrets(graph)
    yield from _licences(graph)
    yield from _images(graph)
    yield from _names(graph)


def _accounts(graph: ResourceGraph) -> Iterator[Step]:
    for provider in graph.resources:
        inputs = plain(provider.inputs)
        match provider.type:
            case "pulumi:providers:aws":
                named, role = inputs.get("allowedAccountIds"), inputs.get("assumeRoles")
                yield _named(provider, "account", named, "target.aws.account_id")
                yield _named(provider, "role that deploys", role, "target.aws.deployment_role")
            case "pulumi:providers:gcp":
                yield _named(provider, "project", inputs.get("project"), "target.gcp.project")
                account = inputs.get("impersonateServiceAccount")
                yield _named(provider, "account that deploys", account, "target.gcp.deployment_account")
            case "pulumi:providers:azure-native":
                yield _named(provider, "subscription", inputs.get("subscriptionId"), "target.azure.subscription_id")
            case _:
                continue


def _named(provider: Resource, what: str, value: object, path: str) -> Step:
    if value:
        return Step(ACCOUNTS, f"the provider {provider.name} names its {what}", Mark.DONE)
    text = f"the provider {provider.name} names no {what}: it is whatever the credentials have (Skerry: {path})"
    return Step(ACCOUNTS, text, Mark.DUE)


def _machines(pools: list[Pool]) -> Iterator[Step]:
    counted = [(pool, pool.counts) for pool in pools]
    for pool, count in counted:
        if count is None or (pool.type is None and pool.cloud != "onprem"):
            what = "how many" if count is None else "of which type"
            yield Step(MACHINES, f"{pool.name}: {what} could not be told", Mark.UNKNOWN)
    known = [(pool, count) for pool, count in counted if count is not None]
    if len(known) > 1:
        low, high = sum(count[0] for _, count in known), sum(count[2] for _, count in known)
        parts = " + ".join(f"{count[0]} {pool.tier or pool.name}" for pool, count in known)
        yield Step(MACHINES, f"{low} machines at the smallest size ({parts}), {high} at the largest", Mark.DONE)
    for pool, count in known:
        if pool.cloud == "onprem":
            gpus = f", {pool.gpus} x {pool.gpu_model} of {pool.gpu_memory_gib:g} GiB" if pool.gpus else ""
            text = f"{count[2]} machines of {pool.vcpu} vCPU{gpus} exist, labelled and tainted for {pool.tier}"
            command = f"kubectl get nodes -l skerry.dev/tier={pool.tier} --no-headers | wc -l"
            yield Step(MACHINES, text, Mark.DUE, command)


def _secrets(graph: ResourceGraph) -> Iterator[Step]:
    """Yield the Secrets that pods name and nothing in the plan makes."""
    wanted: dict[tuple[str, str], set[str]] = {}
    made: set[tuple[str, str]] = set()
    for resource in graph.resources:
        if not resource.type.startswith("kubernetes:"):
            continue
        inputs = plain(resource.inputs)
        metadata = inputs.get("metadata")
        space = _text(metadata.get("namespace")) if isinstance(metadata, Mapping) else ""
        name = _text(metadata.get("name")) if isinstance(metadata, Mapping) else ""
        if resource.type in (_SECRET, _EXTERNAL):
            made.add((space, name))
        if resource.type == _MADE_BY_CNPG:
            made |= {(space, f"{name}-{part}") for part in ("app", "superuser", "ca", "server", "replication")}
        if resource.type == _CERTIFICATE:
            made.add((space, _text(find(inputs, "spec.secretName"))))
        for secret, keys in _named_secrets(inputs):
            wanted.setdefault((space, secret), set()).update(keys)
    for (space, secret), keys in sorted(wanted.items()):
        if (space, secret) not in made:
            of = f" with the keys {', '.join(sorted(keys))}" if keys else ""
            command = f"kubectl -n {space} get secret {secret}"
            yield Step(SECRETS, f"{space}/{secret}{of} exists before pods start", Mark.DUE, command)


def _named_secrets(value: object) -> Iterator[tuple[str, set[str]]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in ("secretKeyRef", "secretRef", "secret") and isinstance(item, Mapping):
                name = _text(item.get("name") or item.get("secretName"))
                if name and item.get("optional") is not True:
                    yield name, {_text(item.get("key"))} - {""} | _keys_of(item.get("items"))
            for row in _rows(item.get("refs") if isinstance(item, Mapping) else item) if key in _OF_GATEWAYS else ():
                if row.get("kind") == "Secret":
                    yield _text(row.get("name")), _OF_GATEWAYS[key]
            yield from _named_secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named_secrets(item)


def _keys_of(items: object) -> set[str]:
    return {_text(row.get("key")) for row in _rows(items)} - {""}


def _rows(items: object) -> list[Mapping[str, Any]]:
    return [row for row in items if isinstance(row, Mapping)] if isinstance(items, list) else []


def _components(graph: ResourceGraph) -> Iterator[tuple[Resource, ComponentFacts]]:
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is not None:
            yield resource, facts


def _licences(graph: ResourceGraph) -> Iterator[Step]:
    accepted = {row.licence: row.accepted_by for _, fact in deployments(graph) for row in fact.accepted_licences}
    asked: dict[str, set[str]] = {}
    for _, facts in _components(graph):
        bearing = [(one.name, one.terms) for one in facts.images] + [(one.name, one.terms) for one in facts.models]
        bearing += [(one.name, one.terms) for one in facts.baselines] + [(one.name, one.terms) for one in facts.charts]
        for name, terms in bearing:
            for licence in terms:
                asked.setdefault(licence, set()).add(name)
    for licence, names in sorted(asked.items()):
        text = f"{licence}, of {', '.join(sorted(names))}"
        if licence in accepted:
            yield Step(LICENCES, f"{text}: accepted by {accepted[licence]}", Mark.DONE)
        else:
            yield Step(LICENCES, f"{text}: read and accepted under `licences` of the stack", Mark.DUE)


def _images(graph: ResourceGraph) -> Iterator[Step]:
    images = {one.reference: one.digest for _, facts in _components(graph) for one in facts.images}
    if not images:
        return
    open_ = sorted(reference for reference, digest in images.items() if digest is None)
    if open_:
        text = f"{len(open_)} of {len(images)} images have no digest: what a tag stands for may change"
        yield Step(IMAGES, text, Mark.DUE, "skerry images lock")
    else:
        yield Step(IMAGES, f"all {len(images)} images have a digest", Mark.DONE)
    models = {one.name: one.revision for _, facts in _components(graph) for one in facts.models}
    for name in sorted(name for name, revision in models.items() if revision is None):
        yield Step(IMAGES, f"the revision of the model {name} is not known", Mark.DUE)


def _names(graph: ResourceGraph) -> Iterator[Step]:
    found: dict[str, str] = {}
    clusters = any(resource.type.startswith("kubernetes:") for resource in graph.resources)
    for _, fact in deployments(graph):
        if fact.target.site_registry:
            found[fact.target.site_registry.split("/", 1)[0]] = "machines pull every image from it"
    for _, facts in _components(graph):
        for one in facts.endpoints:
            if one.scope in ("site", "internet") and one.host and not one.host.replace(".", "").isdigit():
                found[one.host] = one.why
    for host, why in sorted(found.items()):
        command = f"kubectl run dns --rm -it --restart=Never --image=<image> -- nslookup {host.split(':', 1)[0]}"
        if not clusters:
            command = f"nslookup {host.split(':', 1)[0]}"
        where = "inside the cluster" if clusters else "the network of the services"
        yield Step(NAMES, f"{host} resolves from {where} ({why})", Mark.DUE, command)


def _text(value: Any) -> str:
    return value if isinstance(value, str) and is_known(value) else ""
