"""The dual host as a plan: the overview's groups, order, parts of GPUs, caps and what joins the two machines."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from skerry.catalog import load_catalog
from skerry.config.dual_host import StartOrder
from skerry.config.sense import sense_problems
from skerry.config.spec import DeploymentSpec
from skerry.hosts.plan import HostService, HostsPlan, Machine
from skerry.systems.dual_host import dual_host_plan
from skerry.systems.dual_host_groups import Side, sides_of, split
from skerry.systems.dual_host_order import longest, order_of
from skerry.systems.dual_host_tables import groups, settings, starts
from tests.simulators.changed_stacks import changed_deployment

MAIN = "dual_host.main_settings.groups"
SECOND = "dual_host.second_settings.groups"


def spec_of(changes: dict[str, Any] | None = None) -> DeploymentSpec:
    spec = DeploymentSpec.model_validate(changed_deployment("dual-host", changes or {}))
    assert sense_problems(spec) == []
    return spec


def plan_of(changes: dict[str, Any] | None = None) -> HostsPlan:
    return dual_host_plan(spec_of(changes), load_catalog())


def machine_of(plan: HostsPlan, name: str) -> Machine:
    return next(row for row in plan.machines if row.name == name)


def services_of(machine: Machine) -> dict[str, HostService]:
    return {row.name: row for row in machine.services}


def members(machine: Machine) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in machine.services:
        if row.group:
            found.setdefault(row.group, []).append(row.name)
    return found


GROUPS = {
    "mainpc": {
        "infra_core": ["service-registry", "system-digital-twin"],
        "coordination": ["request-coordinator", "model-manager-suite", "vram-optimizer-agent"],
        "observability": ["observability-hub"],
        "memory_stack": ["memory-client", "session-memory-agent", "knowledge-base"],
        "language_stack": ["language-agents"],
        "reasoning_gpu": ["chain-of-thought-agent", "go-t-to-t-agent", "cognitive-model-agent"],
        "learning_gpu": ["learning-agents", "local-fine-tuner-agent"],
        "vision_gpu": ["face-recognition-agent"],
        "speech_gpu": ["stt-service", "tts-service", "audio-pipeline"],
        "utility_cpu": ["code-generator", "executor", "predictive-health-monitor"],
        "emotion_system": ["emotion-engine", "emotion-agents"],
    },
    "pc2": {
        "infra_core": ["observability-hub", "resource-manager"],
        "memory_stack": ["memory-orchestrator-service", "cache-manager"],
        "async_pipeline": ["async-processor", "task-scheduler"],
        "tutoring_cpu": ["tutor-agent", "tutoring-agent"],
        "vision_dream_gpu": ["vision-processing-agent", "dream-agents"],
        "utility_cpu": ["unified-utils-agent", "file-system-assistant-agent"],
        "web_interface": ["unified-web-agent"],
    },
}


@pytest.mark.parametrize("name", GROUPS)
def test_each_machine_has_the_groups_of_the_overview(name: str) -> None:
    assert members(machine_of(plan_of(), name)) == GROUPS[name]


def test_an_agent_that_stands_for_a_class_gives_way_to_named_ones() -> None:
    agents = {"dialogue-agent": {}, "nlu-agent": {}}
    found = members(machine_of(plan_of({f"{MAIN}.language_stack": {"agents": agents}}), "mainpc"))
    assert found["language_stack"] == ["dialogue-agent", "nlu-agent"]
    kept = {f"{MAIN}.language_stack": {"agents": {"language-agents": {}, "nlu-agent": {}}}}
    assert members(machine_of(plan_of(kept), "mainpc"))["language_stack"] == ["language-agents", "nlu-agent"]
    more = {f"{MAIN}.coordination": {"agents": {"scheduler": {}}}}
    assert members(machine_of(plan_of(more), "mainpc"))["coordination"][-1] == "scheduler"


def test_ports_of_agents_stay_when_others_are_added() -> None:
    before = {row.name: row.listens[0].port for row in machine_of(plan_of(), "mainpc").services}
    more = {f"{MAIN}.infra_core": {"agents": {"config-server": {}}}}
    after = {row.name: row.listens[0].port for row in machine_of(plan_of(more), "mainpc").services}
    assert after.pop("config-server") == 8224
    assert after == before


GPU = {
    "mainpc": {"request-coordinator": (14, 3295), "model-manager-suite": (13, 3060), "vram-optimizer-agent": (13, 3060),
               "chain-of-thought-agent": (7, 1647), "go-t-to-t-agent": (7, 1647), "cognitive-model-agent": (6, 1412),
               "learning-agents": (10, 2354), "local-fine-tuner-agent": (10, 2354),
               "face-recognition-agent": (10, 2354),
               "stt-service": (4, 941), "tts-service": (3, 706), "audio-pipeline": (3, 706)},
    "pc2": {"vision-processing-agent": (35, 4300), "dream-agents": (35, 4300)},
}  # fmt: skip


@pytest.mark.parametrize("name", GPU)
def test_parts_of_the_gpu_are_those_of_the_overview_and_fit_its_memory(name: str) -> None:
    found = {row.name: row.gpu for row in machine_of(plan_of(), name).services if row.gpu}
    assert {one: (part.percent, part.memory_mib) for one, part in found.items()} == GPU[name]
    assert {part.mechanism for part in found.values()} == {"mps"}
    total = {"mainpc": 24_564 - 1024, "pc2": 12_288 * 70 // 100}[name]
    assert sum(part.memory_mib for part in found.values()) <= total
    assert total - sum(part.memory_mib for part in found.values()) < 20


def test_clients_of_one_gpu_are_one_user() -> None:
    users = {row.user for machine in plan_of().machines for row in machine.services if row.gpu}
    assert users == {"65532:65532"}


PARTS = {
    "three weights share what rounding leaves": (10, [1, 1, 1], [4, 3, 3]),
    "a weight of none gets none": (40, [0, 1, 1], [0, 20, 20]),
    "weights": (20, [3, 1], [15, 5]),
    "nobody": (20, [0], [0]),
}


@pytest.mark.parametrize("case", PARTS)
def test_parts_are_split_by_weight(case: str) -> None:
    total, weights, expected = PARTS[case]
    assert split(total, weights) == expected


def sides() -> tuple[Side, ...]:
    return sides_of(spec_of())


@pytest.mark.parametrize("side", sides(), ids=lambda side: side.side)
@pytest.mark.parametrize("by", StartOrder)
def test_every_edge_of_the_diagrams_holds(side: Side, by: StartOrder) -> None:
    order = order_of(side, by)
    for edge in starts().groups[side.side]:
        assert edge.before in order.waits[edge.after], f"line {edge.line}"
        assert order.groups.index(edge.before) < order.groups.index(edge.after)
    for edge in starts().agents[side.side]:
        assert edge.before in order.agents[edge.after], f"line {edge.line}"


@pytest.mark.parametrize("side", sides(), ids=lambda side: side.side)
def test_the_six_steps_are_kept_in_order(side: Side) -> None:
    order = order_of(side, StartOrder.STEPS)
    steps = [group.step for name in order.groups for group in side.groups if group.name == name and group.step]
    assert steps == sorted(steps)


def test_by_the_diagrams_alone_no_step_adds_a_wait() -> None:
    main, second = sides()
    assert order_of(main, StartOrder.DIAGRAMS).waits["utility_cpu"] == ()
    assert order_of(main, StartOrder.STEPS).waits["utility_cpu"] == (
        "reasoning_gpu", "learning_gpu", "vision_gpu", "speech_gpu",
    )  # fmt: skip
    assert order_of(second, StartOrder.DIAGRAMS).waits["utility_cpu"] == ("infra_core",)


CHAINS = {
    "main": ("service-registry", "system-digital-twin", "request-coordinator", "model-manager-suite",
             "vram-optimizer-agent", "observability-hub", "memory-client", "language-agents", "emotion-engine",
             "chain-of-thought-agent", "code-generator"),
    "second": ("observability-hub", "memory-orchestrator-service", "vision-processing-agent", "unified-utils-agent",
               "unified-web-agent"),
}  # fmt: skip


@pytest.mark.parametrize("side", sides(), ids=lambda side: side.side)
def test_a_cold_start_is_as_long_as_its_longest_chain(side: Side) -> None:
    assert longest(order_of(side, StartOrder.STEPS)) == CHAINS[side.side]


NOTES = {
    "main": (
        "observability has no edge in the diagram: step 3 alone places it",
        "utility_cpu has no edge in the diagram: step 6 alone places it",
    ),
    "second": (
        "step 3 (observability) names no group of this machine",
        "step 4 (memory_stack, language_stack and emotion_system on the main machine, in that order) names no group "
        "of this machine",
        "async_pipeline is in none of the six steps: it starts once memory_stack is well",
        "tutoring_cpu is in none of the six steps: it starts once memory_stack is well",
        "vision_dream_gpu is in step 5 by a loose reading of it",
    ),
}


@pytest.mark.parametrize("side", sides(), ids=lambda side: side.side)
def test_what_the_steps_leave_out_is_told(side: Side) -> None:
    assert order_of(side, StartOrder.STEPS).notes == NOTES[side.side]


def test_a_step_that_contradicts_the_diagram_is_told_and_gives_way() -> None:
    changed = spec_of({f"{SECOND}.memory_stack": {"after": ["utility_cpu"]}})
    second = sides_of(changed)[1]
    order = order_of(second, StartOrder.STEPS)
    assert order.notes[0] == (
        "memory_stack waits for utility_cpu by the diagram, but step 2 starts it before step 6: the diagram holds"
    )
    assert order.groups.index("utility_cpu") < order.groups.index("memory_stack")
    assert "vision_dream_gpu" not in order.waits["utility_cpu"]


WAITS = {
    ("mainpc", "service-registry"): (),
    ("mainpc", "system-digital-twin"): ("service-registry",),
    ("mainpc", "request-coordinator"): ("system-digital-twin",),
    ("mainpc", "vram-optimizer-agent"): ("model-manager-suite",),
    ("mainpc", "observability-hub"): ("vram-optimizer-agent",),
    ("pc2", "memory-orchestrator-service"): ("observability-hub", "resource-manager"),
    ("pc2", "unified-web-agent"): (
        "async-processor", "task-scheduler", "unified-utils-agent", "file-system-assistant-agent",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("machine", "name"), WAITS)
def test_the_first_of_a_group_wait_for_the_last_of_those_before(machine: str, name: str) -> None:
    assert services_of(machine_of(plan_of(), machine))[name].needs == WAITS[machine, name]


def test_across_machines_only_the_second_waits() -> None:
    plan = plan_of()
    waits = {(m.name, s.name): s.waits_for for m in plan.machines for s in m.services if s.waits_for}
    assert waits == {("pc2", "memory-orchestrator-service"): ("http://10.77.0.1:8201/health",)}


def test_health_is_the_overview_s_and_models_get_time_to_load() -> None:
    for machine in plan_of().machines:
        for row in (row for row in machine.services if row.health):
            health = row.health
            assert health is not None
            assert (health.interval_s, health.timeout_s, health.retries) == (30, 10, 3)
            assert health.start_period_s == (300 if row.gpu else 30)
            assert health.command[-1] == f"http://127.0.0.1:{row.listens[0].port}/health"
            assert "--json" in health.command


def test_caps_stay_below_what_the_overview_says() -> None:
    for machine, gigabytes in zip(plan_of().machines, (32, 12), strict=True):
        caps = [row.memory_mib for row in machine.services]
        assert None not in caps
        assert sum(cap or 0 for cap in caps) * 2**20 < gigabytes * 10**9


def test_cpu_limits_are_scaled_to_the_machine_and_weights_stay() -> None:
    small = machine_of(plan_of({"hosts.machines.mainpc.vcpu": 16}), "mainpc")
    large = machine_of(plan_of(), "mainpc")
    assert sum(row.cpus or 0 for row in small.services) <= 16
    assert sum(row.cpus or 0 for row in large.services) <= 32
    assert [row.cpu_shares for row in small.services] == [row.cpu_shares for row in large.services]
    both = {"hosts.machines.mainpc.vcpu": 16, "dual_host.main_settings.vcpu_oversubscription": 2}
    assert [row.cpus for row in machine_of(plan_of(both), "mainpc").services] == [row.cpus for row in large.services]


def test_groups_ask_for_the_overview_s_cpus() -> None:
    table = groups().groups["main"]
    low, high = settings().vcpus.cpu
    assert {row.vcpus for row in table.values() if row.gpu} == set(settings().vcpus.gpu)
    assert all(low <= row.vcpus <= high for row in table.values() if not row.gpu)
    assert sum(row.vcpus for row in table.values()) == 32


def test_what_the_other_machine_calls_is_on_the_overlay_and_the_rest_on_loopback() -> None:
    plan = plan_of()
    outside = {
        (m.name, s.name, one.port, one.scheme) for m in plan.machines for s in m.services for one in s.listens
        if one.bind != "127.0.0.1"
    }  # fmt: skip
    assert outside == {
        ("mainpc", "system-digital-twin", 8201, "http"), ("mainpc", "system-digital-twin", 8299, "grpc"),
        ("mainpc", "observability-hub", 8205, "http"), ("mainpc", "observability-hub", 9101, "http"),
        ("mainpc", "health-watch", 9102, "http"),
        ("pc2", "memory-orchestrator-service", 8202, "http"), ("pc2", "memory-orchestrator-service", 8299, "grpc"),
        ("pc2", "observability-hub", 8200, "http"), ("pc2", "observability-hub", 9101, "http"),
        ("pc2", "health-watch", 9102, "http"),
    }  # fmt: skip


def test_every_port_is_in_one_of_the_two_ranges() -> None:
    ranges = [range(row.first, row.last + 1) for row in settings().ports]
    assert [(row[0], row[-1]) for row in ranges] == [(8200, 8300), (9100, 9200)]
    for machine in plan_of().machines:
        rows = [one for row in machine.services for one in row.listens] + [row.listen for row in machine.proxies]
        assert [one.port for one in rows if not any(one.port in each for each in ranges)] == []


def test_the_firewall_lets_in_the_ranges_and_the_overlay_s_own_port() -> None:
    machine = machine_of(plan_of(), "mainpc")
    found = [(row.port, row.last, row.protocol, row.sources, row.overlay) for row in machine.opens]
    assert found == [
        (8200, 8300, "tcp", (), True),
        (9100, 9200, "tcp", (), True),
        (51820, None, "udp", ("10.3.0.11/32",), False),
    ]


def test_the_second_hub_sends_to_the_main_one_where_it_is_told() -> None:
    hub = services_of(machine_of(plan_of(), "pc2"))["observability-hub"]
    assert hub.environment["mainpc_hub_endpoint"] == "http://10.77.0.1:8205"
    alone = plan_of({"dual_host.observability_sync": False})
    assert "mainpc_hub_endpoint" not in services_of(machine_of(alone, "pc2"))["observability-hub"].environment


def test_grpc_goes_both_ways_through_the_overlay() -> None:
    plan = plan_of()
    twin = services_of(machine_of(plan, "mainpc"))["system-digital-twin"]
    memory = services_of(machine_of(plan, "pc2"))["memory-orchestrator-service"]
    assert twin.environment["MEMORY_ORCHESTRATOR_SERVICE_ADDRESS"] == "10.77.0.2:8299"
    assert memory.environment["SYSTEM_DIGITAL_TWIN_ADDRESS"] == "10.77.0.1:8299"
    assert [(row.host, row.port, row.protocol) for row in twin.endpoints] == [("10.77.0.2", 8299, "grpc")]


def test_a_group_of_the_stack_s_own_stands_beside_the_table_s() -> None:
    added = {"purpose": "speech in a browser", "after": ["speech_gpu"], "agents": {"browser-speech": {}}}
    plan = plan_of({f"{MAIN}.browser": added})
    found = services_of(machine_of(plan, "mainpc"))["browser-speech"]
    assert found.needs == ("stt-service", "tts-service", "audio-pipeline")
    assert (found.memory_mib, found.listens[0].port) == (1024, 8224)


def test_what_keeps_files_is_stateful_and_copied_away() -> None:
    machine = machine_of(plan_of(), "mainpc")
    kept = {row.name: row.storage_gib for row in machine.services if row.stateful}
    assert kept == {"session-memory-agent": 20, "knowledge-base": 100}
    assert [row.paths for row in machine.backups] == [
        tuple(f"/var/lib/docker/volumes/mainpc_{name}/_data" for name in kept)
    ]


MECHANISMS = {
    "MPS where the machine and the model can": ({}, "mps"),
    "turns under WSL2": ({"hosts.machines.mainpc.os": "wsl2"}, "time-slicing"),
    "turns where they are asked for": ({"dual_host.gpu.mechanism": "time-slicing"}, "time-slicing"),
    "MPS under WSL2 where somebody tried it": (
        {"hosts.machines.mainpc.os": "wsl2", "dual_host.gpu": {"mechanism": "mps", "mps_on_wsl2": True}}, "mps"),
}  # fmt: skip


@pytest.mark.parametrize("case", MECHANISMS)
def test_the_mechanism_is_chosen_by_machine_and_model(case: str) -> None:
    changes, expected = MECHANISMS[case]
    machine = machine_of(plan_of(copy.deepcopy(changes)), "mainpc")
    assert {row.gpu.mechanism for row in machine.services if row.gpu} == {expected}


def test_slices_where_the_model_has_them_are_shared_by_a_group() -> None:
    changes = {
        "hosts.machines.mainpc.gpu_model": "A100", "hosts.machines.mainpc.gpu_memory_gib": 80,
        "dual_host.main_settings.mechanism": "mig",
        f"{MAIN}.coordination": {"mig_profile": "2g.20gb"},
        **{f"{MAIN}.{name}": {"mig_profile": "1g.10gb"} for name in ("reasoning_gpu", "learning_gpu")},
    }  # fmt: skip
    found = {row.name: row.gpu for row in machine_of(plan_of(changes), "mainpc").services if row.gpu}
    assert (found["model-manager-suite"].profile, found["model-manager-suite"].slice_index) == ("2g.20gb", 0)
    assert (found["stt-service"].profile, found["stt-service"].slice_index) == ("1g.10gb", 4)
    assert found["stt-service"].slice_index == found["tts-service"].slice_index
