"""What nginx and HAProxy have in common: which proxies a machine has, what cannot be, and what their units wait for."""

from __future__ import annotations

from components.host.places import HEAD, UNITS, is_linux
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostsPlan, Machine, Proxy

KINDS = ("nginx", "haproxy")
BALANCES = ("leastconn", "roundrobin", "source")
MODES = ("http", "tcp")


def proxies_of(machine: Machine, kind: str) -> tuple[Proxy, ...]:
    """Return the machine's proxies of a kind.

    Args:
        machine: the machine.
        kind: `nginx` or `haproxy`.

    Raises:
        UsageError: a proxy asks for what there is not.
    """
    for proxy in machine.proxies:
        for what, got, allowed in (
            ("kind", proxy.kind, KINDS),
            ("balance", proxy.balance, BALANCES),
            ("mode", proxy.mode, MODES),
        ):
            if got not in allowed:
                raise UsageError(f"proxy {proxy.name}: {what} '{got}' is not known: use {' or '.join(allowed)}")
        if not proxy.members:
            raise UsageError(f"proxy {proxy.name} has no member: give it at least one")
    return tuple(checked_proxy(proxy) for proxy in machine.proxies if proxy.kind == kind)


def checked_proxy(proxy: Proxy, *, nginx_stream: bool = False) -> Proxy:
    """Return a proxy whose program can do what it asks.

    Args:
        proxy: the proxy.
        nginx_stream: True for nginx in mode tcp.

    Raises:
        UsageError: it cannot.
    """
    name = f"proxy {proxy.name}"
    if proxy.redirect is not None and (proxy.tls is None or proxy.mode != "http"):
        raise UsageError(f"{name}: callers are redirected to TLS, and it has none: give it tls, in mode http")
    if proxy.requests_per_second and proxy.mode == "tcp":
        raise UsageError(f"{name}: requests are counted in mode http alone: use it, or take requests_per_second out")
    if proxy.kind == "haproxy" and proxy.listen.protocol == "udp":
        raise UsageError(f"{name}: haproxy does not balance UDP: use nginx in mode tcp")
    if proxy.kind == "nginx" and (proxy.health_send or proxy.health_expect):
        raise UsageError(f"{name}: nginx asks no member for its health: use haproxy for health_send and health_expect")
    if proxy.listen.last not in (None, proxy.listen.port):
        raise UsageError(f"{name} listens on one port: {proxy.listen.port}-{proxy.listen.last} are several")
    if proxy.listen.protocol == "udp" and (proxy.tls is not None or (not nginx_stream and proxy.mode != "tcp")):
        raise UsageError(f"{name}: UDP is passed on as it is, in mode tcp and without tls: take tls out")
    return proxy


def proxy_drop_in(machine: Machine, plan: HostsPlan, unit: str) -> tuple[HostFile, ...]:
    """Return what the distribution's unit of a proxy lacks: it waits for its addresses and is started again.

    Args:
        machine: the machine.
        plan: all machines, for the overlay.
        unit: the proxy's unit.
    """
    if not is_linux(machine):
        return ()
    after = ["network-online.target"]
    if plan.overlay is not None and machine.spec.overlay is not None:
        after.append(f"wg-quick@{plan.overlay.name}.service")
    text = f"""\
# {HEAD}
[Unit]
After={" ".join(after)}
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=5
"""
    path = f"{UNITS}/{unit}.d/skerry.conf"
    return (HostFile(path=path, text=text, commands=(("systemctl", "daemon-reload"),)),)
