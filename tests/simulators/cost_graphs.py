"""Small graphs for tests of the cost room: resources made by hand, priced by a book made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cost.book_format import COLUMNS, SCHEMA
from cost.pricebook import PriceBook, read_book
from skerry.facts import (
    ComponentFacts,
    DeploymentFact,
    NodesFact,
    ScalingFact,
    TargetFact,
    Tier,
)
from skerry.graph import STACK_TYPE, Resource, ResourceGraph

STACK = "acme"
ROWS = (
    ("us-east-1", "m6i.large", "hour", "0.096", "on-demand"),
    ("us-east-1", "m6i.large", "hour", "0.04", "spot"),
    ("us-east-1", "m6i.xlarge", "hour", "0.192", "on-demand"),
    ("us-east-1", "ebs-gp3", "GB-month", "0.08", "on-demand"),
    ("us-east-1", "ebs-gp2", "GB-month", "0.10", "on-demand"),
    ("us-east-1", "ebs-gp3-iops", "IOPS-month", "0.005", "on-demand"),
    ("us-east-1", "ebs-gp3-throughput", "MiBps-month", "0.04", "on-demand"),
    ("us-east-1", "ec2-detailed-monitoring", "month", "2.10", "on-demand"),
    ("us-east-1", "eks-cluster", "hour", "0.10", "on-demand"),
    ("us-east-1", "eks-extended-support-surcharge", "hour", "0.50", "on-demand"),
    ("us-east-1", "rds-postgres:db.r6g.large", "hour", "0.225", "on-demand"),
    ("us-east-1", "rds-gp3", "GB-month", "0.115", "on-demand"),
    ("us-east-1", "rds-backup", "GB-month", "0.095", "on-demand"),
    ("us-east-1", "secretsmanager-secret", "month", "0.40", "on-demand"),
    ("us-east-1", "elasticache-valkey:cache.r6g.large", "hour", "0.1648", "on-demand"),
    ("us-east-1", "s3-standard", "GB-month", "0.023", "on-demand"),
    ("us-east-1", "s3-requests-write", "request", "0.000005", "on-demand"),
    ("us-east-1", "s3-requests-read", "request", "0.0000004", "on-demand"),
    ("us-east-1", "nat-gateway", "hour", "0.045", "on-demand"),
    ("us-east-1", "nat-gateway-data", "GB", "0.045", "on-demand"),
    ("us-east-1", "transfer-internet-out", "GB", "0.09", "on-demand"),
    ("us-east-1", "vpc-endpoint-interface", "hour", "0.01", "on-demand"),
    ("us-east-1", "vpc-endpoint-interface-data", "GB", "0.01", "on-demand"),
    ("us-east-1", "public-ipv4", "hour", "0.005", "on-demand"),
    ("us-east-1", "kms-key", "key-month", "1", "on-demand"),
    ("us-east-1", "kms-requests", "request", "0.000003", "on-demand"),
    ("us-east-1", "logs-ingestion", "GB", "0.5", "on-demand"),
    ("us-east-1", "logs-storage", "GB-month", "0.03", "on-demand"),
    ("eu-west-1", "m6i.large", "hour", "0.107", "on-demand"),
)
"""Region, SKU, unit, USD, term."""


def book(read_on: str = "2026-07-20") -> PriceBook:
    """Return a book of `ROWS`."""
    lines = [f"aws,{region},{sku},{unit},{usd},{term},a page,{read_on}" for region, sku, unit, usd, term in ROWS]
    return read_book({"book.csv": "\n".join((f"# {SCHEMA}", ",".join(COLUMNS), *lines)) + "\n"})


def urn(kind: str, name: str) -> str:
    """Return the URN of a resource of the stack."""
    return f"urn:pulumi:{STACK}::acme::{kind}::{name}"


STACK_URN = urn(STACK_TYPE, f"acme-{STACK}")


def graph(*resources: Resource) -> ResourceGraph:
    """Return a graph of one stack with these resources."""
    stack = Resource(urn=STACK_URN, type=STACK_TYPE, name=f"acme-{STACK}", custom=False)
    return ResourceGraph(project="acme", stacks=(STACK,), resources=(stack, *resources), producer="engine")


def custom(
    kind: str,
    name: str,
    inputs: Mapping[str, Any] | None = None,
    *,
    parent: Resource | None = None,
    depends: Mapping[str, Sequence[Resource]] | None = None,
    provider: Resource | None = None,
    external: bool = False,
) -> Resource:
    """Return a resource that a provider makes."""
    return Resource(
        urn=urn(kind, name),
        type=kind,
        name=name,
        custom=True,
        parent=parent.urn if parent else STACK_URN,
        provider=f"{provider.urn}::id" if provider else "",
        inputs=inputs or {},
        property_dependencies={key: tuple(one.urn for one in found) for key, found in (depends or {}).items()},
        external=external,
    )


def component(kind: str, name: str, facts: ComponentFacts, *, parent: Resource | None = None) -> Resource:
    """Return a Skerry component with its facts."""
    token = f"skerry:index:{kind}"
    return Resource(
        urn=urn(token, name),
        type=token,
        name=name,
        custom=False,
        parent=parent.urn if parent else STACK_URN,
        inputs=facts.to_inputs(),
    )


def deployment(kind: str = "aws", region: str = "us-east-1") -> Resource:
    """Return the root of a deployment."""
    target = TargetFact(kind=kind, connected=kind != "onprem", region=region, jurisdiction="US")
    fact = DeploymentFact(
        system="acme", mode="saas", production=False, residency_profile="none", boundaries=(), target=target,
        state_backend="file:///srv", state_jurisdiction="US", secrets_provider="passphrase",
        secrets_jurisdiction="US",
    )  # fmt: skip
    return component("Acme", "acme", ComponentFacts(deployment=fact))


def pool(
    name: str,
    *,
    tier: Tier = Tier.EXECUTION,
    purchase: str = "existing",
    instance_type: str | None = None,
    comparable: str | None = None,
    priced_here: bool = True,
    autoscaler: str | None = None,
    sizes: tuple[int, int, int] = (2, 3, 8),
    parent: Resource | None = None,
) -> Resource:
    """Return a component that states machines."""
    nodes = NodesFact(
        vcpu=2, memory_gib=8, instance_type=instance_type, purchase=purchase, priced_here=priced_here,
        comparable_instance=comparable,
    )  # fmt: skip
    scaling = ScalingFact(minimum=sizes[0], typical=sizes[1], maximum=sizes[2], autoscaler=autoscaler)
    return component("NodePool", name, ComponentFacts(tier=tier, nodes=nodes, scaling=scaling), parent=parent)
