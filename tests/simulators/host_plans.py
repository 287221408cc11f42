"""A machine by hand, for tests of what is done with its files: an application behind nginx, a timer and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from components.host.apply import ApplyScript, apply_script
from skerry.config.host import HostSpec, HostsSpec
from skerry.hosts.plan import HostFile, HostFolder, HostsPlan, HostUser, Machine

UNITS = "/etc/systemd/system"
PAGE = "/srv/page/index.html"
SITE = "/etc/nginx/conf.d/page.conf"
RELOAD = (("systemctl", "daemon-reload"),)
PLANTED = 'pl4nted "quote" $dollar \\back'
"""A secret value that is hard to write, and easy to find."""
SECRETS: Mapping[str, str] = {
    "pageToken": PLANTED,
    "pageKey": "-----BEGIN KEY-----\nnever-shown-a1\n-----END KEY-----\n",
}

_APP = """[Unit]
Description=a page
[Service]
User=page
EnvironmentFile=/etc/skerry/environment/page.env
WorkingDirectory=/srv/page
ExecStart=/usr/bin/python3 -m http.server 8101 --bind 127.0.0.1
ExecStartPost=/usr/bin/curl -fsS --retry 5 --retry-delay 1 --retry-connrefused -o /dev/null http://127.0.0.1:8101/
[Install]
WantedBy=multi-user.target
"""
_SITE = """server {
  listen 8100;
  location / { proxy_pass http://127.0.0.1:8101; }
}
"""
_TIMER = "[Timer]\nOnCalendar=*-*-* 03:00:00 UTC\n[Install]\nWantedBy=timers.target\n"
_CLOCK = "[Service]\nType=oneshot\nExecStart=/usr/bin/true\n"

FILES: tuple[HostFile, ...] = (
    HostFile(path=PAGE, text="first\n", owner="page", group="page"),
    HostFile(path="/srv/page/no-line-end", text="last line without an end"),
    HostFile(
        path="/etc/skerry/environment/page.env",
        variables={"PAGE_TOKEN": "pageToken"},
        mode="0600",
        restarts=("page.service",),
    ),
    HostFile(path="/etc/skerry/page.key", secret="pageKey", mode="0400", owner="page", group="page"),
    HostFile(
        path=f"{UNITS}/page.service",
        text=_APP,
        check=("systemd-analyze", "verify", "--man=no", f"{UNITS}/page.service"),
        commands=RELOAD,
        enables=("page.service",),
        restarts=("page.service",),
    ),
    HostFile(
        path=SITE,
        text=_SITE,
        check=("nginx", "-t", "-q"),
        enables=("nginx.service",),
        restarts=("nginx.service",),
    ),
    HostFile(
        path="/etc/sudoers.d/skerry",
        text="page ALL=(root) NOPASSWD: /usr/bin/systemctl restart page.service\n",
        mode="0440",
        check=("visudo", "--check", "--strict", "--file={path}"),
    ),
    HostFile(path=f"{UNITS}/clean.service", text=_CLOCK, commands=RELOAD),
    HostFile(
        path=f"{UNITS}/clean.timer", text=_TIMER, commands=RELOAD, enables=("clean.timer",), restarts=("clean.timer",)
    ),
)


def machine(name: str = "gate", address: str = "192.0.2.10") -> Machine:
    """Return the machine without files."""
    return Machine(
        name=name,
        spec=HostSpec(address=address, vcpu=2, memory_gib=4, storage_gib=20),
        users=(HostUser(name="page", home="/srv/page"),),
        folders=(HostFolder(path="/srv/page/data", owner="page", group="page", mode="0750"),),
        setup=(("touch", "/srv/page/data/was-set-up"),),
    )


def script(files: tuple[HostFile, ...] = FILES, made: Machine | None = None) -> ApplyScript:
    """Return the apply script of the machine with these files."""
    row = made or machine()
    hosts = HostsSpec(machines={row.name: row.spec}, firewall="none")  # type: ignore[arg-type]  # pydantic reads the word
    found = apply_script(row, HostsPlan(machines=(row,)), hosts, files)
    assert found is not None
    return found


def changed(path: str, **fields: object) -> tuple[HostFile, ...]:
    """Return the files with one of them changed."""
    assert any(file.path == path for file in FILES)
    return tuple(replace(file, **fields) if file.path == path else file for file in FILES)  # type: ignore[arg-type]


def without(*paths: str) -> tuple[HostFile, ...]:
    """Return the files without some of them."""
    return tuple(file for file in FILES if file.path not in paths)
