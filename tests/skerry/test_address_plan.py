"""How a network is cut: by the largest plan there can be, with the arithmetic, each part where its size allows."""

from __future__ import annotations

import ipaddress
from itertools import combinations

import pytest

from skerry.address_plan import Part, addresses_per_machine, cut, gke_machines, gke_parts, gke_ranges
from skerry.config.load import load_spec
from skerry.config.spec import DeploymentSpec
from skerry.errors import ConfigError
from tests.simulators.moved_stacks import GCP_TARGET, changed, moved
from tests.simulators.stack_objects import AWS_BASE

# Source: GKE "Configure maximum Pods per node", CIDR ranges for Standard clusters, read 2026-11
PER_MACHINE = {8: 16, 9: 32, 16: 32, 17: 64, 32: 64, 33: 128, 64: 128, 65: 256, 110: 256}


def spec(**changes: object) -> DeploymentSpec:
    paths = {key.replace("__", "."): value for key, value in changes.items()}
    return load_spec(changed(moved(AWS_BASE, GCP_TARGET), paths), "test")


@pytest.mark.parametrize("pods", PER_MACHINE)
def test_a_machine_gets_the_addresses_that_gke_gives_it(pods: int) -> None:
    assert PER_MACHINE[pods] == addresses_per_machine(pods)


def test_the_plan_is_140_machines_beside_googles_own_and_those_of_an_upgrade() -> None:
    found, terms = gke_machines(spec())
    assert (found, terms) == (158, "8 cognitive + 128 execution + 4 meta + 6 system + 12 while upgrading")
    assert 128 + 8 + 4 == 140


def test_what_each_part_needs_is_shown() -> None:
    parts = {part.name: part for part in gke_parts(spec())}
    assert {name: part.prefix for name, part in parts.items()} == {
        "pods": 17, "managed": 20, "services": 22, "nodes": 24, "control-plane": 28,
    }  # fmt: skip
    assert parts["pods"].addresses == 158 * 128 == 20_224 <= 2**15
    assert parts["nodes"].addresses == 162 <= 2**8
    assert "158 machines x 128 for 64 pods" in parts["pods"].arithmetic


@pytest.mark.parametrize("zones", [2, 3, 4])
@pytest.mark.parametrize("pods", [32, 64])
@pytest.mark.parametrize("network", ["10.20.0.0/16", "172.16.0.0/14", "192.168.0.0/16"])
def test_parts_lie_inside_the_network_and_apart(network: str, pods: int, zones: int) -> None:
    names = [f"us-central1-{letter}" for letter in "abcf"[:zones]]
    found = gke_ranges(
        spec(target__gcp__network_cidr=network, target__gcp__pods_per_node=pods, target__failure_domains=names)
    )
    blocks = [found.nodes, found.pods, found.services, found.control_plane, found.managed]
    assert [str(one) for one in blocks if not one.subnet_of(ipaddress.IPv4Network(network))] == []
    assert [(str(a), str(b)) for a, b in combinations(blocks, 2) if a.overlaps(b)] == []


def test_ranges_do_not_move_when_a_pool_or_a_zone_is_added() -> None:
    larger = {
        "execution__pool": {"minimum": 4, "maximum": 8, "machine": {"vcpu": 32, "memory_gib": 64}},
        "target__failure_domains": [f"us-central1-{letter}" for letter in "abcf"],
    }
    assert gke_ranges(spec()) == gke_ranges(spec(**larger))


def test_a_network_that_is_too_small_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(ConfigError) as caught:
        spec(target__gcp__network_cidr="10.20.0.0/17")
    (problem,) = caught.value.problems
    assert problem.path == "target.gcp.network_cidr"
    assert str(problem).startswith("target.gcp.network_cidr: '10.20.0.0/17' is too small for pods /17: (8 cognitive + ")
    assert str(problem).endswith("use a larger range or fewer pods_per_node")


def test_many_pods_a_machine_need_a_larger_network() -> None:
    with pytest.raises(ConfigError, match="is too small for pods /16"):
        spec(target__gcp__pods_per_node=110)
    assert (
        gke_ranges(spec(target__gcp__pods_per_node=110, target__gcp__network_cidr="10.20.0.0/15")).pods.prefixlen == 16
    )


def test_a_part_takes_the_smallest_power_of_two() -> None:
    assert [Part("x", count, "").prefix for count in (1, 2, 3, 256, 257)] == [32, 31, 30, 24, 23]


def test_a_network_is_filled_to_its_last_address() -> None:
    whole = ipaddress.IPv4Network("10.0.0.0/24")
    found = cut(whole, [Part("b", 128, ""), Part("a", 128, "")])
    assert found == {"b": ipaddress.IPv4Network("10.0.0.0/25"), "a": ipaddress.IPv4Network("10.0.0.128/25")}
    assert cut(whole, [Part("b", 128, ""), Part("a", 129, "")]) is None
