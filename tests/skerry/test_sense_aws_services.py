"""What ECS and Lambda cannot do, and what AgentDB there cannot be: each refused at the field that the user wrote."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.aws_stores import cache_class, database_class
from skerry.config.load import load_spec
from skerry.errors import CatalogError, ConfigError, SizingError
from skerry.fargate import MEMORY_OF, fargate_size, least_vcpu, pair_problem
from tests.simulators.aws_service_stacks import ECS, LAMBDA, changed, one_service, services


def problems(deployment: dict[str, Any]) -> list[str]:
    """Return each problem as `path: message`."""
    try:
        load_spec(deployment, "a test")
    except ConfigError as exc:
        return [f"{one.path}: {one.message}" for one in exc.problems]
    return []


def service(runtime: str, **fields: Any) -> dict[str, Any]:
    """Return a deployment of one service; fields that the definition has go there."""
    plan = one_service(runtime)
    row = plan["services"]["greeter"]
    own = ("needs", "data_path", "single_writer", "longest_request_s", "drain_s", "ports", "largest_body_mib")
    for name, value in fields.items():
        place = (
            row["definition"] if name in own else plan if name in ("database", "cache", "queue", "dns", "site") else row
        )
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
    return services(plan)


def twins(**fields: Any) -> dict[str, Any]:
    """Return a deployment of two services that differ in some fields alone."""
    deployment = service("ecs")
    rows = deployment["applications"]["services"]
    rows["twin"] = {**rows["greeter"], **fields}
    return deployment


GREETER = "applications.services.greeter"
TWO: dict[str, dict[str, Any]] = {"http": {"port": 80}, "udp": {"port": 4433, "protocol": "udp"}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "S003-234: 2 vCPU are 2048 units, and 1 vCPU does not go with 512 MiB": (
        changed(ECS, agentdb__vcpu=1, agentdb__memory_mib=512),
        "agentdb.vcpu: 1 vCPU x 1024 = 1024 units go with 2048 to 8192 MiB in steps of 1024, not with 512 MiB; "
        "512 MiB goes with 256 units",
    ),
    "a CPU that Fargate has not": (
        changed(ECS, agentdb__vcpu=3, agentdb__memory_mib=8192),
        "agentdb.vcpu: 3 vCPU x 1024 = 3072 units, and Fargate has 256, 512, 1024, 2048, 4096, 8192, 16384",
    ),
    "more than a task can have": (
        changed(ECS, agentdb__memory_mib=200_000),
        "agentdb: 0.5 vCPU x 1024 = 512 units with 200000 MiB is more than a Fargate task has: at most 16384 units "
        "with 122880 MiB; ask for less, or use runtime kubernetes",
    ),
    "S003-259: files end with a task": (
        changed(ECS, agentdb__disposable_files=None),
        "agentdb.disposable_files: files under /app/simulation/data end with a Fargate task, and a file system that "
        "tasks share must not be written by two of them (SQLite's WAL needs shared memory, which no network file "
        "system has)",
    ),
    "S003-259: a database of which nobody is told": (
        changed(ECS, agentdb__environment=None),
        "agentdb.database: nobody is told of it: AgentDB keeps files (sql.js, better-sqlite3, graph) and reads no "
        "PostgreSQL",
    ),
    "S003-256: QUIC on Lambda": (
        changed(LAMBDA, agentdb__quic=True),
        "agentdb.quic: QUIC is UDP, and lambda is called by events, and nothing reaches a port of it",
    ),
    "S003-256: UDP from outside through a load balancer": (
        service("ecs", ports=TWO),
        f"{GREETER}.ports.udp: 'udp' is UDP, and an application load balancer lets in HTTP alone",
    ),
    "no service at all": (
        services({"services": {}}),
        "applications.services: has 0 entries, and at least 1 are needed, got {}",
    ),
    "a range that is none": (
        service("ecs", site={"network_cidr": "10.40.0.0/99"}),
        "applications.site.network_cidr: is not an address range: '99' is not a valid netmask",
    ),
    "a name of two services": (
        twins(host="greeter.example.com"),
        "applications.services.twin.host: 'greeter.example.com' is the name of 'greeter' too",
    ),
    "a name of two services, as a further one of the second": (
        twins(host="twin.example.com", more_hosts=["greeter.example.com"]),
        "applications.services.twin.more_hosts: 'greeter.example.com' is the name of 'greeter' too",
    ),
    "a port of two names": (
        service("ecs", ports={"http": {"port": 80}, "rpc": {"port": 80, "protocol": "grpc"}}),
        f"{GREETER}.ports.rpc: 80 is the port of 'http' too, and a process listens once on a port",
    ),
    "fewest above the most": (
        service("ecs", scale={"minimum": 9, "maximum": 3, "cpu_percent": 50}),
        f"{GREETER}.scale: minimum 9 <= typical 9 <= maximum 3 does not hold",
    ),
    "a second port of a function": (
        service("lambda", ports={"http": {"port": 80}, "rpc": {"port": 9001, "protocol": "grpc"}}),
        f"{GREETER}.ports.rpc: 'rpc' is a second port, and a load balancer calls a function in one way alone",
    ),
    "S003-258: files of a function outside /tmp": (
        service("lambda", data_path="/data", disposable_files=True),
        f"{GREETER}.data_path: '/data' cannot be written: a function has /tmp alone",
    ),
    "S003-258: an image from elsewhere": (
        changed(LAMBDA, agentdb__image="registry.vendor.example/agentdb-api:2.0.0"),
        "agentdb.image: 'registry.vendor.example' is not where Lambda takes images from",
    ),
    "an image of another region": (
        changed(LAMBDA, agentdb__image="111122223333.dkr.ecr.eu-west-1.amazonaws.com/agentdb-api:2.0.0"),
        "agentdb.image: '111122223333.dkr.ecr.eu-west-1.amazonaws.com' is not where Lambda takes images from",
    ),
    "CPU of a function": (
        changed(LAMBDA, agentdb__vcpu=1),
        "agentdb.vcpu: Lambda gives CPU by memory: 1769 MiB have one vCPU, 512 MiB 0.29",
    ),
    "a function of 20 GiB": (
        changed(LAMBDA, agentdb__memory_mib=20_480),
        "agentdb.memory_mib: 20480 MiB is outside 128 to 10240 MiB, which a function may have",
    ),
    "a function that runs for an hour": (
        changed(LAMBDA, agentdb__longest_request_s=3600),
        "agentdb.longest_request_s: 3600 s is longer than a function may run, 900 s",
    ),
    "functions that always run without being prepared": (
        changed(LAMBDA, agentdb__scale={"minimum": 3, "maximum": 10, "concurrency": 1, "prepared": 2}),
        "agentdb.scale.minimum: 3 are to run always, and Lambda keeps only prepared ones ready, 2 here",
    ),
    "requests at once in one function": (
        changed(LAMBDA, agentdb__scale={"minimum": 0, "maximum": 10, "concurrency": 80}),
        "agentdb.scale.concurrency: 80 requests at once are not given to one function",
    ),
    "CPU as a measure of functions": (
        changed(LAMBDA, agentdb__scale={"minimum": 0, "maximum": 10, "cpu_percent": 70}),
        "agentdb.scale.cpu_percent: Lambda runs one function for each request, whatever its load",
    ),
    "fewer at most than at least held ready": (
        changed(
            LAMBDA, agentdb__scale={"minimum": 0, "maximum": 9, "concurrency": 1, "prepared": 4, "prepared_maximum": 3}
        ),
        "agentdb.scale.prepared: 4 <= 3 <= 9 does not hold",
    ),
    "a body of 5 MiB for a function": (
        service("lambda", largest_body_mib=5),
        f"{GREETER}.largest_body_mib: 5 MiB is more than a load balancer gives a function, 1 MiB",
    ),
    "requests at once as a measure of tasks": (
        changed(ECS, agentdb__scale={"minimum": 2, "maximum": 20, "concurrency": 80}),
        "agentdb.scale.concurrency: ECS measures no requests at once in one task",
    ),
    "no task at all, and nothing that starts one": (
        changed(ECS, agentdb__scale={"minimum": 0, "maximum": 20, "cpu_percent": 70}),
        "agentdb.scale.minimum: nothing measures a service of which none runs, so that it would never start",
    ),
    "prepared tasks": (
        changed(ECS, agentdb__scale={"minimum": 2, "maximum": 20, "cpu_percent": 70, "prepared": 2}),
        "agentdb.scale.prepared: is of functions; tasks are always ready",
    ),
    "a drain that Fargate does not wait for": (
        service("ecs", drain_s=600),
        f"{GREETER}.drain_s: 600 s is more than Fargate gives a task to end, 120 s",
    ),
    "S003-268: operations of a disk that Fargate has not": (
        changed(ECS, agentdb__storage_iops=5000),
        "agentdb.storage_iops: Fargate has no disk whose operations could be asked for",
    ),
    "a stream that is silent for two hours": (
        service("ecs", longest_request_s=7200),
        f"{GREETER}.longest_request_s: 7200 s without a byte is more than a load balancer waits, 4000 s",
    ),
    "a name without a zone or a certificate": (
        changed(ECS, agentdb__dns=None),
        "agentdb.dns: agentdb can be called from outside, and nothing proves whose name it is",
    ),
    "a certificate that is none": (
        changed(ECS, agentdb__site={"certificate": "mine"}),
        "agentdb.site.certificate: 'mine' is no ARN of ACM",
    ),
    "a host outside the zone": (
        changed(ECS, agentdb__host="agentdb.example.org"),
        "agentdb.host: 'agentdb.example.org' does not lie in the zone 'example.com'",
    ),
    "a database class with less than is asked": (
        changed(ECS, agentdb__database__memory_gib=16),
        "agentdb.database.instance_type: 'db.t3.medium' has 2 vCPU and 4 GiB, asked are 2 and 16",
    ),
    "three copies of a database": (
        changed(ECS, agentdb__database__zones=3),
        "agentdb.database.zones: RDS keeps one standby, in a second zone",
    ),
    "an extension that nobody makes": (
        changed(ECS, agentdb__database__extensions=["vector"]),
        "agentdb.database.extensions: RDS makes no extension by itself: vector",
    ),
    "another cloud's runtime": (
        changed(ECS, agentdb__runtime="cloud-run"),
        "agentdb.runtime: 'cloud-run' is not on aws",
    ),
    "machines where there are none": (
        changed(ECS, machines={"stores": {"minimum": 3, "maximum": 3, "machine": {"vcpu": 4, "memory_gib": 16}}}),
        "machines: has no meaning where no service runs on kubernetes",
    ),
    "AgentDB without a word of it": (
        changed(ECS, agentdb=None),
        "agentdb: is required and missing",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_at_the_field_that_the_user_wrote(case: str) -> None:
    deployment, expected = REFUSED[case]
    found = problems(deployment)
    assert any(one.startswith(expected) for one in found), found


ALLOWED: dict[str, dict[str, Any]] = {
    "the shipped tasks": changed(ECS),
    "the shipped function": changed(LAMBDA),
    "S003-205: production of 2 vCPU and 4 GB": changed(ECS, agentdb__vcpu=2, agentdb__memory_mib=4096),
    "a memory alone: Fargate's least CPU for it": changed(ECS, agentdb__memory_mib=4096),
    "files that tasks may share": service("ecs", data_path="/data"),
    "a port for both TCP and UDP": service(
        "ecs", ports={"http": {"port": 443}, "quic": {"port": 443, "protocol": "udp", "between_replicas": True}}
    ),
    "UDP between replicas": service("ecs", ports={**TWO, "udp": {**TWO["udp"], "between_replicas": True}}),
    "another service on ECS": service("ecs"),
    "another service on Lambda": service("lambda"),
    "a certificate that exists": changed(
        ECS,
        agentdb__dns=None,
        agentdb__site={"certificate": "arn:aws:acm:us-east-1:111122223333:certificate/0a1b-2c3d"},
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_can_be_is_let_through(case: str) -> None:
    assert problems(ALLOWED[case]) == []


SIZES: dict[str, tuple[float, int, tuple[int, int]]] = {
    "S003-235: 512 MiB go with a quarter of a vCPU": (0.25, 512, (256, 512)),
    "half a vCPU has 1 GiB at least": (0.5, 512, (512, 1024)),
    "S003-234: 2 vCPU and 4 GiB": (2, 4096, (2048, 4096)),
    "4 GiB with 1 vCPU": (1, 4096, (1024, 4096)),
    "3 vCPU are rounded up": (3, 5000, (4096, 8192)),
    "the largest": (16, 122_880, (16_384, 122_880)),
}


@pytest.mark.parametrize("case", SIZES)
def test_the_smallest_size_with_both_is_taken(case: str) -> None:
    vcpu, memory, expected = SIZES[case]
    size = fargate_size(vcpu, memory)
    assert (size.units, size.memory_mib) == expected
    assert pair_problem(size.vcpu, size.memory_mib) is None
    assert f"{vcpu:g} vCPU x 1024" in size.arithmetic


def test_a_size_beyond_the_largest_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(SizingError, match="32 vCPU x 1024 = 32768 units"):
        fargate_size(32, 1024)


def test_each_size_is_the_smallest_of_itself_and_the_least_cpu_has_its_memory() -> None:
    for units, memories in MEMORY_OF.items():
        for memory in memories:
            assert (fargate_size(units / 1024, memory).units, fargate_size(units / 1024, memory).memory_mib) == (
                units,
                memory,
            )
            assert memory in MEMORY_OF[int(least_vcpu(memory) * 1024)]


def test_the_smallest_class_of_a_store_with_both_is_taken() -> None:
    assert [database_class(*one).name for one in ((2, 4), (2, 5), (2, 16), (4, 4), (32, 100))] == [
        "db.t3.medium", "db.t3.large", "db.r6i.large", "db.m6i.xlarge", "db.m6i.8xlarge",
    ]  # fmt: skip
    assert [cache_class(one).name for one in (0.5, 1.5, 6)] == [
        "cache.t4g.micro",
        "cache.t4g.medium",
        "cache.m7g.large",
    ]
    with pytest.raises(CatalogError, match="name a class in"):
        database_class(64, 512)
    with pytest.raises(CatalogError, match="ask for less, or use runtime kubernetes"):
        cache_class(100)
