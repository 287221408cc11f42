"""Valkey, started by the very scripts of the stacks: what is broadcast is heard at most once, and who the primary is.

Each member has an address of its own on loopback, and a file of hosts stands in for the cluster's DNS. Binaries named
like the image's add the address and the folder, which a pod has for itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.simulators.changed_stacks import run_changed
from tests.simulators.resp import Resp, RespError
from tests.simulators.servers import program, wait
from tests.simulators.stack_objects import AIRGAPPED, ONPREM, Pods, graph_of, pods

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]

ASKER = Path(__file__).with_name("sentinel_cli.py")
PASSWORD = "only-for-this-test"
NAMESPACE = "sensei-channels"
DOMAIN = f"valkey-headless.{NAMESPACE}.svc.cluster.local"


def members_of(graph: Any) -> Pods:
    return next(pod for pod in pods(graph) if pod.labels.get("app.kubernetes.io/name") == "valkey")


def script(pod: Pods, container: str) -> str:
    (found,) = [one for one in pod.containers if one["name"] == container]
    assert found["command"] == ["/bin/sh", "-c"]
    return str(found["args"][0])


@dataclass
class Member:
    """One pod: the processes of its containers."""

    name: str
    address: str
    folder: Path
    pod: Pods
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, container: str) -> None:
        """Start a container's script as the pod does."""
        text = (
            script(self.pod, container)
            .replace("/sentinel/", f"{self.folder}/")
            .replace("--dir /data", f"--dir {self.folder}")
        )
        env = {
            **os.environ,
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "HOSTNAME": self.name,
            "NAMESPACE": NAMESPACE,
            "PASSWORD": PASSWORD,
            "QUORUM": "2",
        }
        command = ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c",
                   f'mount --bind {self.folder.parent}/hosts /etc/hosts && exec /bin/sh -c "$0"', text]  # fmt: skip
        with (self.folder / f"{container}.log").open("ab") as log:
            self.running[container] = subprocess.Popen(command, stdout=log, stderr=log, env=env, start_new_session=True)

    def lose(self) -> None:
        """End everything at once, as a lost machine does."""
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()

    def client(self, port: int = 6379) -> Resp:
        return Resp(self.address, port, PASSWORD)

    def answers(self, port: int) -> bool:
        try:
            with self.client(port) as client:
                return bool(client("PING") == "PONG")
        except (OSError, RespError):
            return False


def make(folder: Path, pod: Pods, count: int, block: int) -> list[Member]:
    """Make the folders of members: programs with the image's names, and the file of hosts."""
    members = []
    lines = ["127.0.0.1 localhost"]
    for index in range(count):
        member = Member(f"valkey-{index}", f"127.0.{block}.{11 + index}", folder / f"valkey-{index}", pod)
        member.folder.mkdir()
        shims = {
            "valkey-server": (
                '#!/bin/sh\ncase "$1" in */sentinel.conf) echo "bind {a}" >> "$1"; exec {p} "$@";; esac\n'
                'exec {p} "$@" --bind {a} --repl-diskless-sync-delay 0\n'
            ).format(p=program("valkey-server"), a=member.address),
            "valkey-cli": f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} {ASKER} "$@"\n',
        }
        for name, text in shims.items():
            (member.folder / name).write_text(text)
            (member.folder / name).chmod(0o755)
        lines += [f"{member.address} {member.name}.{DOMAIN} {member.name}.valkey-headless",
                  f"{member.address} valkey.{NAMESPACE}.svc.cluster.local"]  # fmt: skip
        members.append(member)
    (folder / "hosts").write_text("\n".join(lines) + "\n")
    return members


@pytest.fixture
def single(tmp_path: Path) -> Iterator[Member]:
    (member,) = make(tmp_path, members_of(graph_of(ONPREM)), 1, 71)
    member.start("valkey")
    try:
        wait("Valkey", lambda: member.answers(6379), 15)
        yield member
    finally:
        member.lose()


def test_a_broadcast_is_heard_by_those_who_listen_and_never_by_those_who_are_away(single: Member) -> None:
    with ExitStack() as stack:
        present, away = stack.enter_context(single.client()), single.client()
        for subscriber in (present, away):
            assert subscriber("SUBSCRIBE", "patterns") == ["subscribe", "patterns", 1]
        sender = stack.enter_context(single.client())
        assert sender("PUBLISH", "patterns", "first") == 2
        assert [present.read(), away.read()] == [["message", "patterns", "first"]] * 2
        away.close()
        wait("the end of a subscription", lambda: sender("PUBSUB", "NUMSUB", "patterns") == ["patterns", 1])
        assert sender("PUBLISH", "patterns", "second") == 1
        assert present.read() == ["message", "patterns", "second"]
        returned = stack.enter_context(single.client())
        assert returned("SUBSCRIBE", "patterns") == ["subscribe", "patterns", 1]
        assert returned.silent(1), "what was broadcast meanwhile is lost: at most once"
        assert sender("PUBLISH", "patterns", "third") == 2
        assert returned.read() == ["message", "patterns", "third"]


def test_nobody_gets_in_without_the_password(single: Member) -> None:
    with Resp(single.address, 6379) as stranger:
        for words in (("PUBLISH", "patterns", "x"), ("SUBSCRIBE", "patterns"), ("GET", "x"), ("CONFIG", "GET", "*")):
            with pytest.raises(RespError, match="NOAUTH"):
                stranger(*words)
        with pytest.raises(RespError, match="WRONGPASS"):
            stranger("AUTH", "guessed")


def test_head_state_of_ray_survives_the_loss_of_the_process_and_a_broadcast_does_not(single: Member) -> None:
    with single.client() as client:
        assert client("CONFIG", "GET", "appendonly")[1] == "yes"
        assert client("CONFIG", "GET", "maxmemory-policy")[1] == "noeviction"
        client("HSET", "ray-head", "jobs", "7")
        client("PUBLISH", "patterns", "gone")
    time.sleep(1.5)  # the log is written each second
    single.lose()
    single.start("valkey")
    wait("Valkey", lambda: single.answers(6379), 15)
    with single.client() as client:
        assert client("HGET", "ray-head", "jobs") == "7"


def primary_of(sentinel: Member) -> str:
    """Return who the primary is as Ray asks a Sentinel: log in, see that it is one, take the only primary."""
    with sentinel.client(26379) as client:
        assert client("INFO", "SENTINEL") != ""
        (only,) = client("SENTINEL", "MASTERS")
        facts = dict(zip(only[::2], only[1::2], strict=True))
        assert facts["port"] == "6379"
        return str(facts["ip"])


def test_sentinels_elect_another_primary_and_the_lost_one_comes_back_as_a_follower(tmp_path: Path) -> None:
    graph = run_changed(AIRGAPPED, {"channels.pubsub_failover": True})
    members = make(tmp_path, members_of(graph), 3, 72)
    first, others = members[0], members[1:]
    try:
        for member in members:
            member.start("valkey")
        for member in members:
            wait(f"{member.name}", lambda member=member: member.answers(6379), 15)
            member.start("sentinel")
        for member in members:
            wait(f"Sentinel of {member.name}", lambda member=member: member.answers(26379), 15)
        wait("Sentinels that know one another", lambda: all(knows(member, 2, 2) for member in members))
        assert {primary_of(member) for member in members} == {f"valkey-0.{DOMAIN}"}
        with first.client() as client:
            client("HSET", "ray-head", "jobs", "7")
            assert client("WAIT", "2", "5000") == 2

        began = time.monotonic()
        first.lose()
        wait("another primary", lambda: all(primary_of(one) != f"valkey-0.{DOMAIN}" for one in others), 90)
        took = time.monotonic() - began
        (name,) = {primary_of(one) for one in others}
        (chosen,) = [one for one in others if name == f"{one.name}.{DOMAIN}"]
        with chosen.client() as client:
            wait("the role of the primary", lambda: client("ROLE")[0] == "master")
            assert client("HGET", "ray-head", "jobs") == "7"
            client("HSET", "ray-head", "jobs", "8")

        first.start("valkey")
        wait("the lost member", lambda: first.answers(6379))
        first.start("sentinel")
        with first.client() as client:
            wait("its role", lambda: client("ROLE")[0] == "slave" and client("ROLE")[3] == "connected")
            assert client("ROLE")[1] == name
            assert client("HGET", "ray-head", "jobs") == "8"
        wait("its Sentinel", lambda: first.answers(26379))
        wait("one count of Sentinels", lambda: all(knows(member, 2, 2) for member in members))
        print(f"\nanother primary {took:.1f} s after the loss")
    finally:
        for member in members:
            member.lose()


def knows(member: Member, sentinels: int, replicas: int) -> bool:
    """Say whether a Sentinel knows so many others, and so many followers."""
    with member.client(26379) as client:
        (only,) = client("SENTINEL", "MASTERS")
    facts = dict(zip(only[::2], only[1::2], strict=True))
    return (facts["num-other-sentinels"], facts["num-slaves"]) == (str(sentinels), str(replicas))
