"""WireGuard: the overlay's interface by wg-quick, with the private key in a file of its own that no program here reads.

Source: wg-quick(8) and wg(8) 1.0.20210914, read 2026-11
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.host.places import HEAD, LIB, UNITS, bracketed, is_linux
from skerry.config.host import HostsSpec, OverlayPeerSpec, OverlaySpec
from skerry.hosts.plan import HostFile, HostsPlan, Machine

KEY_SCRIPT: Final = f"{LIB}/wireguard-key"


def wireguard_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the overlay's configuration; nothing for a machine whose public key is not known yet."""
    overlay, own = plan.overlay, machine.spec.overlay
    if overlay is None or own is None or own.public_key is None or not is_linux(machine):
        return ()
    unit = f"wg-quick@{overlay.name}.service"
    network_bits = overlay.network_cidr.partition("/")[2]
    lines = [
        f"# {HEAD}",
        "[Interface]",
        f"Address = {own.address}/{network_bits}",
        f"ListenPort = {overlay.port}",
        f"MTU = {overlay.mtu}",
        f"PreUp = {KEY_SCRIPT} {overlay.name} {own.public_key}",
        f"PostUp = wg set %i private-key /etc/wireguard/{overlay.name}.key",
        *(line for row in plan.machines if row.name != machine.name for line in _peer(row, overlay)),
    ]
    key = f"/etc/wireguard/{overlay.name}.key"
    files = [HostFile(path=KEY_SCRIPT, text=_KEY, mode="0755")]
    if own.private_key_secret is not None:
        files.append(HostFile(path=key, secret=own.private_key_secret, mode="0600", restarts=(unit,)))
    files.append(
        HostFile(
            path=f"{UNITS}/{unit}.d/skerry.conf",
            # Its own reload takes the private key away, which is not in the file that it reads.
            text=f"# {HEAD}\n[Service]\nExecReload=\nRestart=on-failure\nRestartSec=10\n",
            commands=(("systemctl", "daemon-reload"),),
        )
    )
    files.append(
        HostFile(
            path=f"/etc/wireguard/{overlay.name}.conf",
            text="\n".join(lines) + "\n",
            mode="0600",
            check=("wg-quick", "strip", overlay.name),
            enables=(unit,),
            restarts=(unit,),
        )
    )
    return tuple(files)


def _peer(machine: Machine, overlay: OverlaySpec) -> Iterator[str]:
    peer: OverlayPeerSpec | None = machine.spec.overlay
    if peer is None or peer.public_key is None:
        return
    yield ""
    yield f"# {machine.name}"
    yield "[Peer]"
    yield f"PublicKey = {peer.public_key}"
    yield f"AllowedIPs = {peer.address}/32"
    yield f"Endpoint = {bracketed(peer.endpoint or machine.spec.address)}:{overlay.port}"
    if overlay.keepalive_s:
        yield f"PersistentKeepalive = {overlay.keepalive_s}"


_KEY: Final = f"""\
#!/bin/sh
# {HEAD}
# usage: wireguard-key INTERFACE PUBLIC_KEY
# Fails unless the machine's private key is there, is nobody else's to read, and belongs to the key that others know.
set -eu
key=/etc/wireguard/$1.key
if [ ! -s "$key" ]; then
  echo "wireguard-key: $key is missing: put the private key of $2 there, mode 0600" >&2
  exit 1
fi
chmod 0600 "$key"
found=$(wg pubkey < "$key")
if [ "$found" != "$2" ]; then
  echo "wireguard-key: $key belongs to $found, and others know $2: put the right key there, or change public_key" >&2
  exit 1
fi
"""
