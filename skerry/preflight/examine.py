"""The whole of a preflight: every part asked once, and the checklist that follows from what each of them said."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.config.sides import has_machines
from skerry.config.spec import DeploymentSpec
from skerry.facts import deployments
from skerry.graph import ResourceGraph
from skerry.preflight.addresses import ranges_of
from skerry.preflight.choice import Sold, choices_of
from skerry.preflight.document import AddressRange, Choice, Fit, Mark, Preflight, Quota, Step
from skerry.preflight.handwork import hand_steps
from skerry.preflight.permissions import Rights, rights_of
from skerry.preflight.pools import pools_of
from skerry.preflight.quotas import quotas_of
from skerry.preflight.versions import version_steps

QUOTAS, ADDRESSES, RIGHTS, CHOICE = "quotas", "addresses", "rights", "machines"
NO_CONFIGURATION = "what was asked stands in a stack's configuration, which only --stack of Skerry's own program reads"


def examine(
    graph: ResourceGraph, spec: DeploymentSpec | None, *, sold: Sold, deployed: ResourceGraph | None = None
) -> Preflight:
    """Return what must be so before a plan is deployed.

    Args:
        graph: the plan.
        spec: the deployment that it was made from; None where only the graph is there.
        sold: what is known of the region's machines.
        deployed: what stands already, from its state; None where nobody gave it.

    Raises:
        CatalogError: the catalogue has no type that fits a pool.
    """
    pools = pools_of(graph)
    quotas, ranges = quotas_of(graph, pools), ranges_of(graph, pools)
    choices = choices_of(spec, sold) if spec is not None else ()
    own = bool(pools) and all(pool.cloud == "onprem" for pool in pools)
    region = _region(graph)
    steps = [
        *(_quota_step(one, region) for one in quotas),
        *(_range_step(one) for one in ranges),
        *(_silence(graph, own, ranges) if spec is None or has_machines(spec) else ()),
        *version_steps(graph, deployed),
        *_rights(rights_of(graph)),
        *hand_steps(graph, pools),
        *(_choice_step(one, spec) for one in choices),
    ]
    order = {mark: index for index, mark in enumerate((Mark.PROBLEM, Mark.UNKNOWN, Mark.DUE, Mark.DONE))}
    return Preflight(
        stacks=graph.stacks,
        clouds=tuple(sorted({pool.cloud for pool in pools if pool.cloud})),
        region=region,
        quotas=quotas,
        ranges=ranges,
        choices=choices,
        choices_unknown=NO_CONFIGURATION if spec is None else None,
        steps=tuple(sorted(steps, key=lambda step: order[step.mark])),
    )


def _region(graph: ResourceGraph) -> str:
    """Return where a plan stands: what its deployment says, else what its configuration says of providers."""
    said = [fact.target.region for _, fact in deployments(graph)]
    said += [value for places in graph.places.values() for key, value in places.items() if key.endswith(":region")]
    return next((region for region in said if region), "")


def _quota_step(quota: Quota, region: str) -> Step:
    most = quota.amounts.upgrading
    need = f"{'at least ' if quota.at_least else ''}{amount(most)} {quota.unit}"
    where = f" in {region}" if region else ""
    text = f"{quota.name}{where}: {need}"
    if quota.exceeds_default is False:
        return Step(QUOTAS, f"{text}; a new account has {amount(quota.default or 0)}", Mark.DONE)
    known = "a default that no source says" if quota.default is None else f"{amount(quota.default)} in a new account"
    return Step(QUOTAS, f"{text}, {known}", Mark.DUE, _ask(quota, region))


def _ask(quota: Quota, region: str) -> str | None:
    """Return the command that shows what the account has."""
    match quota.cloud:
        case "aws" if quota.code:
            return (
                f"aws service-quotas get-service-quota --service-code {quota.service} --quota-code {quota.code}"
                f" --region {region or '<region>'} --query Quota.Value"
            )
        case "gcp" if quota.code and quota.code.endswith("ALL_REGIONS"):
            return "gcloud compute project-info describe --flatten quotas --format 'csv(quotas.metric,quotas.limit)'"
        case "gcp":
            return f"gcloud compute regions describe {region or '<region>'} --flatten quotas"
        case "azure":
            return f"az vm list-usage --location {region or '<region>'} --output table"
        case _:
            return None


def _range_step(one: AddressRange) -> Step:
    text = f"{one.name}{f' ({one.range})' if one.range else ''}"
    match one.fit:
        case Fit.UNKNOWN:
            return Step(ADDRESSES, f"{text}: {one.arithmetic}", Mark.UNKNOWN)
        case Fit.TOO_SMALL:
            text = f"{text}: {one.has:,} addresses, {one.needs:,} are needed: {one.arithmetic}"
            return Step(ADDRESSES, text, Mark.PROBLEM if one.planned else Mark.DUE)
        case Fit.TIGHT:
            text = f"{text}: {one.needs:,} of {one.has:,}, and {one.at_most:,} if every machine were full of pods"
            return Step(ADDRESSES, text, Mark.DUE)
        case Fit.FITS:
            return Step(ADDRESSES, f"{text}: {one.needs:,} of {one.has:,}", Mark.DONE)


def _silence(graph: ResourceGraph, own: bool, ranges: tuple[AddressRange, ...]) -> Iterator[Step]:
    """Yield what nothing here can tell: the network of a cluster that somebody else made."""
    if ranges or not graph.resources:
        return
    what = "the site's network, which this plan does not make" if own else "no network in this plan"
    text = f"{what}: each machine needs an address, and a range of pods of its own as the CNI cuts it"
    command = "kubectl get nodes -o custom-columns=NAME:.metadata.name,PODS:.spec.podCIDR"
    yield Step(ADDRESSES, text, Mark.UNKNOWN, command)


def _rights(rights: Rights) -> Iterator[Step]:
    if rights.policies:
        number = sum(len(_listed(one["Action"])) for document in rights.policies for one in document["Statement"])
        text = f"whoever deploys has {number} actions, in {len(rights.policies)} policies"
        yield Step(RIGHTS, text, Mark.DUE, "skerry preflight --permissions ...")
    if rights.roles:
        yield Step(RIGHTS, f"whoever deploys has {', '.join(rights.roles)}", Mark.DUE)
    for token in rights.unknown:
        yield Step(RIGHTS, f"no source says what {token} needs", Mark.UNKNOWN)


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _choice_step(one: Choice, spec: DeploymentSpec | None) -> Step:
    text = f"{one.tier}: {one.taken}, {one.total}; {one.sold_there}"
    return Step(CHOICE, text, Mark.DUE, _offer(one.taken, spec))


def _offer(name: str, spec: DeploymentSpec | None) -> str | None:
    region = spec.target.region if spec is not None else "<region>"
    match spec.target.kind.value if spec is not None else "":
        case "aws":
            return (
                f"aws ec2 describe-instance-type-offerings --region {region} --location-type availability-zone"
                f" --filters Name=instance-type,Values={name} --query InstanceTypeOfferings[].Location"
            )
        case "gcp":
            return f"gcloud compute machine-types list --filter 'name={name} AND zone~^{region}' --format 'value(zone)'"
        case "azure":
            return f"az vm list-skus --location {region} --size {name} --all --output table"
        case _:
            return None


def amount(number: float) -> str:
    """Return a number as reports write it: whole ones without a point, others with one digit rounded up."""
    if number == int(number):
        return f"{int(number):,}"
    return f"{-(-number * 10 // 1) / 10:,.1f}"
