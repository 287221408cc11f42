"""What AetherGraph must be in each mode: names, logins, stores, and whom it may talk to.

What another mode would read may stand there all the same, so that a change of mode is a change of one word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from skerry.config.aethergraph import AetherGraphSpec, SlackDelivery, StoreKind
from skerry.config.application import Runtime
from skerry.config.sense_applications import plan_problems
from skerry.config.spec import DeploymentSpec, Layer, Mode, TargetKind
from skerry.errors import Problem
from skerry.systems.aethergraph import ON_ONE_MACHINE, SCALES, SERVER, plan_of

LEAST_STREAM_S: Final = 60
"""After so long AWS's load balancer closes a silent connection, when nobody says otherwise.

Source: pulumi-aws lb.LoadBalancer idle_timeout, default 60, read 2026-11.
"""

_FIELDS: Final = (
    (r"^aethergraph\.services\.slack\.(host|allow_cidrs)", r"aethergraph.slack.\1"),
    (r"^aethergraph\.services\.[a-z-]+\.(host|runtime|allow_cidrs|rate_per_second)", r"aethergraph.\1"),
    (r"^aethergraph\.services\.[a-z-]+\.largest_body_mib", "aethergraph.artifact_mib"),
    (r"^aethergraph\.services\.[a-z-]+\.longest_request_s", "aethergraph.stream_s"),
    (r"^aethergraph\.services\.control-plane", "aethergraph.control_plane"),
    (r"^aethergraph\.services\.worker", "aethergraph.workers"),
    (r"^aethergraph\.services\.", "aethergraph."),
    (r"^aethergraph\.(database|cache|bucket)", r"aethergraph.stores.\1"),
)
"""Where what a plan calls so stands in the configuration."""


def aethergraph_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about AetherGraph; each path is that of the field that the user wrote."""
    own = spec.aethergraph
    if own is None:
        return
    yield from _stores(spec, own)
    yield from _outside(spec, own)
    yield from _slack(spec, own)
    if spec.mode in ON_ONE_MACHINE:
        yield from _one_machine(spec, own)
        return
    if own.host is None:
        yield Problem(
            "aethergraph.host", f"is required in mode {spec.mode.value}", "give the name that it is called by"
        )
    if own.sso is None:
        text = f"is required in mode {spec.mode.value}: more than one person can reach it"
        yield Problem("aethergraph.sso", text, "name the issuer that logs people in")
    if own.stream_s <= LEAST_STREAM_S:
        text = f"{own.stream_s} s is what load balancers wait by themselves, and streams are silent for longer"
        yield Problem("aethergraph.stream_s", text, f"use more than {LEAST_STREAM_S}")
    if own.runtime in (Runtime.LAMBDA, Runtime.FUNCTIONS):
        text = f"'{own.runtime.value}' ends with each request, and streams, locks and workers last longer"
        yield Problem("aethergraph.runtime", text, "use kubernetes, ecs or cloud-run")
        return
    workers = own.workers.scale
    if spec.mode is Mode.SAAS and workers is not None and workers.maximum > workers.minimum and not workers.queue_depth:
        text = "workers take their work from the queue, and an idle CPU says nothing of what waits there"
        yield Problem("aethergraph.workers.scale", text, "set queue_depth")
    if own.host is not None and _kind(spec, own) is StoreKind.SHARED:
        for problem in plan_problems(spec, plan_of(spec), "aethergraph"):
            yield replace(problem, path=_path(own, problem.path))


def _path(own: AetherGraphSpec, path: str) -> str:
    for pattern, field in _FIELDS:
        found = re.sub(pattern, field, path)
        if found != path:
            path = found
            break
    roles = {"server": own.server, "control_plane": own.control_plane, "workers": own.workers}
    named = re.match(r"^aethergraph\.([a-z_]+)\.image", path)
    if named is not None and (named[1] not in roles or roles[named[1]].image is None):
        return "aethergraph.image"
    return path


def _kind(spec: DeploymentSpec, own: AetherGraphSpec) -> StoreKind:
    if own.stores.kind is not None:
        return own.stores.kind
    return StoreKind.LOCAL if spec.mode in ON_ONE_MACHINE else StoreKind.SHARED


def _stores(spec: DeploymentSpec, own: AetherGraphSpec) -> Iterator[Problem]:
    kind, alone = _kind(spec, own), spec.mode in ON_ONE_MACHINE
    scale = own.server.scale or SCALES[SERVER]
    if kind is StoreKind.LOCAL and not alone:
        text = (
            f"local is SQLite and a folder of one process, and mode {spec.mode.value} keeps its state in shared stores"
        )
        if scale.maximum > 1 and spec.mode is not Mode.SAAS:
            text = f"local is SQLite, a file of one process: {scale.maximum} replicas would each have their own"
        yield Problem("aethergraph.stores.kind", text, "use shared, or leave it out")
    if kind is StoreKind.SHARED and alone:
        text = f"mode {spec.mode.value} keeps its state in a folder and SQLite on that machine"
        yield Problem("aethergraph.stores.kind", text, "use local, or leave it out")


def _outside(spec: DeploymentSpec, own: AetherGraphSpec) -> Iterator[Problem]:
    """Check the model and the login: on the internet only where there is one, and under a law that is named."""
    connected = spec.target.connected
    for name, cidrs in (
        ("llm", own.llm.cidrs if own.llm is not None else None),
        ("sso", own.sso.cidrs if own.sso is not None else None),
    ):
        if cidrs is not None and not cidrs and not connected:
            text = "is required where connected is false: nothing on the internet answers"
            yield Problem(f"aethergraph.{name}.cidrs", text, "name the addresses of the one inside the site")
    if own.llm is not None and not own.llm.cidrs and connected and own.llm.jurisdiction is None:
        text = "is required where the model is on the internet: what graphs ask leaves the deployment"
        yield Problem("aethergraph.llm.jurisdiction", text, "name the country whose law holds there")


def _slack(spec: DeploymentSpec, own: AetherGraphSpec) -> Iterator[Problem]:
    slack = own.slack
    if slack is None:
        return
    path, saas = "aethergraph.slack", spec.mode is Mode.SAAS
    if not spec.target.connected:
        text = "is on the internet, and this site has no connection"
        yield Problem(path, text, "remove it: channels of the site itself come in at /api/channel")
        return
    events = slack.delivery is SlackDelivery.EVENTS
    if saas and not events:
        text = "socket serves one enterprise: Slack lists no app with Socket Mode for others"
        yield Problem(f"{path}.delivery", text, "use events")
    if spec.mode in ON_ONE_MACHINE and events:
        text = "events needs an address that Slack can call, and all listens on 127.0.0.1"
        yield Problem(f"{path}.delivery", text, "use socket, or bring a tunnel of your own")
        return
    if events and slack.signing_secret is None:
        yield Problem(f"{path}.signing_secret", "is required with events: anybody could call", "name its secret key")
    if not events and slack.app_token_secret is None:
        yield Problem(f"{path}.app_token_secret", "is required with socket", "name its secret key")
    if not saas and slack.bot_token_secret is None:
        yield Problem(f"{path}.bot_token_secret", "is required: answers go out by the Web API", "name its secret key")
    if not saas and events and slack.host is None:
        text = "is required with events: Slack calls from the internet, and all else stays inside"
        yield Problem(f"{path}.host", text, "give a public name for that one path, or use socket")
    if saas and slack.host is not None:
        yield Problem(f"{path}.host", "has no meaning in mode saas, where Slack calls aethergraph.host", "remove it")
    if saas and slack.bot_token_secret is not None:
        text = "has no meaning in mode saas: each workspace has a token of its own"
        yield Problem(f"{path}.bot_token_secret", text, "name it in aethergraph.workspaces")


def _one_machine(spec: DeploymentSpec, own: AetherGraphSpec) -> Iterator[Problem]:
    """Check what runs beside one user."""
    if spec.target.kind is not TargetKind.ONPREM:
        text = f"'{spec.target.kind.value}' is no user's machine"
        yield Problem("target.kind", text, "use onprem, or mode single-tenant")
    if spec.layer is Layer.BASE:
        yield Problem("layer", f"base has no meaning in mode {spec.mode.value}", "remove it")
    local = own.local
    if local.api_port == local.ui_port:
        yield Problem("aethergraph.local.ui_port", f"{local.ui_port} is also the API's", "use another one")
    if spec.mode is Mode.LOCAL_WORKER:
        for name, value in (("control_plane", local.control_plane), ("workspace", local.workspace)):
            if value is None:
                yield Problem(f"aethergraph.local.{name}", "is required in mode local-worker", "name it")
        if not spec.target.connected:
            yield Problem("target.connected", "is false, but a local worker calls its control plane", "set it to true")
