"""Azure's types: what they cost by a book of round numbers, and lines that say so where it has no row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cost import azure
from cost.book_format import COLUMNS, SCHEMA
from cost.handlers import FREE, HANDLERS
from cost.pricebook import PriceBook, read_book
from skerry.facts import NodesFact, ScalingFact
from tests.simulators.azure_stacks import MANAGED_POSTGRES, azure_base
from tests.simulators.cost_round_numbers import TODAY, priced, shown
from tests.simulators.policy_graphs import Builder

ROWS = """
eastus,aks-cluster-standard,hour,0.1,on-demand
eastus,Standard_F32s_v2,hour,1,on-demand
eastus,Standard_F32s_v2,hour,0.3,spot
eastus,Premium SSD,GB-month,0.1,on-demand
eastus,postgres:Standard_D2ds_v5,hour,0.2,on-demand
eastus,postgres-storage,GB-month,0.2,on-demand
eastus,managed-redis:Balanced_B5,hour,0.5,on-demand
eastus,private-endpoint,hour,0.01,on-demand
eastus,public-ip,hour,0.01,on-demand
eastus,nat-gateway,hour,0.05,on-demand
eastus,dns-zone,month,0.5,on-demand
eastus,key-vault-key,key-month,1,on-demand
"""
CLUSTER, POOL = "azure-native:containerservice:ManagedCluster", "azure-native:containerservice:AgentPool"
ACCOUNT = "azure-native:storage:StorageAccount"
POSTGRES = "azure-native:dbforpostgresql:Server"
GROWS = {"enableAutoScaling": True, "minCount": 4, "maxCount": 128, "vmSize": "Standard_F32s_v2"}


def book(rows: str = ROWS) -> PriceBook:
    lines = [f"azure,{row},a price page,2026-10-01" for row in rows.strip().splitlines()]
    return read_book({"small.csv": "\n".join([f"# {SCHEMA}", ",".join(COLUMNS), *lines, ""])})


def on_azure() -> Builder:
    builder = Builder()
    builder.deployment({"kind": "azure", "region": "eastus", "jurisdiction": "US"})
    return builder


def costs(kind: str, inputs: Mapping[str, Any], rows: str = ROWS) -> dict[str, str]:
    builder = on_azure()
    builder.add(kind, "it", inputs)
    return {line.component.name: shown(line) for line in priced(builder, None, book=book(rows), today=TODAY).lines}


PRICED: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "a control plane with a pool of its own": (
        CLUSTER,
        {"sku": {"tier": "Standard"},
         "agentPoolProfiles": [{"name": "system", "count": 3, "vmSize": "Standard_F32s_v2"}]},
        {"control plane Standard": "73", "machines Standard_F32s_v2 of pool system": "2190",
         "root disks Premium SSD of pool system": "38.4"},
    ),
    "a pool that grows": (
        POOL, GROWS, {"machines Standard_F32s_v2": "2920/2920/93440", "root disks Premium SSD": "51.2/51.2/1638.4"}
    ),
    "a disk between two sizes costs the larger": (
        POOL,
        {"count": 1, "vmSize": "Standard_F32s_v2", "osDiskSizeGB": 300},
        {"machines Standard_F32s_v2": "730", "root disks Premium SSD": "51.2"},
    ),
    "a disk of the machine itself costs nothing": (
        POOL,
        {"count": 1, "vmSize": "Standard_F32s_v2", "osDiskType": "Ephemeral"},
        {"machines Standard_F32s_v2": "730"},
    ),
    "spot machines": (
        POOL,
        {**GROWS, "scaleSetPriority": "Spot", "osDiskType": "Ephemeral"},
        {"machines Standard_F32s_v2 spot": "876/876/28032"},
    ),
    "Redis": ("azure-native:redisenterprise:RedisEnterprise", {"sku": {"name": "Balanced_B5"}},
              {"instance Balanced_B5": "365"}),
    "an address": ("azure-native:network:PublicIPAddress", {}, {"address": "7.3"}),
    "a zone of names": ("azure-native:privatedns:PrivateZone", {}, {"zone of names": "0.5"}),
}  # fmt: skip


@pytest.mark.parametrize("case", PRICED)
def test_a_type_costs_what_the_book_says(case: str) -> None:
    kind, inputs, expected = PRICED[case]
    assert expected == costs(kind, inputs)


def test_objects_are_priced_by_tier_and_redundancy_and_by_what_is_done_with_them() -> None:
    found = costs(ACCOUNT, {"sku": {"name": "Standard_ZRS"}})
    assert {"storage hot-zrs", "write operations", "read operations"} == set(found)
    assert "usage not given: gb_stored" in found["storage hot-zrs"]
    assert "price of blob-hot-zrs (GB-month)" in found["storage hot-zrs"]
    assert "price of blob-reads-hot-zrs (request)" in found["read operations"]
    cool = costs(ACCOUNT, {"sku": {"name": "Standard_LRS"}, "accessTier": "Cool"})
    assert "storage cool-lrs" in cool


@pytest.mark.parametrize(
    ("mode", "machine", "storage"), [("ZoneRedundant", "292", "25.6"), ("Disabled", "146", "12.8")]
)
def test_a_standby_is_paid_like_the_primary(mode: str, machine: str, storage: str) -> None:
    inputs = {
        "sku": {"name": "Standard_D2ds_v5"}, "storage": {"storageSizeGB": 64}, "highAvailability": {"mode": mode},
    }  # fmt: skip
    found = costs(POSTGRES, inputs)
    assert (found["machine Standard_D2ds_v5"], found["storage"]) == (machine, storage)
    assert "usage not given: gb_backed_up" in found["backups"]


def test_what_is_typical_comes_from_the_component() -> None:
    builder = on_azure()
    nodes = NodesFact(vcpu=32, memory_gib=64, instance_type="Standard_F32s_v2", purchase="on-demand", priced_here=False)
    scaling = ScalingFact(minimum=4, typical=16, maximum=128, autoscaler="aks")
    builder.add(POOL, "it", GROWS, parent=builder.component("pool", nodes=nodes, scaling=scaling))
    found = {line.component.name: shown(line) for line in priced(builder, None, book=book(), today=TODAY).lines}
    assert found["machines Standard_F32s_v2"] == "2920/11680/93440"


def test_without_a_row_a_line_is_unknown_and_never_zero() -> None:
    other = "westeurope,public-ip,hour,0.01,on-demand"
    for kind, inputs, _ in PRICED.values():
        found = costs(kind, inputs, rows=other)
        assert found and [text for text in found.values() if text == "0" or text[0].isdigit()] == []


@pytest.mark.parametrize(
    "kind", sorted(kind for kind, handler in HANDLERS.items() if handler.__module__ == azure.__name__)
)
def test_an_empty_resource_never_costs_nothing(kind: str) -> None:
    assert set(costs(kind, {}).values()) & {"0", "0/0/0"} == set()


def test_every_type_of_the_base_has_its_handler_or_is_free() -> None:
    kinds = {r.type for r in azure_base(MANAGED_POSTGRES).resources if r.type.startswith("azure-native:")}
    assert kinds - set(HANDLERS) - FREE == set()
