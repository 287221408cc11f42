"""A Kubernetes cluster on loopback without containers: real etcd, API server, controllers, scheduler; nodes by KWOK.

No container runs here: no kubelet, no network between pods, no probes, no disks. What is proved is what the API server,
the controllers, the scheduler and (where started) the KubeRay operator do with the objects.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.simulators.kube_api import KubeApi
from tests.simulators.kube_keys import write_keys
from tests.simulators.kube_tools import CrdSet, find

READY_S: Final = 90.0
"""The API server is ready after 4 s on an idle machine of two cores."""
KWOK_LABEL: Final = "skerry-test/node"
_KILL_S: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1


class ClusterError(Exception):
    """Report a part of the cluster that did not come up, with the end of its log."""


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on now, all different."""
    taken = [socket.socket() for _ in range(count)]
    for one in taken:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports


def wait_until(what: str, check: Callable[[], bool], limit_s: float, pause_s: float = 0.2) -> float:
    """Wait until `check` holds and return the seconds it took.

    Raises:
        ClusterError: it did not hold in time.
    """
    began = time.monotonic()
    while not check():
        if time.monotonic() - began > limit_s:
            raise ClusterError(f"{what}: not within {limit_s:.0f} s")
        time.sleep(pause_s)
    return time.monotonic() - began


class KubeCluster:
    """One cluster; use it in a `with` statement, which ends every process of it."""

    def __init__(self, folder: Path, *, aggregates: bool = False) -> None:
        """Remember where keys, data and logs go; nothing is started yet.

        Args:
            folder: it is made.
            aggregates: whether the API server hands groups of APIs on to servers that an APIService names.
        """
        self._folder = folder.resolve()
        self._keys = self._folder / "keys"
        self._aggregates = aggregates
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.port = 0

    def __enter__(self) -> Self:
        """Start etcd and the API server and wait until it is ready.

        Raises:
            ClusterError: it does not become ready.
        """
        try:
            self._start_server()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process."""
        self.stop()

    @property
    def folder(self) -> Path:
        """Where keys, data and logs are."""
        return self._folder

    @property
    def keys(self) -> Path:
        """Where the keys are; `ca.crt` vouches for `apiserver.crt`, which is that of every server on loopback."""
        return self._keys

    def api(self, user: str = "admin") -> KubeApi:
        """Return a new connection as one of the users of kube_keys."""
        return KubeApi(self.port, self._keys, user)

    def start_controllers(self, *, scheduler: bool = True, options: Mapping[str, str] = {}) -> None:
        """Start the controller manager and the scheduler; return when the first namespace has its account.

        Args:
            scheduler: whether the scheduler is started as well.
            options: further ones of the controller manager.

        Raises:
            ClusterError: they do not come up.
        """
        kubeconfig = str(self._keys / "controller-manager.kubeconfig")
        self.run(
            "kube-controller-manager",
            {
                "kubeconfig": kubeconfig,
                "leader-elect": "false",
                "secure-port": "0",
                "use-service-account-credentials": "true",
                "service-account-private-key-file": str(self._keys / "sa.key"),
                "root-ca-file": str(self._keys / "ca.crt"),
                # Stand-in nodes have no route and no cloud.
                "controllers": "*,-node-ipam-controller,-cloud-node-lifecycle-controller",
                "kube-api-qps": "200",
                "kube-api-burst": "400",
                **options,
            },
        )
        if scheduler:
            self.run(
                "kube-scheduler",
                {
                    "kubeconfig": str(self._keys / "scheduler.kubeconfig"),
                    "leader-elect": "false",
                    "secure-port": "0",
                    "kube-api-qps": "200",
                    "kube-api-burst": "400",
                },
            )
        api = self.api()
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        wait_until("controllers", lambda: self.alive() and api.get(account) is not None, READY_S)
        api.close()

    def start_kwok(self) -> None:
        """Start KWOK: it plays the kubelet of every node with the label `KWOK_LABEL`."""
        # Without a lease duration the nodes' heartbeats come from KWOK's own stages.
        self.run(
            "kwok",
            {
                "kubeconfig": str(self._keys / "kwok.kubeconfig"),
                "manage-nodes-with-label-selector": KWOK_LABEL,
                "cidr": "10.64.0.0/10",
                "node-ip": "127.0.0.1",
                "node-lease-duration-seconds": "40",
                "server-address": f"127.0.0.1:{free_ports(1)[0]}",
            },
        )

    def start_ray_operator(self) -> None:
        """Start the KubeRay operator, outside the cluster and without its webhooks."""
        metrics, probes = free_ports(2)
        self.run(
            "ray-operator",
            {
                "kubeconfig": str(self._keys / "operator.kubeconfig"),
                "metrics-addr": f"127.0.0.1:{metrics}",
                "health-probe-bind-address": f"127.0.0.1:{probes}",
                "enable-leader-election": "false",
                "qps": "200",
                "burst": "400",
            },
        )

    def install(self, sets: Iterable[CrdSet], kinds: Collection[str] | None = None) -> int:
        """Install CRD sets and wait until every kind is served; return how many CRDs there are.

        `kinds` names those that are needed, since each costs the server seconds; without it all are.

        Raises:
            ClusterError: one is not established.
        """
        api = self.api()
        wanted: list[str] = []
        for crds in sets:
            for document in crds.objects:
                if document["kind"] == "CustomResourceDefinition":
                    if kinds is not None and document["spec"]["names"]["kind"] not in kinds:
                        continue
                    # A new CRD is made, not applied: the same check at a third of the server's time.
                    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
                    api.ask("POST", path, document, fieldValidation="Strict")
                    wanted.append(f"{path}/{document['metadata']['name']}")
                else:
                    api.apply(document)
        for path in wanted:
            wait_until(path, lambda path=path: _established(api.get(path)), READY_S, 0.05)  # type: ignore[misc]
        api.close()
        return len(wanted)

    def log(self, name: str, lines: int = 20) -> str:
        """Return the end of a program's log."""
        path = self._folder / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def cpu_s(self) -> Mapping[str, float]:
        """Return the CPU seconds that each program has used (Linux)."""
        tick = os.sysconf("SC_CLK_TCK")
        used = {}
        for name, process in self._running.items():
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            used[name] = (int(fields[11]) + int(fields[12])) / tick
        return used

    def stop(self) -> None:
        """End every process that was started here, by its own id."""
        for process in self._running.values():
            if process.poll() is None:
                # The data is thrown away, and the server would wait for its watchers.
                process.kill()
        for process in self._running.values():
            process.wait(_KILL_S)
        self._running.clear()

    def _start_server(self) -> None:
        client, peer, self.port = free_ports(3)
        write_keys(self._keys, f"https://127.0.0.1:{self.port}")
        etcd = f"http://127.0.0.1:{client}"
        self.run(
            "etcd",
            {
                "name": "test",
                "data-dir": str(self._folder / "etcd"),
                "listen-client-urls": etcd,
                "advertise-client-urls": etcd,
                "listen-peer-urls": f"http://127.0.0.1:{peer}",
                "initial-advertise-peer-urls": f"http://127.0.0.1:{peer}",
                "initial-cluster": f"test=http://127.0.0.1:{peer}",
                "unsafe-no-fsync": "true",
                "log-level": "warn",
            },
        )
        keys = self._keys
        self.run(
            "kube-apiserver",
            {
                "etcd-servers": etcd,
                "bind-address": "127.0.0.1",
                "advertise-address": "127.0.0.1",
                "secure-port": str(self.port),
                "endpoint-reconciler-type": "none",
                "cert-dir": str(self._folder / "certificates"),
                "tls-cert-file": str(keys / "apiserver.crt"),
                "tls-private-key-file": str(keys / "apiserver.key"),
                "client-ca-file": str(keys / "ca.crt"),
                "service-account-key-file": str(keys / "sa.pub"),
                "service-account-signing-key-file": str(keys / "sa.key"),
                "service-account-issuer": "https://kubernetes.default.svc",
                "service-cluster-ip-range": "10.96.0.0/16",
                "authorization-mode": "Node,RBAC",
                "enable-admission-plugins": "NodeRestriction",
                # As kubeadm and the clouds start it: what may be privileged is for Pod Security to say.
                "allow-privileged": "true",
                "max-requests-inflight": "800",
                "max-mutating-requests-inflight": "400",
                **(_aggregation(keys) if self._aggregates else {}),
            },
        )
        api = self.api()

        def ready() -> bool:
            try:
                return self.alive() and api.request("GET", "/readyz").code == 200
            except OSError:
                api.close()
                return False

        wait_until("API server", ready, READY_S, 0.1)
        api.close()

    def run(
        self,
        name: str,
        options: Mapping[str, str],
        *,
        before: Sequence[str] = (),
        environment: Mapping[str, str] = {},
        program: Path | None = None,
    ) -> None:
        """Start a program that ends with the cluster; what it says goes into its log.

        Args:
            name: of the log, and of the program where no other is given.
            options: written as `--key=value`.
            before: words before them.
            environment: beside a home folder and a path.
            program: the file; None takes the one of that name that was built.

        Raises:
            ClusterError: it is not built.
        """
        program = program or built(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                [str(program), *before, *(f"--{key}={value}" for key, value in options.items())],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                env={"HOME": str(self._folder), "PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1", **environment},
                preexec_fn=_die_with_parent,
            )

    def alive(self) -> bool:
        """Return True while every program runs.

        Raises:
            ClusterError: one has ended.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ClusterError(f"{name} ended with {process.returncode}:\n{self.log(name)}")
        return True


def _aggregation(keys: Path) -> dict[str, str]:
    """Return how the API server shows others for whom it asks.

    Source: Kubernetes "Configure the Aggregation Layer" (not opened; check before relying on it).
    """
    return {
        "requestheader-client-ca-file": str(keys / "ca.crt"),
        "requestheader-allowed-names": "front-proxy",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": str(keys / "front-proxy.crt"),
        "proxy-client-key-file": str(keys / "front-proxy.key"),
    }


def built(name: str) -> Path:
    """Return a program of build_cluster.sh.

    Raises:
        ClusterError: it is not built.
    """
    program = find(name)
    if program is None:
        raise ClusterError(f"{name} is not built: run `make cluster-tools`")
    return program


def _established(crd: Mapping[str, Any] | None) -> bool:
    conditions = ((crd or {}).get("status") or {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _die_with_parent() -> None:
    """A test run that is killed leaves no cluster behind (Linux only; elsewhere `stop` has to come)."""
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
