"""The files of caches at the edge, as each host reads them.

`skerry render` writes them, and who has the host's account runs `deploy.sh`. Secrets stand in none of them: a file
names the variable, and `deploy.sh` takes it from the user's own environment.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from skerry.config.hybrid_edge import EdgeCacheSpec, EdgeHost
from skerry.systems.edge_environment import WRITES
from skerry.systems.edge_gate import gate
from skerry.systems.edge_netlify import netlify_function, netlify_toml
from skerry.systems.edge_places import bounds_of, ordered, render_plan

COMPATIBILITY_DATE: Final = "2025-09-01"
"""The behaviour of the Workers runtime that the gate was written for; it uses nothing younger."""

REDIRECT: Final = 307
"""Sends a call elsewhere with its method and its body."""

_SHARED_CPU_MIB: Final = 2_048
"""The most memory that goes with one shared CPU of Fly.io (not opened; check before relying on it)."""

_CPU_PERCENT: Final = 70
"""003:3707: what a replica may use of its CPU before another one starts."""


@dataclass(frozen=True, slots=True)
class EdgeApp:
    """A cache with everything that its files say."""

    name: str
    """What its host calls it."""
    image: str
    cache: EdgeCacheSpec
    environment: Mapping[str, str]
    secrets: tuple[str, ...]
    """Variables whose values the user's own environment has."""
    port: int
    health: str
    memory_mib: int
    longest_request_s: int
    write_url: str

    @property
    def places(self) -> list[str]:
        """Its places, the primary one first."""
        return list(ordered(self.cache))


def files_of(app: EdgeApp) -> dict[str, str]:
    """Return the files of a cache: path -> text."""
    return _FILES[app.cache.runs_on](app)


def fly_files(app: EdgeApp) -> dict[str, str]:
    """Return what Fly.io reads: one app, whose machines of every place but the first are set by `fly scale count`.

    Source: fly.io docs, "App configuration (fly.toml)" at superfly/docs fafeeb82, "fly scale count" and "fly secrets
    import", read 2026-11.
    """
    low, high = bounds_of(app.cache)
    sleeps = low < high
    cpus = next(one for one in (1, 2, 4, 8) if app.memory_mib <= one * _SHARED_CPU_MIB)
    lines = [
        *_toml({"app": app.name, "primary_region": app.places[0], "kill_signal": "SIGTERM", "kill_timeout": 30}),
        *_toml({"image": app.image}, "[build]"),
        *_toml(dict(sorted(app.environment.items())), "[env]"),
        *_toml(
            {
                "internal_port": app.port,
                "force_https": True,
                # Both or neither, or machines would never start again (same page).
                "auto_stop_machines": "stop" if sleeps else "off",
                "auto_start_machines": sleeps,
                "min_machines_running": low,
            },
            "[http_service]",
        ),
        *_toml(
            {"grace_period": "30s", "interval": "10s", "timeout": "5s", "method": "GET", "path": app.health},
            "[[http_service.checks]]",
        ),
        *_toml({"memory": f"{app.memory_mib}mb", "cpu_kind": "shared", "cpus": cpus}, "[[vm]]"),
    ]
    commands = [
        f"fly apps create {app.name}",
        *(f"printf '{one}=%s\\n' \"${one}\" | fly secrets import --stage --app {app.name}" for one in app.secrets),
        "fly deploy --config fly.toml --ha=false",
        f"fly scale count {high * len(app.places)} --max-per-region {high} --region {','.join(app.places)} "
        f"--app {app.name} --yes",
        f"fly certs add {app.cache.host} --app {app.name}",
    ]
    return {"fly.toml": "\n".join(lines).lstrip() + "\n", "deploy.sh": _script(app, commands)}


def vercel_files(app: EdgeApp) -> dict[str, str]:
    """Return what Vercel reads: writes never reach the function, and no cache of Vercel's own keeps an answer.

    Its network would keep answers wherever it has machines, so that the function keeps them, in the regions named.

    Source: vercel.com/docs/project-configuration/vercel-json, and the types of npm @vercel/config 0.7.2 and the schema
    of @vercel/routing-utils 6.6.0 (routes with methods, status, headers, continue, dest), read 2026-11.
    """
    bundle = f"{app.cache.bundle}"
    document = {
        "$schema": "https://openapi.vercel.sh/vercel.json",
        "framework": None,
        # Memory can be said without it alone.
        "fluid": False,
        "regions": app.places,
        "functions": {bundle: {"memory": app.memory_mib, "maxDuration": app.longest_request_s}},
        "routes": [
            {
                "src": "/(.*)",
                "methods": list(WRITES),
                "status": REDIRECT,
                "headers": {"Location": f"{app.write_url}/$1"},
            },
            {"src": "/(.*)", "headers": {"cache-control": "private, no-store"}, "continue": True},
            {"src": "/(.*)", "dest": f"/{bundle}"},
        ],
    }
    plain = [
        f"printf '%s' {shlex.quote(value)} | vercel env add {name} production"
        for name, value in sorted(app.environment.items())
    ]
    commands = [
        f"vercel link --yes --project {app.name}",
        *plain,
        *(f"printf '%s' \"${one}\" | vercel env add {one} production" for one in app.secrets),
        "vercel deploy --prod",
        f"vercel domains add {app.cache.host}",
    ]
    return {"vercel.json": _json(document), "deploy.sh": _script(app, commands)}


def netlify_files(app: EdgeApp) -> dict[str, str]:
    """Return what Netlify reads: a function in one region, which hands writes on before the user's module sees them.

    Source: docs.netlify.com/build/functions/configuration and .../functions/optional-configuration, the types of npm
    @netlify/functions 5.3.0 (path, region, memory), read 2026-11; of the command line `netlify deploy` of npm netlify
    23.1.4 read, `env:set` not opened.
    """
    plain = [
        f"netlify env:set {name} {shlex.quote(value)} --context production"
        for name, value in sorted(app.environment.items())
    ]
    commands = [
        # The command reads it: it asks for no name of a site on its line.
        ': "${NETLIFY_SITE_ID:?the id of the site}" "${NETLIFY_AUTH_TOKEN:?a token that may deploy it}"',
        *plain,
        *(f'netlify env:set {one} "${one}" --context production --secret' for one in app.secrets),
        "netlify deploy --prod --dir public",
    ]
    return {
        "netlify.toml": netlify_toml(),
        "netlify/functions/agentdb.mjs": netlify_function(
            f"{app.cache.bundle}", app.places[0], app.memory_mib, app.health
        ),
        "public/.keep": "",
        "deploy.sh": _script(app, commands),
    }


def cloudflare_files(app: EdgeApp) -> dict[str, str]:
    """Return what Wrangler reads: a Worker on a name that Regional Services keep in one region.

    The name is bound to the region before the Worker is there, so that it never answers from anywhere else.

    Source: config-schema.json of npm wrangler 4.164.0; developers.cloudflare.com/data-localization/how-to/workers and
    .../regional-services/regional-hostnames, read 2026-11.
    """
    # The gate reads none of them: what it asks of the region carries the caller's own.
    secrets = app.secrets if app.cache.bundle else ()
    document = {
        "$schema": "node_modules/wrangler/config-schema.json",
        "name": app.name,
        "main": "gate.mjs",
        "compatibility_date": COMPATIBILITY_DATE,
        # Regional Services reach the custom domain alone.
        "workers_dev": False,
        "preview_urls": False,
        "routes": [{"pattern": app.cache.host, "custom_domain": True}],
        "vars": dict(sorted(app.environment.items())),
        "secrets": {"required": list(secrets)},
        "observability": {"enabled": True},
    }
    if not secrets:
        del document["secrets"]
    body = json.dumps({"hostname": app.cache.host, "region_key": app.places[0]})
    url = "https://api.cloudflare.com/client/v4/zones/$CLOUDFLARE_ZONE_ID/addressing/regional_hostnames"
    commands = [
        "printf 'Authorization: Bearer %s\\n' \"$CLOUDFLARE_API_TOKEN\" | curl --fail-with-body --silent --show-error "
        f'--request POST "{url}" --header @- --json {shlex.quote(body)}',
        *(f"printf '%s' \"${one}\" | wrangler secret put {one}" for one in secrets),
        "wrangler deploy",
    ]
    needs = (*secrets, "CLOUDFLARE_ZONE_ID", "CLOUDFLARE_API_TOKEN")
    return {
        "wrangler.jsonc": _json(document),
        "gate.mjs": gate(app.cache.bundle, app.health),
        "deploy.sh": _script(app, commands, needs),
    }


def railway_files(app: EdgeApp) -> dict[str, str]:
    """Return what Railway reads: its file names no image and no variable, which a Dockerfile of a few lines does.

    It runs a fixed number in each place; where the minimum is 0, they sleep without traffic.

    Source: docs.railway.com/config-as-code/reference and docs.railway.com/cli/variable, and a public railway.json with
    `multiRegionConfig` and `sleepApplication`, read 2026-11.
    """
    low, high = bounds_of(app.cache)
    document = {
        "$schema": "https://railway.com/railway.schema.json",
        "build": {"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"},
        "deploy": {
            "healthcheckPath": app.health,
            "healthcheckTimeout": 60,
            "restartPolicyType": "ON_FAILURE",
            "restartPolicyMaxRetries": 10,
            "sleepApplication": low == 0,
            "multiRegionConfig": {place: {"numReplicas": high} for place in app.places},
        },
    }
    variables = [f"ENV {name}={_docker(value)}" for name, value in sorted(app.environment.items())]
    commands = [
        *(
            f"printf '%s' \"${one}\" | railway variable set {one} --stdin --skip-deploys --service {app.name}"
            for one in app.secrets
        ),
        f"railway up --service {app.name} --ci",
        f"railway domain {app.cache.host} --service {app.name} --port {app.port}",
    ]
    return {
        "railway.json": _json(document),
        "Dockerfile": "\n".join([f"FROM {app.image}", *variables, f"EXPOSE {app.port}"]) + "\n",
        "deploy.sh": _script(app, commands),
    }


def render_files(app: EdgeApp) -> dict[str, str]:
    """Return what Render reads: a service of one place; it asks for secrets on its own page.

    Source: render.com/docs/blueprint-spec, read 2026-11.
    """
    low, high = bounds_of(app.cache)
    login = app.cache.registry_login
    count: dict[str, Any] = {"numInstances": high}
    if low < high:
        count = {"scaling": {"minInstances": low, "maxInstances": high, "targetCPUPercent": _CPU_PERCENT}}
    service = {
        "type": "web",
        "runtime": "image",
        "name": app.name,
        "image": {"url": app.image} | ({"creds": {"fromRegistryCreds": {"name": login}}} if login else {}),
        "region": app.places[0],
        "plan": render_plan(app.memory_mib),
        **count,
        "healthCheckPath": app.health,
        "domains": [app.cache.host],
        "envVars": [
            *({"key": name, "value": value} for name, value in sorted(app.environment.items())),
            *({"key": name, "sync": False} for name in app.secrets),
        ],
    }
    return {"render.yaml": yaml.safe_dump({"services": [service]}, sort_keys=False)}


_FILES: Final[Mapping[EdgeHost, Callable[[EdgeApp], dict[str, str]]]] = {
    EdgeHost.FLY: fly_files,
    EdgeHost.VERCEL: vercel_files,
    EdgeHost.NETLIFY: netlify_files,
    EdgeHost.CLOUDFLARE: cloudflare_files,
    EdgeHost.RAILWAY: railway_files,
    EdgeHost.RENDER: render_files,
}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def _toml(rows: Mapping[str, str | int | bool], table: str | None = None) -> list[str]:
    """Return a table; a text of JSON is one of TOML too."""
    return ["", *([table] if table else []), *(f"{key} = {json.dumps(value)}" for key, value in rows.items())]


def _docker(value: str) -> str:
    """Return a value of ENV, in which a Dockerfile replaces nothing."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _script(app: EdgeApp, commands: list[str], needs: tuple[str, ...] | None = None) -> str:
    asked = [f': "${{{one}:?set it in your own environment}}"' for one in (app.secrets if needs is None else needs)]
    head = ["#!/bin/sh", f"# Run by whoever has the account of {app.cache.runs_on.value}, in this folder.", "set -eu"]
    return "\n".join([*head, *asked, *commands]) + "\n"
