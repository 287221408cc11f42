"""What cannot be about the dual host: each refusal says what, the value, what is allowed and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.config.sense import sense_problems
from skerry.config.spec import DeploymentSpec
from tests.simulators.changed_stacks import changed_deployment

MAIN = "dual_host.main_settings"
GROUPS = f"{MAIN}.groups"

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a machine that is none": (
        {"dual_host.second": "pc3"},
        "dual_host.second: 'pc3' is no machine of hosts.machines; use one of mainpc, pc2",
    ),
    "one machine for both": (
        {"dual_host.second": "mainpc"},
        "dual_host.second: 'mainpc' is the main machine too; name the other one",
    ),
    "a third machine": (
        {"hosts.machines.pc3": {"address": "10.3.0.12", "vcpu": 4, "memory_gib": 8, "storage_gib": 10}},
        "hosts.machines.pc3: has nothing to run: there are two machines; take it out",
    ),
    "native Windows": (
        {"hosts.machines.mainpc.os": "windows"},
        "hosts.machines.mainpc.os: runs windows, and the groups are containers of Linux that share a GPU; install "
        "Debian or Ubuntu, or describe its WSL2 as os: wsl2",
    ),
    "MPS under WSL2": (
        {"hosts.machines.pc2.os": "wsl2", "dual_host.gpu.mechanism": "mps"},
        "dual_host.gpu.mechanism: mps under WSL2 on pc2 was tried by nobody of us; use time-slicing, or try it there "
        "and set dual_host.gpu.mps_on_wsl2: true",
    ),
    "MIG on a GeForce": (
        {f"{MAIN}.mechanism": "mig"},
        f"{MAIN}.mechanism: mig is not possible on mainpc: RTX 4090 has no such mode; use mps; models that can are "
        "A100, A30, H100, H100NVL, H200, B200, RTX PRO 6000",
    ),
    "an unknown GPU": (
        {"hosts.machines.mainpc.gpu_model": "RTX 9999"},
        "hosts.machines.mainpc.gpu_model: 'RTX 9999' with 24 GiB is no GPU of the table",
    ),
    "slices that do not fit": (
        {"hosts.machines.mainpc.gpu_model": "A100", "hosts.machines.mainpc.gpu_memory_gib": 40,
         f"{MAIN}.mechanism": "mig"},
        f"{GROUPS}: the slices do not fit: 1 x 3g.20gb + 2 x 1g.10gb + 2 x 1g.5gb = 50 GB, and A100 has 40; name "
        "smaller ones in mig_profile, or use mps",
    ),
    "more of the GPU than there is": (
        {f"{GROUPS}.vision_gpu": {"gpu_percent": 20}},
        f"{GROUPS}: coordination 40 + reasoning_gpu 20 + learning_gpu 20 + vision_gpu 20 + speech_gpu 10 + 0 that "
        "stay free = 110 percent of one GPU; keep the sum to 100",
    ),
    "the part that stays free counts": (
        {"dual_host.second_settings.groups.vision_dream_gpu": {"gpu_percent": 80}},
        "dual_host.second_settings.groups: vision_dream_gpu 80 + 30 that stay free = 110 percent of one GPU; keep the "
        "sum to 100",
    ),
    "fewer percents than agents": (
        {f"{GROUPS}.speech_gpu": {"gpu_percent": 2}},
        f"{GROUPS}.speech_gpu.agents.audio-pipeline.gpu_weight: audio-pipeline is left with 0 percent of the GPU",
    ),
    "no GPU at all": (
        {f"hosts.machines.pc2.{key}": None for key in ("gpu_model", "gpus", "gpu_memory_gib")},
        "hosts.machines.pc2.gpu_model: has no GPU, and vision_dream_gpu want one",
    ),
    "a reserve of everything": (
        {"dual_host.gpu.reserve_mib": 65_536},
        "dual_host.gpu.reserve_mib: leaves nothing of 24,564 MiB; lower it",
    ),
    "more memory than the card has": (
        {f"{MAIN}.gpu_reported_mib": 40_960},
        "hosts.machines.mainpc.gpus: parts of GPU 0 may take 39,931 MiB, and it has 24 GiB; lower them: MPS bounds "
        "each, and nothing bounds the sum",
    ),
    "32 GB of memory": (
        {f"{GROUPS}.memory_stack.memory_mib": 9000},
        f"{MAIN}.ram_gb: the caps of mainpc sum to 32,039 MiB, and must stay below 32 GB = 30,517 MiB; lower "
        "memory_mib of groups, or raise ram_gb where the machine has more",
    ),
    "12 GB of memory": (
        {"dual_host.second_settings.groups.memory_stack": {"memory_mib": 4000}},
        "dual_host.second_settings.ram_gb: the caps of pc2 sum to 12,192 MiB, and must stay below 12 GB = 11,444 MiB",
    ),
    "a port outside the range": (
        {f"{GROUPS}.vision_gpu": {"agents": {"face-recognition-agent": {"port": 8080}}}},
        f"{GROUPS}.vision_gpu.agents.face-recognition-agent.port: 8080 is outside 8200 to 8300, which the firewall "
        "lets in; take one of that range",
    ),
    "the port of gRPC": (
        {f"{GROUPS}.vision_gpu": {"agents": {"face-recognition-agent": {"port": 8299}}}},
        "8299 is that of gRPC between the machines; take another one",
    ),
    "two agents on one port": (
        {f"{GROUPS}.vision_gpu": {"agents": {"face-recognition-agent": {"port": 8250}}},
         f"{GROUPS}.speech_gpu": {"agents": {"stt-service": {"port": 8250}}}},
        "'stt-service' and 'face-recognition-agent' both listen on 8250/tcp; give each a port of its own",
    ),
    "no overlay": (
        {"hosts.overlay": None, "hosts.machines.mainpc.overlay": None, "hosts.machines.pc2.overlay": None},
        "hosts.overlay: is missing: the machines call each other through the overlay agent_net; write `overlay: {}`",
    ),
    "a machine outside the overlay": (
        {"hosts.machines.pc2.overlay": None},
        "hosts.machines.pc2.overlay: is not in the overlay agent_net; give it an address there",
    ),
    "a group that nobody described": (
        {f"{GROUPS}.robots": {}},
        f"{GROUPS}.robots: the main machine has no such group in the table, and it is not described; give it a purpose "
        "and agents, or use one of infra_core",
    ),
    "an agent in two groups": (
        {f"{GROUPS}.vision_gpu": {"agents": {"stt-service": {}}}},
        f"{GROUPS}.vision_gpu.agents: 'stt-service' is in group speech_gpu too; an agent is in one group",
    ),
    "a circle of groups": (
        {f"{GROUPS}.infra_core": {"after": ["emotion_system"]}},
        f"{GROUPS}: each waits for the next: ",
    ),
    "a circle of agents": (
        {f"{GROUPS}.infra_core": {"agents": {"service-registry": {"after": ["system-digital-twin"]}}}},
        f"{GROUPS}.infra_core.agents: each waits for the next: ",
    ),
    "a group to wait for that is none": (
        {f"{GROUPS}.infra_core": {"after": ["web_interface"]}},
        f"{GROUPS}.infra_core.after: 'web_interface' is no group of this machine; use one of infra_core",
    ),
    "an agent to wait for of another group": (
        {f"{GROUPS}.infra_core": {"agents": {"service-registry": {"after": ["stt-service"]}}}},
        "'stt-service' is no agent of infra_core; use one of service-registry, system-digital-twin",
    ),
    "a load test of the other machine": (
        {"dual_host.load_test.targets.dream-agents": {"path": "/x", "p95_ms": 1}},
        "dual_host.load_test.targets: 'dream-agents' is no agent of the main machine",
    ),
    "a web interface for nobody": (
        {"hosts.lan_cidrs": None},
        "dual_host.web: shows the web interface to nobody; name the local network in hosts.lan_cidrs",
    ),
    "another mode": (
        {"mode": "single-region"},
        "mode: dual-host has no mode 'single-region'; use one of two-hosts",
    ),
    "not described": (
        {"dual_host": None},
        "dual_host: is required and missing; describe it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case: str) -> None:
    changes, expected = REFUSED[case]
    found = sense_problems(DeploymentSpec.model_validate(changed_deployment("dual-host", changes)))
    assert any(expected in f"{problem}" for problem in found), [f"{problem}" for problem in found]


def test_the_shipped_stack_has_none() -> None:
    assert sense_problems(DeploymentSpec.model_validate(changed_deployment("dual-host", {}))) == []
