"""What becomes of the audit log and of what a gateway keeps: forwarded, pushed as files, rotated, copied away."""

from __future__ import annotations

from typing import Final

from skerry.config.agent_mesh import DiodeDirection, NodeRuntime, SiemSpec
from skerry.config.host import HostOs
from skerry.hosts.plan import HostBackup, HostFile, HostFolder, LogFile, Timer
from skerry.systems.agent_mesh_places import (
    AUTHORITY,
    CONFIG,
    ENV,
    ETC,
    KEYS,
    LIB,
    NODE_ENV,
    NODE_KEYS,
    TRUST,
    USER,
    Mesh,
    tls_secret,
)

RSYSLOG: Final = "/etc/rsyslog.d/60-agent-mesh.conf"
SIEM_AUTHORITY: Final = "/etc/agent-mesh/tls/siem-authority.pem"
SIEM_PEM: Final = "/etc/agent-mesh/tls/siem.pem"
"""A gateway's certificate with its key once more, for rsyslog, which runs as another user on Ubuntu."""
_METRICS: Final = f"{LIB}/push-metrics"


def pushes(mesh: Mesh) -> bool:
    """Say whether a diode leads out: what leaves the network then is files, and nobody can ask for more."""
    diode = mesh.spec.media.diode if mesh.spec.media else None
    return diode is not None and diode.direction is DiodeDirection.OUT


def audit_packages(mesh: Mesh, machine: str) -> tuple[str, ...]:
    """Return what forwards the audit log: rsyslog, which Debian and Ubuntu package, with its TLS."""
    if machine not in mesh.spec.gateways:
        return ()
    if mesh.spec.audit.siem is not None:
        return ("rsyslog", "rsyslog-gnutls")
    return ("rsyslog",) if pushes(mesh) else ()


def audit_files(mesh: Mesh, machine: str) -> tuple[HostFile, ...]:
    """Return how a gateway's audit log leaves its machine; nothing where it stays."""
    if machine not in mesh.spec.gateways:
        return ()
    siem = mesh.spec.audit.siem
    found = []
    if siem is not None:
        group = "syslog" if mesh.hosts.machines[machine].os is HostOs.UBUNTU else "root"
        found.append(_rsyslog(mesh, _forward(siem)))
        found.append(
            HostFile(path=SIEM_PEM, secret=tls_secret(machine), mode="0640", group=group, restarts=("rsyslog.service",))
        )
        if siem.authority_secret is not None:
            found.append(HostFile(path=SIEM_AUTHORITY, secret=siem.authority_secret, restarts=("rsyslog.service",)))
    elif pushes(mesh):
        found.append(_rsyslog(mesh, _PUSH, _days(mesh)))
        found.append(HostFile(path=_METRICS, text=_metrics_text(mesh, machine), mode="0755"))
    return tuple(found)


def _rsyslog(mesh: Mesh, action: str, templates: str = "") -> HostFile:
    text = f"""# The agent mesh's audit log, a line an execution, sent on as it is.
# A line of an execution may be long; by itself rsyslog keeps 8 KiB of it.
global(maxMessageSize="1m")
module(load="imfile")
template(name="agentMeshAudit" type="list") {{
    constant(value="<110>1 ")
    property(name="timereported" dateFormat="rfc3339")
    constant(value=" ")
    property(name="hostname")
    constant(value=" agent-mesh - audit - ")
    property(name="msg")
}}
template(name="agentMeshLine" type="list") {{
    property(name="msg")
    constant(value="\\n")
}}
{templates}input(type="imfile" file="{mesh.spec.audit.path}" tag="agent-mesh:" facility="local6" severity="info"
    ruleset="agentMesh" reopenOnTruncate="on")
ruleset(name="agentMesh") {{
{action}}}
"""
    return HostFile(path=RSYSLOG, text=text, check=("rsyslogd", "-N1"), restarts=("rsyslog.service",))


def _forward(siem: SiemSpec) -> str:
    authority = SIEM_AUTHORITY if siem.authority_secret else AUTHORITY
    return f"""    action(type="omfwd" target="{siem.host}" port="{siem.port}" protocol="tcp"
        TCP_Framing="octet-counted" template="agentMeshAudit"
        StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
        StreamDriverPermittedPeers="{siem.host}" StreamDriver.CAFile="{authority}"
        StreamDriver.CertFile="{SIEM_PEM}" StreamDriver.KeyFile="{SIEM_PEM}"
        queue.type="LinkedList" queue.filename="agent-mesh-audit" queue.maxDiskSpace="{siem.buffer_mib}m"
        queue.saveOnShutdown="on" action.resumeRetryCount="-1" action.resumeInterval="5"
        action.resumeIntervalMax="300")
"""


_PUSH: Final = f"""    action(type="omfile" dynaFile="agentMeshDay" template="agentMeshLine" fileCreateMode="0640"
        fileOwner="{USER}" fileGroup="{USER}" createDirs="off")
"""


def _days(mesh: Mesh) -> str:
    path = f"{_folder(mesh)}/audit-%$year%-%$month%-%$day%.jsonl"
    return f'template(name="agentMeshDay" type="string" string="{path}")\n'


def _folder(mesh: Mesh) -> str:
    diode = mesh.spec.media.diode if mesh.spec.media else None
    return diode.folder if diode else ""


def _metrics_text(mesh: Mesh, machine: str) -> str:
    folder = _folder(mesh)
    port = mesh.spec.port_of(machine)
    return f"""#!/bin/sh
# Lays the gateway's metrics into the diode's folder, whole or not at all: through it nobody can ask for them.
set -eu
umask 027
new={folder}/.metrics.new
curl --fail --silent --show-error --max-time 10 --output "$new" http://127.0.0.1:{port}/v1/metrics
mv "$new" "{folder}/metrics-$(date -u +%Y%m%dT%H%M%SZ).prom"
"""


def audit_timers(mesh: Mesh, machine: str) -> tuple[Timer, ...]:
    """Return what pushes metrics where nobody can ask for them."""
    if machine not in mesh.spec.gateways or not pushes(mesh):
        return ()
    return (
        Timer(
            name="agent-mesh-metrics",
            command=("/bin/sh", _METRICS),
            calendar="*:0/5",
            user=USER,
            writable=(_folder(mesh),),
        ),
    )


def audit_setup(mesh: Mesh, machine: str) -> tuple[tuple[str, ...], ...]:
    """Return what lets rsyslog read the audit log where it is not root, as on Ubuntu."""
    named = machine in mesh.spec.gateways and mesh.spec.audit.siem is not None
    ubuntu = mesh.hosts.machines[machine].os is HostOs.UBUNTU
    return (("usermod", "--append", "--groups", USER, "syslog"),) if named and ubuntu else ()


def audit_folders(mesh: Mesh, machine: str) -> tuple[HostFolder, ...]:
    """Return the folders of the audit log and of a diode."""
    if machine not in mesh.spec.gateways:
        return ()
    found = [HostFolder(path=mesh.audit_folder, owner=USER, group=USER, mode="0750")]
    diode = mesh.spec.media.diode if mesh.spec.media else None
    if diode is not None:
        found.append(HostFolder(path=diode.folder, owner=USER, group=USER, mode="0750"))
    return tuple(found)


def audit_logs(mesh: Mesh, machine: str) -> tuple[LogFile, ...]:
    """Return the rotation of the audit log: its writer keeps it open."""
    if machine not in mesh.spec.gateways:
        return ()
    path, days = mesh.spec.audit.path, mesh.hosts.log_days
    return (LogFile(path=path, owner=USER, group=USER, days=days, copy_truncate=True),)


def backups(mesh: Mesh, machine: str) -> tuple[HostBackup, ...]:
    """Return what a gateway copies away, each by the path that is configured.

    The script that the vendor prints copies `audit/audit.log`, which is not where the audit log is written, and of
    keys those in `keys/` alone, where its commands do not write the identity; a missing path fails this one.
    """
    if machine not in mesh.spec.gateways or mesh.hosts.backup is None:
        return ()
    paths = [TRUST, KEYS, mesh.audit_folder, ENV, CONFIG]
    if machine in mesh.spec.nodes and mesh.spec.nodes[machine].runtime is NodeRuntime.SYSTEMD:
        paths += [NODE_ENV, NODE_KEYS]
    if machine in mesh.tls_machines():
        paths.append(ETC)
    spool = (mesh.spec.sync.spool_folder,) if mesh.spec.sync else ()
    return (HostBackup(name="agent-mesh", paths=tuple(paths), optional=spool, holds_keys=True),)
