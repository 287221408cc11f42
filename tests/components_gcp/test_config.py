"""What a stack on Google Cloud may not say, and the sentence that it gets for it."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.jurisdictions import jurisdiction_of, regions
from tests.simulators.moved_stacks import GCP_TARGET, changed, moved
from tests.simulators.stack_objects import AWS, AWS_BASE

H100 = {"vcpu": 26, "memory_gib": 200, "gpu_model": "H100", "gpu_memory_gib": 80}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no region": ({"target.region": ""}, "target.region: is required on gcp; name a region such as europe-west3"),
    "a region of another cloud": (
        {"target.region": "eu-central-1"},
        "target.region: 'eu-central-1' is not a Google Cloud region; did you mean 'us-central1'?",
    ),
    "a zone of another region": (
        {"target.failure_domains": ["us-central1-a", "us-east1-b"]},
        "target.failure_domains: 'us-east1-b' is not a zone of us-central1; name zones such as us-central1-a",
    ),
    "one zone": (
        {"target.failure_domains": ["us-central1-a"]},
        "target.failure_domains: 1 zones are named, fewer than 2 that fail apart; name three zones of the region",
    ),
    "no project": (
        {"target.gcp.project": ""},
        "target.gcp.project: is required on gcp; name the project that is to hold everything",
    ),
    "a project that cannot be": (
        {"target.gcp.project": "My Project"},
        "target.gcp.project: 'My Project' does not have the form ^([a-z][a-z0-9-]{4,28}[a-z0-9])?$",
    ),
    "no connection": (
        {"target.connected": False, "target.site_registry": "registry.site:5000"},
        "target.connected: is false, but gcp is reached over the internet; use kind: onprem",
    ),
    "a public network": (
        {"target.gcp.network_cidr": "8.8.0.0/16"},
        "target.gcp.network_cidr: '8.8.0.0/16' is public; name a private range",
    ),
    "no network": (
        {"target.gcp.network_cidr": "ten"},
        "target.gcp.network_cidr: is not an address range: Expected 4 octets in 'ten'; write it like 10.0.0.0/16",
    ),
    "a public network before the API": (
        {"target.gcp.api_cidrs": ["8.8.8.0/24"]},
        "target.gcp.api_cidrs[0]: '8.8.8.0/24' is public, and the cluster's API is not; name a private range",
    ),
    "an administrator twice": (
        {"target.gcp.administrators": ["user:a@example.com", "user:a@example.com"]},
        "target.gcp.administrators: names one twice; name each once",
    ),
    "GPUs in a zone that is not one of the deployment's": (
        {"target.gcp.gpu_zones": ["us-central1-f"]},
        "target.gcp.gpu_zones: 'us-central1-f' is not among target.failure_domains; "
        "use us-central1-a, us-central1-b, us-central1-c",
    ),
    "a tag that is no label there": (
        {"tags": {"CostCenter": "saas"}},
        "tags.CostCenter: 'saas' cannot be a label on Google Cloud under that name; use lower-case letters, digits, "
        "'_' and '-', at most 63, the name beginning with a letter",
    ),
    "a type of another cloud": (
        {"meta.pool.machine": {"vcpu": 32, "memory_gib": 64, "instance_type": "c6i.8xlarge"}},
        "meta.pool.machine.instance_type: 'c6i.8xlarge' is not in the catalogue of gcp types: it has ",
    ),
    "a machine that nobody rents there": (
        {"execution.pool.machine": {"vcpu": 500, "memory_gib": 64}},
        "execution.pool.machine: no gcp type in the catalogue has 500 vCPU, 64 GiB: ",
    ),
    "a small machine of H100 that is spot alone": (
        {"cognitive.pool.machine": H100 | {"gpus": 4}},
        "cognitive.pool.machine: 'a3-highgpu-4g' is not rented out on demand; use a3-highgpu-8g, or spot",
    ),
    "B200 without a reservation": (
        {"cognitive.pool.machine": H100 | {"gpu_model": "B200", "gpus": 8}},
        "cognitive.pool.machine: 'a4-highgpu-8g' is not rented out on demand; name target.gcp.gpu_reservation",
    ),
    "spot for work that may not be interrupted": (
        {"execution.pool.purchase": "spot"},
        "execution.pool.purchase: spot needs work that may be interrupted; set execution.interruptible: true",
    ),
}


@pytest.mark.parametrize(
    "changes",
    [
        {"cognitive.pool.machine": H100 | {"gpus": 8}},
        {"cognitive.pool.machine": H100 | {"gpus": 4}, "cognitive.pool.purchase": "spot"},
        {"cognitive.pool.machine": H100 | {"gpu_model": "B200", "gpus": 8}, "target.gcp.gpu_reservation": "llm"},
    ],
    ids=["eight on demand", "four as spot machines", "B200 of a reservation"],
)
def test_machines_that_can_be_had_are_taken(changes: dict[str, Any]) -> None:
    # GKE brings metrics of GPUs itself, and queues are for what is left over.
    assert load_spec(changed(moved(AWS_BASE, GCP_TARGET), {"gpu": {}, **changes}), "test")


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_path_and_remedy(case: str) -> None:
    changes, expected = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        load_spec(changed(moved(AWS_BASE, GCP_TARGET), changes), "test")
    told = [str(problem) for problem in caught.value.problems]
    assert [line for line in told if line.startswith(expected)], told


def test_the_platform_names_its_base() -> None:
    with pytest.raises(ConfigError, match=r"target\.base_stack: is required on gcp; name the stack with layer: base"):
        load_spec(changed(moved(AWS, GCP_TARGET), {"target.base_stack": None}), "test")


def test_every_region_of_the_cloud_has_a_country() -> None:
    names = [row.name for row in regions() if row.cloud == "gcp"]
    assert len(names) > 20
    assert [name for name in names if jurisdiction_of("gcp", f"{name}-a") is None] == []
