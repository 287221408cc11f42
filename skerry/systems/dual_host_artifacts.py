"""Files of the dual host that belong to no machine: the workflow of images, the load test's plan, what was decided."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

import yaml

from skerry.catalog import CATALOG_FOLDER
from skerry.config.dual_host import DualHostSpec, Mechanism
from skerry.systems.dual_host_gpu import Gpu, group_mib, slices
from skerry.systems.dual_host_groups import Side, own_reference
from skerry.systems.dual_host_order import Order, longest
from skerry.systems.dual_host_tables import settings

WORKFLOW_PATH: Final = ".github/workflows/dual-host-images.yaml"
PROBE_PATH: Final = "scripts/health_probe.py"
LOAD_PATH: Final = "load-test/load.py"
PLAN_PATH: Final = "load-test/plan.json"
DECISIONS_PATH: Final = "decisions.md"
ALERTS_PATH: Final = "alerts.yaml"

ACTIONS: Final[Mapping[str, str]] = {
    "actions/checkout": "v5.0.0",
    "docker/setup-buildx-action": "v3.11.1",
    "docker/login-action": "v3.6.0",
    "docker/build-push-action": "v6.18.0",
}
"""Actions of the workflow, each at one version.

Source: public workflows that use these versions, read 2026-11; whether they are the newest was not looked up.
"""

ANSWER_S: Final = 60
"""How long a caller of the load test waits for an answer."""


def workflow_files(dual: DualHostSpec, sides: Sequence[Side]) -> dict[str, str]:
    """Return the workflow that builds and pushes images; nothing where all of them come from elsewhere.

    An image under the prefix is built; one that a stack names by its digest was built before.

    Args:
        dual: the configuration.
        sides: both machines.
    """
    prefix = f"{dual.images.prefix}/"
    agents = [agent for side in sides for agent in side.agents]
    found = {agent.spec.image or own_reference(dual, agent) for agent in agents}
    own = sorted(one for one in found if one.startswith(prefix) and "@" not in one)
    rows = [{"name": one.removeprefix(prefix).partition(":")[0], "image": one} for one in own]
    return {WORKFLOW_PATH: _workflow(dual, rows)} if rows else {}


def _workflow(dual: DualHostSpec, rows: list[dict[str, str]]) -> str:
    registry = dual.images.prefix.partition("/")[0]
    secrets = dual.workflow
    steps = [
        {"uses": _action("actions/checkout"), "with": {"persist-credentials": False}},
        {"uses": _action("docker/setup-buildx-action")},
        {
            "uses": _action("docker/login-action"),
            "if": "github.event_name != 'pull_request'",
            "with": {
                "registry": registry,
                "username": f"${{{{ secrets.{secrets.username_secret} }}}}",
                "password": f"${{{{ secrets.{secrets.password_secret} }}}}",
            },
        },
        {
            "uses": _action("docker/build-push-action"),
            "with": {
                "context": f"{secrets.contexts}/${{{{ matrix.name }}}}",
                "platforms": "linux/amd64",
                "push": "${{ github.event_name != 'pull_request' }}",
                "tags": "${{ matrix.image }}\n" + _by_commit() + "\n",
                "provenance": "mode=max",
                "sbom": True,
                "cache-from": "type=gha,scope=${{ matrix.name }}",
                "cache-to": "type=gha,mode=max,scope=${{ matrix.name }}",
            },
        },
    ]
    document: dict[str, Any] = {
        "name": "dual-host images",
        "on": {
            "push": {"branches": ["main"], "paths": [f"{secrets.contexts}/**", WORKFLOW_PATH]},
            "pull_request": {"paths": [f"{secrets.contexts}/**", WORKFLOW_PATH]},
            "workflow_dispatch": None,
        },
        "permissions": {"contents": "read"},
        "concurrency": {"group": "dual-host-images-${{ github.ref }}", "cancel-in-progress": True},
        "jobs": {
            "image": {
                "runs-on": "ubuntu-24.04",
                "timeout-minutes": 60,
                "strategy": {"fail-fast": False, "matrix": {"include": rows}},
                "steps": steps,
            }
        },
    }
    head = (
        "# Written by Skerry from the stack's configuration. Builds every image that the Compose files name, and\n"
        f"# pushes it to {dual.images.prefix} from main; both machines need read access there, or the bundle.\n"
    )
    return head + yaml.dump(document, Dumper=_Quoting, sort_keys=False, width=120)


class _Quoting(yaml.SafeDumper):
    """Writes `on` as a key that no YAML takes for true, and texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Quoting.add_representer(str, _text)


def _action(name: str) -> str:
    return f"{name}@{ACTIONS[name]}"


def _by_commit() -> str:
    """Return the tag that names the commit, so that what runs can be traced."""
    return "${{ matrix.image }}-${{ github.sha }}"


def load_program() -> str:
    """Return the program of the image load-test."""
    return (CATALOG_FOLDER / "load-test" / "load.py").read_text(encoding="utf-8")


def load_plan(dual: DualHostSpec, main: Side, address: Mapping[str, str]) -> str:
    """Return the plan of the load test.

    Args:
        dual: the configuration.
        main: the main machine.
        address: agent -> the address that it is published on.
    """
    asked, wanted = dual.load_test, settings().load_test
    ports = {agent.name: agent.port for agent in main.agents}
    names = dict.fromkeys([*wanted.speech, *wanted.vision, *asked.targets])
    targets = {}
    for name in names:
        said = asked.targets.get(name)
        targets[name] = {
            "url": f"http://{address[name]}:{ports[name]}",
            "path": said.path if said else None,
            "body": said.body if said else "",
            "contentType": said.content_type if said else "",
            "p95Ms": said.p95_ms if said else None,
        }
    document = {
        "schema": "skerry.load-plan/1",
        "says": "ask speech and vision at once, ever more callers, until one is too slow; then try other parts",
        "targets": targets,
        "concurrency": list(asked.concurrency),
        "stepSeconds": asked.step_s,
        "timeoutSeconds": ANSWER_S,
        "metrics": ["p50Ms", "p95Ms", "perSecond", "errorPercent", "gpu.usedMib", "gpu.busyPercent"],
        "stop": {
            "errorPercent": asked.error_percent,
            "p95": "a service's p95 is above its p95Ms",
            "gpuMemory": "the GPU's memory is full",
        },
        "fractions": fractions(dual, main),
        "rest": "learning_gpu gets what speech_gpu and vision_gpu leave of their sum with it",
    }
    return json.dumps(document, indent=2) + "\n"


def fractions(dual: DualHostSpec, main: Side) -> list[dict[str, int]]:
    """Return the parts of speech and vision that are tried: those that leave each service of learning one percent."""
    parts = {group.name: group.gpu_percent for group in main.groups}
    learners = next((len(group.agents) for group in main.groups if group.name == "learning_gpu"), 0)
    most = parts.get("speech_gpu", 0) + parts.get("vision_gpu", 0) + parts.get("learning_gpu", 0) - learners
    tried = sorted(set(dual.load_test.fractions))
    return [{"speech": one, "vision": other} for one, other in product(tried, tried) if one + other <= most]


def decisions(sides: tuple[Side, ...], orders: tuple[Order, ...], gpus: tuple[Gpu | None, ...]) -> str:
    """Return what was decided where the overview leaves it open, or says two things, with the sums."""
    lines = ["# What was decided", ""]
    for side, order, gpu in zip(sides, orders, gpus, strict=True):
        lines += [f"## {side.machine} ({side.side})", "", *_table(side), "", *_sums(side), *_gpu_lines(side, gpu), ""]
        lines += ["Start order:", "", *_start(order), ""]
        chain = longest(order)
        lines.append(f"- the longest chain is of {len(chain)} agents, one after the other: {', '.join(chain)}")
        lines += [f"- {note}" for note in order.notes]
        lines += [
            f"- {agent.name} stands for what the overview calls '{agent.stands_for}': name its agents in the stack"
            for agent in side.agents
            if agent.stands_for
        ]
        lines.append("")
    return "\n".join(lines)


def _table(side: Side) -> Iterator[str]:
    yield "| group | purpose | GPU % | vCPU | MiB | agents and their ports | overview |"
    yield "|---|---|---|---|---|---|---|"
    for group in side.groups:
        agents = ", ".join(f"{agent.title} {agent.port}" for agent in group.agents)
        line = f"line {group.line}" if group.line else "of the stack"
        cells = (
            group.name,
            group.purpose,
            group.gpu_percent or "no",
            f"{group.vcpus:g}",
            group.memory_mib,
            agents,
            line,
        )
        yield f"| {' | '.join(map(str, cells))} |"


def _sums(side: Side) -> Iterator[str]:
    caps = sum(agent.memory_mib for agent in side.agents)
    limits = sum(agent.vcpus for agent in side.agents)
    yield f"- memory: caps of {caps:,} MiB, below {side.ram_mib:,} MiB; the caps of groups are defaults of ours"
    room = side.host.vcpu * side.settings.vcpu_oversubscription
    if side.cpu_scale < 1:
        yield (
            f"- CPU: the groups ask for {side.vcpus:g} vCPU, and there are {side.host.vcpu} x "
            f"{side.settings.vcpu_oversubscription:g} = {room:g}: limits are scaled by {side.cpu_scale:.3f} to "
            f"{limits:.2f}, and weights stay"
        )
    else:
        yield f"- CPU: the groups ask for {side.vcpus:g} vCPU of {room:g}: limits are not scaled"
    if "vcpus" in side.row.ours:
        yield "- CPU: the overview gives this machine no figures; they are defaults of ours"


def _gpu_lines(side: Side, gpu: Gpu | None) -> Iterator[str]:
    if gpu is None:
        yield "- GPU: none"
        return
    source = "as nvidia-smi reports it" if gpu.total_known else "as configured; nobody looked up what it reports"
    yield f"- GPU: {gpu.mechanism.value} ({gpu.why}); {gpu.total_mib:,} MiB, {source}"
    if side.host.gpus > 1:
        yield f"- GPU: there are {side.host.gpus}, and the groups use the first alone"
    parts = [group for group in side.groups if group.gpu_percent]
    percent = sum(group.gpu_percent for group in parts)
    terms = " + ".join(f"{group.name} {group.gpu_percent}" for group in parts)
    yield f"- GPU: {terms} = {percent} %, and {gpu.headroom_percent} % stay free"
    memory = " + ".join(f"{group_mib(gpu, group)}" for group in parts)
    held = gpu.total_mib - gpu.given_mib
    whose = f"a reserve of {held} MiB" if held else "no reserve beside what stays free"
    total = sum(group_mib(gpu, group) for group in parts)
    yield f"- GPU memory: {memory} = {total} MiB of {gpu.given_mib}, after {whose}"
    if gpu.mechanism is Mechanism.MIG:
        profiles = list(slices(side).values())
        yield f"- GPU slices, in this order: {', '.join(f'{name} {one}' for name, one in slices(side).items())}"
        yield f"- cut them once with `nvidia-smi -i 0 -mig 1 && nvidia-smi mig -i 0 -cgi {','.join(profiles)} -C`"
    if gpu.mechanism is Mechanism.TIME_SLICING:
        yield "- GPU: services take turns, and nothing keeps one within its part of the memory"
    clients = sum(1 for agent in side.agents if agent.gpu_percent)
    if clients < 2:
        yield f"- GPU: {clients} client: MPS pays only where a second one exists"


def _start(order: Order) -> Iterator[str]:
    for at, name in enumerate(order.groups, 1):
        waits = ", ".join(order.waits[name])
        yield f"{at}. {name}" + (f" (after {waits})" if waits else "")
