"""Google Cloud's types: what they cost by a book of round numbers, and lines that say so where it has no row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cost import gcp
from cost.book_format import COLUMNS, SCHEMA
from cost.handlers import HANDLERS
from cost.pricebook import PriceBook, read_book
from skerry.facts import NodesFact, ScalingFact
from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import TODAY, priced, shown
from tests.simulators.policy_graphs import Builder

ROWS = """
us-central1,gke-cluster,hour,0.1,on-demand
us-central1,c2d-highcpu-32,hour,1,on-demand
us-central1,c2d-highcpu-32,hour,0.3,spot
us-central1,pd-balanced,GB-month,0.1,on-demand
us-central1,cloud-sql:db-custom-2-15360,hour,0.2,on-demand
us-central1,cloud-sql-pd-ssd,GB-month,0.2,on-demand
us-central1,memorystore-redis:STANDARD_HA,hour,0.02,on-demand
us-central1,kms-key-version,key-month,1,on-demand
us-central1,cloud-nat,hour,0.05,on-demand
us-central1,cloud-nat-data,GB,0.04,on-demand
us-central1,gcs-standard,GB-month,0.02,on-demand
us-central1,gcs-operations-a,request,0.000005,on-demand
us-central1,gcs-operations-b,request,0.0000004,on-demand
us-central1,transfer-internet-out,GB,0.1,on-demand
us-central1,transfer-between-zones,GB,0.01,on-demand
us-central1,dns-zone,month,0.2,on-demand
"""

CLUSTER, POOL, SQL, REDIS = (
    "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool",
    "gcp:sql/databaseInstance:DatabaseInstance", "gcp:redis/instance:Instance",
)  # fmt: skip
NODE = {"machineType": "c2d-highcpu-32", "diskType": "pd-balanced", "diskSizeGb": 100}
TOTALS = {"totalMinNodeCount": 4, "totalMaxNodeCount": 128}


def book(rows: str = ROWS) -> PriceBook:
    lines = [f"gcp,{row},a price page,2026-10-01" for row in rows.strip().splitlines()]
    return read_book({"small.csv": "\n".join([f"# {SCHEMA}", ",".join(COLUMNS), *lines, ""])})


def on_gcp() -> Builder:
    builder = Builder()
    builder.deployment({"kind": "gcp", "region": "us-central1", "jurisdiction": "US"})
    return builder


def costs(
    kind: str, inputs: Mapping[str, Any], usage: Mapping[str, Any] | None = None, rows: str = ROWS
) -> dict[str, str]:
    builder = on_gcp()
    builder.add(kind, "it", inputs)
    return {line.component.name: shown(line) for line in priced(builder, usage, book=book(rows), today=TODAY).lines}


PRICED: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "a control plane": (CLUSTER, {"removeDefaultNodePool": True}, {"control plane": "73"}),
    "a default pool of one zone": (
        CLUSTER,
        {"initialNodeCount": 3, "location": "us-central1-a", "nodeConfig": NODE},
        {
            "control plane": "73",
            "default pool: machines c2d-highcpu-32": "2190",
            "default pool: root disks pd-balanced": "30",
        },
    ),
    "a default pool of two zones": (
        CLUSTER,
        {"initialNodeCount": 1, "location": "us-central1", "nodeLocations": ["a", "b"], "nodeConfig": NODE},
        {
            "control plane": "73",
            "default pool: machines c2d-highcpu-32": "1460",
            "default pool: root disks pd-balanced": "20",
        },
    ),
    "a pool that grows over all zones": (
        POOL,
        {"autoscaling": TOTALS, "nodeConfig": NODE},
        {"machines c2d-highcpu-32": "2920/2920/93440", "root disks pd-balanced": "40/40/1280"},
    ),
    "a pool whose bounds are of each zone": (
        POOL,
        {"autoscaling": {"minNodeCount": 1, "maxNodeCount": 2}, "nodeLocations": ["a", "b", "c"], "nodeConfig": NODE},
        {"machines c2d-highcpu-32": "2190/2190/4380", "root disks pd-balanced": "30/30/60"},
    ),
    "a pool of a fixed number in each zone": (
        POOL,
        {"nodeCount": 1, "nodeLocations": ["a", "b"], "nodeConfig": NODE},
        {"machines c2d-highcpu-32": "1460", "root disks pd-balanced": "20"},
    ),
    "spot machines": (
        POOL,
        {"autoscaling": TOTALS, "nodeConfig": {**NODE, "spot": True}},
        {"machines c2d-highcpu-32 spot": "876/876/28032", "root disks pd-balanced": "40/40/1280"},
    ),
    "a database with a standby": (
        SQL,
        {"settings": {"tier": "db-custom-2-15360", "availabilityType": "REGIONAL", "diskSize": 50}},
        {"machine db-custom-2-15360": "292", "storage PD_SSD": "20"},
    ),
    "a database of one zone": (
        SQL,
        {"settings": {"tier": "db-custom-2-15360", "diskSize": 50}},
        {"machine db-custom-2-15360": "146", "storage PD_SSD": "10"},
    ),
    "a cache with two replicas": (
        REDIS,
        {"tier": "STANDARD_HA", "memorySizeGb": 5, "replicaCount": 2},
        {"memory STANDARD_HA": "219"},
    ),
    "a cache that says nothing of replicas": (
        REDIS, {"tier": "STANDARD_HA", "memorySizeGb": 5}, {"memory STANDARD_HA": "146"}
    ),
    "a zone of names": ("gcp:dns/managedZone:ManagedZone", {}, {"zone of names": "0.2"}),
}  # fmt: skip


@pytest.mark.parametrize("case", PRICED)
def test_a_type_costs_what_the_book_says(case: str) -> None:
    kind, inputs, expected = PRICED[case]
    assert expected == costs(kind, inputs)


METERED = {
    "gcp:storage/bucket:Bucket": {"gb_stored", "write_requests", "read_requests"},
    "gcp:kms/cryptoKey:CryptoKey": {"key_requests"},
    "gcp:compute/routerNat:RouterNat": {"gb_processed", "gb_out"},
    "gcp:compute/network:Network": {"gb_between_zones"},
}


@pytest.mark.parametrize("kind", METERED)
def test_what_depends_on_usage_is_unknown_without_it(kind: str) -> None:
    found = costs(kind, {}).values()
    asked = {text.split("usage not given: ")[1].split(";")[0] for text in found if "usage not given" in text}
    assert METERED[kind] == asked


def test_usage_is_priced_where_it_is_given() -> None:
    usage = {"it": {"gb_stored": 1000, "write_requests": 1000000, "read_requests": 1000000}}
    found = costs("gcp:storage/bucket:Bucket", {"storageClass": "STANDARD"}, usage)
    assert found == {"storage standard": "20", "operations of class A": "5", "operations of class B": "0.4"}


UNTOLD: dict[str, tuple[str, dict[str, Any]]] = {
    "a default pool of zones that nobody names": (CLUSTER, {"initialNodeCount": 3, "location": "us-central1"}),
    "a default pool of a size that nobody names": (CLUSTER, {"location": "us-central1-a"}),
    "a default pool that may be taken away": (CLUSTER, {"initialNodeCount": 3, "removeDefaultNodePool": UNKNOWN}),
    "the pods of Autopilot": (CLUSTER, {"enableAutopilot": True}),
    "pools that a cluster lists": (CLUSTER, {"nodePools": [{"name": "a", "nodeCount": 3}]}),
    "a pool whose size is not known": (POOL, {"autoscaling": UNKNOWN, "nodeConfig": NODE}),
    "a pool of zones that nobody names": (POOL, {"nodeCount": 2, "nodeConfig": NODE}),
    "a pool whose bounds are of zones that nobody names": (
        POOL, {"autoscaling": {"minNodeCount": 1, "maxNodeCount": 2}, "nodeConfig": NODE}
    ),
    "a machine without a row": (POOL, {"autoscaling": TOTALS, "nodeConfig": {**NODE, "machineType": "z9-huge"}}),
    "a database without a tier": (SQL, {"settings": {}}),
    "a cache without a size": (REDIS, {"tier": "STANDARD_HA"}),
}  # fmt: skip


@pytest.mark.parametrize("case", UNTOLD)
def test_what_cannot_be_told_is_no_number(case: str) -> None:
    kind, inputs = UNTOLD[case]
    assert [text for text in costs(kind, inputs).values() if not text.replace("/", "").replace(".", "").isdigit()]


@pytest.mark.parametrize("kind", sorted(kind for kind in HANDLERS if kind.startswith("gcp:")))
def test_without_a_row_of_the_book_no_type_is_free(kind: str) -> None:
    inputs = {
        "autoscaling": TOTALS, "nodeConfig": NODE, "settings": {"tier": "db-custom-2-15360"}, "tier": "BASIC",
        "memorySizeGb": 1, "removeDefaultNodePool": True, "template": {"containers": [{}]},
        "scaling": {"manualInstanceCount": 1}, "match": {"destFqdns": ["example.com"]},
    }  # fmt: skip
    found = costs(kind, inputs, rows="us-central1,acme,hour,1,on-demand")
    assert found
    assert [text for text in found.values() if "the price book has no price" not in text and "usage" not in text] == []


def test_what_is_typical_is_what_the_component_says() -> None:
    builder = on_gcp()
    nodes = NodesFact(vcpu=32, memory_gib=64, instance_type="c2d-highcpu-32", purchase="on-demand", priced_here=False)
    around = builder.component(
        "pool", nodes=nodes, scaling=ScalingFact(minimum=4, typical=16, maximum=128, autoscaler="gke")
    )
    builder.add(POOL, "it", {"autoscaling": TOTALS, "nodeConfig": NODE}, parent=around)
    found = {line.component.name: shown(line) for line in priced(builder, book=book()).lines}
    assert found["machines c2d-highcpu-32"] == "2920/11680/93440"


@pytest.mark.parametrize(("kind", "expected"), [("pd-balanced", "10"), (None, "the price book has no price")])
def test_volumes_are_priced_by_the_type_of_their_class(kind: str | None, expected: str) -> None:
    builder = on_gcp()
    parameters = {"type": kind} if kind else {}
    body = {"metadata": {"name": "fast"}, "provisioner": "pd.csi.storage.gke.io", "parameters": parameters}
    builder.add("kubernetes:storage.k8s.io/v1:StorageClass", "class", body)
    claim = {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "100Gi"}}}}
    builder.add("kubernetes:core/v1:PersistentVolumeClaim", "it", claim)
    (line,) = priced(builder, book=book()).lines
    assert shown(line).startswith(expected)
    assert line.component.name == f"volumes {kind or 'pd-standard'}"


def test_the_handlers_ask_for_googles_rows() -> None:
    assert gcp.CLOUD == "gcp"
