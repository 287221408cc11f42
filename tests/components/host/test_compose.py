"""The Compose project of a machine, as the Compose specification's own loader reads it."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.host.compose_unit import stages
from components.host.quoting import environment_text
from skerry.errors import UsageError
from skerry.hosts.plan import GpuPart, Health, HostFile, HostService, Mount, Supervisor
from tests.simulators.odd_hosts import ODD_VALUES, alone, composed_services, image, laid, listen, odd_files

Load = Callable[[Path], tuple[dict[str, Any], list[str], str]]
FOLDER = "/etc/skerry/compose"


def service(name: str, **fields: Any) -> HostService:
    return HostService(name=name, **{"supervisor": Supervisor.COMPOSE, "image": image(name), **fields})


def rendered(*services: HostService, **fields: Any) -> dict[str, Any]:
    """Return the documents of a machine's project by file name."""
    files = odd_files(**alone(services=services), **fields)
    return {
        path.rsplit("/", 1)[1]: yaml.safe_load(file.text) for path, file in files.items() if path.startswith(FOLDER)
    }


def one(**fields: Any) -> dict[str, Any]:
    """Return the document of one service."""
    found: dict[str, Any] = rendered(service("one", **fields))["one.yaml"]["services"]["one"]
    return found


def loaded(load: Load, root: Path, *services: HostService, secret: str = "s3cret") -> tuple[dict[str, Any], list[str]]:
    """Return the project and the order of starts as the loader has them."""
    files = odd_files(**alone(services=services))
    laid(files, root, ("/etc/skerry/",))
    for path, file in files.items():
        if file.variables:
            text = environment_text(dict.fromkeys(file.variables, secret), path)
            (root / path.lstrip("/")).write_text(text, encoding="utf-8")
    project, order, refusal = load(root / FOLDER.lstrip("/") / "compose.yaml")
    assert not refusal
    return project, order


def test_the_loader_reads_an_odd_project_back(load_project: Load, tmp_path: Path) -> None:
    secret = 'it\'s "$TOKEN" \\ 100% #'
    project, order = loaded(load_project, tmp_path, *composed_services(), secret=secret)
    assert project["name"] == "odd-1"
    assert order == ["first", "second", "third"]
    first = project["services"]["first"]
    assert {**ODD_VALUES, "TOKEN": secret} == first["environment"]
    assert first["command"] == ["serve", "--format", "%h $USER ${X:-y} $$", 'it\'s "odd"', "a b"]
    assert first["healthcheck"]["test"] == ["CMD", "/probe", "http://127.0.0.1:8200/health?x=$y"]
    assert [mount["source"] for mount in first["volumes"]] == ["/srv/a b$c", "state"]
    assert {"8200", "8201", "8202", "8203", "8204"} == {row["published"] for row in first["ports"]}


def test_the_loader_reads_random_values_back(load_project: Load, tmp_path: Path) -> None:
    chance = random.Random(11)
    alphabet = string.printable + "$$%%'\"\\\\#:{}é\u2028"
    values = {f"V{index}": "".join(chance.choices(alphabet, k=chance.randint(0, 20))) for index in range(400)}
    clean = {name: "".join(char for char in value if char not in "\r\x0b\x0c") for name, value in values.items()}
    project, _ = loaded(load_project, tmp_path, service("one", environment=clean))
    assert clean == project["services"]["one"]["environment"]


def test_secret_files_with_random_values_are_read_back(load_project: Load, tmp_path: Path) -> None:
    chance = random.Random(13)
    alphabet = string.ascii_letters + "$$''\"\"\\\\##`` \n=é"
    for _ in range(8):
        secret = "".join(chance.choices(alphabet, k=40))
        project, _ = loaded(load_project, tmp_path, service("one", secrets={"S": "key"}), secret=secret)
        assert {"S": secret} == project["services"]["one"]["environment"]


def test_a_group_with_a_missing_secret_file_does_not_load(load_project: Load, tmp_path: Path) -> None:
    laid(odd_files(**alone(services=(service("one", secrets={"S": "key"}),))), tmp_path, ("/etc/skerry/",))
    (tmp_path / "etc/skerry/environment/one.env").unlink()
    _, _, refusal = load_project(tmp_path / FOLDER.lstrip("/") / "compose.yaml")
    assert "environment/one.env not found" in refusal


def test_groups_are_files_of_one_project() -> None:
    found = rendered(service("a", group="core"), service("b", group="core", needs=("a",)), service("c", needs=("b",)))
    assert found["compose.yaml"]["include"] == ["core.yaml", "c.yaml"]
    assert {"a", "b"} == set(found["core.yaml"]["services"])
    assert found["c.yaml"]["services"]["c"]["depends_on"] == {"b": {"condition": "service_started"}}


FIELDS: dict[str, tuple[Any, ...]] = {
    "a health path is asked inside the container": (
        {"health": Health(path="/health", port=8200)},
        ("healthcheck", "test"),
        [
            "CMD-SHELL",
            "wget -q -T 10 -O /dev/null 'http://127.0.0.1:8200/health' || "
            "curl -fsS -m 10 -o /dev/null 'http://127.0.0.1:8200/health'",
        ],
    ),
    "health has the defaults 30 s, 10 s and 3": (
        {"health": Health(command=("/probe",), start_period_s=60)},
        ("healthcheck",),
        {"test": ["CMD", "/probe"], "interval": "30s", "timeout": "10s", "retries": 3, "start_period": "60s"},
    ),
    "a cap of memory leaves no swap beside it": ({"memory_mib": 4096}, ("memswap_limit",), "4096m"),
    "a cap of memory": ({"memory_mib": 4096}, ("mem_limit",), "4096m"),
    "a cap of processors": ({"cpus": 2.5}, ("cpus",), 2.5),
    "a weight of processors": ({"cpu_shares": 4096}, ("cpu_shares",), 4096),
    "no right beyond those asked": ({}, ("cap_drop",), ["ALL"]),
    "a right that is asked": ({"capabilities": ("CHOWN",)}, ("cap_add",), ["CHOWN"]),
    "no new rights": ({}, ("security_opt",), ["no-new-privileges:true"]),
    "its files are read-only": ({}, ("read_only",), True),
    "it may write in memory where it asks": ({"writable": ("/run",)}, ("tmpfs",), ["/tmp", "/run"]),
    "logs have an end": ({}, ("logging", "options"), {"max-size": "20m", "max-file": "5"}),
    "a failing container is started again, one of yesterday by its unit": ({}, ("restart",), "on-failure"),
    "an image is what the catalogue deploys": ({}, ("image",), "docker.io/library/one:1"),
    "the machine's network": ({"host_network": True, "listens": (listen(1),)}, ("network_mode",), "host"),
    "a port is bound to its address": (
        {"listens": (listen(8200, bind="10.77.0.1"),)},
        ("ports", 0, "host_ip"),
        "10.77.0.1",
    ),
    "a part of a GPU asks for the device": (
        {"gpu": GpuPart(device=1, mechanism="mps", percent=40, memory_mib=9830)},
        ("deploy", "resources", "reservations", "devices"),
        [{"driver": "nvidia", "device_ids": ["1"], "capabilities": ["gpu"]}],
    ),
    "a part of a GPU by MPS limits threads and memory": (
        {"gpu": GpuPart(mechanism="mps", percent=40, memory_mib=9830)},
        ("environment",),
        {
            "CUDA_MPS_PIPE_DIRECTORY": "/run/skerry-mps",
            "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "40",
            "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT": "0=9830M",
        },
    ),
    "a part of a GPU by MPS shares memory with its server": (
        {"gpu": GpuPart(mechanism="mps", percent=40, memory_mib=9830)},
        ("ipc",),
        "host",
    ),
    "a secret is in a file": (
        {"secrets": {"T": "key"}},
        ("env_file",),
        [{"path": "/etc/skerry/environment/one.env", "required": True}],
    ),
    "a folder of the machine must be there": (
        {"mounts": (Mount(source="/srv/x", target="/x", read_only=True),)},
        ("volumes", 0),
        {
            "type": "bind",
            "source": "/srv/x",
            "target": "/x",
            "read_only": True,
            "bind": {"create_host_path": False},
        },
    ),
}


@pytest.mark.parametrize("sentence", FIELDS)
def test_a_field_of_a_service(sentence: str) -> None:
    fields, where, expected = FIELDS[sentence]
    found: Any = one(**fields)
    for step in where:
        found = found[step]
    assert expected == found


def test_a_mig_instance_is_asked_for_by_its_number() -> None:
    rows = [service(name, gpu=replace(mig, device=device)) for name, device in (("a", 0), ("b", 0), ("c", 1))]
    files = odd_files(**alone(services=tuple(rows)))
    found = [
        yaml.safe_load(files[f"{FOLDER}/{row.name}.yaml"].text)["services"][row.name]["deploy"]["resources"][
            "reservations"
        ]["devices"][0]["device_ids"]
        for row in rows
    ]
    assert found == [["0:0"], ["0:1"], ["1:0"]]
    script = files["/usr/local/lib/skerry/mig"].text
    assert "\ninstances 0 2 1g.10gb,1g.10gb 1g.10gb\ninstances 1 1 1g.10gb 1g.10gb\n" in script
    assert "skerry-mig.service" in files["/etc/systemd/system/skerry-compose.service"].text


def test_a_container_is_made_anew_when_a_file_that_it_sees_changes(load_project: Load, tmp_path: Path) -> None:
    seen = HostFile(path="/etc/one/config.yaml", text="1\n")
    key = HostFile(path="/etc/one/deep/key", secret="k", restarts=("x.service",))
    other = HostFile(path="/etc/other", text="2\n")
    row = service("one-x", mounts=(Mount(source="/etc/one", target="/c", read_only=True),))
    files = odd_files(**alone(services=(row, service("two")), files=(seen, key, other)))
    label = yaml.safe_load(files[f"{FOLDER}/one-x.yaml"].text)["services"]["one-x"]["labels"]["skerry.files"]
    assert label == "${FILES_OF_ONE_X:-}"
    line = "FILES_OF_ONE_X=$(state /etc/one/config.yaml /etc/one/deep/key); export FILES_OF_ONE_X"
    assert line in files["/usr/local/lib/skerry/compose-up"].text.splitlines()
    expected = [("skerry-compose.service",), ("x.service", "skerry-compose.service"), ()]
    assert expected == [files[file.path].restarts for file in (seen, key, other)]
    laid(files, tmp_path, ("/etc/skerry/",))
    project, _, refusal = load_project(tmp_path / FOLDER.lstrip("/") / "compose.yaml")
    assert (refusal, project["services"]["one-x"]["labels"]["skerry.files"]) == ("", "")


def test_a_whole_gpu_has_no_limits_of_mps() -> None:
    found = one(gpu=GpuPart(mechanism="whole", percent=100, memory_mib=24000))
    assert ("ipc" in found, "environment" in found, "volumes" in found) == (False, False, False)


mig = GpuPart(mechanism="mig", percent=14, memory_mib=10_000, profile="1g.10gb")
mps = GpuPart(mechanism="mps", percent=10, memory_mib=100)
REFUSED: dict[str, tuple[Any, ...]] = {
    "a container without an image": ((service("a", image=None),), "odd-1: service 'a' runs under Compose and has no"),
    "multicast on a bridge": (
        (service("a", listens=(listen(9999, protocol="udp", scheme="multicast"),)),),
        "service 'a' wants multicast on 9999, and none crosses the network of its container: set host_network",
    ),
    "health that nobody can ask": ((service("a", health=Health()),), "is asked for its health neither by a path"),
    "a group with the name of the project's file": ((service("a", group="compose"),), "cannot be named 'compose'"),
    "instances of MIG with several profiles": (
        (service("a", gpu=mig), service("b", gpu=replace(mig, profile="2g.20gb"))),
        "MIG instances of GPU 0 have the profiles '1g.10gb', '2g.20gb': give all of them the same",
    ),
    "clients of MPS with different users": (
        (service("a", gpu=mps, user="1000"), service("b", gpu=mps, user="1001")),
        "share a GPU by MPS run as different users ('a' as 1000, 'b' as 1001)",
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_compose_cannot_do_is_refused(sentence: str) -> None:
    services, expected = REFUSED[sentence]
    with pytest.raises(UsageError) as caught:
        rendered(*services)
    assert expected in str(caught.value)


def test_who_waits_for_another_machine_keeps_nobody_else_waiting() -> None:
    services = (
        service("store"),
        service("api", needs=("store",), waits_for=("http://there/health",)),
        service("web", needs=("api",)),
        service("tools"),
    )
    expected = [((), ("store", "tools")), (("http://there/health",), ("api",)), ((), ("web",))]
    assert expected == stages(services)


def test_the_unit_starts_the_project_in_order() -> None:
    files = odd_files()
    unit, script = files["/etc/systemd/system/skerry-compose.service"], files["/usr/local/lib/skerry/compose-up"]
    assert "Requires=docker.service skerry-mps.service\n" in unit.text
    assert "ExecReload=/usr/local/lib/skerry/compose-up\n" in unit.text
    steps = [line for line in script.text.splitlines() if line.startswith(("up ", "/usr/local"))]
    waits = "/usr/local/lib/skerry/wait-for 900 http://198.18.0.11:8080/health 'tcp://[fd12::2]:6379'"
    assert ["up first second", waits, "up third"] == steps


def test_what_the_project_needs_of_systemd_is_started_before_it() -> None:
    services = (
        HostService(name="gate", supervisor=Supervisor.SYSTEMD, command=("/bin/gate",)),
        service("app", needs=("gate",)),
    )
    text = odd_files(**alone(services=services))["/etc/systemd/system/skerry-compose.service"].text
    assert "Requires=docker.service gate.service\n" in text


def test_a_server_of_mps_stands_where_containers_share_a_gpu() -> None:
    text = odd_files()["/etc/systemd/system/skerry-mps.service"].text
    assert "ExecStartPre=/usr/bin/nvidia-smi -i 1 -c EXCLUSIVE_PROCESS\n" in text
    assert "ExecStart=/usr/bin/nvidia-cuda-mps-control -f\n" in text
    plain = [replace(row, gpu=None) for row in composed_services()]
    assert "/etc/systemd/system/skerry-mps.service" not in odd_files(services=tuple(plain))
