"""What a stack on Azure may not say, and the sentence that it gets for it; and how its network is cut."""

from __future__ import annotations

import ipaddress
from itertools import combinations
from typing import Any

import pytest
import yaml

from skerry.address_plan import aks_parts, aks_ranges
from skerry.config.load import load_spec
from skerry.config.spec import CONFIG_KEY
from skerry.errors import ConfigError
from skerry.jurisdictions import jurisdiction_of, regions
from tests.simulators.azure_stacks import GROUP, deployment
from tests.simulators.stack_objects import AWS, AWS_BASE, AZURE, AZURE_BASE, ROOT

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no region": (
        {"target.region": ""},
        "target.region: is required on azure; name a region such as germanywestcentral",
    ),
    "a region of another cloud": (
        {"target.region": "us-east-1"},
        "target.region: 'us-east-1' is not an Azure region; did you mean ",
    ),
    "a zone as Azure alone calls it": (
        {"target.failure_domains": ["1", "2"]},
        "target.failure_domains: '1' is not a zone of eastus; name zones such as eastus-1",
    ),
    "a zone of another region": (
        {"target.failure_domains": ["eastus-1", "eastus2-2"]},
        "target.failure_domains: 'eastus2-2' is not a zone of eastus; name zones such as eastus-1",
    ),
    "one zone": (
        {"target.failure_domains": ["eastus-1"]},
        "target.failure_domains: 1 zones are named, fewer than 2 that fail apart; name three zones of the region",
    ),
    "no subscription": (
        {"target.azure.subscription_id": None},
        "target.azure.subscription_id: is required on azure; take it from `az account show`",
    ),
    "no tenant": (
        {"target.azure.tenant_id": None},
        "target.azure.tenant_id: is required on azure; take it from `az account show`",
    ),
    "nobody who may administer": (
        {"target.azure.administrators": []},
        "target.azure.administrators: names nobody, and a cluster without local accounts obeys nobody else; "
        "name a group of Entra that the runner is in",
    ),
    "an administrator twice": (
        {"target.azure.administrators": [GROUP, GROUP]},
        "target.azure.administrators: names one twice; name each once",
    ),
    "an administrator by name": (
        {"target.azure.administrators": ["platform@example.com"]},
        "target.azure.administrators[0]: 'platform@example.com' does not have the form ",
    ),
    "a public network": (
        {"target.azure.network_cidr": "8.8.0.0/16"},
        "target.azure.network_cidr: '8.8.0.0/16' is public; name a private range",
    ),
    "a network that is too small": (
        {"target.azure.network_cidr": "10.20.0.0/22"},
        "target.azure.network_cidr: '10.20.0.0/22' is too small for services /22: Services of the cluster; nodes /24: "
        "(8 cognitive + 128 execution + 4 meta + 6 system + 12 while upgrading) = 158 machines + 5 of Azure's; ",
    ),
    "too few addresses of pods": (
        {"target.azure.pod_cidr": "10.244.0.0/17"},
        "target.azure.pod_cidr: '10.244.0.0/17' is too small for (8 cognitive + 128 execution + 4 meta + 6 system + "
        "12 while upgrading) = 158 machines x /24; use a larger range",
    ),
    "pods in the network": (
        {"target.azure.pod_cidr": "10.0.0.0/8"},
        "target.azure.pod_cidr: '10.0.0.0/8' overlaps '10.20.0.0/16', which is the network's; move one",
    ),
    "GPUs in a zone that is not one of the deployment's": (
        {"target.azure.gpu_zones": ["eastus-9"]},
        "target.azure.gpu_zones: 'eastus-9' is not among target.failure_domains; use eastus-1, eastus-2, eastus-3",
    ),
    "a PostgreSQL without a password": (
        {"meta.relational_kind": "managed"},
        "target.azure.postgres_admin_secret: is required where Azure runs PostgreSQL: it takes no server without an "
        "administrator's password; name a secret config key",
    ),
    "one volume server for objects": (
        {"channels.object_store": "seaweedfs", "channels.object_store_replicas": 1},
        "channels.object_store_replicas: is 1, but each object has a copy on a second machine",
    ),
    "a tag that is none there": (
        {"tags": {"example.com/team": "saas"}},
        "tags.example.com/team: cannot be the name of a tag on Azure; use a name without '/'",
    ),
    "no connection": (
        {"target.connected": False, "target.site_registry": "registry.site:5000"},
        "target.connected: is false, but azure is reached over the internet; use kind: onprem",
    ),
    "a type of another cloud": (
        {"meta.pool.machine": {"vcpu": 32, "memory_gib": 64, "instance_type": "c6i.8xlarge"}},
        "meta.pool.machine.instance_type: 'c6i.8xlarge' is not in the catalogue of azure types: it has ",
    ),
    "spot for work that may not be interrupted": (
        {"execution.pool.purchase": "spot"},
        "execution.pool.purchase: spot needs work that may be interrupted; set execution.interruptible: true",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_path_and_remedy(case: str) -> None:
    changes, expected = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        load_spec(deployment(AWS_BASE, changes), "test")
    told = [str(problem) for problem in caught.value.problems]
    assert [line for line in told if line.startswith(expected)], told


def test_the_platform_names_its_base() -> None:
    with pytest.raises(ConfigError, match=r"target\.base_stack: is required on azure; name the stack with layer: base"):
        load_spec(deployment(AWS, {"target.base_stack": None}), "test")


def test_every_region_of_the_cloud_has_a_country_and_so_has_each_of_its_zones() -> None:
    names = [row.name for row in regions() if row.cloud == "azure"]
    assert len(names) > 40
    assert [name for name in names if jurisdiction_of("azure", f"{name}-1") != jurisdiction_of("azure", name)] == []


@pytest.mark.parametrize("zones", [2, 3])
@pytest.mark.parametrize("network", ["10.20.0.0/16", "172.16.0.0/16", "192.168.0.0/20"])
def test_parts_lie_inside_the_network_and_apart(network: str, zones: int) -> None:
    changes = {
        "target.azure.network_cidr": network,
        "target.failure_domains": [f"eastus-{number}" for number in range(1, zones + 1)],
    }
    found = aks_ranges(load_spec(deployment(AWS_BASE, changes), "test"))
    blocks = [found.nodes, found.endpoints, found.control_plane, found.postgres, found.services]
    assert [str(one) for one in blocks if not one.subnet_of(ipaddress.IPv4Network(network))] == []
    assert [(str(a), str(b)) for a, b in combinations([*blocks, found.pods], 2) if a.overlaps(b)] == []


def test_what_each_part_needs_is_shown() -> None:
    parts = {part.name: part for part in aks_parts(load_spec(deployment(AWS_BASE), "test"))}
    assert {name: part.prefix for name, part in parts.items()} == {
        "services": 22, "nodes": 24, "endpoints": 27, "control-plane": 28, "postgres": 28,
    }  # fmt: skip
    assert parts["nodes"].addresses == 158 + 5 <= 2**8


@pytest.mark.parametrize(("on_azure", "on_aws"), [(AZURE_BASE, AWS_BASE), (AZURE, AWS)])
def test_the_shipped_files_differ_from_those_of_aws_by_target_residency_state_and_their_stores_of_secrets_and_copies(
    on_azure: str, on_aws: str
) -> None:
    def told(stack: str) -> dict[str, Any]:
        text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
        found: dict[str, Any] = yaml.safe_load(text)["config"]["skerry:deployment"]
        for tier in ("cognitive", "execution", "meta"):
            found[tier]["pool"]["machine"].pop("instance_type", None)
        # Azure's vault has an address, and these copies are written by S3, which its own store does not speak.
        assert found["services"].pop("secrets")
        found["backup"].pop("store", None)
        return {key: value for key, value in found.items() if key not in ("target", "residency", "state")}

    assert told(on_aws) == told(on_azure)


def test_the_shipped_files_stay_inside_the_eu() -> None:
    for stack in (AZURE_BASE, AZURE):
        spec = load_spec(
            yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"][CONFIG_KEY], ""
        )
        assert {code for row in spec.residency.boundaries for code in row.jurisdictions} == {"EU"}
        places = {spec.target.jurisdiction, spec.state.jurisdiction, spec.state.secrets_jurisdiction}
        assert places == {jurisdiction_of("azure", spec.target.region)} == {"SE"}


def test_of_both_networks_the_shipped_stacks_name_the_same() -> None:
    base, platform = (
        yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"][CONFIG_KEY]["target"]
        for stack in (AZURE_BASE, AZURE)
    )
    assert {**base, "base_stack": AZURE_BASE} == platform
