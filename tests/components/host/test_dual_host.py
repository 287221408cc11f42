"""The dual host's rendered files, given to the programs that read them, for the shipped topology and for others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.host.files import files_of
from skerry.catalog import load_catalog
from skerry.config.sense import sense_problems
from skerry.config.spec import DeploymentSpec
from skerry.hosts.plan import HostsPlan
from skerry.systems.dual_host import dual_host_plan
from skerry.systems.dual_host_groups import sides_of
from skerry.systems.dual_host_watch import PROBE_PATH
from tests.simulators.changed_stacks import changed_deployment
from tests.simulators.registry_debian import free_port
from tests.simulators.stack_objects import ROOT

Load = Callable[[Path], tuple[dict[str, Any], list[str], str]]
MAIN, SECOND = "dual_host.main_settings.groups", "dual_host.second_settings.groups"

TOPOLOGIES: dict[str, dict[str, Any]] = {
    "as it is shipped": {},
    "small machines, the diagrams alone, turns on the GPU": {
        "hosts.machines.mainpc.vcpu": 8, "hosts.machines.pc2.vcpu": 4, "dual_host.start_order": "diagrams",
        "dual_host.gpu.mechanism": "time-slicing", "dual_host.observability_sync": False, "dual_host.web": None,
    },
    "groups and agents of the stack's own": {
        f"{MAIN}.language_stack": {"agents": {"dialogue-agent": {}, "nlu-agent": {"after": ["dialogue-agent"]}}},
        f"{MAIN}.robots": {"purpose": "robots", "after": ["vision_gpu"], "agents": {
            "robot-agent": {"environment": {"GREETING": "it's $5 {a} #1"}, "secrets": {"TOKEN": "robotToken"}}}},
        f"{SECOND}.vision_dream_gpu": {"gpu_percent": 60, "agents": {
            "dream-planner": {"gpu_weight": 2}, "vision-processing-agent": {"memory_mib": 2048}}},
        f"{SECOND}.async_pipeline": {"after": ["tutoring_cpu"]},
    },
    "slices of an A100, and WSL2 beside it": {
        "hosts.machines.mainpc.gpu_model": "A100", "hosts.machines.mainpc.gpu_memory_gib": 80,
        "dual_host.main_settings.mechanism": "mig", "hosts.machines.pc2.os": "wsl2",
        **{f"{MAIN}.{name}": {"mig_profile": "1g.10gb"} for name in ("coordination", "reasoning_gpu", "learning_gpu")},
    },
}  # fmt: skip


def made(case: str) -> tuple[DeploymentSpec, HostsPlan]:
    spec = DeploymentSpec.model_validate(changed_deployment("dual-host", TOPOLOGIES[case]))
    assert sense_problems(spec) == []
    return spec, dual_host_plan(spec, load_catalog())


def laid(spec: DeploymentSpec, plan: HostsPlan, at: int, root: Path) -> Path:
    """Write the files of a machine under `root`, secrets as empty files of variables."""
    assert spec.hosts is not None
    for file in files_of(plan.machines[at], plan, spec.hosts):
        path = root / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    compose = root / "etc/skerry/compose"
    for file in compose.glob("*.yaml"):
        text = file.read_text(encoding="utf-8").replace("/etc/skerry/environment", f"{root}/etc/skerry/environment")
        file.write_text(text, encoding="utf-8")
    return compose / "compose.yaml"


@pytest.mark.parametrize("at", (0, 1), ids=("main", "second"))
@pytest.mark.parametrize("case", TOPOLOGIES)
def test_the_loader_starts_services_in_their_order(case: str, at: int, load_project: Load, tmp_path: Path) -> None:
    spec, plan = made(case)
    project, order, refusal = load_project(laid(spec, plan, at, tmp_path))
    assert refusal == ""
    services = {row.name: row for row in plan.machines[at].services if row.group}
    assert set(order) == set(project["services"]) == set(services)
    for name, row in services.items():
        assert all(order.index(needed) < order.index(name) for needed in row.needs), name
        waits = project["services"][name].get("depends_on", {})
        assert {one["condition"] for one in waits.values()} <= {"service_healthy"}
        assert set(waits) == set(row.needs)
        assert project["services"][name]["healthcheck"]["interval"] == "30s"


@pytest.mark.parametrize("case", TOPOLOGIES)
def test_limits_that_the_loader_reads_fit_the_machines(case: str, load_project: Load, tmp_path: Path) -> None:
    spec, plan = made(case)
    for at, side in enumerate(sides_of(spec)):
        project, _, _ = load_project(laid(spec, plan, at, tmp_path / side.machine))
        rows = project["services"].values()
        assert sum(int(row["mem_limit"]) for row in rows) < (32, 12)[at] * 10**9
        assert sum(float(row["cpus"]) for row in rows) <= side.host.vcpu
        parts = [int(row["environment"].get("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE") or 0) for row in rows]
        assert sum(parts) in (0, (100, 70)[at], (100, 60)[at])


@pytest.mark.parametrize("at", (0, 1), ids=("main", "second"))
@pytest.mark.parametrize("case", TOPOLOGIES)
def test_the_firewall_is_accepted(case: str, at: int, need_tool: Callable[[str], str], tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("nft checks rules for root alone")
    spec, plan = made(case)
    laid(spec, plan, at, tmp_path)
    command = [need_tool("nft"), "-c", "-f", str(tmp_path / "etc/skerry/firewall.nft")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("ready", (True, False), ids=("well", "gone"))
def test_a_stand_in_is_well_by_the_check_of_its_container(ready: bool) -> None:
    _, plan = made("as it is shipped")
    service = next(row for row in plan.machines[0].services if row.name == "stt-service")
    assert service.health is not None
    port = free_port()
    program = ROOT / "images" / "stand-in" / "service.py"
    environment = {**service.environment, "PORT": str(port), "STAND_IN_FOR": service.name}
    words = [word.replace(PROBE_PATH, str(ROOT / "images/health-probe/probe.py")) for word in service.health.command]
    words = [sys.executable, *words[1:-1], words[-1].replace(service.environment["PORT"], str(port))]
    stand_in = subprocess.Popen([sys.executable, "-I", str(program)], env=environment, stderr=subprocess.PIPE)
    try:
        assert stand_in.stderr is not None
        stand_in.stderr.readline()
        if not ready:
            stand_in.terminate()
            stand_in.wait(timeout=10)
        began = time.monotonic()
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, time.monotonic() - began < 10) == (int(not ready), True), done.stdout
    finally:
        stand_in.kill()
        stand_in.wait()
