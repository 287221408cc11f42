"""cloud-init: a rented machine's user data, which makes it what its plan says at its first start.

User data can be read by every program on the machine and by whoever may look at it in the provider's console, so that
no secret stands in it: where one is needed, the first start fails with its name, and people bring it.
Source: cloud-init documentation, "write_files", "package_update_upgrade_install", "runcmd" (not opened; the tests ask
cloud-init 22.4 itself)
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from components.host.apply import ApplyScript
from components.host.packages import packages_of
from components.host.places import HEAD
from skerry.config.host import HostsSpec
from skerry.hosts.plan import HostsPlan, Machine

FOLDER: Final = "/opt/skerry"
LIMITS: Final = {"AWS": 16_384, "Hetzner": 32_768, "Azure": 65_535, "DigitalOcean": 65_536, "Google Cloud": 262_144}
"""Bytes of user data at most. Source: the providers' documentation (not opened; check before relying on it)"""


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else '"')


_Dumper.add_representer(str, _text)


def cloud_init_text(machine: Machine, plan: HostsPlan, hosts: HostsSpec, script: ApplyScript) -> str:
    """Return the user data of a machine.

    Args:
        machine: the machine.
        plan: all machines, for what joins them.
        hosts: how they are kept.
        script: what makes it so, without secrets.
    """
    apply = f"{FOLDER}/apply.sh"
    document: dict[str, Any] = {
        "package_update": True,
        "packages": list(packages_of(machine, plan, hosts)),
        "write_files": [{"path": apply, "permissions": "0700", "owner": "root:root", "content": script.alone()}],
        "runcmd": [["sh", apply]],
    }
    body = str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100_000, allow_unicode=True))
    told = [f"# {HEAD}"]
    if script.secrets:
        told.append(f"# Bring these secrets into {FOLDER}/secrets, then run {apply}: {', '.join(script.secrets)}.")
    text = "\n".join(["#cloud-config", *told, body])
    small = [f"{name} {limit}" for name, limit in LIMITS.items() if len(text.encode()) > limit]
    if small:
        told.append(
            f"# Too long as it is for {', '.join(small)} bytes: give them it by `gzip -9`, which cloud-init reads."
        )
    return "\n".join(["#cloud-config", *told, body])
