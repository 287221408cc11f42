"""The catalogue of machines: the smallest that has what is asked, and a refusal that says what is missing."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from skerry.errors import CatalogError
from skerry.instances import Need, candidates, instance_type, instance_types, smallest


@cache
def ec2_types() -> dict[str, Any]:
    moto = pytest.importorskip("moto")
    file = Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz"
    found: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return found


NONE: dict[str, Any] = {"gpu_model": None, "gpus": 0, "gpu_memory_gib": 0}

SMALLEST: dict[str, tuple[dict[str, Any], str]] = {
    "exactly what a type has": ({"vcpu": 32, "memory_gib": 64, **NONE}, "c6a.8xlarge"),
    "more memory than compute types have": ({"vcpu": 32, "memory_gib": 128, **NONE}, "m6i.8xlarge"),
    "a little more than a type has": ({"vcpu": 33, "memory_gib": 60, **NONE}, "c5.9xlarge"),
    "GPUs of a model": (
        {"vcpu": 1, "memory_gib": 1, "gpu_model": "A100", "gpus": 8, "gpu_memory_gib": 40},
        "p4d.24xlarge",
    ),
    "GPUs of the same model with more memory": (
        {"vcpu": 1, "memory_gib": 1, "gpu_model": "A100", "gpus": 8, "gpu_memory_gib": 41},
        "p4de.24xlarge",
    ),
    "one GPU takes no machine of eight": (
        {"vcpu": 1, "memory_gib": 1, "gpu_model": "H100", "gpus": 1, "gpu_memory_gib": 80},
        "p5.4xlarge",
    ),
    "a bandwidth that small machines do not keep up": (
        {"vcpu": 16, "memory_gib": 32, "network_gbps": 25, **NONE},
        "m6i.16xlarge",
    ),
    "a bandwidth that none of the smaller GPU machines has": (
        {"vcpu": 1, "memory_gib": 1, "gpu_model": "A100", "gpus": 8, "gpu_memory_gib": 40, "network_gbps": 400},
        "p4d.24xlarge",
    ),
    "no model takes any": (
        {"vcpu": 1, "memory_gib": 1, "gpu_model": None, "gpus": 1, "gpu_memory_gib": 20},
        "g5.xlarge",
    ),
}


@pytest.mark.parametrize("case", SMALLEST)
def test_the_smallest_type_that_has_it_all_is_taken(case: str) -> None:
    asked, expected = SMALLEST[case]
    assert expected == smallest("aws", Need(**asked)).name


def test_a_machine_without_gpus_is_never_met_by_one_with() -> None:
    assert smallest("aws", Need(vcpu=1, memory_gib=1, **NONE)).gpus == 0
    with pytest.raises(CatalogError, match="no aws type in the catalogue has 96 vCPU, 1152 GiB"):
        smallest("aws", Need(vcpu=96, memory_gib=1152, **NONE))


def test_a_refusal_names_the_gpus_and_the_remedy() -> None:
    with pytest.raises(CatalogError) as caught:
        smallest("aws", Need(vcpu=1, memory_gib=1, gpu_model="A100", gpus=16, gpu_memory_gib=80))
    assert str(caught.value) == (
        "no aws type in the catalogue has 1 vCPU, 1 GiB, 16 x A100 of 80 GiB: "
        "name target machines that exist there, or set machine.instance_type"
    )


def test_a_type_is_found_by_its_clouds_name_only() -> None:
    assert instance_type("aws", "p4d.24xlarge").gpus == 8
    with pytest.raises(CatalogError, match="is not in the catalogue of gcp types"):
        instance_type("gcp", "p4d.24xlarge")


def test_every_row_has_a_source_and_sizes_that_can_be() -> None:
    rows = instance_types()
    assert len({(row.cloud, row.name) for row in rows}) == len(rows)
    for row in rows:
        assert row.source and row.vcpu > 0 and row.memory_gib > 0, row.name
        assert (row.gpus > 0) == bool(row.gpu_model) == (row.gpu_memory_gib > 0), row.name


def test_what_is_rejected_says_by_how_much_it_falls_short() -> None:
    need = Need(vcpu=32, memory_gib=64, network_gbps=12.5)
    found = {one.type.name: one.lacks for one in candidates("aws", need)}
    assert {name: found[name] for name in ("c5.4xlarge", "c6a.8xlarge", "c5.9xlarge", "r6i.4xlarge")} == {
        "c5.4xlarge": ("16 < 32 vCPU", "32 < 64 GiB", "5 < 12.5 Gbit/s"),
        "c6a.8xlarge": (),
        "c5.9xlarge": ("12 < 12.5 Gbit/s",),
        "r6i.4xlarge": ("16 < 32 vCPU", "bandwidth unknown, 12.5 Gbit/s is asked"),
    }
    assert found["p4d.24xlarge"] == ("has 8 GPUs, none is asked",)


def test_a_bandwidth_up_to_something_is_no_bandwidth() -> None:
    known = {row.name: row.network_gbps for row in instance_types()}
    assert [known[name] for name in ("r6i.4xlarge", "a2-highgpu-8g", "Standard_ND96asr_v4")] == [None] * 3
    assert [known[name] for name in ("p4d.24xlarge", "r6i.xlarge", "a3-highgpu-8g")] == [400, 1.562, 1000]
    with pytest.raises(CatalogError, match="no gcp type in the catalogue has 16 vCPU, 32 GiB, 10 Gbit/s"):
        smallest("gcp", Need(vcpu=16, memory_gib=32, network_gbps=10))


def test_the_fabric_interfaces_are_those_that_ec2_says() -> None:
    """Held against moto's copy of what EC2 answers to DescribeInstanceTypes."""
    described = ec2_types()
    for row in instance_types():
        if row.cloud == "aws":
            network = described[row.name]["NetworkInfo"]
            assert row.fabric_interfaces == network.get("EfaInfo", {}).get("MaximumEfaInterfaces", 0), row.name
