"""Topologies that nobody wrote down, made by chance: every program takes its file, or the plan is refused in words."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.host.quoting import environment_text
from skerry.hosts.plan import (
    GpuPart,
    Health,
    HostService,
    Listen,
    LogFile,
    Member,
    Mount,
    Proxy,
    ProxyTls,
    Supervisor,
    Timer,
)
from tests.simulators.odd_hosts import ODD_VALUES, alone, image, laid, odd_files

WORDS = (*ODD_VALUES.values(), "plain", "--flag=x", "/path/to it", "{}", "[a]", "é", "a\tb", "#", "&&", "|", "<>", "*")
SOURCES = ("10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8", "192.0.2.7", "2001:db8::/32", "198.51.100.0/25")
BINDS = ("0.0.0.0", "127.0.0.1", "::", "::1", "198.18.0.10", "10.77.0.1")
ADDRESSES = ("198.18.0.10", "fd12::2", "10.77.0.2", "::1")
TLS = ProxyTls(certificate="/etc/odd/tls.crt", key="/etc/odd/tls.key", client_authority="/etc/odd/ca.crt")


class Chance:
    """Makes nouns of a plan by chance; no port twice, since that is refused elsewhere."""

    def __init__(self, seed: int) -> None:
        """Begin with a number, so that a failure can be had again."""
        self.dice = random.Random(seed)
        self.port = 1000

    def some(self, things: tuple[Any, ...], most: int = 3) -> tuple[Any, ...]:
        """Return a few of them, each once."""
        return tuple(self.dice.sample(things, self.dice.randint(0, min(most, len(things)))))

    def maybe(self, thing: Any, otherwise: Any = None) -> Any:
        """Return a thing, or the other."""
        return thing if self.dice.random() < 0.5 else otherwise

    def listen(self, **fields: Any) -> Listen:
        """Return a port, or a range."""
        self.port += self.dice.randint(20, 40)
        given = {
            "name": f"p{self.port}",
            "port": self.port,
            "last": self.maybe(self.port + self.dice.randint(0, 12)),
            "protocol": self.dice.choice(("tcp", "tcp", "udp")),
            "bind": self.dice.choice(BINDS),
            "sources": self.some(SOURCES),
            "overlay": self.maybe(True, False),
            "comment": self.dice.choice(WORDS).replace("\n", " ").replace("\t", " "),
        }
        return Listen(**{**given, **fields})

    def service(self, name: str, supervisor: Supervisor, before: list[str]) -> HostService:
        """Return a service that may need those before it."""
        composed = supervisor is Supervisor.COMPOSE
        listens = tuple(self.listen() for _ in range(self.dice.randint(0, 3)))
        tcp = [row for row in listens if row.protocol == "tcp"]
        path = Health(path="/health?a=$b", port=tcp[0].port) if tcp else None
        words = tuple(self.dice.choices(WORDS, k=self.dice.randint(0, 4)))
        return HostService(
            name=name,
            group=self.maybe(f"group_{self.dice.randint(1, 3)}", "") if composed else "",
            supervisor=supervisor,
            description=self.dice.choice(WORDS).replace("\n", " ").replace("\t", " "),
            image=image(name) if composed else None,
            command=words if composed else ("/bin/echo", *words),
            environment={f"V{index}": value for index, value in enumerate(self.some(WORDS, 6))},
            secrets=self.maybe({"TOKEN": "oddToken"}, {}),
            listens=listens,
            needs=self.some(tuple(before), 2),
            waits_for=self.some(("http://198.18.0.11/h?x=%20$y", "tcp://[fd12::2]:6379"), 1),
            health=self.maybe(path, Health(command=("/probe", *words))),
            memory_mib=self.maybe(self.dice.randint(8, 900)),
            cpus=self.maybe(self.dice.randint(1, 16) / 4),
            cpu_shares=self.maybe(self.dice.randint(2, 9000)),
            gpu=self.maybe(GpuPart(mechanism=self.dice.choice(("mps", "whole")), percent=10, memory_mib=99)),
            mounts=(Mount(source="/srv/a $b", target="/x y"), Mount(source="volume", target="/v")) if composed else (),
            user=self.maybe("root", "") if not composed else "",
            writable=self.some(("/tmp/a b", "/var/tmp"), 1),
            instances=() if composed else self.some(("8000", "a.b", "x-y", "n_1"), 2),
            network_online=self.maybe(True, False),
            host_network=self.maybe(True, False),
            capabilities=self.some(("CHOWN", "NET_BIND_SERVICE"), 2) if composed else (),
        )

    def proxy(self, name: str) -> Proxy:
        """Return a proxy of any kind."""
        kind, mode = self.dice.choice(("nginx", "haproxy")), self.dice.choice(("http", "tcp"))
        balance = self.dice.choice(("leastconn", "roundrobin", "source"))
        spare = not (kind == "nginx" and balance == "source")
        addresses = self.some(ADDRESSES) or ("198.18.0.10",)
        members = [Member(name=f"m{index}", address=row, port=80 + index) for index, row in enumerate(addresses)]
        members += [Member(name="spare", address="198.18.0.99", port=1, backup=True)] * (spare and self.maybe(1, 0))
        tls = self.maybe(TLS)
        quiet = kind == "haproxy" and mode == "tcp"
        return Proxy(
            name=name,
            kind=kind,
            mode=mode,
            balance=balance,
            listen=self.listen(last=None, protocol="tcp", scheme=self.maybe("grpc", "http") if mode == "http" else "x"),
            members=tuple(members),
            tls=tls,
            redirect=self.listen(last=None, protocol="tcp") if tls and mode == "http" and self.maybe(True) else None,
            members_tls=self.maybe(True, False),
            member_identity=self.maybe(TLS),
            requests_per_second=self.maybe(9, 0) if mode == "http" else 0,
            health_path=self.maybe("/health?x='y z", ""),
            health_send=self.maybe("PING $x \"'", "") if quiet else "",
            health_expect=self.maybe("+PONG it's", "") if quiet else "",
            idle_s=self.dice.randint(1, 9000),
        )

    def machine(self) -> dict[str, Any]:
        """Return the nouns of a machine."""
        services: list[HostService] = []
        for supervisor in (Supervisor.SYSTEMD, Supervisor.COMPOSE):
            for index in range(self.dice.randint(1, 5)):
                services.append(self.service(f"{supervisor.value}-{index}", supervisor, [row.name for row in services]))
        command = ("/usr/bin/printf", *self.some(WORDS))
        return {
            "services": tuple(services),
            "proxies": tuple(self.proxy(f"proxy-{index}") for index in range(self.dice.randint(1, 5))),
            "opens": (self.listen(),),
            "timers": (Timer(name="chance", command=command, calendar="daily"),),
            "logs": (LogFile(path="/var/log/a b/*.log", owner="root", group="root", days=9),),
        }


@pytest.mark.parametrize("seed", range(8))
def test_every_program_takes_its_file(
    seed: int,
    tmp_path: Path,
    need_tool: Callable[[str], str],
    load_project: Callable[[Path], tuple[dict[str, Any], list[str], str]],
) -> None:
    if os.geteuid() != 0:
        pytest.skip("asking nft and nginx needs root")
    chance = Chance(seed)
    nouns = chance.machine()
    hosts = {"firewall": chance.dice.choice(("nftables", "ufw"))}
    files = odd_files(hosts=hosts, **alone(**nouns))
    laid(files, tmp_path, ("/etc/odd/", "/etc/skerry/", "/var/log/nginx/", "/run/nginx.pid"))
    for path, file in files.items():
        if file.variables:
            (tmp_path / path.lstrip("/")).write_text(environment_text(dict.fromkeys(file.variables, "$v"), path))
    for folder in ("etc/odd", "var/log/nginx", "run"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    pair = ("-keyout", f"{tmp_path}/etc/odd/tls.key", "-out", f"{tmp_path}/etc/odd/tls.crt", "-subj", "/CN=odd")
    subprocess.run([need_tool("openssl"), *new, *pair], capture_output=True, check=True)
    (tmp_path / "etc/odd/ca.crt").write_bytes((tmp_path / "etc/odd/tls.crt").read_bytes())

    project, _, refusal = load_project(tmp_path / "etc/skerry/compose/compose.yaml")
    assert refusal == ""
    for row in nouns["services"]:
        if row.supervisor is Supervisor.COMPOSE:
            found = project["services"][row.name].get("environment", {})
            assert dict(row.environment) == {name: found.get(name) for name in row.environment}
            assert list(row.command) == (project["services"][row.name].get("command") or [])
    for path in files:
        where = f"{tmp_path}{path}"
        assert _refusal(path, where, need_tool) == "", path


def _refusal(path: str, where: str, need_tool: Callable[[str], str]) -> str:
    alone_on = (
        "unshare",
        "--net",
        "sh",
        "-c",
        'ip link set lo up; ip address add 198.18.0.10/32 dev lo; exec "$@"',
        "sh",
    )
    words: tuple[str, ...] = ()
    if path.endswith(".nft"):
        words = (*alone_on, need_tool("nft"), "--check", "--file", where)
    elif path == "/etc/nginx/nginx.conf":
        check = 'sed -i \'s/listen 10.77.0.1:/listen 127.0.0.1:/\' "$0" && exec nginx -t -q -c "$0"'
        words = (*alone_on, "sh", "-c", check, where)
    elif path == "/etc/haproxy/haproxy.cfg":
        words = (need_tool("haproxy"), "-c", "-f", where)
    elif path.endswith((".service", ".timer")):
        words = (need_tool("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", where)
    elif path.startswith("/usr/local/lib/skerry/"):
        words = (need_tool("bash"), "-n", where)
    elif path.startswith("/etc/logrotate.d/"):
        words = (need_tool("logrotate"), "--debug", where)
    if not words:
        return ""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    about = [line for line in done.stderr.splitlines() if "not executable" not in line and "not found" not in line]
    if path.endswith((".service", ".timer")):
        return "\n".join(line for line in about if where.rsplit("/", 1)[1] in line)
    return f"{done.returncode}: {about}" if done.returncode else ""
