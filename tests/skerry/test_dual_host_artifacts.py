"""What the dual host writes beside its machines: each file is accepted by the program that reads it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.catalog import load_catalog
from skerry.config.spec import DeploymentSpec
from skerry.hosts.plan import HostsPlan
from skerry.systems.dual_host import dual_host_plan
from skerry.systems.dual_host_watch import PREFLIGHT_PATH
from tests.simulators.changed_stacks import changed_deployment
from tests.simulators.stack_objects import ROOT

WORKFLOW = ".github/workflows/dual-host-images.yaml"


def plan_of(changes: dict[str, Any] | None = None) -> HostsPlan:
    return dual_host_plan(DeploymentSpec.model_validate(changed_deployment("dual-host", changes or {})), load_catalog())


@pytest.fixture(scope="session")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The linter of workflows, which `make host-tools` builds."""
    if shutil.which("go") is None and not os.environ.get("SKERRY_REQUIRE_TOOLS"):
        pytest.skip("Go is not installed, which builds the linter of workflows (make host-tools)")
    script = ROOT / "tests" / "toolchain" / "build_actionlint.sh"
    done = subprocess.run([str(script)], capture_output=True, text=True, timeout=280, check=False)
    if done.returncode and not os.environ.get("SKERRY_REQUIRE_TOOLS"):
        pytest.skip(f"the linter of workflows cannot be built: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_linter_of_workflows_accepts_the_workflow(actionlint: str, tmp_path: Path) -> None:
    found = tmp_path / "images.yaml"
    found.write_text(plan_of().artifacts[WORKFLOW], encoding="utf-8")
    command = [actionlint, "-no-color", "-shellcheck=", "-pyflakes=", str(found)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    found.write_text(found.read_text(encoding="utf-8").replace("matrix.name", "matrix.nobody"), encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, 'property "nobody" is not defined' in done.stdout) == (1, True)


def test_the_workflow_builds_each_image_of_the_compose_files_once() -> None:
    plan = plan_of({"dual_host.main_settings.groups.vision_gpu": {
        "agents": {"face-recognition-agent": {"image": "docker.io/other/vision:2"}}},
        "dual_host.main_settings.groups.observability": {
        "agents": {"observability-hub": {"image": "registry.vendor.example/dual-host/hub:3.1"}}}})  # fmt: skip
    document = yaml.safe_load(plan.artifacts[WORKFLOW])
    rows = document["jobs"]["image"]["strategy"]["matrix"]["include"]
    images = {row.image.reference for machine in plan.machines for row in machine.services if row.image}
    assert [row["image"] for row in rows] == sorted(images - {"docker.io/other/vision:2"})
    assert len(rows) == 36
    assert {"name": "hub", "image": "registry.vendor.example/dual-host/hub:3.1"} in rows
    assert {"name": "stt-service", "image": "registry.vendor.example/dual-host/stt-service:1.0.0"} in rows


def test_stand_ins_run_in_place_of_agents_whose_images_are_not_there_yet() -> None:
    plan = plan_of({"dual_host.images.stand_in": "registry.vendor.example/skerry/stand-in:0.1.0"})
    rows = [row for machine in plan.machines for row in machine.services if row.image]
    assert {row.image.reference for row in rows if row.image} == {"registry.vendor.example/skerry/stand-in:0.1.0"}
    assert {row.environment["STAND_IN_FOR"] for row in rows} >= {"STTService", "ObservabilityHub"}
    assert plan.artifacts[WORKFLOW] == plan_of().artifacts[WORKFLOW]


def test_the_workflow_logs_in_where_images_go_and_each_action_has_a_version() -> None:
    text = plan_of({"dual_host.workflow.password_secret": "PUSH_TOKEN"}).artifacts[WORKFLOW]
    document = yaml.safe_load(text)
    steps = {step["uses"].partition("@")[0]: step for step in document["jobs"]["image"]["steps"]}
    assert steps["docker/login-action"]["with"] == {
        "registry": "registry.vendor.example",
        "username": "${{ secrets.REGISTRY_USERNAME }}",
        "password": "${{ secrets.PUSH_TOKEN }}",
    }
    assert steps["docker/build-push-action"]["with"]["push"] == "${{ github.event_name != 'pull_request' }}"
    assert all(step["uses"].rpartition("@")[2].count(".") == 2 for step in steps.values())
    assert document["permissions"] == {"contents": "read"}


def test_both_machines_can_log_in_where_images_are() -> None:
    for machine in plan_of().machines:
        found = {file.path: (file.secret, file.mode) for file in machine.files}
        assert found["/etc/skerry/docker/config.json"] == ("registryLogin", "0600")
    nobody = plan_of({"dual_host.images.pull_secret": None}).machines[0]
    assert "/etc/skerry/docker/config.json" not in {file.path for file in nobody.files}


def test_the_probe_is_the_program_of_the_image() -> None:
    plan = plan_of()
    program = (ROOT / "images" / "health-probe" / "probe.py").read_text(encoding="utf-8")
    assert plan.artifacts["scripts/health_probe.py"] == program
    for machine in plan.machines:
        assert {file.path: file.text for file in machine.files}["/opt/skerry/scripts/health_probe.py"] == program
        mounts = [[mount.target for mount in row.mounts] for row in machine.services if row.group]
        assert all("/opt/skerry/scripts/health_probe.py" in row for row in mounts)


def test_prometheus_accepts_the_alerts(need_tool: Callable[[str], str], tmp_path: Path) -> None:
    plan = plan_of()
    found = tmp_path / "alerts.yaml"
    found.write_text(plan.artifacts["alerts.yaml"], encoding="utf-8")
    done = subprocess.run(
        [need_tool("promtool"), "check", "rules", str(found)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "2 rules found" in done.stdout) == (0, True), done.stderr
    rules = yaml.safe_load(plan.artifacts["alerts.yaml"])["groups"][0]["rules"]
    assert [row["for"] for row in rules] == ["90s", "90s"]


def test_prometheus_reads_the_targets(need_tool: Callable[[str], str], tmp_path: Path) -> None:
    machine = plan_of().machines[1]
    text = {file.path: file.text for file in machine.files}["/etc/skerry/dual-host/targets.json"]
    (tmp_path / "targets.json").write_text(text, encoding="utf-8")
    config = {"scrape_configs": [{"job_name": "dual-host", "file_sd_configs": [{"files": ["targets.json"]}]}]}
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [need_tool("promtool"), "check", "config", str(tmp_path / "prometheus.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    rows = json.loads(text)
    assert rows[-1] == {"targets": ["10.77.0.2:9102"], "labels": {"host": "pc2", "group": "machine"}}
    assert sum(len(row["targets"]) for row in rows) == 13


def test_the_load_plan_asks_speech_and_vision_with_parts_that_leave_learning_some() -> None:
    document = json.loads(plan_of().artifacts["load-test/plan.json"])
    assert list(document["targets"]) == ["stt-service", "tts-service", "face-recognition-agent"]
    assert document["targets"]["stt-service"]["url"] == "http://127.0.0.1:8216"
    assert {"speech": 10, "vision": 10} in document["fractions"]
    assert max(row["speech"] + row["vision"] for row in document["fractions"]) == 35
    nobody = json.loads(plan_of({"dual_host.load_test.targets": {}}).artifacts["load-test/plan.json"])
    assert nobody["targets"]["tts-service"]["path"] is None


def test_what_was_decided_has_the_sums() -> None:
    text = plan_of({"hosts.machines.mainpc.vcpu": 24}).artifacts["decisions.md"]
    for line in (
        "- GPU: coordination 40 + reasoning_gpu 20 + learning_gpu 20 + vision_gpu 10 + speech_gpu 10 = 100 %, and 0 % "
        "stay free",
        "- GPU memory: 9416 + 4708 + 4708 + 2354 + 2354 = 23540 MiB of 23540, after a reserve of 1024 MiB",
        "- GPU memory: 8601 = 8601 MiB of 12288, after no reserve beside what stays free",
        "- CPU: the groups ask for 32 vCPU, and there are 24 x 1 = 24: limits are scaled by 0.750 to 24.00, and "
        "weights stay",
        "- learning-agents stands for what the overview calls 'Learning*': name its agents in the stack",
    ):
        assert line in text
    alone = {"dual_host.second_settings.groups.vision_dream_gpu": {"agents": {"dream-agents": {"gpu_weight": 0}}}}
    assert "- GPU: 1 client: MPS pays only where a second one exists" in plan_of(alone).artifacts["decisions.md"]


def test_each_group_stands_in_a_table_with_its_line() -> None:
    text = plan_of().artifacts["decisions.md"]
    row = "| speech_gpu | speech to text and text to speech and audio | 10 | 4 | 3072 | STTService 8216, "
    assert f"{row}TTSService 8217, AudioPipeline 8218 | line 19 |" in text
    assert "| web_interface | user interface | no | 2 | 512 | UnifiedWebAgent 8212 | line 32 |" in text
    assert sum(line.endswith(" |") and " | line " in line for line in text.splitlines()) == 18


def test_slices_and_turns_are_told() -> None:
    groups = "dual_host.main_settings.groups"
    sliced = {
        "hosts.machines.mainpc.gpu_model": "A100", "hosts.machines.mainpc.gpu_memory_gib": 80,
        "dual_host.main_settings.mechanism": "mig",
        **{f"{groups}.{one}": {"mig_profile": "1g.10gb"} for one in ("coordination", "reasoning_gpu", "learning_gpu")},
    }  # fmt: skip
    text = plan_of(sliced).artifacts["decisions.md"]
    assert "in this order: coordination 1g.10gb, reasoning_gpu 1g.10gb" in text
    assert "nvidia-smi mig -i 0 -cgi 1g.10gb,1g.10gb,1g.10gb,1g.10gb,1g.10gb -C`" in text
    turns = plan_of({"dual_host.gpu.mechanism": "time-slicing"}).artifacts["decisions.md"]
    assert turns.count("nothing keeps one within its part of the memory") == 2


PREFLIGHT: dict[str, tuple[list[str], str, str, int, str]] = {
    "a 4090 as it is": (["mps", "24564"], "24564, 8.9, [N/A]", "", 0, "24564 MiB, compute capability 8.9, mps"),
    "less memory than parts were cut from": (
        ["mps", "24576"], "24564, 8.9, [N/A]", "", 1, "set gpu_reported_mib: 24564"),
    "an old GPU": (["mps", "8192"], "8192, 6.1, [N/A]", "", 1, "compute capability 6.1 is below 7.0"),
    "MIG that is on": (["mps", "40960"], "40960, 8.0, Enabled", "", 1, "MIG is on: turn it off"),
    "MIG that is off": (["mig", "40960"], "40960, 8.0, Disabled", "", 1, "MIG is off: turn it on"),
    "slices": (["mig", "40960"], "40960, 8.0, Enabled", "", 0, "mig"),
    "no driver": (["mps", "1"], "", "nvidia-smi", 1, "install NVIDIA's driver"),
    "no toolkit": (["mps", "1"], "24564, 8.9, [N/A]", "nvidia-ctk", 1, "install NVIDIA's container toolkit"),
    "no daemon": (
        ["mps", "1"], "24564, 8.9, [N/A]", "nvidia-cuda-mps-control", 1, "there is no nvidia-cuda-mps-control"),
    "turns need no daemon": (
        ["time-slicing", "1"], "24564, 8.9, [N/A]", "nvidia-cuda-mps-control", 0, "time-slicing"),
    "a driver that says nonsense": (["mps", "1"], "ERR!, x, y", "", 1, "look at the driver"),
}  # fmt: skip


@pytest.mark.parametrize("case", PREFLIGHT)
def test_the_preflight_looks_at_the_machine(case: str, tmp_path: Path) -> None:
    arguments, row, missing, code, says = PREFLIGHT[case]
    script = next(file for file in plan_of().machines[0].files if file.path == PREFLIGHT_PATH)
    (tmp_path / "preflight").write_text(script.text, encoding="utf-8")
    programs = {"nvidia-smi": f"echo '{row}'", "nvidia-ctk": "true", "nvidia-cuda-mps-control": "true"}
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "uname", "grep", "cut", "tr", "awk", "echo"):
        (folder / name).symlink_to(shutil.which(name) or "")
    for name, does in programs.items():
        if name != missing:
            (folder / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "preflight"), *arguments],
        env={"PATH": str(folder)}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, says in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr


def test_the_preflight_runs_before_any_service_starts() -> None:
    assert [machine.setup for machine in plan_of().machines] == [
        ((PREFLIGHT_PATH, "mps", "24564"),),
        ((PREFLIGHT_PATH, "mps", "12288"),),
    ]
    tried = {"hosts.machines.mainpc.os": "wsl2", "dual_host.gpu": {"mechanism": "mps", "mps_on_wsl2": True}}
    assert plan_of(tried).machines[0].setup == ((PREFLIGHT_PATH, "mps", "24564", "wsl2"),)
