"""Machines without an orchestrator, simulated by Linux namespaces: systemd as PID 1, a real sshd, a network of its own.

How to use it, as root on Linux (`missing_for_hosts()` says what is not there; `need_hosts()` skips or fails for it):

    with SimulatedNetwork() as lan:                             # 198.18.<n>.0/24, a bridge; this process is its .1
        with SimulatedHost("gate", lan) as gate, SimulatedHost("node-a", lan) as node:
            gate.address, gate.host_key, gate.key_file          # what a stack's configuration needs
            gate.ssh("sh -s", stdin=script, check=False)        # the real ssh to the real sshd, the host key pinned
            gate.run("systemctl is-active nginx")               # beside it, without sshd, as root
            gate.read("/etc/x"), gate.write("/etc/x", "text"), gate.wait_for("systemctl is-active nginx")
            lan.cut(node); lan.join(node)                       # a cable is pulled, and put in again
            node.stop()                                         # its power fails

What holds of such a machine:
- Its disk is this machine's as an overlay: programs installed here are installed there; what it writes is in its own
  memory and gone at its end. /tmp, /run, root's home, /var/lib/skerry and /etc/systemd/system begin empty.
- `binds` puts folders of this machine into it, read-only, where they are under /tmp or root's home.
- Units really start, stop and are held by their users; cgroups are of version 2 with those controllers alone that this
  machine does not use in version 1, so that a cap of memory may be written and not enforced.
- sysctl reaches its own network alone; the rest of /proc/sys is read-only, since the kernel is this machine's too.
- It ends with its `stop`, or with this process, however that ends.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

import pytest

PROGRAMS: Final = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sudo": "sudo",
    "systemctl": "systemd",
}
"""Program -> Debian package."""
SYSTEMD: Final = Path("/lib/systemd/systemd")
NAMESPACES: Final = ("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup")
LARGEST_GIB: Final = 2
"""What a machine may write at most, in memory."""
_HOME: Final = pwd.getpwuid(0).pw_dir
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


_SCRIPTS: Final = Path(__file__).parent / "data"

_UNITS: Final = {
    "simulated.target": "[Unit]\nRequires=basic.target\nAfter=basic.target\nWants=multi-user.target ssh.service\n"
    "AllowIsolate=yes\n",
    # Nothing here brings a network up: it is there before the first unit.
    "systemd-networkd-wait-online.service": None,
    "systemd-timesyncd.service": None,
}
_SSHD: Final = """HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
"""


class SimulationError(Exception):
    """A simulated machine did what it should not, or did not start."""


def missing_for_hosts() -> str | None:
    """Return why machines cannot be simulated here; None where they can."""
    if os.uname().sysname != "Linux" or os.geteuid() != 0:
        return "simulated machines need Linux and root"
    lacking = sorted({package for name, package in PROGRAMS.items() if shutil.which(name) is None})
    if not SYSTEMD.exists():
        lacking.append("systemd")
    if lacking:
        return f"not installed: {', '.join(lacking)} (.ci/tools names them)"
    probe = subprocess.run(["unshare", "--fork", *NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return f"no namespaces here: {probe.stderr.strip()}" if probe.returncode else None


def need_hosts() -> None:
    """Skip the test where machines cannot be simulated; fail it where they must be."""
    reason = missing_for_hosts()
    if reason is not None:
        if os.environ.get("SKERRY_REQUIRE_TOOLS") or os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


class SimulatedNetwork:
    """A bridge with an address range of its own, on which this process is the first address."""

    def __init__(self) -> None:
        """Describe it; `start` takes the first range that is free."""
        self.number = 0
        self.hosts: list[SimulatedHost] = []

    @property
    def bridge(self) -> str:
        """Return the name of the interface."""
        return f"skerry{self.number}"

    @property
    def cidr(self) -> str:
        """Return the address range."""
        return f"198.18.{self.number}.0/24"

    def address(self, last: int) -> str:
        """Return an address of the range."""
        return f"198.18.{self.number}.{last}"

    def start(self) -> SimulatedNetwork:
        """Make the bridge, after those of processes that are gone were removed."""
        for path in Path("/sys/class/net").glob("skerry*"):
            owner = (path / "ifalias").read_text().strip().removeprefix("skerry ")
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                _ip("link", "delete", path.name, check=False)
        for number in range(1, 255):
            self.number = number
            made = _ip("link", "add", self.bridge, "type", "bridge", "mcast_snooping", "0", check=False)
            if made.returncode == 0:
                break
        else:
            raise SimulationError("every range of 198.18.0.0/16 is taken: are networks left behind?")
        _ip("link", "set", self.bridge, "alias", f"skerry {os.getpid()}")
        _ip("address", "add", f"{self.address(1)}/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        return self

    def stop(self) -> None:
        """End the machines that are still on it, and take the bridge away."""
        for host in list(self.hosts):
            host.stop()
        _ip("link", "delete", self.bridge, check=False)

    def cut(self, host: SimulatedHost) -> None:
        """Pull the cable of a machine."""
        _ip("link", "set", host.cable, "down")

    def join(self, host: SimulatedHost) -> None:
        """Put it in again."""
        _ip("link", "set", host.cable, "up")

    def __enter__(self) -> SimulatedNetwork:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class SimulatedHost:
    """One machine on a simulated network."""

    def __init__(
        self,
        name: str,
        network: SimulatedNetwork,
        *,
        last: int | None = None,
        login: str = "root",
        binds: Mapping[Path, str] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Describe it.

        Args:
            name: its host name.
            network: where it is plugged in.
            last: the last part of its address; left out, the next free one from 10 on.
            login: who logs in; any but root is made, and may use sudo without a password.
            binds: folder of this machine -> where it is there, read-only.
            names: host name -> address for its /etc/hosts.
        """
        taken = {host.last for host in network.hosts}
        self.name, self.network, self.login = name, network, login
        self.last = last or next(number for number in range(10, 255) if number not in taken)
        self.binds, self.names = dict(binds or {}), dict(names or {})
        self.address = network.address(self.last)
        self.cable = f"sk{network.number}-{self.last}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"skerry-host-{name}-"))
        self.key_file = self.folder / "client"
        self.known_hosts = self.folder / "known_hosts"
        self.pid = 0
        self._holder: subprocess.Popen[bytes] | None = None
        network.hosts.append(self)
        for key in (self.key_file, self.folder / "server"):
            _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", f"{key}")
        kind, text, _ = (self.folder / "server.pub").read_text().split()
        self.host_key = f"{kind} {text}"
        self.known_hosts.write_text(f"{self.address} {self.host_key}\n")

    def start(self) -> SimulatedHost:
        """Start it and wait until its sshd answers.

        Raises:
            SimulationError: it did not within 60 seconds; what it wrote is told.
        """
        log = (self.folder / "console.log").open("wb")
        (self.folder / "base").mkdir(exist_ok=True)
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", f"{_SCRIPTS / 'host_holder.sh'}"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=self._environment(self._seed()),
            start_new_session=True,
        )
        log.close()
        self.pid = self._first_process()
        peer = f"{self.cable}p"
        _ip("link", "add", self.cable, "type", "veth", "peer", "name", peer)
        _ip("link", "set", self.cable, "master", self.network.bridge, "up")
        _ip("link", "set", peer, "netns", f"{self.pid}")
        inside = ("nsenter", "-t", f"{self.pid}", "--net", "ip")
        _call(*inside, "link", "set", peer, "name", "eth0")
        _call(*inside, "address", "add", f"{self.address}/24", "dev", "eth0")
        _call(*inside, "link", "set", "eth0", "up")
        _call(*inside, "route", "add", "default", "via", self.network.address(1))
        self._until(lambda: self.ssh("true", check=False, timeout_s=10).returncode == 0, 60, "sshd did not answer")
        return self

    def stop(self) -> None:
        """End it at once, as a failing power supply does, and forget its disk."""
        holder, self._holder = self._holder, None
        if holder is not None and holder.stdin is not None:
            holder.stdin.close()
            try:
                holder.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(holder.pid, signal.SIGKILL)
                holder.wait()
            _ip("link", "delete", self.cable, check=False)
        if self in self.network.hosts:
            self.network.hosts.remove(self)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ssh_command(self, command: str, *, key: Path | None = None) -> list[str]:
        """Return the command line of a log-in, for a process of the caller's own."""
        options = {
            "UserKnownHostsFile": f"{self.known_hosts}",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            "LogLevel": "ERROR",
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-F", "none", *given, "-i", f"{key or self.key_file}", f"{self.login}@{self.address}", command]

    def ssh(
        self, command: str, *, stdin: str = "", check: bool = True, timeout_s: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command through sshd."""
        return _call(*self.ssh_command(command), stdin=stdin, check=check, timeout_s=timeout_s)

    def run(
        self, command: str, *, stdin: str = "", check: bool = True, timeout_s: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command in it as root, beside sshd; its own cgroup is that of no unit."""
        words = (
            "nsenter",
            "-t",
            f"{self.pid}",
            "--all",
            "env",
            "-i",
            f"PATH={_PATH}",
            f"HOME={_HOME}",
            "LC_ALL=C.UTF-8",
        )
        return _call(*words, "sh", "-c", command, stdin=stdin, check=check, timeout_s=timeout_s)

    def read(self, path: str) -> str:
        """Return the text of one of its files."""
        return self.run(f"cat '{path}'").stdout

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        """Write one of its files, with the folders above it."""
        self.run(f"mkdir -p \"$(dirname '{path}')\" && cat > '{path}' && chmod {mode} '{path}'", stdin=text)

    def wait_for(self, command: str, seconds: float = 30) -> None:
        """Wait until a command ends well.

        Raises:
            SimulationError: it did not in time; its last words are told.
        """
        last: list[str] = [""]

        def well() -> bool:
            done = self.run(command, check=False)
            last[0] = done.stdout + done.stderr
            return done.returncode == 0

        try:
            self._until(well, seconds, f"'{command}' did not end well")
        except SimulationError as exc:
            raise SimulationError(f"{exc}\n{last[0]}") from None

    def _until(self, well: Callable[[], bool], seconds: float, otherwise: str) -> None:
        end = time.monotonic() + seconds
        while not well():
            if self._holder is None or self._holder.poll() is not None or time.monotonic() > end:
                console = (self.folder / "console.log").read_text(errors="replace")[-2000:]
                raise SimulationError(f"{self.name}: {otherwise} within {seconds:g} s\n{console}")
            time.sleep(0.2)

    def _environment(self, seed: Path) -> dict[str, str]:
        return {
            "PATH": _PATH,
            "BASE": f"{self.folder / 'base'}",
            "CGROUP": f"skerry-{os.getpid()}-{self.cable}",
            "BOOT": f"{_SCRIPTS / 'host_boot.sh'}",
            "SEED": f"{seed}",
            "NAME": self.name,
            "LOGIN": self.login,
            "SIZE": f"{LARGEST_GIB}",
            "BINDS": "".join(f"{Path(source).resolve()}|{target}\n" for source, target in self.binds.items()),
        }

    def _seed(self) -> Path:
        """Write the files that make it this machine."""
        seed = self.folder / "seed"
        units = seed / "etc/systemd/system"
        for name, text in _UNITS.items():
            (units / name).parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                (units / name).symlink_to("/dev/null")
            else:
                (units / name).write_text(text)
        names = {"localhost": "127.0.0.1", self.name: self.address, **self.names}
        (seed / "etc/hosts").write_text("".join(f"{address} {name}\n" for name, address in names.items()))
        (seed / "etc/hostname").write_text(f"{self.name}\n")
        (seed / "etc/ssh").mkdir()
        (seed / "etc/ssh/sshd_config").write_text(_SSHD)
        shutil.copy(self.folder / "server", seed / "etc/ssh/ssh_host_ed25519_key")
        (seed / "root/.ssh").mkdir(parents=True, mode=0o700)
        (seed / "root").chmod(0o700)
        shutil.copy(self.folder / "client.pub", seed / "root/.ssh/authorized_keys")
        return seed

    def _first_process(self) -> int:
        """Return the process that is PID 1 inside, once it is systemd."""
        found: list[int] = []

        def there() -> bool:
            found[:] = [pid for pid in _below(self._holder.pid if self._holder else 0) if _is_systemd(pid)]
            return bool(found)

        self._until(there, 30, "systemd did not start")
        return found[0]

    def __enter__(self) -> SimulatedHost:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _below(pid: int) -> list[int]:
    """Return every process below one, nearest first."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        children = [int(word) for word in path.read_text().split()]
        found += children + [row for child in children for row in _below(child)]
    return found


def _is_systemd(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "systemd"
    except OSError:
        return False


def _ip(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return _call("ip", *words, check=check)


def _call(*words: str, stdin: str = "", check: bool = True, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=timeout_s)
    if check and done.returncode:
        raise SimulationError(f"{' '.join(words[:8])} ... ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done
