"""AetherGraph's configuration: what each mode makes of it, and what is refused with its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.application import application_of, unknown_places
from skerry.config.application import Access, ApplicationsSpec, Exposure, Need
from skerry.config.load import load_spec
from skerry.config.spec import DeploymentSpec
from skerry.errors import ConfigError, UsageError
from skerry.systems import aethergraph, plans
from skerry.systems.aethergraph_environment import PRIMITIVES, ROUTES
from skerry.systems.aethergraph_local import local_environment, local_files, local_secrets
from tests.simulators.aethergraph_stacks import (
    AIRGAPPED,
    ECS,
    ELSEWHERE,
    LOCAL_WORKER,
    ONPREM,
    SAAS,
    SHIPPED,
    SIDECAR,
    SLACK_EVENTS,
    SLACK_SOCKET,
    TENANTS,
    TO_SAAS,
)
from tests.simulators.changed_stacks import changed_deployment

Changes = Mapping[str, Any]


def spec_of(stack: str, changes: Changes | None = None) -> DeploymentSpec:
    return load_spec(changed_deployment(stack, changes or {}), stack)


def plan(stack: str, changes: Changes | None = None) -> ApplicationsSpec:
    return aethergraph.plan_of(spec_of(stack, changes))


def told(plan: ApplicationsSpec, name: str) -> dict[str, str]:
    return application_of(name, plan.services[name]).environment


def problems(stack: str, changes: Changes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_spec(changed_deployment(stack, changes), stack)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("stack", SHIPPED)
def test_shipped_stacks_are_good_and_every_target_knows_their_services(stack: str) -> None:
    spec = spec_of(stack)
    found = plans.plan_of(spec)
    assert found == aethergraph.plan_of(spec)
    assert all(not unknown_places(application_of(name, row)) for name, row in found.services.items())


REFUSED: dict[str, tuple[str, Changes, str]] = {
    "another system's part": (
        ONPREM, {"aethergraph": None}, "aethergraph: is required and missing; describe it"),
    "SQLite under several replicas": (
        ONPREM, {"aethergraph.stores.kind": "local"},
        "aethergraph.stores.kind: local is SQLite, a file of one process: 3 replicas would each have their own; "
        "use shared, or leave it out"),
    "SQLite under one server": (
        ONPREM, {"aethergraph.stores.kind": "local", "aethergraph.server.scale": {"minimum": 1, "maximum": 1}},
        "aethergraph.stores.kind: local is SQLite and a folder of one process, and mode single-tenant keeps its state "
        "in shared stores; use shared, or leave it out"),
    "SQLite in a service for many": (
        SAAS, {"aethergraph.stores.kind": "local"},
        "aethergraph.stores.kind: local is SQLite and a folder of one process, and mode saas keeps its state in shared "
        "stores; use shared, or leave it out"),
    "shared stores beside one user": (
        ONPREM, {**SIDECAR, "aethergraph.stores.kind": "shared"},
        "aethergraph.stores.kind: mode sidecar keeps its state in a folder and SQLite on that machine; use local, or "
        "leave it out"),
    "no name": (
        ONPREM, {"aethergraph.host": None},
        "aethergraph.host: is required in mode single-tenant; give the name that it is called by"),
    "nobody logs in": (
        ONPREM, {"aethergraph.sso": None},
        "aethergraph.sso: is required in mode single-tenant: more than one person can reach it; name the issuer that "
        "logs people in"),
    "streams that the load balancer closes": (
        ONPREM, {"aethergraph.stream_s": 60},
        "aethergraph.stream_s: 60 s is what load balancers wait by themselves, and streams are silent for longer; use "
        "more than 60"),
    "a runtime that ends with each request": (
        SAAS, {"aethergraph.runtime": "lambda", "machines": None},
        "aethergraph.runtime: 'lambda' ends with each request, and streams, locks and workers last longer; use "
        "kubernetes, ecs or cloud-run"),
    "workers that follow their CPU": (
        SAAS, {"aethergraph.workers.scale": {"minimum": 1, "maximum": 9, "cpu_percent": 70}},
        "aethergraph.workers.scale: workers take their work from the queue, and an idle CPU says nothing of what waits "
        "there; set queue_depth"),
    "Slack without a connection": (
        AIRGAPPED, SLACK_SOCKET,
        "aethergraph.slack: is on the internet, and this site has no connection; remove it: channels of the site "
        "itself come in at /api/channel"),
    "a model on the internet without a connection": (
        AIRGAPPED, {"aethergraph.llm": {"url": "https://api.openai.com/v1", "jurisdiction": "US"}},
        "aethergraph.llm.cidrs: is required where connected is false: nothing on the internet answers; name the "
        "addresses of the one inside the site"),
    "a model under a law that nobody names": (
        ONPREM, {"aethergraph.llm": {"url": "https://api.openai.com/v1"}},
        "aethergraph.llm.jurisdiction: is required where the model is on the internet: what graphs ask leaves the "
        "deployment; name the country whose law holds there"),
    "Slack calls an address that nobody opened": (
        ONPREM, {**SLACK_EVENTS, "aethergraph.slack.host": None},
        "aethergraph.slack.host: is required with events: Slack calls from the internet, and all else stays inside; "
        "give a public name for that one path, or use socket"),
    "Slack is not proven": (
        ONPREM, {**SLACK_EVENTS, "aethergraph.slack.signing_secret": None},
        "aethergraph.slack.signing_secret: is required with events: anybody could call; name its secret key"),
    "a socket without a token": (
        ONPREM, {**SLACK_SOCKET, "aethergraph.slack.app_token_secret": None},
        "aethergraph.slack.app_token_secret: is required with socket; name its secret key"),
    "nobody can answer in Slack": (
        ONPREM, {**SLACK_SOCKET, "aethergraph.slack.bot_token_secret": None},
        "aethergraph.slack.bot_token_secret: is required: answers go out by the Web API; name its secret key"),
    "a socket for many tenants": (
        SAAS, {"aethergraph.slack.delivery": "socket", "aethergraph.slack.app_token_secret": "slackApp"},
        "aethergraph.slack.delivery: socket serves one enterprise: Slack lists no app with Socket Mode for others; use "
        "events"),
    "one bot token for all tenants": (
        SAAS, {**TENANTS, "aethergraph.slack.bot_token_secret": "slackBot"},
        "aethergraph.slack.bot_token_secret: has no meaning in mode saas: each workspace has a token of its own; name "
        "it in aethergraph.workspaces"),
    "a second name for Slack": (
        SAAS, {**TENANTS, "aethergraph.slack.host": "slack.vendor.example"},
        "aethergraph.slack.host: has no meaning in mode saas, where Slack calls aethergraph.host; remove it"),
    "Slack calls a laptop": (
        ONPREM, {**SIDECAR, **SLACK_EVENTS},
        "aethergraph.slack.delivery: events needs an address that Slack can call, and all listens on 127.0.0.1; use "
        "socket, or bring a tunnel of your own"),
    "a sidecar in a cloud": (
        SAAS, {**SIDECAR, "layer": "platform"},
        "target.kind: 'aws' is no user's machine; use onprem, or mode single-tenant"),
    "one port twice": (
        ONPREM, {**SIDECAR, "aethergraph.local": {"api_port": 3000}},
        "aethergraph.local.ui_port: 3000 is also the API's; use another one"),
    "a local worker of nobody": (
        ONPREM, {"mode": "local-worker"},
        "aethergraph.local.control_plane: is required in mode local-worker; name it"),
    "a local worker without a connection": (
        AIRGAPPED, LOCAL_WORKER,
        "target.connected: is false, but a local worker calls its control plane; set it to true"),
    "a public service without a connection": (
        AIRGAPPED, {"mode": "saas"},
        "aethergraph.control_plane.exposure: public has no meaning without a connection; use internal"),
    "a name for Slack that nobody can write": (
        ECS, {"mode": "single-tenant", **SLACK_EVENTS},
        "aethergraph.slack.host: 'slack.customer.example' does not lie in the zone 'example.com'; name a host of the "
        "zone"),
    "artifacts that Cloud Run does not take": (
        ELSEWHERE["many tenants on Cloud Run"][0],
        {**ELSEWHERE["many tenants on Cloud Run"][1], "aethergraph.artifact_mib": 64},
        "aethergraph.artifact_mib: 64 MiB are more than the 32 MiB of a request; put large objects into the bucket"),
    "an image that is none, told where the user wrote it": (
        ONPREM, {"aethergraph.image": "Not An Image"},
        "aethergraph.image: 'Not An Image' is no image reference: write registry/repository:tag or "
        "registry/repository@sha256:<64 hex>"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_remedy(case: str) -> None:
    stack, changes, message = REFUSED[case]
    assert message in problems(stack, changes)


def test_one_server_has_every_store_and_is_called_from_inside_only() -> None:
    found = plan(ONPREM)
    assert {name: row.exposure for name, row in found.services.items()} == {"server": Exposure.INTERNAL}
    assert (found.queue, found.database.extensions if found.database else None) == (None, ("vector",))
    environment = told(found, "server")
    assert {variable for variable in PRIMITIVES.values() if variable not in environment} == set()
    assert environment["AETHERGRAPH_MODE"] == "single-tenant"
    assert environment["ALLOWED_ORIGINS"] == "https://aethergraph.customer.example"
    assert environment["STREAM_FANOUT"] == "kv"
    assert environment["SLACK"] == "off"
    server = found.services["server"]
    assert [(row.host, row.cidrs) for row in server.site_endpoints] == [
        ("login.customer.example", ("10.20.0.0/24",)),
        ("models.customer.example", ("10.20.1.0/24",)),
    ]
    assert server.definition is not None
    assert (server.definition.longest_request_s, server.definition.largest_body_mib) == (3600, 512)


def test_slack_may_call_one_path_of_a_service_that_has_neither_blobs_nor_a_way_out() -> None:
    found = plan(ONPREM, SLACK_EVENTS)
    entrance, server = found.services["slack"], found.services["server"]
    assert (entrance.exposure, entrance.paths) == (Exposure.PUBLIC, ("/api/channel/slack/events",))
    assert server.exposure is Exposure.INTERNAL
    assert entrance.definition is not None and server.definition is not None
    assert entrance.definition.needs == (Need.DATABASE, Need.CACHE)
    assert (entrance.definition.egress, entrance.site_endpoints) == ((), ())
    assert entrance.secrets == {"SLACK_SIGNING_SECRET": "slackSigning"}
    assert server.secrets == {"SLACK_BOT_TOKEN": "slackBot"}
    assert server.definition.egress == ("slack.com",)
    environment = told(found, "slack")
    assert "BLOB_STORE_URL" not in environment
    assert (environment["SLACK_ACK"], environment["SLACK_ACK_WITHIN_S"]) == ("before-run", "3")
    assert environment["SLACK_IDEMPOTENCY_KEY"] == "event_id"


def test_a_socket_to_slack_opens_nothing() -> None:
    found = plan(ONPREM, SLACK_SOCKET)
    assert set(found.services) == {"server"}
    assert found.services["server"].secrets == {"SLACK_BOT_TOKEN": "slackBot", "SLACK_APP_TOKEN": "slackApp"}


def test_many_tenants_have_a_control_plane_that_is_called_and_workers_that_are_not() -> None:
    found = plan(SAAS, TENANTS)
    plane, worker = found.services["control-plane"], found.services["worker"]
    assert (plane.exposure, worker.exposure, worker.host) == (Exposure.PUBLIC, Exposure.NONE, None)
    assert plane.definition is not None and worker.definition is not None
    assert plane.definition.access == {Need.QUEUE: Access.WRITE}
    assert worker.definition.access == {Need.QUEUE: Access.READ}
    assert (worker.scale.minimum, worker.scale.queue_depth) == (0, 5)
    assert plane.secrets == {
        "SLACK_SIGNING_SECRET": "slackSigning",
        "SLACK_BOT_TOKEN_ACME": "acmeBot",
        "WORKER_CREDENTIAL_ACME": "acmeWorker",
        "SLACK_BOT_TOKEN_GLOBEX": "globexBot",
    }
    assert worker.secrets == {"LLM_API_KEY": "llmKey"}
    assert told(found, "control-plane")["SLACK_ACK"] == "after-enqueue"
    assert told(found, "control-plane")["API_ROUTES"].split(",") == list(ROUTES)
    assert told(found, "worker")["JOB_FIELDS"] == "workspace,graph_id,run_id,input"
    assert {told(found, name)["DOC_STORE_ISOLATION"] for name in found.services} == {"row"}


def test_a_job_is_given_to_another_only_after_the_longest_graph() -> None:
    for longest in (10, 900, 42_000):
        found = plan(SAAS, {"aethergraph.longest_graph_s": longest})
        assert found.queue is not None
        assert found.queue.longest_job_s > longest


def test_a_control_plane_without_uploads_only_reads_blobs() -> None:
    plane = plan(SAAS, {"aethergraph.uploads": False}).services["control-plane"]
    assert plane.definition is not None
    assert plane.definition.access == {Need.QUEUE: Access.WRITE, Need.BUCKET: Access.READ}


def test_stores_are_the_same_whether_one_tenant_or_many_use_them() -> None:
    one, many = plan(ONPREM), plan(ONPREM, TO_SAAS)
    assert (one.database, one.cache, one.bucket, one.site) == (many.database, many.cache, many.bucket, many.site)
    stores = [*PRIMITIVES.values(), "DOC_STORE_PASSWORD", "EVENT_LOG_PASSWORD", "VECTOR_INDEX_PASSWORD", "KV_PASSWORD"]
    server = told(one, "server")
    for name in many.services:
        environment = told(many, name)
        assert {key: environment[key] for key in stores} == {key: server[key] for key in stores}


def test_a_sidecar_listens_on_loopback_and_keeps_everything_in_its_folder() -> None:
    spec = spec_of(ONPREM, SIDECAR)
    assert plans.plan_of(spec) is None
    environment = local_environment(spec, aethergraph.described(spec))
    assert {
        key: environment[key] for key in ("AETHERGRAPH_BIND", "UI_BIND", "ALLOWED_ORIGINS", *PRIMITIVES.values())
    } == {
        "AETHERGRAPH_BIND": "127.0.0.1:8080",
        "UI_BIND": "127.0.0.1:3000",
        "ALLOWED_ORIGINS": "http://localhost:3000",
        "BLOB_STORE_URL": "file:///var/lib/aethergraph/blobs",
        "DOC_STORE_URL": "sqlite:////var/lib/aethergraph/documents.db",
        "EVENT_LOG_URL": "sqlite:////var/lib/aethergraph/events.db",
        "VECTOR_INDEX_URL": "sqlite:////var/lib/aethergraph/vectors.db",
        "KV_URL": "memory://",
    }
    assert environment["SLACK"] == "off"


def test_a_local_worker_calls_out_and_answers_nobody_else() -> None:
    spec = spec_of(ONPREM, LOCAL_WORKER)
    environment = local_environment(spec, aethergraph.described(spec))
    assert environment["CONTROL_PLANE_URL"] == "wss://aethergraph.vendor.example/api/workers/connect"
    assert (environment["WORKSPACE"], environment["DISPATCH"]) == ("acme", "socket")
    assert local_secrets(spec, aethergraph.described(spec)) == ("WORKER_CREDENTIAL",)
    assert "UI_BIND" not in environment


def test_secrets_of_a_machine_stand_in_no_file() -> None:
    files = local_files("registry.example/a:1", "/srv/ag", {"A": "1"}, ("LLM_API_KEY",))
    assert set(files) == {"compose.yaml", "aethergraph.env"}
    assert '"LLM_API_KEY": "${LLM_API_KEY:?set it in your own environment}"' in files["compose.yaml"]
    assert '"source": "/srv/ag"' in files["compose.yaml"]


def test_a_plan_of_what_is_no_service_is_refused() -> None:
    with pytest.raises(UsageError, match="mode sidecar is one process on a user's machine, and no plan of services"):
        aethergraph.plan_of(spec_of(ONPREM, SIDECAR))
