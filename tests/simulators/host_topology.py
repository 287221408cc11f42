"""A whole deployment on simulated machines: the user's own commands make its files and keys, ssh brings them there.

Nothing of the product is left out: `skerry hosts keys`, `skerry mesh keys`, `skerry render`, and each machine's
`apply.sh` with its folder of secrets, as somebody would carry them. What the vendors would bring is stood in for by
images/stand-in/mesh.py, so that a topology is proven and no vendor's program.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from cli.main import main
from skerry.config.spec import CONFIG_KEY
from tests.simulators.changed_stacks import changed_deployment
from tests.simulators.hosts import SimulatedHost, SimulatedNetwork
from tests.simulators.stack_objects import ROOT

OUTSIDER: Final = 200
"""The last part of an address of this process that no firewall allows."""
WIDTH: Final = 25
"""The local network of a deployment: the lower half of the simulated range."""
COMPOSE: Final = ROOT / "tests" / "simulators" / "data" / "compose_stand_in.py"
STAND_IN: Final = ROOT / "images" / "stand-in" / "mesh.py"


def skerry(*words: object) -> str:
    """Run a command of Skerry's and return what it wrote.

    Raises:
        AssertionError: it did not end well.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    assert code == 0, f"skerry {' '.join(map(str, words))}: {code}\n{out.getvalue()}{err.getvalue()}"
    return out.getvalue()


@dataclass
class Applied:
    """How a run of a machine's script ended."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass
class Topology:
    """A shipped stack on simulated machines."""

    stack: str
    root: Path
    lan: SimulatedNetwork
    binds: Mapping[Path, str] = field(default_factory=dict)
    hosts: dict[str, SimulatedHost] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    """Secret key -> value."""

    @property
    def site(self) -> Path:
        """The site's folder of keys."""
        return self.root / "site"

    @property
    def program(self) -> Path:
        """The folder with Pulumi.yaml."""
        return self.root / "program"

    def machines(self, names: Sequence[str]) -> None:
        """Start machines, several at a time."""
        for index, name in enumerate(names):
            self.hosts[name] = SimulatedHost(name, self.lan, last=10 + index, binds=self.binds)
        with ThreadPoolExecutor(max_workers=3) as pool:
            list(pool.map(SimulatedHost.start, self.hosts.values()))
        _ip("address", "add", f"{self.lan.address(OUTSIDER)}/24", "dev", self.lan.bridge)
        for host in self.hosts.values():
            # The kernel's memory is this machine's too: what a script asks of it is written down, and no more.
            host.run("echo 0 > /run/overcommit && mount --bind /run/overcommit /proc/sys/vm/overcommit_memory")

    def configure(self, changes: Mapping[str, Any], *, overlay: bool = True) -> None:
        """Write the stack's file with the addresses and host keys of these machines, and the overlay's keys."""
        self.program.mkdir(parents=True, exist_ok=True)
        (self.program / "__main__.py").symlink_to(ROOT / "__main__.py")
        (self.program / "Pulumi.yaml").write_text("name: skerry\nruntime: python\n")
        deployment = changed_deployment(self.stack, self._addressed(changes))
        self._write(deployment)
        if not overlay:
            return
        told = skerry("hosts", "keys", "--program", self.program, "--stack", self.stack, "--folder", self.site)
        for line in told.splitlines():
            if line.startswith(("#", "pulumi ")):
                continue
            name, row = next(iter(yaml.safe_load(line).items()))
            deployment["hosts"]["machines"][name]["overlay"].update(row)
        self._write(deployment)
        self.hand_over(told)

    def _addressed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        cidr = f"{self.lan.address(0)}/{WIDTH}"
        found: dict[str, Any] = {"hosts.lan_cidrs": [cidr], "hosts.admin_cidrs": [f"{self.lan.address(0)}/29"]}
        for name, host in self.hosts.items():
            found[f"hosts.machines.{name}.address"] = host.address
            found[f"hosts.machines.{name}.ssh.host_key"] = host.host_key
        return {**found, **changes}

    def _write(self, deployment: Mapping[str, Any]) -> None:
        text = yaml.safe_dump({"config": {CONFIG_KEY: dict(deployment)}}, sort_keys=False)
        (self.program / f"Pulumi.{self.stack}.yaml").write_text(text)

    def hand_over(self, told: str) -> None:
        """Take the values of secrets from the files that printed commands name."""
        for line in told.splitlines():
            if line.startswith("pulumi config set "):
                words = line.split()
                key = next(word for word in words if word.startswith("skerry:")).removeprefix("skerry:")
                self.secrets[key] = Path(words[-1]).read_text()

    def containers(self, names: Sequence[str], gpus: Mapping[str, str] | None = None) -> None:
        """Put the stand-in of Docker Compose on machines, and of NVIDIA's programs where they have a GPU."""
        programs = {
            "/usr/bin/docker": COMPOSE.read_text(encoding="utf-8"),
            "/usr/local/bin/docker": COMPOSE.read_text(encoding="utf-8"),
            "/usr/bin/dockerd": "#!/bin/sh\n",
            "/var/lib/compose-stand-in/mesh.py": STAND_IN.read_text(encoding="utf-8"),
            "/etc/systemd/system/docker.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
        }
        for name in names:
            told = (gpus or {}).get(name)
            nvidia = {
                "/usr/bin/nvidia-smi": f"#!/bin/sh\necho '{told}'\n",
                "/usr/bin/nvidia-ctk": "#!/bin/sh\n",
                "/usr/bin/nvidia-cuda-mps-control": "#!/bin/sh\nexec sleep 100000\n",
            }
            for path, text in {**programs, **(nvidia if told else {})}.items():
                self.hosts[name].write(path, text, "0755")

    def render(self) -> Path:
        """Write the files of all machines, and return their folder."""
        skerry("render", "--program", self.program, "--stack", self.stack, "--out", self.root / "out")
        return self.root / "out" / "files"

    def apply(self, name: str, *words: str) -> Applied:
        """Carry a machine's script and secrets to it by ssh, and run it there."""
        host, folder = self.hosts[name], self.root / "out" / "files" / name
        carried = io.BytesIO()
        with tarfile.open(fileobj=carried, mode="w") as archive:
            _add(archive, "apply.sh", (folder / "apply.sh").read_text())
            listed = folder / "secrets" / "README.md"
            keys = (
                [row[2:] for row in listed.read_text().splitlines() if row.startswith("- ")] if listed.exists() else []
            )
            for key in keys:
                _add(archive, f"secrets/{key}", self.secrets[key])
        began = time.monotonic()
        unpack = "umask 077; mkdir -p /srv/site && tar -x -C /srv/site -f -"
        done = subprocess.run(
            host.ssh_command(f"{unpack} && sh /srv/site/apply.sh {' '.join(words)}"),
            input=carried.getvalue(), capture_output=True, check=False, timeout=240,
        )  # fmt: skip
        return Applied(done.returncode, done.stdout.decode(), done.stderr.decode(), time.monotonic() - began)

    def cold_start(self) -> dict[str, Applied]:
        """Apply every machine's script, all at once."""
        with ThreadPoolExecutor(max_workers=len(self.hosts)) as pool:
            return dict(zip(self.hosts, pool.map(self.apply, self.hosts), strict=True))


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    row = tarfile.TarInfo(name)
    row.size, row.mode = len(text.encode()), 0o600
    archive.addfile(row, io.BytesIO(text.encode()))


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def repository(folder: Path) -> Path:
    """Return a git repository that stands in for the mesh's: its layout, and the stand-in behind its commands."""
    files = {
        "requirements.txt": "",
        "gateway/__init__.py": "",
        "gateway/http_gateway.py": _starts("gateway(sys.argv[1:])"),
        "edge_node/node.py": _starts("node(os.environ)"),
        "stand_in/mesh.py": STAND_IN.read_text(encoding="utf-8"),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    own = ("-c", "user.name=stand-in", "-c", "user.email=stand-in@customer.example")
    for words in (("init", "-q"), ("add", "."), (*own, "commit", "-q", "-m", "a stand-in")):
        subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)
    return folder


def _starts(call: str) -> str:
    return (
        "import os, pathlib, sys\n"
        "sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'stand_in'))\n"
        f"import mesh\n\nif __name__ == '__main__':\n    mesh.{call}.run()\n"
    )


@dataclass
class Caller:
    """Somebody who calls by curl."""

    words: tuple[str, ...]

    def ask(self, url: str, *more: str, seconds: float = 10) -> tuple[int, str]:
        """Return the status, 0 where there was no answer, and the text."""
        done = subprocess.run(
            ["curl", "--silent", "--max-time", f"{seconds:g}", "-w", "\n%{http_code}", *self.words, *more, url],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        text, _, status = done.stdout.rpartition("\n")
        return int(status or 0), text


@dataclass
class Calls:
    """What became of calls that were made all the time."""

    rows: list[tuple[float, int, float]] = field(default_factory=list)
    """When it began, its status, and how long it took."""

    @property
    def lost(self) -> int:
        """How many had no answer of 200."""
        return sum(status != 200 for _, status, _ in self.rows)

    @property
    def slowest_s(self) -> float:
        """How long the slowest took."""
        return max(seconds for *_, seconds in self.rows)

    def gap_s(self) -> float:
        """Return the longest time between two answers of 200."""
        ends = [began + seconds for began, status, seconds in self.rows if status == 200]
        return max((late - early for early, late in itertools.pairwise(ends)), default=0.0)

    def words(self) -> str:
        """Say it in a line."""
        return f"{len(self.rows)} calls, {self.lost} lost, longest gap {self.gap_s():.2f} s"


UNDER_WAY: Final = 1
"""Calls that may be lost when a server goes: the one that it was answering. None was on an idle machine."""


@contextlib.contextmanager
def calling(ask: Callable[[], int], pause_s: float = 0.1) -> Iterator[Calls]:
    """Call all the time until the block ends."""
    calls, ending = Calls(), threading.Event()

    def go() -> None:
        while not ending.wait(pause_s):
            began = time.monotonic()
            status = ask()
            calls.rows.append((began, status, time.monotonic() - began))

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield calls
    finally:
        ending.set()
        thread.join()


def until(seen: Callable[[], bool], seconds: float) -> float:
    """Wait until something is seen, and return how long it took.

    Raises:
        AssertionError: it was not, in time.
    """
    began = time.monotonic()
    while not seen():
        assert time.monotonic() - began < seconds, f"not seen within {seconds:g} s"
        time.sleep(0.1)
    return time.monotonic() - began


def document(text: str) -> dict[str, Any]:
    """Return the JSON of an answer."""
    return dict(json.loads(text))
