"""What Cloud Run and Azure Functions refuse of a service: each told by the field that has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.config.load import load_spec
from skerry.errors import ConfigError
from tests.simulators.changed_stacks import changed_deployment
from tests.simulators.serverless_stacks import deployment

API = "applications.services.api"


def told(found: Mapping[str, Any]) -> dict[str, str]:
    """Return path -> what is said of it."""
    try:
        load_spec(found, "test")
    except ConfigError as exc:
        return {problem.path: problem.message for problem in exc.problems}
    return {}


def one_of(kind: str, changes: Mapping[str, Any]) -> tuple[str, str]:
    found = told(deployment(kind, changes))
    assert len(found) == 1, found
    return next(iter(found.items()))


def test_what_the_tests_deploy_is_refused_nothing() -> None:
    assert (told(deployment("gcp")), told(deployment("azure"))) == ({}, {})


UDP = {"http": {"port": 9000}, "quic": {"port": 4433, "protocol": "udp", "between_replicas": True}}
GCP: dict[str, tuple[dict[str, Any], str, str]] = {
    "a port that speaks UDP": (
        {f"{API}.definition.ports": UDP},
        f"{API}.ports.quic",
        "port 'quic' speaks UDP, such as QUIC does, and Cloud Run takes in HTTP alone",
    ),
    "two ports": (
        {f"{API}.definition.ports": {"http": {"port": 9000}, "more": {"port": 9001}}},
        f"{API}.ports",
        "has 2 ports, and Cloud Run calls one",
    ),
    "a request of two hours": (
        {f"{API}.definition.longest_request_s": 7200},
        f"{API}.longest_request_s",
        "a request may last 7200 s, and Cloud Run ends each after 3600 s",
    ),
    "8 GiB beside one CPU": (
        {f"{API}.memory_mib": 8192}, f"{API}.memory_mib", "8192 MiB beside 1 vCPU: Cloud Run gives 128 to 4096 MiB"
    ),
    "three CPUs": (
        {f"{API}.vcpu": 3}, f"{API}.vcpu", "3 vCPU is no size of Cloud Run's: 0.08 to 1, or one of 1, 2, 4, 6, 8"
    ),
    "half a CPU for forty requests at once": (
        {f"{API}.vcpu": 0.5, f"{API}.memory_mib": 512},
        f"{API}.scale.concurrency",
        "40 requests at once need 1 vCPU or more, and it has 0.5",
    ),
    "a scaler that it has not": (
        {f"{API}.scale": {"minimum": 0, "maximum": 5, "memory_percent": 80}},
        f"{API}.scale.memory_percent",
        "Cloud Run does not scale by memory",
    ),
    "workers that come and go": (
        {"applications.services.worker.scale": {"minimum": 1, "maximum": 5, "cpu_percent": 60}},
        "applications.services.worker.scale",
        "a worker pool of Cloud Run has no autoscaler: nobody calls it",
    ),
    "files in the memory of an instance": (
        {f"{API}.definition.data_path": "/data", f"{API}.scale": {"minimum": 0, "maximum": 100, "concurrency": 80}},
        f"{API}.disposable_files",
        "keeps files in /data, which Cloud Run holds in the 2048 MiB of an instance: each of up to 100 has its own, "
        "and they are gone when it goes (minimum 0)",
    ),
    "the registry of old": (
        {f"{API}.image": "gcr.io/my-project/agentdb:latest"},
        f"{API}.image",
        "'gcr.io' is Container Registry, which Artifact Registry has replaced",
    ),
    "one of its regions": (
        {f"{API}.image": "us.gcr.io/my-project/agentdb:2.0.0"},
        f"{API}.image",
        "'us.gcr.io' is Container Registry, which Artifact Registry has replaced",
    ),
    "a registry that it does not pull from": (
        {f"{API}.image": "registry.vendor.example/api:1.0.0"},
        f"{API}.image",
        "Cloud Run pulls from Artifact Registry, and 'registry.vendor.example' is none",
    ),
    "a password that nobody makes": (
        {"applications.database.password_secret": None},
        "applications.database.password_secret",
        "is required where a service asks for {database.password}: Cloud SQL makes none",
    ),
    "a job that is tried twice": (
        {"applications.queue.attempts": 2},
        "applications.queue.attempts",
        "2 is too few: Pub/Sub sets a job aside after 5 to 100 attempts",
    ),
    "a name that nothing proves": (
        {"applications.dns": None},
        "applications.dns",
        "is required where a service has a name: its certificate is proved by a record in the zone",
    ),
    "callers of the network by address": (
        {"applications.services.inside.allow_cidrs": ["10.8.0.0/16"]},
        "applications.services.inside.allow_cidrs",
        "Google lets in by address from the internet alone: in the network whoever has an identity may call",
    ),
    "callers of the network that are to be counted": (
        {"applications.services.inside.rate_per_second": 5},
        "applications.services.inside.rate_per_second",
        "callers of the network are not counted here",
    ),
    "a body that is too large": (
        {f"{API}.definition.largest_body_mib": 64},
        f"{API}.largest_body_mib",
        "64 MiB are more than the 32 MiB of a request",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GCP)
def test_cloud_run_refuses(case: str) -> None:
    changes, path, message = GCP[case]
    assert one_of("gcp", changes) == (path, message)


AZURE: dict[str, tuple[dict[str, Any], str, str]] = {
    "a port that speaks UDP": (
        {f"{API}.definition.ports": UDP},
        f"{API}.ports.quic",
        "port 'quic' speaks UDP, such as QUIC does, and Azure Functions take in HTTP alone",
    ),
    "a request of five minutes": (
        {f"{API}.definition.longest_request_s": 300},
        f"{API}.longest_request_s",
        "a request may last 300 s, and Azure ends each after 230 s",
    ),
    "memory that is not its CPUs'": (
        {f"{API}.memory_mib": 4096}, f"{API}.memory_mib", "4096 MiB beside 1 vCPU: a function has 2048 MiB for each"
    ),
    "a third of a CPU": (
        {f"{API}.vcpu": 0.3}, f"{API}.vcpu", "0.3 vCPU is no size of a function's: 0.25 to 4, by 0.25"
    ),
    "more instances than the analysis has": (
        {f"{API}.scale.maximum": 201}, f"{API}.scale.maximum", "201 instances are more than 200"
    ),
    "a scaler that it has not": (
        {f"{API}.scale": {"minimum": 0, "maximum": 5, "cpu_percent": 70}},
        f"{API}.scale.cpu_percent",
        "functions are scaled by what calls them, and by nothing else",
    ),
    "more ready than there may be": (
        {f"{API}.scale": {"minimum": 0, "maximum": 5, "concurrency": 1, "prepared": 6}},
        f"{API}.scale.prepared",
        "6 always ready are more than the maximum of 5",
    ),
    "files on the disk of a replica": (
        {f"{API}.definition.data_path": "/data"},
        f"{API}.disposable_files",
        "keeps files in /data, which is on the disk of a replica: each of up to 7 has its own, and they are gone when "
        "it goes (minimum 1)",
    ),
    "calls that the gateway cannot count": (
        {f"{API}.rate_per_second": 100},
        f"{API}.rate_per_second",
        "100 a second are 6000 a minute, and the gateway counts up to 5000",
    ),
    "a name without a certificate": (
        {"applications.site": {}},
        "applications.site.certificate",
        "is required where a function has a name: Azure asks for none in a network",
    ),
    "a zone that lies nowhere": (
        {"applications.dns": {"zone": "vendor.example"}}, "applications.dns.cloud_name", "is required and missing"
    ),
    "a password that nobody makes": (
        {"applications.database.password_secret": None},
        "applications.database.password_secret",
        "is required: Azure's PostgreSQL takes no server without an administrator's password",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", AZURE)
def test_functions_refuse(case: str) -> None:
    changes, path, message = AZURE[case]
    assert one_of("azure", changes) == (path, message)


AGENTDB = {
    "QUIC on Cloud Run": (
        "agentdb-cloud-run-gcp",
        {"agentdb.quic": True},
        "agentdb.quic",
        "QUIC is UDP, and cloud run takes in HTTP alone",
    ),
    "QUIC in a function": (
        "agentdb-functions-azure",
        {"agentdb.quic": True},
        "agentdb.quic",
        "QUIC is UDP, and azure functions take in HTTP alone",
    ),
    "graph files that scale to zero": (
        "agentdb-cloud-run-gcp",
        {"agentdb.disposable_files": None},
        "agentdb.disposable_files",
        "keeps files in /app/simulation/data, which Cloud Run holds in the 512 MiB of an instance: each of up to 100 "
        "has its own, and they are gone when it goes (minimum 0)",
    ),
    "the image of the analysis": (
        "agentdb-cloud-run-gcp",
        {"agentdb.image": "gcr.io/my-project/agentdb:latest"},
        "agentdb.image",
        "'gcr.io' is Container Registry, which Artifact Registry has replaced",
    ),
}


@pytest.mark.parametrize("case", AGENTDB)
def test_agentdb_is_refused_by_the_field_that_its_user_wrote(case: str) -> None:
    stack, changes, path, message = AGENTDB[case]
    assert told(changed_deployment(stack, changes)) == {path: message}


STORES: dict[str, tuple[str, dict[str, Any], str]] = {
    "a third copy in Cloud SQL": ("gcp", {"applications.database.zones": 3}, "applications.database.zones"),
    "more members than Memorystore has": ("gcp", {"applications.cache.replicas": 7}, "applications.cache.replicas"),
    "a third copy at Azure": ("azure", {"applications.database.zones": 3}, "applications.database.zones"),
    "backups for less than Azure keeps them": (
        "azure", {"applications.database.retention_days": 3}, "applications.database.retention_days"
    ),
    "a third member at Azure": ("azure", {"applications.cache.replicas": 3}, "applications.cache.replicas"),
}  # fmt: skip


@pytest.mark.parametrize("case", STORES)
def test_what_a_store_cannot_is_refused_and_not_cut(case: str) -> None:
    kind, changes, path = STORES[case]
    assert one_of(kind, changes)[0] == path
