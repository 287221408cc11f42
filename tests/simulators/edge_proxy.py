"""The entrance of devices in a real Envoy: what Envoy Gateway made of our manifests, with ports and keys of the test.

`data/edge_proxy.yaml` is on record because building Envoy Gateway's translator takes a quarter of an hour; it holds the
manifests that it was made from, so that a test says when it is older than they are.
"""

from __future__ import annotations

import base64
import datetime
import json
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.simulators.changed_stacks import run_changed
from tests.simulators.edge_stacks import edge
from tests.simulators.servers import answers, free_ports, program, running, wait
from tests.simulators.stack_objects import inputs, kind

RECORD: Final = Path(__file__).parent / "data" / "edge_proxy.yaml"
HOST: Final = "sync.edge.customer.example"
KINDS: Final = ("EnvoyProxy", "GatewayClass", "Gateway", "ClientTrafficPolicy", "HTTPRoute", "BackendTrafficPolicy")

_FEW: Final = {"request_bytes": 20_000, "concurrent_syncs": 4, "connections": 12}
VARIANTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "device": {"limits": {**_FEW, "device_requests_per_minute": 5, "requests_per_second": 1000}},
    "fleet": {
        "certificates": "fleet",
        "limits": {**_FEW, "device_requests_per_minute": 5, "requests_per_second": 1000},
    },
    "crowd": {"limits": {**_FEW, "device_requests_per_minute": 6000, "requests_per_second": 3}},
}
"""Name -> an edge configuration with limits that a test can reach."""


def manifests(variant: str) -> list[dict[str, Any]]:
    """Return the manifests of an entrance with one proxy, as the graph has them, with the Service behind it."""
    changes = {"edge": edge(proxies=1, devices=10, **VARIANTS[variant]), "services": {}}
    found = []
    for resource in run_changed("sensei-airgapped", changes).resources:
        if kind(resource) in KINDS or resource.name == "sync-service":
            body = inputs(resource)
            api = resource.type.split(":")[1].removeprefix("core/")
            found.append(
                {"apiVersion": api, "kind": kind(resource), "metadata": body["metadata"], "spec": body["spec"]}
            )
    return found


def that_matter(given: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return what the configuration of the proxies is made of: not labels, nor where and how proxies run."""
    rows = [one for one in given if one["kind"] != "EnvoyProxy"]
    found = [[one["kind"], one["metadata"]["name"], one["metadata"].get("namespace"), one["spec"]] for one in rows]
    return list(json.loads(json.dumps(found)))


def recorded(variant: str) -> dict[str, Any]:
    """Return what is on record: `manifests`, and what became of them: `listener`, `route` and `cluster`."""
    whole: dict[str, Any] = yaml.safe_load(RECORD.read_text(encoding="utf-8"))
    return dict(whole[variant])


def capture(egctl: str) -> None:
    """Make the record anew, by the translator of Envoy Gateway (cmd/egctl of the module, built by hand)."""
    whole = {}
    keys = Keys.made()
    for variant in VARIANTS:
        given = manifests(variant)
        resources = _translated(egctl, given, keys)
        whole[variant] = {"manifests": given, **resources}
    text = yaml.safe_dump(whole, sort_keys=True, width=120)
    head = "# What Envoy Gateway v1.9.0 makes of the entrance; by `python -m tests.simulators.edge_proxy EGCTL`.\n"
    RECORD.write_text(head + text, encoding="utf-8")


def _translated(egctl: str, given: Sequence[Mapping[str, Any]], keys: Keys) -> dict[str, Any]:
    documents: list[Any] = json.loads(json.dumps(list(given)))
    for one in documents:
        if one["kind"] == "Service":
            # The translator takes a Service's address for that of its pods.
            one["spec"]["clusterIP"] = "127.0.0.1"
        if one["kind"] == "Gateway":
            # It does not read the labels of namespaces, by which the listener chooses.
            one["spec"]["listeners"][0]["allowedRoutes"]["namespaces"] = {"from": "All"}
    rows = {"edge-tls": ("tls.crt", "tls.key"), "devices-ca": ("ca.crt",), "devices-crl": ("ca.crl",)}
    texts = {
        "tls.crt": keys.server.certificate_pem, "tls.key": keys.server.key_pem,
        "ca.crt": keys.devices.certificate_pem, "ca.crl": keys.revoked([]),
    }  # fmt: skip
    documents += [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls" if name == "edge-tls" else "Opaque",
            "metadata": {"name": name, "namespace": "sensei-edge"},
            "data": {key: base64.b64encode(texts[key].encode()).decode() for key in of_it},
        }
        for name, of_it in rows.items()
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump_all(documents, file)
        file.flush()
        command = [egctl, "x", "translate", "--from", "gateway-api", "--to", "xds", "-t", "all", "-o", "json"]
        done = subprocess.run(
            [*command, "-f", file.name, "-n", "sensei-edge"], capture_output=True, text=True, check=True
        )
    configs = json.loads(done.stdout)["xds"]["sensei-edge/devices"]["configs"]
    (listeners,) = [one["dynamicListeners"] for one in configs if "dynamicListeners" in one]
    (routes,) = [one["dynamicRouteConfigs"] for one in configs if "dynamicRouteConfigs" in one]
    (clusters,) = [one["dynamicActiveClusters"] for one in configs if "dynamicActiveClusters" in one]
    (listener,) = [
        row["activeState"]["listener"] for row in listeners if "ready" not in row["activeState"]["listener"]["name"]
    ]
    return {"listener": listener, "route": routes[0]["routeConfig"], "cluster": clusters[0]["cluster"]}


@dataclass(frozen=True)
class Pair:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def authority(name: str) -> Pair:
    """Return an authority that signs by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    built = _builder(subject, subject, key, days=30).add_extension(x509.BasicConstraints(True, None), True)
    return Pair(key, built.add_extension(usage, True).sign(key, hashes.SHA256()))


def signed(by: Pair, name: str, *, server: bool = False, days: int = 1) -> Pair:
    """Return a certificate for a DNS name; one of fewer than no days has ended."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    built = _builder(subject, by.certificate.subject, key, days=days)
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    return Pair(key, built.add_extension(x509.ExtendedKeyUsage([purpose]), False).sign(by.key, hashes.SHA256()))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    built = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
    built = built.serial_number(x509.random_serial_number())
    return built.not_valid_before(_now() - datetime.timedelta(days=9)).not_valid_after(
        _now() + datetime.timedelta(days=days)
    )


@dataclass(frozen=True)
class Keys:
    """The authority of the devices, and the certificate of the endpoint."""

    devices: Pair
    site: Pair
    server: Pair

    @classmethod
    def made(cls) -> Keys:
        site = authority("site")
        return cls(authority("devices"), site, signed(site, HOST, server=True))

    def revoked(self, pairs: Sequence[Pair], *, days: int = 7) -> str:
        """Return the list of revoked certificates, whose next one is due in some days."""
        built = x509.CertificateRevocationListBuilder(issuer_name=self.devices.certificate.subject)
        due = _now() + datetime.timedelta(days=days)
        built = built.last_update(_now() - datetime.timedelta(days=8)).next_update(due)
        for pair in pairs:
            row = x509.RevokedCertificateBuilder(pair.certificate.serial_number, _now() - datetime.timedelta(hours=1))
            built = built.add_revoked_certificate(row.build())
        return built.sign(self.devices.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True)
class Proxy:
    """A running entrance."""

    port: int
    admin: int
    keys: Keys
    folder: Path

    def context(self, device: Pair | None) -> ssl.SSLContext:
        """Return what a device connects with; None has no certificate."""
        context = ssl.create_default_context(cadata=self.keys.site.certificate_pem)
        if device is not None:
            file = self.folder / f"{device.certificate.serial_number}.pem"
            file.write_text(device.certificate_pem + device.key_pem, encoding="utf-8")
            context.load_cert_chain(file)
        return context


def bootstrap(variant: str, keys: Keys, *, revoked: str, backend: int, port: int, admin: int) -> dict[str, Any]:
    """Return Envoy's whole configuration: what is on record, with ports, keys and the service's address put in."""
    found = recorded(variant)
    listener, cluster = found["listener"], found["cluster"]
    listener["address"]["socketAddress"] = {"address": "127.0.0.1", "portValue": port}
    (chain,) = listener["filterChains"]
    manager = chain["filters"][-1]["typedConfig"]
    del manager["rds"]
    manager["routeConfig"] = found["route"]
    common = chain["transportSocket"]["typedConfig"]["commonTlsContext"]
    del common["tlsCertificateSdsSecretConfigs"], common["validationContextSdsSecretConfig"]
    common["tlsCertificates"] = [
        {
            "certificateChain": {"inlineString": keys.server.certificate_pem},
            "privateKey": {"inlineString": keys.server.key_pem},
        }
    ]
    # As it is handed over. Source: envoyproxy/gateway v1.9.0 internal/xds/translator/listener.go, read 2026-11
    common["validationContext"] = {
        "trustedCa": {"inlineString": keys.devices.certificate_pem},
        "crl": {"inlineString": revoked},
    }
    del cluster["edsClusterConfig"]
    address = {"socketAddress": {"address": "127.0.0.1", "portValue": backend}}
    endpoints = [
        {"lbEndpoints": [{"endpoint": {"address": address}, "loadBalancingWeight": 1}], "loadBalancingWeight": 1}
    ]
    cluster |= {"type": "STATIC", "loadAssignment": {"clusterName": cluster["name"], "endpoints": endpoints}}
    for resource in (listener, cluster, manager["routeConfig"]):
        resource.pop("@type")
    return {
        "admin": {"address": {"socketAddress": {"address": "127.0.0.1", "portValue": admin}}},
        "staticResources": {"listeners": [listener], "clusters": [cluster]},
    }


@contextmanager
def entrance(variant: str, keys: Keys, folder: Path, *, revoked: str, backend: int) -> Iterator[Proxy]:
    """Run the entrance before a service on a port of loopback."""
    envoy = program("envoy")
    port, admin = free_ports(2)
    file = folder / f"{variant}.json"
    made = bootstrap(variant, keys, revoked=revoked, backend=backend, port=port, admin=admin)
    file.write_text(json.dumps(made), encoding="utf-8")
    command = [envoy, "-c", str(file), "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning"]
    with running(command, folder / f"{variant}.log"):
        wait(f"Envoy ({folder / f'{variant}.log'})", lambda: answers(port))
        yield Proxy(port, admin, keys, folder)


if __name__ == "__main__":
    capture(sys.argv[1])
