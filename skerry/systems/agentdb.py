"""AgentDB as a plan of services: one service on the runtime that its configuration names.

Pure: sense checks, the size verb, tests and the blueprint read the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from skerry.application import places_in
from skerry.config.agentdb import AgentDbSpec
from skerry.config.application import (
    ApplicationSpec,
    ApplicationsSpec,
    CopySpec,
    MeshSpec,
    Need,
    Protocol,
    Runtime,
    ScaleSpec,
    ServiceDefinition,
)
from skerry.config.hybrid_edge import EdgeLayer
from skerry.errors import SizingError
from skerry.fargate import least_vcpu
from skerry.service_catalog import load_services
from skerry.systems.agentdb_program import program_environment, replication_environment
from skerry.systems.runtimes import named_site

SERVICE: Final = "agentdb"
"""Its row in images/services.yaml."""

SCALES: Final[Mapping[Runtime, ScaleSpec]] = {
    Runtime.KUBERNETES: ScaleSpec(minimum=2, maximum=50, cpu_percent=70, memory_percent=80),
    Runtime.ECS: ScaleSpec(minimum=2, maximum=20, cpu_percent=70),
    Runtime.LAMBDA: ScaleSpec(minimum=0, typical=2, maximum=1000, concurrency=1, prepared=2),
    Runtime.CLOUD_RUN: ScaleSpec(minimum=0, maximum=100, concurrency=80),
    Runtime.FUNCTIONS: ScaleSpec(minimum=0, maximum=200, concurrency=1),
}
"""Runtime -> how many the analysis runs there: 003:3707 to 3749, 003:3174 to 3180, 003:529 and 003:3972, 003:3424 to
3440, 003:535. The typical number of Lambda's is that of its prepared ones."""

CARRIES_UDP: Final = (Runtime.KUBERNETES, Runtime.ECS)
"""Runtimes whose replicas can call each other over UDP; ECS by its own addresses, since its load balancer has none."""

LAMBDA_TIMEOUT_S: Final = 30
"""003:3964."""

LAMBDA_FOLDER: Final = "/tmp"
"""003:3843: all that a function can write to."""

LAMBDA_GIB: Final = 1
"""Of it, where nothing else is asked for: what every function has (512 MB), rounded up."""


def at_the_edge(agentdb: AgentDbSpec) -> bool:
    """Say whether it is the layer that only reads, whose hosts run files and no plan of services."""
    return agentdb.hybrid_edge is not None and agentdb.hybrid_edge.layer is EdgeLayer.EDGE


def plan_of(agentdb: AgentDbSpec) -> ApplicationsSpec:
    """Return AgentDB as services.

    Raises:
        CatalogError: images/services.yaml has no row of it.
    """
    row = ApplicationSpec(
        definition=definition_of(agentdb),
        runtime=agentdb.runtime,
        image=agentdb.image,
        vcpu=_vcpu(agentdb),
        memory_mib=agentdb.memory_mib,
        **_storage_gib(agentdb),
        storage_iops=agentdb.storage_iops,
        disposable_files=agentdb.disposable_files,
        scale=agentdb.scale or SCALES[agentdb.runtime],
        exposure=agentdb.exposure,
        anonymous=agentdb.anonymous,
        host=host_of(agentdb),
        allow_cidrs=agentdb.allow_cidrs,
        rate_per_second=agentdb.rate_per_second,
        more_hosts=more_hosts(agentdb),
        model=agentdb.model,
        delivery=agentdb.delivery,
        mesh=mesh_of(agentdb),
        copies=copies_of(agentdb),
        environment={
            **model_environment(agentdb),
            **regional_environment(agentdb),
            **layer_environment(agentdb),
            **agentdb.environment,
        },
        secrets=agentdb.secrets,
    )
    return ApplicationsSpec(
        services={service_name(agentdb): row},
        database=agentdb.database,
        bucket=agentdb.bucket,
        dns=agentdb.dns,
        site=named_site(agentdb.site, agentdb.name, agentdb.runtime),
    )


def host_of(agentdb: AgentDbSpec) -> str | None:
    """Return the name that it is called by: in mode geo that of its region, by which its health is asked."""
    geo = agentdb.geo
    return agentdb.host if geo is None or geo.here not in geo.regions else geo.regions[geo.here].host


def more_hosts(agentdb: AgentDbSpec) -> tuple[str, ...]:
    """Return the further names that it is called by: in mode geo the one that leads to the nearest region."""
    return (agentdb.geo.host,) if agentdb.geo is not None else ()


def mesh_of(agentdb: AgentDbSpec) -> MeshSpec | None:
    """Return the other regions that it copies to; None outside of mode geo, and for the stack of names."""
    geo = agentdb.geo
    if geo is None or geo.here not in geo.regions:
        return None
    others = {name: row for name, row in sorted(geo.regions.items()) if name != geo.here}
    return MeshSpec(
        name=geo.here,
        host=geo.regions[geo.here].mesh_host,
        peers={name: row.mesh_host for name, row in others.items()},
        cidrs=tuple(row.network_cidr for row in others.values()),
        jurisdictions={name: row.jurisdiction for name, row in others.items()},
    )


def regional_environment(agentdb: AgentDbSpec) -> dict[str, str]:
    """Return what replicas are told of several regions that write."""
    return {"REGIONAL_WRITES": agentdb.geo.writes.value} if agentdb.geo is not None else {}


def model_environment(agentdb: AgentDbSpec) -> dict[str, str]:
    """Return what replicas are told of a model that was carried to them: where it is, and to ask nobody else."""
    carried = agentdb.model
    if carried is None:
        return {}
    return {
        "EMBEDDING_MODEL": carried.name,
        "EMBEDDING_MODEL_PATH": f"{carried.path}/{carried.name}",
        # Transformers.js has settings of these meanings, and no variable; the image hands them on.
        "EMBEDDING_ALLOW_REMOTE": "false",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }


def copies_of(agentdb: AgentDbSpec) -> dict[str, CopySpec]:
    """Return where else its writes are kept: those of a region at the core."""
    layers = agentdb.hybrid_edge
    if layers is None or layers.layer is not EdgeLayer.REGIONAL:
        return {}
    return {"core": CopySpec(host=layers.core_host, jurisdiction=layers.core_jurisdiction)}


def layer_environment(agentdb: AgentDbSpec) -> dict[str, str]:
    """Return what a replica is told of its layer, and how often the layers look at each other."""
    layers = agentdb.hybrid_edge
    if layers is None:
        return {}
    found = {"AGENTDB_LAYER": layers.layer.value, "EDGE_SYNC_S": str(layers.edge_sync_s)}
    if layers.layer is EdgeLayer.REGIONAL:
        found |= {"CORE_URL": f"https://{layers.core_host}", "CORE_SYNC_S": str(layers.core_sync_s)}
    return {**found, "EDGE_CACHE_S": str(layers.edge_cache_s)}


def service_name(agentdb: AgentDbSpec) -> str:
    """Return the name of its service: a function is called an API, as in the analysis."""
    return f"{agentdb.name}-api" if agentdb.runtime is Runtime.LAMBDA else agentdb.name


def definition_of(agentdb: AgentDbSpec) -> ServiceDefinition:
    """Return the catalogue's description of it, with what the configuration changes.

    Raises:
        CatalogError: images/services.yaml has no row of it.
    """
    row = _row()
    quic = speaks_quic(agentdb)
    ports = {name: port for name, port in row.ports.items() if quic or port.protocol is not Protocol.UDP}
    needs = [
        need for need, store in ((Need.DATABASE, agentdb.database), (Need.BUCKET, agentdb.bucket)) if store is not None
    ]
    longest = agentdb.longest_request_s
    if agentdb.runtime is Runtime.LAMBDA and "longest_request_s" not in agentdb.model_fields_set:
        longest = LAMBDA_TIMEOUT_S
    return row.model_copy(
        update={
            "ports": ports,
            "data_path": LAMBDA_FOLDER if agentdb.runtime is Runtime.LAMBDA else row.data_path,
            "needs": tuple(needs),
            "longest_request_s": longest,
            # Elsewhere no replica has a name of its own.
            "primary": row.primary and agentdb.runtime is Runtime.KUBERNETES,
            "environment": {
                **row.environment,
                "QUIC_ENABLED": "true" if quic else "false",
                **program_environment(agentdb.program),
                **(replication_environment(agentdb.replication) if quic else {}),
            },
        }
    )


def _row() -> ServiceDefinition:
    return load_services()[SERVICE].definition


def _vcpu(agentdb: AgentDbSpec) -> float | None:
    """Return the CPU that is asked for; on Fargate 512 MiB go with a quarter of a vCPU and no more (003:3135)."""
    if agentdb.vcpu is not None or agentdb.runtime is not Runtime.ECS:
        return agentdb.vcpu
    try:
        return least_vcpu(agentdb.memory_mib or _row().memory_mib)
    except SizingError:
        return None  # said where sizes are judged


def _storage_gib(agentdb: AgentDbSpec) -> dict[str, int]:
    """Return the space of its files where somebody asked for it, or where Lambda's is less than the usual."""
    if "storage_gib" in agentdb.model_fields_set:
        return {"storage_gib": agentdb.storage_gib}
    return {"storage_gib": LAMBDA_GIB} if agentdb.runtime is Runtime.LAMBDA else {}


def speaks_quic(agentdb: AgentDbSpec) -> bool:
    """Say whether its replicas join over QUIC."""
    return agentdb.runtime in CARRIES_UDP if agentdb.quic is None else agentdb.quic


def told_of_database(agentdb: AgentDbSpec) -> bool:
    """Say whether a variable tells the image where the database is: AgentDB itself reads none."""
    return any(place == "database.host" for value in agentdb.environment.values() for place in places_in(value))
