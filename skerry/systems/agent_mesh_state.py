"""What gateways share: a replicated store with Sentinels, the way to its primary, and the load balancer before them.

(1) Valkey (or Redis) speaks TLS alone, and takes nobody without a certificate of the mesh's own authority.
(2) Sentinels name a new primary; both programs rewrite their own files then, so that these are made at each start
    from ours, and keep only what was rewritten.
(3) A gateway knows one URL. HAProxy on its machine listens on loopback and leads to whoever says `role:master`.
"""

from __future__ import annotations

from typing import Final

from skerry.config.agent_mesh import SharedStateSpec, StateProgram
from skerry.facts import Tier
from skerry.hosts.plan import (
    EVERY_ADDRESS,
    Health,
    HostBackup,
    HostFile,
    HostService,
    HostUser,
    Listen,
    Member,
    Proxy,
    ProxyTls,
    Supervisor,
)
from skerry.systems.agent_mesh_places import (
    AUTHORITY,
    AUTHORITY_SECRET,
    ETC,
    LIB,
    PEM,
    STATE_GATEWAY_SECRET,
    STATE_REPLICA_SECRET,
    STATE_SENTINEL_SECRET,
    Mesh,
    tls_secret,
)

STATE: Final = "agent-mesh-state"
SENTINEL: Final = "agent-mesh-sentinel"
STATE_USER: Final = "agent-mesh-state"
STATE_FOLDER: Final = f"/var/lib/{STATE}"
SENTINEL_FOLDER: Final = f"/var/lib/{SENTINEL}"
SENTINEL_OFFSET: Final = 20_000
SET: Final = "agent-mesh"
"""What the Sentinels call the primary with its replicas."""
_SENTINEL_MIB: Final = 64
_START: Final = f"{LIB}/state-start"
_SENTINEL_START: Final = f"{LIB}/sentinel-start"


def state_services(mesh: Mesh, machine: str) -> tuple[HostService, ...]:
    """Return the store and the Sentinel of a machine; none where it has none."""
    shared = mesh.spec.shared_state
    if shared is None or machine not in shared.machines:
        return ()
    inside = mesh.inside
    sources = () if inside else _machines(mesh)
    secrets = {
        "STATE_GATEWAY_PASSWORD": STATE_GATEWAY_SECRET,
        "STATE_REPLICA_PASSWORD": STATE_REPLICA_SECRET,
        "STATE_SENTINEL_PASSWORD": STATE_SENTINEL_SECRET,
    }
    rows = (
        (STATE, _START, shared.port, round(shared.memory_mib * 1.5), True, "Agent Mesh State"),
        (SENTINEL, _SENTINEL_START, shared.port + SENTINEL_OFFSET, _SENTINEL_MIB, False, "Agent Mesh Sentinel"),
    )
    return tuple(
        HostService(
            name=name,
            description=comment,
            supervisor=Supervisor.SYSTEMD,
            command=("/bin/sh", script),
            secrets=secrets,
            listens=(
                Listen(
                    name="rediss", port=port, scheme="rediss", bind=mesh.address(machine), sources=sources,
                    overlay=inside, comment=comment,
                ),
            ),
            health=Health(command=("/bin/sh", f"{LIB}/state-health", str(port))),
            memory_mib=memory,
            user=STATE_USER,
            folder="/",
            state_folder=name,
            network_online=True,
            tier=Tier.CHANNELS,
            role="shared-state" if keeps else "sentinel",
            stateful=keeps,
            storage_gib=round(shared.memory_mib * 2 / 1024, 2) if keeps else 0,
            encrypted_in_transit=True,
        )
        for name, script, port, memory, keeps, comment in rows
    )  # fmt: skip


def _machines(mesh: Mesh) -> tuple[str, ...]:
    """Return the machines of store and gateways, as ranges of one address."""
    shared = mesh.spec.shared_state
    names = dict.fromkeys((*mesh.spec.gateways, *(shared.machines if shared else ())))
    found = [mesh.address(name) for name in names]
    return tuple(f"{address}/{128 if ':' in address else 32}" for address in found)


def state_files(mesh: Mesh, machine: str) -> tuple[HostFile, ...]:
    """Return the configuration and the start of the store and of the Sentinel."""
    shared = mesh.spec.shared_state
    if shared is None or machine not in shared.machines:
        return ()
    units = (f"{STATE}.service",)
    sentinels = (f"{SENTINEL}.service",)
    rows = (
        (f"{ETC}/state.conf", _state_text(mesh, machine, shared), units),
        (f"{ETC}/sentinel.conf", _sentinel_text(mesh, machine, shared), sentinels),
        (_START, _state_start(mesh, machine, shared), units),
        (_SENTINEL_START, _sentinel_start(mesh, shared), sentinels),
        (f"{LIB}/state-health", _health_text(mesh, machine, shared), ()),
    )
    return tuple(HostFile(path=path, text=text, restarts=restarts) for path, text, restarts in rows)


_TLS_TEXT: Final = f"""port 0
tls-cert-file {PEM}
tls-key-file {PEM}
tls-ca-cert-file {AUTHORITY}
tls-auth-clients yes
tls-replication yes
tls-protocols "TLSv1.2 TLSv1.3"
"""


def _state_text(mesh: Mesh, machine: str, shared: SharedStateSpec) -> str:
    return f"""# The store that gateways share: TLS alone, with certificates of the mesh's own authority.
bind {mesh.address(machine)}
# A certificate of the authority is asked for instead: by itself, it refuses all callers of other machines as long as
# the default user, whom Sentinels and health checks are at first, has no password.
protected-mode no
tls-port {shared.port}
{_TLS_TEXT}replica-announce-ip {mesh.address(machine)}
replica-announce-port {shared.port}
dir {STATE_FOLDER}
aclfile {STATE_FOLDER}/users.acl
masteruser replica
appendonly yes
maxmemory {shared.memory_mib}mb
maxmemory-policy noeviction
# A primary that no replica follows takes no writes: what it took would be lost when another is named.
min-replicas-to-write 1
min-replicas-max-lag 10
"""


def _sentinel_text(mesh: Mesh, machine: str, shared: SharedStateSpec) -> str:
    return f"""# The Sentinel beside it: names a new primary where a majority agrees.
bind {mesh.address(machine)}
tls-port {shared.port + SENTINEL_OFFSET}
{_TLS_TEXT}sentinel announce-ip {mesh.address(machine)}
sentinel announce-port {shared.port + SENTINEL_OFFSET}
dir {SENTINEL_FOLDER}
"""


def _state_start(mesh: Mesh, machine: str, shared: SharedStateSpec) -> str:
    first = shared.machines[0]
    follows = "" if machine == first else f"replicaof {mesh.address(first)} {shared.port}"
    return f"""#!/bin/sh
# Makes the store's own file from ours, with the primary that was named last, and starts it.
set -eu
umask 077
own={STATE_FOLDER}/state.conf
if [ -e "$own" ]; then
    follows=$(sed -n '/^replicaof /p' "$own")
else
    follows='{follows}'
fi
# Whoever shows a certificate may ask for the role, and no more without a password.
cat > {STATE_FOLDER}/users.acl <<END
user default on nopass resetkeys resetchannels -@all +ping +info
user mesh on >$STATE_GATEWAY_PASSWORD ~* &* +@all -@admin -@dangerous +info
user replica on >$STATE_REPLICA_PASSWORD resetkeys &* -@all +psync +replconf +ping
user sentinel on >$STATE_SENTINEL_PASSWORD resetkeys &* -@all +multi +slaveof +ping +exec +subscribe +publish \
+config|rewrite +role +info +client|setname +client|kill +script|kill
END
cat > "$own.new" <<END
include {ETC}/state.conf
masterauth $STATE_REPLICA_PASSWORD
$follows
END
mv "$own.new" "$own"
exec /usr/bin/{shared.program.value}-server "$own"
"""


def _sentinel_start(mesh: Mesh, shared: SharedStateSpec) -> str:
    quorum = len(shared.machines) // 2 + 1
    return f"""#!/bin/sh
# Makes the Sentinel's own file from ours where it has none, gives it its password, and starts it.
set -eu
umask 077
own={SENTINEL_FOLDER}/sentinel.conf
if [ ! -e "$own" ]; then
    cat > "$own" <<END
include {ETC}/sentinel.conf
sentinel monitor {SET} {mesh.address(shared.machines[0])} {shared.port} {quorum}
sentinel down-after-milliseconds {SET} 5000
sentinel failover-timeout {SET} 60000
END
fi
sed -e '/^sentinel auth-/d' "$own" > "$own.new"
cat >> "$own.new" <<END
sentinel auth-user {SET} sentinel
sentinel auth-pass {SET} $STATE_SENTINEL_PASSWORD
END
mv "$own.new" "$own"
exec /usr/bin/{shared.program.value}-server "$own" --sentinel
"""


def _health_text(mesh: Mesh, machine: str, shared: SharedStateSpec) -> str:
    return f"""#!/bin/sh
# Says whether what listens on a port of this machine answers: the store, or the Sentinel.
set -eu
answer=$(/usr/bin/{shared.program.value}-cli -h {mesh.address(machine)} -p "$1" --tls --cert {PEM} --key {PEM} \\
    --cacert {AUTHORITY} ping)
[ "$answer" = PONG ]
"""


def state_proxy(mesh: Mesh, machine: str) -> tuple[Proxy, ...]:
    """Return the way from a gateway to the store's primary; none where gateways share nothing."""
    shared = mesh.spec.shared_state
    if shared is None or machine not in mesh.spec.gateways:
        return ()
    return (
        Proxy(
            name="agent-mesh-primary",
            kind="haproxy",
            mode="tcp",
            listen=Listen(name="redis", port=shared.port, scheme="redis", comment="Agent Mesh State, to its primary"),
            members=tuple(
                Member(name=name, address=mesh.address(name), port=shared.port, certificate_name=name)
                for name in shared.machines
            ),
            members_tls=True,
            member_identity=ProxyTls(certificate=PEM, key=PEM, client_authority=AUTHORITY),
            health_send="INFO replication",
            health_expect="role:master",
            idle_s=3600,
        ),
    )


def balancer(mesh: Mesh, machine: str) -> tuple[Proxy, ...]:
    """Return the load balancer of a machine; none where it has none."""
    spec = mesh.spec.load_balancer
    if spec is None or machine not in spec.machines:
        return ()
    members = tuple(
        Member(name=name, address=mesh.address(name), port=mesh.spec.port_of(name)) for name in mesh.spec.gateways
    )
    return (
        Proxy(
            name="agent-mesh-gateways",
            kind="nginx",
            listen=Listen(
                name="https",
                port=spec.port,
                scheme="https",
                bind=EVERY_ADDRESS,
                sources=mesh.hosts.lan_cidrs,
                comment="Agent Mesh Load Balancer",
            ),
            members=members,
            health_path="/health",
            tls=ProxyTls(certificate=PEM, key=PEM, client_authority=AUTHORITY if spec.client_certificates else ""),
            requests_per_second=spec.requests_per_second,
        ),
    )


def tls_files(mesh: Mesh, machine: str) -> tuple[HostFile, ...]:
    """Return a machine's certificate with its key, and the authority that it trusts."""
    if machine not in mesh.tls_machines():
        return ()
    shared = mesh.spec.shared_state
    state = shared is not None and machine in shared.machines
    group = STATE_USER if state else "root"
    units = (f"{STATE}.service", f"{SENTINEL}.service") if state else ()
    return (
        HostFile(path=PEM, secret=tls_secret(machine), mode="0640", group=group, restarts=units),
        HostFile(path=AUTHORITY, secret=AUTHORITY_SECRET, restarts=units),
    )


def state_users(mesh: Mesh, machine: str) -> tuple[HostUser, ...]:
    """Return the user that the store runs as."""
    return (HostUser(name=STATE_USER, home=STATE_FOLDER),) if state_services(mesh, machine) else ()


def state_packages(mesh: Mesh, machine: str) -> tuple[str, ...]:
    """Return the packages of the store; Redis' Sentinel is the same program under another name."""
    shared = mesh.spec.shared_state
    if shared is None or machine not in shared.machines:
        return ()
    return ("valkey-server", "valkey-tools") if shared.program is StateProgram.VALKEY else ("redis-server",)


def state_setup(mesh: Mesh, machine: str) -> tuple[tuple[str, ...], ...]:
    """Return what keeps the package's own store, without TLS and passwords, from starting."""
    shared = mesh.spec.shared_state
    if shared is None or machine not in shared.machines:
        return ()
    return (("systemctl", "mask", "--now", f"{shared.program.value}-server.service"),)


def state_backups(mesh: Mesh, machine: str) -> tuple[HostBackup, ...]:
    """Return the copy of the store: its dump is replaced whole, and so may be read while it runs."""
    if not state_packages(mesh, machine) or mesh.hosts.backup is None:
        return ()
    return (
        HostBackup(
            name=STATE,
            paths=(f"{STATE_FOLDER}/state.conf",),
            optional=(f"{STATE_FOLDER}/dump.rdb",),
            holds_keys=True,
        ),
    )


def state_sysctl(mesh: Mesh, machine: str) -> dict[str, str]:
    """Return what the store asks of the kernel: without it, its copy to a new replica may fail for want of memory."""
    return {"vm.overcommit_memory": "1"} if state_packages(mesh, machine) else {}
