"""Packages of the operating system that what stands on a machine needs.

Source: packages.debian.org, trixie, "docker-cli", read 2026-11; the others of trixie and Ubuntu's noble not opened,
check before relying on them (bookworm's were asked of apt-cache).
"""

from __future__ import annotations

from typing import Final

from components.host.places import ETC, composed, is_linux
from skerry.config.host import FirewallKind, HostOs, HostsSpec
from skerry.hosts.plan import HostFile, HostsPlan, Machine

PATH: Final = f"{ETC}/packages"

_COMPOSE: Final = {
    HostOs.DEBIAN: ("docker-cli", "docker-compose", "docker.io"),
    HostOs.RASPBERRY_PI_OS: ("docker-cli", "docker-compose", "docker.io"),
    HostOs.UBUNTU: ("docker-compose-v2", "docker.io"),
    HostOs.WSL2: ("docker-compose-v2", "docker.io"),
}
"""Docker with Compose version 2; Debian has it from 13 on."""


def packages_of(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[str, ...]:
    """Return the names of packages, sorted, each once; none where nothing here knows how they are called.

    Args:
        machine: the machine.
        plan: all machines, for the overlay.
        hosts: the firewall and the backups.
    """
    if not is_linux(machine):
        return machine.packages
    found = set(machine.packages)
    if composed(machine):
        found |= set(_COMPOSE[machine.spec.os])
    if any(service.gpu is not None for service in composed(machine)):
        # From NVIDIA's own repository, which the machine's owner adds beside the driver.
        found.add("nvidia-container-toolkit")
    kinds = {proxy.kind for proxy in machine.proxies}
    found |= kinds & {"nginx", "haproxy"}
    if any(proxy.kind == "nginx" and proxy.mode == "tcp" for proxy in machine.proxies):
        found.add("libnginx-mod-stream")
    if hosts.firewall is not FirewallKind.NONE:
        found.add("nftables" if hosts.firewall is FirewallKind.NFTABLES else "ufw")
    if plan.overlay is not None and machine.spec.overlay is not None:
        found.add("wireguard-tools")
    if machine.logs:
        found.add("logrotate")
    if machine.sudo:
        found.add("sudo")
    if machine.backups and hosts.backup is not None:
        found |= {"age", *_copy(hosts.backup.off_host)}
    if any(service.waits_for or service.health for service in machine.services):
        found.add("curl")
    return tuple(sorted(found))


def _copy(off_host: str | None) -> tuple[str, ...]:
    kind = (off_host or "").partition("://")[0]
    return {"sftp": ("openssh-client",), "s3": ("rclone",)}.get(kind, ())


def package_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the list of packages, one a line."""
    names = packages_of(machine, plan, hosts)
    return (HostFile(path=PATH, text="".join(f"{name}\n" for name in names)),) if names else ()
