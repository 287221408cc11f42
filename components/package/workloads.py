"""What stands in a cluster beside tiers and stores: namespaces, priorities, operators, the cluster's own facts."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from components.base import SkerryComponent
from components.kubernetes import operator, tenancy
from components.package.cluster import Cluster, cluster_of
from components.package.remote import Remote
from skerry.facts import EndpointFact, Tier


class Flow(TypedDict):
    """A connection that is allowed between two namespaces."""

    source: str
    """The namespace that calls."""
    destination: str
    """The namespace that answers."""
    ports: Sequence[int]
    """TCP ports of the pods that answer."""
    why: str
    """What it is for, in a few words."""


class InternetEndpoint(TypedDict):
    """An address on the internet that pods may call."""

    name: str
    """What it is."""
    host: str
    """Host name; rules read it, the network policy opens the port."""
    port: NotRequired[int]
    """TCP port; left out, 443."""
    why: str
    """What it is for, in a few words."""


class TierNamespaceArgs(TypedDict):
    """What a TierNamespace takes."""

    cluster: Cluster
    """Where it is."""
    namespace: str
    """Its name in Kubernetes."""
    tier: Tier
    """The tier that lives there."""
    flows: NotRequired[Sequence[Flow]]
    """All flows of the program; those that begin or end here are opened here. Left out, none."""
    internet: NotRequired[Sequence[InternetEndpoint]]
    """Addresses outside that pods here may call; left out, none."""
    api_clients: NotRequired[Mapping[str, Mapping[str, str]]]
    """Role -> labels of the pods here that call the Kubernetes API; no other may. Left out, none."""
    managed: NotRequired[bool]
    """Whether pods here may call the managed services of the cluster; left out, true."""
    keeps_data: NotRequired[bool]
    """Whether volumes lie in it; then it is protected and retained. Left out, false."""
    gpus: NotRequired[int]
    """The most GPUs that its pods may take together; left out, none."""


class TierNamespace(Remote):
    """The namespace of one tier, closed but for the flows that are named."""

    namespace: pulumi.Output[str]
    """Its name in Kubernetes, known once it is there."""

    def __init__(self, name: str, args: TierNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: TierNamespaceArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the namespace."""
        clients = args.get("api_clients", {})
        return tenancy.TierNamespace(
            name,
            cluster_of(args["cluster"]),
            namespace=args["namespace"],
            tier=args["tier"],
            flows=[
                tenancy.Flow(one["source"], one["destination"], tuple(one["ports"]), one["why"])
                for one in args.get("flows", ())
            ],
            internet=[_endpoint(one) for one in args.get("internet", ())],
            api_clients={role: {"matchLabels": dict(labels)} if labels else {} for role, labels in clients.items()},
            managed=args.get("managed", True),
            keeps_data=args.get("keeps_data", False),
            gpus=args.get("gpus", 0),
            opts=opts,
        )


class PriorityClassesArgs(TypedDict):
    """What PriorityClasses take."""

    cluster: Cluster
    """Where they are."""


class PriorityClasses(Remote):
    """Says who gives way when machines are short; every workload of this package names one, so make them once."""

    def __init__(self, name: str, args: PriorityClassesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: PriorityClassesArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the classes."""
        return tenancy.PriorityClasses(name, cluster_of(args["cluster"]), opts)


class OperatorArgs(TypedDict):
    """What an Operator takes."""

    cluster: Cluster
    """Where it runs."""
    chart: str
    """The row in images/charts.yaml, for example `cloudnative-pg`."""
    namespace: str
    """Where the release lives; it must exist."""
    values: NotRequired[Mapping[str, pulumi.Input[Any]]]
    """The chart's values, with every image already mapped to the site; left out, its own."""
    why: str
    """What needs the operator."""
    tier: NotRequired[Tier]
    """The tier that it is counted to; left out, the platform."""
    webhook_port: NotRequired[int]
    """Where the API server calls it; opened in the namespace. Left out, nowhere."""


class Operator(Remote):
    """Installs a pinned chart; its inputs declare all that it will run, since no chart is rendered at preview."""

    release_name: pulumi.Output[str]
    """The Helm release."""

    def __init__(self, name: str, args: OperatorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: OperatorArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Install the chart."""
        return operator.Operator(
            name,
            cluster_of(args["cluster"]),
            chart=args["chart"],
            namespace=args["namespace"],
            values=args.get("values", {}),
            why=args["why"],
            tier=args.get("tier", Tier.PLATFORM),
            webhook_port=args.get("webhook_port"),
            opts=opts,
        )


def _endpoint(args: InternetEndpoint) -> EndpointFact:
    return EndpointFact(
        name=args["name"],
        host=args["host"],
        port=args.get("port", 443),
        protocol="https",
        direction="egress",
        scope="internet",
        why=args["why"],
    )
