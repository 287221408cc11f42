"""AetherGraph as a plan of services: one server, or a control plane with workers; the same stores under the same names.

Pure: sense checks, the migration plan, tests and the blueprint read the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from skerry.application import PLACES, places_in
from skerry.config.aethergraph import AetherGraphSpec, RoleSpec, SlackDelivery
from skerry.config.application import (
    Access,
    ApplicationSpec,
    ApplicationsSpec,
    Exposure,
    Need,
    QueueSpec,
    Runtime,
    ScaleSpec,
    ServiceDefinition,
    SiteEndpointSpec,
)
from skerry.config.spec import DeploymentSpec, Mode
from skerry.errors import UsageError
from skerry.service_catalog import load_services
from skerry.systems.aethergraph_environment import (
    JOBS,
    SLACK_HOSTS,
    SLACK_PATH,
    TENANCY,
    VECTOR_EXTENSION,
    WORKER_PATH,
    graph_environment,
    host_of,
    people_environment,
    shared_environment,
    slack_environment,
)
from skerry.systems.runtimes import asks_callers, named_site

SERVER, CONTROL_PLANE, WORKER, SLACK = "server", "control-plane", "worker", "slack"
"""Names of the services, and so of their resources."""

ON_ONE_MACHINE: Final = (Mode.SIDECAR, Mode.LOCAL_WORKER)
"""Modes of one process beside one user."""
ONE_TENANT: Final = (Mode.SINGLE_TENANT, Mode.AIR_GAPPED)
"""Modes with one server for one enterprise; air-gapped is the same at a site without a connection."""

VISIBILITY_MARGIN_S: Final = 60
"""A job is given back so much later than its graph may end at the latest."""

SCALES: Final[Mapping[str, ScaleSpec]] = {
    SERVER: ScaleSpec(minimum=3, maximum=3),
    CONTROL_PLANE: ScaleSpec(minimum=2, typical=3, maximum=10, cpu_percent=70),
    WORKER: ScaleSpec(minimum=0, typical=4, maximum=20, queue_depth=5),
    SLACK: ScaleSpec(minimum=2, maximum=2),
}
"""Skerry's own: the analysis names no number."""


def plan_of(spec: DeploymentSpec) -> ApplicationsSpec:
    """Return AetherGraph as services.

    Raises:
        CatalogError: images/services.yaml has no row of a role.
        UsageError: the deployment has no AetherGraph, or its mode is no matter of services.
    """
    own = described(spec)
    if spec.mode in ON_ONE_MACHINE:
        raise UsageError(f"mode {spec.mode.value} is one process on a user's machine, and no plan of services")
    saas = spec.mode is Mode.SAAS
    services = _saas(spec, own) if saas else _one_tenant(spec, own)
    stores = own.stores
    # Managed databases of a cloud's own runtimes make none by themselves: there the process does, as its owner.
    vectors = (VECTOR_EXTENSION,) if own.runtime is Runtime.KUBERNETES else ()
    extensions = tuple(dict.fromkeys((*stores.database.extensions, *vectors)))
    return ApplicationsSpec(
        services=services,
        database=stores.database.model_copy(update={"extensions": extensions}),
        cache=stores.cache,
        bucket=stores.bucket,
        queue=QueueSpec(longest_job_s=own.longest_graph_s + VISIBILITY_MARGIN_S, attempts=own.attempts)
        if saas
        else None,
        dns=own.dns,
        site=named_site(own.site, own.name, own.runtime),
    )


def described(spec: DeploymentSpec) -> AetherGraphSpec:
    """Return what the deployment says of AetherGraph.

    Raises:
        UsageError: it says nothing.
    """
    if spec.aethergraph is None:
        raise UsageError("the deployment has no AetherGraph: describe it in `aethergraph`")
    return spec.aethergraph


def _one_tenant(spec: DeploymentSpec, own: AetherGraphSpec) -> dict[str, ApplicationSpec]:
    """Return the server, which everything runs in, and the entrance of Slack where Slack calls."""
    slack = own.slack
    environment = {
        **shared_environment(spec, own),
        **people_environment(own),
        **graph_environment(own),
        **slack_environment(own, "before-run"),
    }
    secrets = {**_secrets_of_people(own), **_secrets_of_graphs(own)}
    if slack is not None:
        secrets |= _known(SLACK_BOT_TOKEN=slack.bot_token_secret, SLACK_APP_TOKEN=slack.app_token_secret)
    hosts = [*_graph_hosts(own), *_people_hosts(own), *_slack_hosts(own)]
    server = _service(
        own, own.server, SERVER, "aethergraph-server", hosts, environment, secrets, longest=_longest_stream(own)
    )
    found = {
        SERVER: server.model_copy(
            update={"exposure": Exposure.INTERNAL, "host": own.host, "allow_cidrs": own.allow_cidrs}
        )
    }
    if slack is not None and slack.delivery is SlackDelivery.EVENTS:
        found[SLACK] = _slack_entrance(spec, own, slack.host, slack.allow_cidrs)
    return found


def _slack_entrance(
    spec: DeploymentSpec, own: AetherGraphSpec, host: str | None, allow_cidrs: tuple[str, ...]
) -> ApplicationSpec:
    """Return what Slack calls: it proves and keeps the event and answers; the server runs the graph and replies."""
    environment = {
        **shared_environment(spec, own),
        **slack_environment(own, "before-run"),
        "AETHERGRAPH_ROLE": "slack-entrance",
    }
    slack = own.slack
    secrets = _known(SLACK_SIGNING_SECRET=slack.signing_secret if slack else None)
    needs = (Need.DATABASE, Need.CACHE)
    row = _service(own, RoleSpec(), SLACK, "aethergraph-server", [], environment, secrets, needs=needs, longest=60)
    opened = {
        "exposure": Exposure.PUBLIC,
        "anonymous": asks_callers(own.runtime),
        "host": host,
        "allow_cidrs": allow_cidrs,
        "paths": (SLACK_PATH,),
        "rate_per_second": own.rate_per_second,
        "vcpu": 0.5,
        "memory_mib": 1024,
    }
    return row.model_copy(update=opened)


def _saas(spec: DeploymentSpec, own: AetherGraphSpec) -> dict[str, ApplicationSpec]:
    """Return the control plane, which alone is called, and the workers, which run graphs."""
    shared = {**shared_environment(spec, own), **TENANCY, **JOBS}
    talking = {
        **shared,
        **people_environment(own),
        **slack_environment(own, "after-enqueue"),
        "WORKER_CONNECT_PATH": WORKER_PATH,
        "WORKSPACES": ",".join(sorted(own.workspaces)),
    }
    secrets = _secrets_of_people(own)
    if own.slack is not None:
        secrets |= _known(SLACK_SIGNING_SECRET=own.slack.signing_secret, SLACK_APP_TOKEN=own.slack.app_token_secret)
    for name, workspace in sorted(own.workspaces.items()):
        suffix = name.upper().replace("-", "_")
        secrets |= _known(
            **{
                f"SLACK_BOT_TOKEN_{suffix}": workspace.slack_bot_token_secret,
                f"WORKER_CREDENTIAL_{suffix}": workspace.worker_credential_secret,
            }
        )
    access = {Need.QUEUE: Access.WRITE, **({} if own.uploads else {Need.BUCKET: Access.READ})}
    plane = _service(
        own,
        own.control_plane,
        CONTROL_PLANE,
        "aethergraph-control-plane",
        [*_people_hosts(own), *_slack_hosts(own)],
        talking,
        secrets,
        access=access,
        longest=_longest_stream(own),
    )
    opened = {
        "exposure": Exposure.PUBLIC,
        "anonymous": asks_callers(own.runtime),
        "host": own.host,
        "allow_cidrs": own.allow_cidrs,
        "rate_per_second": own.rate_per_second,
    }
    workers = _service(
        own,
        own.workers,
        WORKER,
        "aethergraph-worker",
        _graph_hosts(own),
        {**shared, **graph_environment(own)},
        _secrets_of_graphs(own),
        longest=own.longest_graph_s,
    )
    return {CONTROL_PLANE: plane.model_copy(update=opened), WORKER: workers}


def _service(
    own: AetherGraphSpec,
    role: RoleSpec,
    name: str,
    row: str,
    hosts: list[tuple[str, int, tuple[str, ...]]],
    environment: Mapping[str, str],
    secrets: Mapping[str, str],
    *,
    longest: int,
    needs: tuple[Need, ...] | None = None,
    access: Mapping[Need, Access] | None = None,
) -> ApplicationSpec:
    """Return one role: its row of the catalogue with what the deployment changes.

    Args:
        own: the configuration.
        role: image, size and number of it.
        name: its name.
        row: its row.
        hosts: whom it calls: host, port and, on the private network, the addresses.
        environment: plain values beside those of the row.
        secrets: variable -> secret key.
        longest: the longest request, stream or job in seconds.
        needs: what it needs, where that is less than its row says.
        access: what it may do with the bucket and the queue; left out, what its row says.
    """
    definition = _definition(row, needs)
    definition = definition.model_copy(
        update={
            "egress": tuple(sorted({host for host, _, cidrs in hosts if not cidrs})),
            "longest_request_s": longest,
            "largest_body_mib": own.artifact_mib if definition.access.get(Need.QUEUE) is not Access.READ else None,
            **({"access": dict(access)} if access is not None else {}),
        }
    )
    return ApplicationSpec(
        definition=definition,
        runtime=own.runtime,
        image=role.image or own.image,
        vcpu=role.vcpu,
        memory_mib=role.memory_mib,
        scale=role.scale or SCALES[name],
        database_secret=role.database_secret,
        site_endpoints=tuple(
            SiteEndpointSpec(host=host, port=port, cidrs=cidrs) for host, port, cidrs in sorted(hosts) if cidrs
        ),
        environment=dict(environment),
        secrets=dict(secrets),
    )


def _definition(row: str, needs: tuple[Need, ...] | None) -> ServiceDefinition:
    """Return the description of a role; variables that name what it does not need are left out."""
    found = load_services()[row].definition
    if needs is None:
        return found
    known = {f"{need.value}.{part}" for need in needs for part in PLACES[need]}
    kept = {name: value for name, value in found.environment.items() if set(places_in(value)) <= known}
    return found.model_copy(update={"needs": needs, "environment": kept, "access": {}})


def _secrets_of_people(own: AetherGraphSpec) -> dict[str, str]:
    return _known(OIDC_CLIENT_SECRET=own.sso.client_secret if own.sso is not None else None)


def _secrets_of_graphs(own: AetherGraphSpec) -> dict[str, str]:
    return _known(LLM_API_KEY=own.llm.api_key_secret if own.llm is not None else None)


def _known(**found: str | None) -> dict[str, str]:
    return {name: key for name, key in found.items() if key is not None}


def _people_hosts(own: AetherGraphSpec) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(*host_of(own.sso.issuer), own.sso.cidrs)] if own.sso is not None else []


def _graph_hosts(own: AetherGraphSpec) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(*host_of(own.llm.url), own.llm.cidrs)] if own.llm is not None else []


def _slack_hosts(own: AetherGraphSpec) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(host, 443, ()) for host in SLACK_HOSTS[own.slack.delivery]] if own.slack is not None else []


def _longest_stream(own: AetherGraphSpec) -> int:
    """Return what the load balancer must bear: a stream that is silent, or a graph whose caller waits for it."""
    return max(own.stream_s, own.longest_graph_s)
