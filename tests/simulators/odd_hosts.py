"""Machines with what no shipped stack has: odd names, ranges, IPv6, words that each program reads in its way."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from components.host.files import files_of
from skerry.config.host import HostsSpec
from skerry.facts import ImageFact
from skerry.hosts.plan import (
    EVERY_ADDRESS,
    GpuPart,
    Health,
    HostBackup,
    HostFile,
    HostFolder,
    HostService,
    HostsPlan,
    HostUser,
    Listen,
    LogFile,
    Machine,
    Member,
    Mount,
    Proxy,
    ProxyTls,
    Supervisor,
    Timer,
)

ODD_VALUES: Final = {
    "DOLLAR": "$HOME ${HOME} $$ $",
    "PERCENT": "100% %i %n %%",
    "QUOTES": 'it\'s "so" `date`',
    "BACKSLASH": "C:\\new\\table \\",
    "SPACES": "  before and after  ",
    "HASH": "a # b #c",
    "EQUALS": "a=b==c",
    "EMPTY": "",
    "NUMBER": "0o17",
    "EXPONENT": "1e3",
    "TRUTH": "yes",
    "COLON": "a: b, {c: [d]}",
    "UNICODE": "Grüße \u2603 \U0001f433",
    "LINES": "first\nsecond\n",
    "SEMICOLON": ";",
    "TILDE": "~",
}
"""Variable -> a value that one program or another would change where it is not quoted as that program has it."""

KEY: Final = "mDjKbxKkXrhs3ZbnJfr0oPWtB5kTe6jmlYzAdVlWzF8="
OTHER_KEY: Final = "hUzEsLHDTKZf9pY3nQ0tdzXn1NqHhE6f5Gfq8lKZ7Hw="
RECIPIENT: Final = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def image(name: str = "odd") -> ImageFact:
    """Return an image."""
    reference = f"docker.io/library/{name}:1"
    return ImageFact(name=name, reference=reference, deployed_as=reference, why="a test")


def listen(port: int, **fields: Any) -> Listen:
    """Return a port that is open to an address range unless said otherwise."""
    given = {"name": f"p{port}", "bind": EVERY_ADDRESS, "sources": ("198.18.0.0/16",), "comment": f"port {port}"}
    return Listen(port=port, **{**given, **fields})


def hosts_spec(**fields: Any) -> HostsSpec:
    """Return two machines in an overlay."""
    machine = {"vcpu": 8, "memory_gib": 32, "storage_gib": 100}
    gpu = {"gpu_model": "RTX-4090", "gpus": 2, "gpu_memory_gib": 24}
    given: dict[str, Any] = {
        "machines": {
            "odd-1": {
                "address": "198.18.0.10",
                **machine,
                **gpu,
                "overlay": {"address": "10.77.0.1", "public_key": KEY},
                "ssh": {"port": 2222},
            },
            "odd-2": {
                "address": "fd12::2",
                **machine,
                "overlay": {"address": "10.77.0.2", "public_key": OTHER_KEY, "endpoint": "2001:db8::2"},
            },
        },
        "admin_cidrs": ["198.18.0.0/16", "fd12::/48"],
        "overlay": {},
        "backup": {"recipients": [RECIPIENT], "folder": "/var/backups/odd"},
    }
    return HostsSpec.model_validate({**given, **fields})


def composed_services() -> tuple[HostService, ...]:
    """Return containers that need each other, across groups and machines, with odd words."""
    return (
        HostService(
            name="first",
            group="infra_core",
            supervisor=Supervisor.COMPOSE,
            image=image(),
            environment=ODD_VALUES,
            secrets={"TOKEN": "oddToken"},
            command=("serve", "--format", "%h $USER ${X:-y} $$", 'it\'s "odd"', "a b"),
            listens=(listen(8200, last=8203), listen(8204, protocol="udp", bind="198.18.0.10")),
            health=Health(command=("/probe", "http://127.0.0.1:8200/health?x=$y"), start_period_s=120),
            memory_mib=512,
            cpus=1.5,
            cpu_shares=2048,
            mounts=(Mount(source="/srv/a b$c", target="/data", read_only=True), Mount(source="state", target="/state")),
        ),
        HostService(
            name="second",
            group="reasoning.gpu",
            supervisor=Supervisor.COMPOSE,
            image=image(),
            needs=("first",),
            listens=(listen(8300, bind="::1"), listen(8301, bind="127.0.0.1", sources=())),
            health=Health(path="/health", port=8300, interval_s=7, timeout_s=3, retries=5),
            gpu=GpuPart(device=1, mechanism="mps", percent=40, memory_mib=9830),
            user="1000:1000",
        ),
        HostService(
            name="third",
            supervisor=Supervisor.COMPOSE,
            image=image(),
            needs=("second",),
            waits_for=("http://198.18.0.11:8080/health", "tcp://[fd12::2]:6379"),
            host_network=True,
            listens=(
                listen(9100, last=9200, overlay=True, sources=()),
                listen(9999, protocol="udp", scheme="multicast"),
            ),
            capabilities=("NET_BIND_SERVICE",),
            writable_root=True,
        ),
    )


def systemd_services() -> tuple[HostService, ...]:
    """Return programs under systemd, one of them a template, with odd words."""
    return (
        HostService(
            name="odd-gateway",
            description='100% "odd" gateway',
            supervisor=Supervisor.SYSTEMD,
            command=("/opt/odd gateway/bin/python", "-m", "a b", "100%", "$HOME", "${TOKEN}", ";", 'q"uo\\te', "it's"),
            expands=("TOKEN",),
            environment={**ODD_VALUES, "PATH": "/opt/odd gateway/bin"},
            secrets={"TOKEN": "oddToken"},
            user="odd-user",
            folder="/opt/odd gateway",
            listens=(listen(443, scheme="https", sources=("0.0.0.0/0", "::/0"), comment='Odd "Gateway" it\'s'),),
            health=Health(path="/health", port=443, scheme="https"),
            state_folder="odd",
            log_folder="odd",
            writable=("/srv/with space",),
            memory_mib=256,
            cpus=0.25,
            cpu_shares=512,
            network_online=True,
            waits_for=("https://[fd12::2]:8443/health?a=%20b",),
        ),
        HostService(
            name="odd-node",
            supervisor=Supervisor.SYSTEMD,
            command=("/opt/odd/node", "--port", "%i", "--share", "50%"),
            environment={"NODE_PORT": "%i"},
            user="odd-user",
            instances=("8000", "8001"),
            needs=("odd-gateway",),
            listens=(listen(8000, last=8010, comment="Odd Nodes"),),
            health=Health(path="/health"),
            only_with=("localhost", "198.18.0.0/16"),
        ),
    )


def odd_proxies() -> tuple[Proxy, ...]:
    """Return proxies of both kinds in every mode."""
    tls = ProxyTls(certificate="/etc/odd/tls.crt", key="/etc/odd/tls.key", client_authority="/etc/odd/ca.crt")
    members = (Member(name="one", address="198.18.0.10", port=8787), Member(name="two", address="fd12::2", port=8788))
    spare = (*members, Member(name="spare", address="198.18.0.12", port=8787, backup=True))
    return (
        Proxy(
            name="odd-web",
            kind="nginx",
            listen=listen(8443, scheme="https"),
            members=spare,
            tls=tls,
            members_tls=True,
            member_identity=tls,
            redirect=listen(8081),
            requests_per_second=50,
            idle_s=3600,
            health_path="/health",
        ),
        Proxy(name="odd-grpc", kind="nginx", listen=listen(8444, scheme="grpc"), members=members, tls=tls),
        Proxy(name="odd-source", kind="nginx", listen=listen(8445, bind="::1"), members=members, balance="source"),
        Proxy(name="odd-tcp", kind="nginx", mode="tcp", listen=listen(8446), members=spare, tls=tls, members_tls=True),
        Proxy(name="odd-udp", kind="nginx", mode="tcp", listen=listen(4433, protocol="udp"), members=members),
        Proxy(
            name="odd-api",
            kind="haproxy",
            listen=listen(8080, bind="::"),
            members=(*spare, Member(name="named", address="replica.example", port=80)),
            health_path="/health?deep=1",
            tls=tls,
            members_tls=True,
            member_identity=tls,
            requests_per_second=20,
            redirect=listen(8082),
        ),
        Proxy(
            name="odd-redis",
            kind="haproxy",
            mode="tcp",
            listen=listen(6379, overlay=True, sources=()),
            members=members,
            balance="source",
            health_send='INFO "replication" $x \\',
            health_expect="role:master it's",
            idle_s=600,
        ),
    )


def odd_machine(hosts: HostsSpec, **fields: Any) -> Machine:
    """Return a machine with everything on it."""
    keys = HostBackup(name="keys", paths=("/etc/odd/it's keys",), optional=("/etc/odd/more",), holds_keys=True)
    given: dict[str, Any] = {
        "services": (*composed_services(), *systemd_services()),
        "proxies": odd_proxies(),
        "users": (HostUser(name="odd-user", home="/var/lib/odd home", groups=("odd-group",)),),
        "folders": (
            HostFolder(path="/srv/with space", owner="odd-user", group="odd-user", mode="0750"),
            HostFolder(path="/srv/100%", mode="0700"),
        ),
        "backups": (keys,),
        "logs": (
            LogFile(path="/var/log/odd/*.log", owner="odd-user", group="odd-user", days=30),
            LogFile(path="/var/log/odd it/audit.log", owner="root", group="root", days=400, copy_truncate=True),
        ),
        "timers": (
            Timer(
                name="odd-timer",
                command=("/usr/bin/printf", "%s %d", "$x"),
                calendar="Mon..Fri *-*-* 02:30:00 UTC",
                writable=("/srv/with space",),
            ),
        ),
        "opens": (listen(51820, protocol="udp", scheme="wireguard", sources=("0.0.0.0/0", "::/0"), comment="overlay"),),
        "sudo": ("odd-user ALL=(root) NOPASSWD: /usr/bin/systemctl restart odd-gateway.service",),
        "sysctl": {"net.core.rmem_max": "7500000", "net.ipv4.ip_local_port_range": "20000 60999"},
    }
    return Machine(name="odd-1", spec=hosts.machines["odd-1"], **{**given, **fields})


def odd_plan(hosts: HostsSpec, **fields: Any) -> HostsPlan:
    """Return the plan of both machines, the first with everything on it."""
    machines = (odd_machine(hosts, **fields), Machine(name="odd-2", spec=hosts.machines["odd-2"]))
    return HostsPlan(machines=machines, overlay=hosts.overlay)


def odd_files(hosts: dict[str, Any] | None = None, **fields: Any) -> dict[str, HostFile]:
    """Return path -> file of the first machine.

    Args:
        hosts: fields of the deployment.
        fields: those of the machine.
    """
    spec = hosts_spec(**(hosts or {}))
    plan = odd_plan(spec, **fields)
    return {file.path: file for file in files_of(plan.machines[0], plan, spec)}


def alone(**fields: Any) -> dict[str, Any]:
    """Return the fields of a machine with nothing on it but these."""
    nouns = ("services", "proxies", "users", "folders", "backups", "logs", "timers", "opens", "sudo")
    return {**dict.fromkeys(nouns, ()), "sysctl": {}, **fields}


def laid(files: dict[str, HostFile], root: Path, moved: tuple[str, ...] = ()) -> None:
    """Write files under a folder.

    Args:
        files: path -> file.
        root: where they go, in place of the root of a machine.
        moved: paths that the texts name and that are under `root` too.
    """
    for path, file in files.items():
        text = file.text
        for name in moved:
            text = text.replace(name, f"{root}{name}")
        where = root / path.lstrip("/")
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text, encoding="utf-8")
        where.chmod(int(file.mode, 8))
