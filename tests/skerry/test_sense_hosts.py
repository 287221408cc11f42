"""What cannot be about machines without an orchestrator, each told once with its remedy."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.config.load import load_spec
from skerry.config.sense_hosts import machine_problems
from skerry.config.spec import CONFIG_KEY
from skerry.errors import ConfigError
from skerry.hosts.plan import GpuPart, HostService, Proxy, Supervisor
from tests.simulators.odd_hosts import alone, hosts_spec, listen, odd_machine

STACK = Path(__file__).resolve().parents[2] / "stacks" / "Pulumi.dual-host.yaml"


def service(name: str, **fields: Any) -> HostService:
    return HostService(name=name, supervisor=Supervisor.SYSTEMD, command=("/bin/x",), **fields)


def proxy(**fields: Any) -> Proxy:
    return Proxy(name="gate", kind="nginx", members=(), **{"listen": listen(443), **fields})


def part(percent: int, device: int = 0) -> GpuPart:
    return GpuPart(device=device, mechanism="mps", percent=percent, memory_mib=1)


PLANS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "two services on one port": (
        {"services": (service("a", listens=(listen(80),)), service("b", listens=(listen(80),)))},
        ["hosts.machines.odd-1.ports: 'b' and 'a' both listen on 80/tcp; give each a port of its own"],
    ),
    "a range that holds another's port": (
        {"services": (service("a", listens=(listen(8000, last=8010),)), service("b", listens=(listen(8005),)))},
        ["hosts.machines.odd-1.ports: 'b' and 'a' both listen on 8005/tcp; give each a port of its own"],
    ),
    "one port of two protocols": (
        {"services": (service("a", listens=(listen(80),)), service("b", listens=(listen(80, protocol="udp"),)))},
        [],
    ),
    "one port at two addresses": (
        {
            "services": (
                service("a", listens=(listen(80, bind="127.0.0.1"),)),
                service("b", listens=(listen(80, bind="10.77.0.1"),)),
            )
        },
        [],
    ),
    "every address of IPv6 is every address": (
        {"services": (service("a", listens=(listen(80, bind="::"),)), service("b", listens=(listen(80, bind="::1"),)))},
        ["hosts.machines.odd-1.ports: 'b' and 'a' both listen on 80/tcp; give each a port of its own"],
    ),
    "a redirect on a service's port": (
        {"services": (service("a", listens=(listen(80),)),), "proxies": (proxy(redirect=listen(80)),)},
        ["hosts.machines.odd-1.ports: 'gate' and 'a' both listen on 80/tcp; give each a port of its own"],
    ),
    "caps of memory beyond the machine": (
        {"services": (service("a", memory_mib=20_000), service("b", memory_mib=20_000))},
        [
            "hosts.machines.odd-1.memory_gib: the caps of its services sum to 40000 MiB, and it has 32 GiB; lower the "
            "caps, or move a service to another machine"
        ],
    ),
    "parts of a GPU beyond the whole": (
        {"services": (service("a", gpu=part(60)), service("b", gpu=part(41)))},
        ["hosts.machines.odd-1.gpus: parts of GPU 0 sum to 101 %: a 60 %, b 41 %; keep the sum to 100 %"],
    ),
    "parts of two GPUs": ({"services": (service("a", gpu=part(60)), service("b", gpu=part(60, 1)))}, []),
    "a GPU that is not there": (
        {"services": (service("a", gpu=part(10, 2)),)},
        ["hosts.machines.odd-1.gpus: 'a' wants GPU 2, and the machine has 2; count from 0"],
    ),
    "a circle": (
        {"services": (service("a", needs=("b",)), service("b", needs=("c",)), service("c", needs=("a",)))},
        ["hosts.machines.odd-1.services: each waits for the next: a -> b -> c -> a; take one of these out"],
    ),
    "what is needed is elsewhere": (
        {"services": (service("a", needs=("z",)),)},
        [
            "hosts.machines.odd-1.services: 'a' needs 'z', which is not on this machine; name a service of the same "
            "machine, or wait for a URL"
        ],
    ),
}


@pytest.mark.parametrize("sentence", PLANS)
def test_what_stands_on_a_machine(sentence: str) -> None:
    fields, expected = PLANS[sentence]
    machine = replace(odd_machine(hosts_spec()), **alone(**fields))
    assert expected == [_turned(f"{problem}") for problem in machine_problems(machine)]


def _turned(text: str) -> str:
    """Return a circle with its first member first: which is told first is chance."""
    head, mark, rest = text.partition("waits for the next: ")
    if not mark:
        return text
    circle, _, remedy = rest.partition(";")
    names = circle.split(" -> ")[:-1]
    first = names.index("a")
    names = names[first:] + names[:first]
    return f"{head}{mark}{' -> '.join([*names, names[0]])};{remedy}"


HOSTS: dict[str, tuple[dict[str, Any], str]] = {
    "nobody may log in where machines are deployed by SSH": (
        {"admin_cidrs": []},
        "hosts.admin_cidrs: nobody may log in, so that the first deployment by SSH would shut",
    ),
    "a range that is none": ({"lan_cidrs": ["10.0.0.1/8"]}, "hosts.lan_cidrs[0]: is not an address range"),
    "an overlay of public addresses": (
        {"overlay": {"network_cidr": "8.8.8.0/24"}},
        "hosts.overlay.network_cidr: '8.8.8.0/24' is not a private range of IPv4",
    ),
}


@pytest.mark.parametrize("sentence", HOSTS)
def test_the_machines_of_a_deployment(sentence: str) -> None:
    fields, expected = HOSTS[sentence]
    given = copy.deepcopy(yaml.safe_load(STACK.read_text())["config"][CONFIG_KEY])
    load_spec(copy.deepcopy(given), "as it is shipped")
    for name, value in fields.items():
        given["hosts"][name] = {**given["hosts"].get(name, {}), **value} if isinstance(value, dict) else value
    with pytest.raises(ConfigError) as caught:
        load_spec(given, "changed")
    assert [problem for problem in caught.value.problems if f"{problem}".startswith(expected)]
