"""CloudNativePG, KEDA, Kueue and Temporal as real programs beside a cluster without containers.

Each runs outside the cluster on loopback; the API server calls their webhooks and metrics there. An APIService can
name a Service only: one of type ExternalName for `localhost` leads the API server to KEDA's own.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.kubernetes.queues import manager_config
from tests.simulators.kube_cluster import READY_S, ClusterError, KubeCluster, built, free_ports, wait_until
from tests.simulators.kube_tools import CrdSet, module_program

NAMESPACE: Final = "operators"
KUEUE_NAMESPACE: Final = "kueue-system"
KUEUE_SERVICE: Final = "kueue-webhook-service"
KUEUE_SECRET: Final = "kueue-webhook-server-cert"
"""Kueue's defaults, by which it finds its webhooks. Source: kueue v0.19.2 pkg/util/cert/cert.go, read 2026-11."""
CONVERTED: Final = ("clusterqueues", "cohorts", "localqueues", "multikueueclusters", "workloads")
"""The CRDs whose versions Kueue converts, and into which it writes its authority before it starts."""
METRICS: Final = "v1beta1.external.metrics.k8s.io"


_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""What the kernel calls a machine, and what Go does."""


def start_postgres_operator(cluster: KubeCluster, crds: CrdSet) -> None:
    """Start the CloudNativePG operator outside the cluster, with its webhooks, and wait until they answer.

    Raises:
        ClusterError: it does not come up.
    """
    metrics, hooks = free_ports(2)
    folder = cluster.folder / "webhook"
    folder.mkdir()
    for name in ("apiserver.crt", "apiserver.key"):
        shutil.copy(cluster.keys / name, folder / name)
    # Its image holds itself once for each architecture, under this name; it copies itself into the pods from there.
    program = cluster.folder / "operator" / f"manager_{_ARCHITECTURES[os.uname().machine]}"
    program.parent.mkdir()
    program.symlink_to(built("postgres-operator"))
    cluster.run(
        "postgres-operator",
        {"metrics-bind-address": f"127.0.0.1:{metrics}", "webhook-port": str(hooks), "leader-elect": "false"},
        before=("controller",),
        environment={
            "KUBECONFIG": str(cluster.keys / "operator.kubeconfig"),
            "WEBHOOK_CERT_DIR": str(folder),
            "OPERATOR_NAMESPACE": "default",
            "OPERATOR_IMAGE_NAME": f"ghcr.io/cloudnative-pg/cloudnative-pg:{crds.version.removeprefix('v')}",
            "TMPDIR": str(cluster.folder),
        },
    )
    wait_until("CloudNativePG's webhooks", lambda: cluster.alive() and listens(hooks), READY_S)
    api = cluster.api()
    for document in crds.webhooks:
        api.apply(at_port(document, hooks, cluster.keys / "ca.crt"))
    api.close()


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of loopback."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def at_port(configuration: Mapping[str, Any], port: int, authority: Path) -> dict[str, Any]:
    """Return a webhook configuration that calls a port of loopback in place of a Service that no pod stands behind."""
    bundle = base64.b64encode(authority.read_bytes()).decode()
    hooks = []
    for hook in configuration["webhooks"]:
        address = f"https://127.0.0.1:{port}{hook['clientConfig']['service']['path']}"
        hooks.append({**hook, "clientConfig": {"url": address, "caBundle": bundle}})
    return {**configuration, "webhooks": hooks}


def program(name: str) -> Path:
    """Return a program of build_operators.sh.

    Raises:
        ClusterError: it is not built.
    """
    found = module_program(name)
    if isinstance(found, str):
        raise ClusterError(found)
    return found


def start_keda(cluster: KubeCluster, crds: CrdSet, watched: str) -> None:
    """Start KEDA's three programs, let the API server call them, and wait until it lists their metrics.

    Args:
        cluster: it aggregates.
        crds: KEDA's.
        watched: the namespace whose objects KEDA looks after.

    Raises:
        ClusterError: they do not come up.
    """
    keys = _certificates(cluster, "keda")
    grpc, probes, hooks, hook_probes, secure, metrics, *off = free_ports(8)
    environment = {
        "KUBECONFIG": str(cluster.keys / "operator.kubeconfig"),
        "WATCH_NAMESPACE": watched,
        "POD_NAMESPACE": NAMESPACE,
        "POD_NAME": "keda",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
    }
    quick = {"kube-api-qps": "200", "kube-api-burst": "400"}
    cluster.run(
        "keda-operator",
        {
            "metrics-service-bind-address": f"127.0.0.1:{grpc}",
            "metrics-bind-address": f"127.0.0.1:{off[0]}",
            "health-probe-bind-address": f"127.0.0.1:{probes}",
            "cert-dir": str(keys),
            **quick,
        },
        environment=environment,
        program=program("keda-operator"),
    )
    cluster.run(
        "keda-webhooks",
        {
            "port": str(hooks),
            "metrics-bind-address": f"127.0.0.1:{off[1]}",
            "health-probe-bind-address": f"127.0.0.1:{hook_probes}",
            "cert-dir": str(keys),
        },
        environment=environment,
        program=program("keda-webhooks"),
    )
    wait_until("KEDA", lambda: cluster.alive() and listens(grpc) and listens(hooks), READY_S)
    _start_adapter(cluster, keys, {"port": metrics, "secure-port": secure}, grpc, {**environment})
    api = cluster.api()
    for document in crds.webhooks:
        api.apply(at_port(document, hooks, cluster.keys / "ca.crt"))
    for document in _metrics_service(secure):
        api.apply(document)

    def served() -> bool:
        conditions = (api.get(f"/apis/apiregistration.k8s.io/v1/apiservices/{METRICS}") or {}).get("status") or {}
        return cluster.alive() and any(
            one["type"] == "Available" and one["status"] == "True" for one in conditions.get("conditions") or []
        )

    wait_until("KEDA's metrics", served, READY_S)
    api.close()


def _start_adapter(
    cluster: KubeCluster, keys: Path, ports: Mapping[str, int], grpc: int, environment: Mapping[str, str]
) -> None:
    """Start KEDA's metrics server, which asks the operator over gRPC."""
    kubeconfig = environment["KUBECONFIG"]
    cluster.run(
        "keda-adapter",
        {
            **{name: str(port) for name, port in ports.items()},
            "bind-address": "127.0.0.1",
            "cert-dir": str(keys),
            "tls-cert-file": str(keys / "tls.crt"),
            "tls-private-key-file": str(keys / "tls.key"),
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "lister-kubeconfig": kubeconfig,
            "metrics-service-address": f"localhost:{grpc}",
            "kube-api-qps": "200",
            "kube-api-burst": "400",
        },
        environment=environment,
        program=program("keda-adapter"),
    )


def start_kueue(cluster: KubeCluster, crds: CrdSet) -> None:
    """Start Kueue with the configuration of our stacks and its webhooks, and wait until they answer.

    It makes its certificate itself, and writes its authority into the webhooks; the kubelet's part, which is to bring
    the Secret's keys into a folder, is done here.

    Raises:
        ClusterError: it does not come up.
    """
    hooks, metrics, probes = free_ports(3)
    keys = cluster.folder / "kueue"
    keys.mkdir()
    api = cluster.api()
    for document in _kueue_objects(hooks):
        api.apply(document)
    for document in crds.webhooks:
        api.apply(_at_service(document, hooks))
    for name in CONVERTED:
        api.merge(
            f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}.kueue.x-k8s.io",
            {"spec": {"conversion": _conversion(hooks)}},
        )
    settings = json.loads(manager_config())
    settings["namespace"] = KUEUE_NAMESPACE
    settings["health"] = {"healthProbeBindAddress": f"127.0.0.1:{probes}"}
    settings["metrics"] = {"bindAddress": f"127.0.0.1:{metrics}"}
    settings["webhook"] = {"port": hooks, "certDir": str(keys)}
    settings["leaderElection"] = {"leaderElect": False}
    path = cluster.folder / "kueue.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")
    cluster.run(
        "kueue",
        {"config": str(path), "feature-gates": "VisibilityOnDemand=false"},
        environment={"KUBECONFIG": str(cluster.keys / "operator.kubeconfig"), "POD_NAMESPACE": KUEUE_NAMESPACE},
        program=program("kueue"),
    )

    def mounted() -> bool:
        held = api.ask("GET", f"/api/v1/namespaces/{KUEUE_NAMESPACE}/secrets/{KUEUE_SECRET}").get("data") or {}
        for name, text in held.items():
            (keys / name).write_bytes(base64.b64decode(text))
        return cluster.alive() and "tls.key" in held

    wait_until("Kueue's certificate", mounted, READY_S)
    wait_until("Kueue's webhooks", lambda: cluster.alive() and listens(hooks), READY_S)
    api.close()


def _kueue_objects(port: int) -> list[dict[str, Any]]:
    space = {"namespace": KUEUE_NAMESPACE}
    service = {"type": "ExternalName", "externalName": "localhost", "ports": [{"name": "https", "port": port}]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KUEUE_NAMESPACE}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": KUEUE_SECRET, **space}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": KUEUE_SERVICE, **space}, "spec": service},
    ]


def _conversion(port: int) -> dict[str, Any]:
    service = {"name": KUEUE_SERVICE, "namespace": KUEUE_NAMESPACE, "port": port, "path": "/convert"}
    return {
        "strategy": "Webhook",
        "webhook": {"clientConfig": {"service": service}, "conversionReviewVersions": ["v1"]},
    }


def _at_service(configuration: Mapping[str, Any], port: int) -> dict[str, Any]:
    """Return Kueue's webhooks under the names that an installation gives them; those of kinds that are absent go."""
    hooks = [
        {**hook, "clientConfig": {"service": {
            "name": KUEUE_SERVICE, "namespace": KUEUE_NAMESPACE, "port": port,
            "path": hook["clientConfig"]["service"]["path"],
        }}}
        for hook in configuration["webhooks"]
        if any(set(rule["apiGroups"]) & {"kueue.x-k8s.io", "batch"} for rule in hook["rules"])
    ]  # fmt: skip
    return {**configuration, "metadata": {"name": f"kueue-{configuration['metadata']['name']}"}, "webhooks": hooks}


class Temporal:
    """A Temporal server of one process, whose data are in memory."""

    def __init__(self, cluster: KubeCluster) -> None:
        """Start it beside a cluster and wait until it answers.

        Raises:
            ClusterError: it does not come up.
        """
        names = ("frontend", "history", "matching", "worker")
        ports = free_ports(2 * len(names) + 1)
        self.port, self._http = ports[0], ports[-1]
        services = {
            name: {"rpc": {"grpcPort": ports[at], "membershipPort": ports[4 + at], "bindOnLocalHost": True}}
            for at, name in enumerate(names)
        }
        services["frontend"]["rpc"]["httpPort"] = self._http
        folder = cluster.folder / "temporal"
        folder.mkdir(parents=True)
        (folder / "development.yaml").write_text(json.dumps(_temporal(services, self.port)), encoding="utf-8")
        cluster.run(
            "temporal-server",
            {},
            before=("--root", str(folder), "--config", ".", "--env", "development", "--allow-no-auth", "start"),
            program=program("temporal-server"),
        )
        wait_until("Temporal", lambda: cluster.alive() and listens(self._http) and listens(self.port), READY_S)
        wait_until("Temporal's frontend", lambda: self.request("GET", "/api/v1/system-info")[0] == 200, READY_S)

    def make_namespace(self, name: str) -> None:
        """Make a namespace and wait until it can be used.

        Raises:
            ClusterError: it was refused.
        """
        body = {"namespace": name, "workflowExecutionRetentionPeriod": "86400s"}
        code, text = self.request("POST", "/api/v1/namespaces", body)
        if code != 200:
            raise ClusterError(f"Temporal refused the namespace {name}: {code} {text}")
        wait_until(name, lambda: self.request("GET", f"/api/v1/namespaces/{name}/workflows")[0] == 200, READY_S)

    def start_workflow(self, namespace: str, queue: str, name: str) -> None:
        """Start a workflow on a task queue: its first task waits there until somebody polls.

        Raises:
            ClusterError: it was refused.
        """
        body = {"workflowType": {"name": "Migrate"}, "taskQueue": {"name": queue}}
        code, text = self.request("POST", f"/api/v1/namespaces/{namespace}/workflows/{name}", body)
        if code != 200:
            raise ClusterError(f"Temporal refused the workflow {name}: {code} {text}")

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, str]:
        """Send one request to the frontend over HTTP."""
        connection = http.client.HTTPConnection("127.0.0.1", self._http, timeout=30)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)
        finally:
            connection.close()


def _temporal(services: Mapping[str, Any], port: int) -> dict[str, Any]:
    """Source: temporalio/temporal v1.31.2 config/development-sqlite.yaml for the names of the fields, read 2026-11."""
    store = {
        "sql": {
            "pluginName": "sqlite",
            "databaseName": "default",
            "connectAddr": "localhost",
            "connectProtocol": "tcp",
            "connectAttributes": {"mode": "memory", "cache": "private"},
            "maxConns": 1,
            "maxIdleConns": 1,
            "maxConnLifetime": "1h",
        }
    }
    here = {"enabled": True, "initialFailoverVersion": 1, "rpcName": "frontend", "rpcAddress": f"127.0.0.1:{port}"}
    return {
        "log": {"stdout": True, "level": "warn"},
        "persistence": {
            "defaultStore": "data",
            "visibilityStore": "visibility",
            "numHistoryShards": 1,
            "datastores": {"data": store, "visibility": store},
        },
        "global": {"membership": {"maxJoinDuration": "30s", "broadcastAddress": "127.0.0.1"}},
        "services": dict(services),
        "clusterMetadata": {
            "enableGlobalNamespace": False,
            "failoverVersionIncrement": 10,
            "masterClusterName": "active",
            "currentClusterName": "active",
            "clusterInformation": {"active": here},
        },
    }


def _certificates(cluster: KubeCluster, name: str) -> Path:
    """Return a folder with the certificate of loopback under the names that operators look for."""
    folder = cluster.folder / name
    folder.mkdir()
    for ours, theirs in (("apiserver.crt", "tls.crt"), ("apiserver.key", "tls.key"), ("ca.crt", "ca.crt")):
        shutil.copy(cluster.keys / ours, folder / theirs)
    return folder


def _metrics_service(port: int) -> list[dict[str, Any]]:
    name = "keda-metrics"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"name": "https", "port": port}]},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": METRICS},
            "spec": {
                "group": "external.metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "service": {"name": name, "namespace": NAMESPACE, "port": port},
                # Its certificate is for localhost, and the API server asks for the name of the Service.
                "insecureSkipTLSVerify": True,
            },
        },
    ]
