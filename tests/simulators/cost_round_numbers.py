"""Small graphs and a small price book, with round numbers that can be checked in the head."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from cost.book_format import COLUMNS, SCHEMA
from cost.context import Context, context_of
from cost.estimate import Estimate, Line, estimate
from cost.pricebook import PriceBook, read_book
from cost.rates import Rates, parse_rates
from cost.usage import Usage, parse_usage
from skerry.facts import NodesFact, ScalingFact, StorageFact, Tier
from tests.simulators.policy_graphs import Builder

TODAY = date(2026, 11, 21)

ROWS = """
us-east-1,m6i.large,hour,0.1,on-demand
us-east-1,m6i.large,hour,0.04,spot
us-east-1,c6i.8xlarge,hour,1,on-demand
us-east-1,p4d.24xlarge,hour,20,on-demand
eu-central-1,m6i.large,hour,0.2,on-demand
*,eks-cluster,hour,0.1,on-demand
*,eks-extended-support-surcharge,hour,0.5,on-demand
*,public-ipv4,hour,0.005,on-demand
us-east-1,nat-gateway,hour,0.05,on-demand
us-east-1,nat-gateway-data,GB,0.04,on-demand
us-east-1,transfer-internet-out,GB,0.09,on-demand
us-east-1,vpc-endpoint-interface,hour,0.01,on-demand
us-east-1,vpc-endpoint-interface-data,GB,0.01,on-demand
us-east-1,alb,hour,0.02,on-demand
us-east-1,alb-lcu,LCU-hour,0.008,on-demand
us-east-1,nlb,hour,0.03,on-demand
us-east-1,ebs-gp3,GB-month,0.08,on-demand
us-east-1,ebs-gp3-iops,IOPS-month,0.005,on-demand
us-east-1,ebs-gp3-throughput,MiBps-month,0.04,on-demand
us-east-1,ebs-io2,GB-month,0.125,on-demand
us-east-1,ebs-io2-iops,IOPS-month,0.065,on-demand
us-east-1,rds-postgres:db.r6g.large,hour,0.2,on-demand
us-east-1,rds-gp3,GB-month,0.1,on-demand
us-east-1,rds-gp2,GB-month,0.11,on-demand
us-east-1,rds-aurora-postgresql:db.r6g.large,hour,0.3,on-demand
us-east-1,docdb:db.t3.medium,hour,0.08,on-demand
us-east-1,docdb-storage,GB-month,0.1,on-demand
us-east-1,elasticache-valkey:cache.r6g.large,hour,0.15,on-demand
us-east-1,elasticache-redis:cache.r6g.large,hour,0.2,on-demand
us-east-1,s3-standard,GB-month,0.02,on-demand
us-east-1,s3-requests-write,request,0.000005,on-demand
us-east-1,s3-requests-read,request,0.0000004,on-demand
us-east-1,kms-key,key-month,1,on-demand
us-east-1,kms-requests,request,0.000003,on-demand
us-east-1,logs-ingestion,GB,0.5,on-demand
us-east-1,logs-storage,GB-month,0.03,on-demand
us-east-1,sqs-requests,request,0.0000004,on-demand
us-east-1,fargate-vcpu,hour,0.04,on-demand
us-east-1,fargate-memory,hour,0.004,on-demand
us-east-1,fargate-storage,hour,0.0001,on-demand
us-east-1,lambda-requests,request,0.0000002,on-demand
us-east-1,lambda-duration,GB-second,0.00002,on-demand
us-east-1,lambda-provisioned,GB-second,0.000005,on-demand
us-east-1,waf-acl,month,5,on-demand
us-east-1,waf-rule,month,1,on-demand
us-east-1,route53-health-check,month,0.5,on-demand
us-east-1,route53-health-feature,month,1,on-demand
us-east-1,route53-zone,month,0.5,on-demand
us-east-1,transit-gateway-attachment,hour,0.05,on-demand
us-east-1,transit-gateway-data,GB,0.02,on-demand
"""


def small_book(read_on: str = "2026-10-01") -> PriceBook:
    rows = [f"aws,{row},a price page,{read_on}" for row in ROWS.strip().splitlines()]
    return read_book({"small.csv": "\n".join([f"# {SCHEMA}", ",".join(COLUMNS), *rows, ""])})


def priced(
    builder: Builder,
    usage: Mapping[str, Any] | None = None,
    rates: Mapping[str, Any] | None = None,
    *,
    book: PriceBook | None = None,
    today: date = TODAY,
) -> Estimate:
    """Price what a builder holds."""
    return estimate(builder.graph(), book or small_book(), _usage(usage), _rates(rates), today=today)


def context(builder: Builder, usage: Mapping[str, Any] | None = None) -> Context:
    """Return the context of what a builder holds."""
    return context_of(builder.graph(), small_book(), TODAY, _usage(usage), _rates(None))


def _usage(given: Mapping[str, Any] | None) -> Usage:
    return parse_usage({"resources": dict(given or {})}, "usage")


def _rates(given: Mapping[str, Any] | None) -> Rates:
    return parse_rates(dict(given or {}), "rates")


def rows(found: Estimate) -> dict[str, str]:
    """Return `component` -> minimum/typical/maximum in USD, or the reason why there is none."""
    return {line.component.name: shown(line) for line in found.lines}


def shown(line: Line) -> str:
    monthly = line.component.monthly
    if monthly is None:
        return f"{line.component.unknown}"
    sizes = [f"{size.normalize():f}" for size in (monthly.minimum, monthly.typical, monthly.maximum)]
    return sizes[0] if len(set(sizes)) == 1 else "/".join(sizes)


def on_aws(**target: Any) -> Builder:
    """Return a builder with a deployment in us-east-1."""
    builder = Builder()
    builder.deployment(target={"region": "us-east-1", **target})
    return builder


def site() -> Builder:
    """Return an air-gapped site with a pool of GPUs, a pool of CPUs and a store."""
    builder = Builder("site")
    root = builder.deployment(target={"kind": "onprem", "connected": False, "region": "", "jurisdiction": "DE"})
    gpu = NodesFact(
        vcpu=96,
        memory_gib=1152,
        gpu_model="A100",
        gpus=8,
        gpu_memory_gib=40,
        purchase="existing",
        priced_here=True,
        comparable_instance="aws:us-east-1:p4d.24xlarge",
    )
    cpu = NodesFact(vcpu=32, memory_gib=64, purchase="existing", priced_here=True)
    pools = (
        ("gpus", Tier.COGNITIVE, gpu, ScalingFact(minimum=2, typical=2, maximum=8)),
        ("cpus", Tier.EXECUTION, cpu, ScalingFact(minimum=4, typical=16, maximum=128, autoscaler="ray")),
    )
    for name, tier, nodes, scaling in pools:
        builder.component(name, root, "NodePool", tier=tier, role="node-pool", nodes=nodes, scaling=scaling)
    volume = StorageFact(kind="volume", gib=100, copies=3, storage_class="local")
    builder.component("vectors", root, "VectorStore", tier=Tier.META, role="vector-store", storage=(volume,))
    return builder
