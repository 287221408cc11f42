"""The edge layer of AgentDB: files that their hosts can read, places whose law is judged, and what cannot be."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from cost.estimate import estimate
from cost.pricebook import load_book
from policies.context import context_of
from policies.rules.residency import RULES
from policies.verdict import Verdict
from skerry.config.hybrid_edge import EdgeHost
from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.graph import ResourceGraph, plain
from skerry.render.files import files
from skerry.systems.edge_places import places_of
from tests.simulators.changed_stacks import changed_deployment, run_changed, shipped
from tests.simulators.cluster_service_stacks import EDGE_LAYER, EDGE_STACKS
from tests.simulators.stack_objects import graph_of

CACHES = "agentdb.hybrid_edge.caches"


def texts(graph: ResourceGraph | None = None) -> dict[str, str]:
    return {file.path: file.text for file in files(graph or graph_of(EDGE_LAYER))}


def outputs(graph: ResourceGraph) -> Any:
    return next(plain(r.outputs) for r in graph.resources if r.type == "pulumi:pulumi:Stack" and r.stack == EDGE_LAYER)


def test_the_resources_of_a_stack_have_the_names_on_record(golden: Any) -> None:
    rows = [f"{r.type}  {r.urn}" for r in graph_of(EDGE_LAYER).resources]
    golden(f"urns-{EDGE_LAYER}.txt", "\n".join(rows) + "\n")
    assert [r.type for r in graph_of(EDGE_LAYER).resources if r.custom and not r.type.startswith("pulumi:")] == []


def test_each_cache_has_the_files_of_its_host() -> None:
    assert sorted(texts()) == [
        "edge-cloudflare-eu/deploy.sh",
        "edge-cloudflare-eu/gate.mjs",
        "edge-cloudflare-eu/wrangler.jsonc",
        "edge-cloudflare-us/deploy.sh",
        "edge-cloudflare-us/gate.mjs",
        "edge-cloudflare-us/wrangler.jsonc",
        "edge-fly/deploy.sh",
        "edge-fly/fly.toml",
        "edge-railway/Dockerfile",
        "edge-railway/deploy.sh",
        "edge-railway/railway.json",
        "edge-render-eu/render.yaml",
        "edge-vercel/deploy.sh",
        "edge-vercel/vercel.json",
    ]


def paths(tree: Any, under: str = "") -> set[str]:
    """Return the dotted names of a document; names that the user chose are a star."""
    if isinstance(tree, list):
        return {one for item in tree for one in paths(item, under)}
    if not isinstance(tree, dict):
        return {under}
    free = under in FREE
    return {one for key, value in tree.items() for one in paths(value, f"{under}.{'*' if free else key}".lstrip("."))}


FREE = ("env", "vars", "functions", "deploy.multiRegionConfig", "routes.headers")

KNOWN: Mapping[str, tuple[str, ...]] = {
    # Source: fly.io docs, "App configuration (fly.toml)" at superfly/docs fafeeb82, read 2026-11
    "edge-fly/fly.toml": (
        "app", "primary_region", "kill_signal", "kill_timeout", "build.image", "env.*", "http_service.internal_port",
        "http_service.force_https", "http_service.auto_stop_machines", "http_service.auto_start_machines",
        "http_service.min_machines_running", "http_service.checks.grace_period", "http_service.checks.interval",
        "http_service.checks.timeout", "http_service.checks.method", "http_service.checks.path", "vm.memory",
        "vm.cpu_kind", "vm.cpus",
    ),
    # Source: types of npm @vercel/config 0.7.2 and schema of @vercel/routing-utils 6.6.0, read 2026-11
    "edge-vercel/vercel.json": (
        "$schema", "framework", "fluid", "regions", "functions.*.memory", "functions.*.maxDuration", "routes.src",
        "routes.methods", "routes.status", "routes.headers.*", "routes.continue", "routes.dest",
    ),
    # Source: config-schema.json of npm wrangler 4.164.0, read 2026-11
    "edge-cloudflare-eu/wrangler.jsonc": (
        "$schema", "name", "main", "compatibility_date", "workers_dev", "preview_urls", "routes.pattern",
        "routes.custom_domain", "vars.*", "observability.enabled",
    ),
    # Source: docs.railway.com/config-as-code/reference and a public railway.json, read 2026-11
    "edge-railway/railway.json": (
        "$schema", "build.builder", "build.dockerfilePath", "deploy.healthcheckPath", "deploy.healthcheckTimeout",
        "deploy.restartPolicyType", "deploy.restartPolicyMaxRetries", "deploy.sleepApplication",
        "deploy.multiRegionConfig.*.numReplicas",
    ),
    # Source: render.com/docs/blueprint-spec, read 2026-11
    "edge-render-eu/render.yaml": (
        "services.type", "services.runtime", "services.name", "services.image.url", "services.region", "services.plan",
        "services.scaling.minInstances", "services.scaling.maxInstances", "services.scaling.targetCPUPercent",
        "services.healthCheckPath", "services.domains", "services.envVars.key", "services.envVars.value",
        "services.envVars.sync",
    ),
}  # fmt: skip
"""File -> the names that its host knows."""


def document(path: str, graph: ResourceGraph | None = None) -> Any:
    text = texts(graph)[path]
    return tomllib.loads(text) if path.endswith(".toml") else yaml.safe_load(text)


@pytest.mark.parametrize("path", KNOWN)
def test_a_file_has_the_names_that_its_host_knows(path: str) -> None:
    assert paths(document(path)) == set(KNOWN[path])


def environments() -> dict[str, dict[str, str]]:
    docker = [line[4:].split("=", 1) for line in texts()["edge-railway/Dockerfile"].splitlines() if line[:4] == "ENV "]
    added = [
        line.split() for line in texts()["edge-vercel/deploy.sh"].splitlines() if "env add" in line and "$" not in line
    ]
    (render,) = document("edge-render-eu/render.yaml")["services"]
    return {
        "fly": document("edge-fly/fly.toml")["env"],
        "cloudflare": document("edge-cloudflare-eu/wrangler.jsonc")["vars"],
        "railway": {name: json.loads(value) for name, value in docker},
        "render": {row["key"]: row["value"] for row in render["envVars"] if "value" in row},
        "vercel": {words[7]: words[2] for words in added},
    }


@pytest.mark.parametrize("host", [host.value for host in EdgeHost if host is not EdgeHost.NETLIFY])
def test_a_cache_is_told_that_it_only_reads_from_where_and_for_how_long(host: str) -> None:
    """003:5212 to 5235 and 003:5314."""
    told = environments()[host]
    wanted = {"AGENTDB_LAYER": "edge", "READ_ONLY": "true", "WRITES": "redirect", "EDGE_CACHE_S": "60"}
    assert {name: told[name] for name in wanted} == wanted
    assert told["EDGE_SYNC_S"] == "60"
    nearest = "eu-west" if host in ("cloudflare", "render") else "us-east"
    assert told["REGION_URL"] == told["WRITE_URL"] == f"https://{nearest}.agentdb.vendor.example"


def test_a_place_reads_from_the_region_that_is_named_for_it() -> None:
    told = environments()
    assert told["fly"]["EDGE_READS"] == "iad=us-east,ams=eu-west,sjc=us-west"
    assert told["fly"]["EDGE_PLACE_VARIABLE"] == "FLY_REGION"
    assert "us-west=https://us-west.agentdb.vendor.example" in told["railway"]["REGION_URLS"].split(",")
    assert "EDGE_READS" not in told["render"]


def test_writes_are_sent_on_before_they_reach_a_function_and_nothing_of_vercel_keeps_answers() -> None:
    writes, keeps, rest = document("edge-vercel/vercel.json")["routes"]
    assert (writes["methods"], writes["status"]) == (["POST", "PUT", "PATCH", "DELETE"], 307)
    assert writes["headers"] == {"Location": "https://us-east.agentdb.vendor.example/$1"}
    assert keeps == {"src": "/(.*)", "headers": {"cache-control": "private, no-store"}, "continue": True}
    assert rest["dest"] == "/api/index.mjs"


def test_secrets_are_named_and_never_written() -> None:
    found = {path: text for path, text in texts().items() if "REGION_TOKEN" in text}
    # The gate without a bundle reads no secret, and its Worker is given none.
    assert {path.split("/")[0] for path in found} == {"edge-fly", "edge-railway", "edge-render-eu", "edge-vercel"}
    for path in ("edge-fly/deploy.sh", "edge-railway/deploy.sh", "edge-vercel/deploy.sh"):
        assert ': "${REGION_TOKEN:?set it in your own environment}"' in found[path].splitlines()
    (service,) = document("edge-render-eu/render.yaml")["services"]
    assert [row for row in service["envVars"] if row["key"] == "REGION_TOKEN"] == [
        {"key": "REGION_TOKEN", "sync": False}
    ]
    assert [path for path, text in texts().items() if "regionToken" in text] == []


def test_no_secret_is_an_argument_of_a_command_that_others_can_see() -> None:
    lines = [line for path, text in texts().items() if path.endswith("deploy.sh") for line in text.splitlines()]
    with_secret = [line for line in lines if "$REGION_TOKEN" in line or "$CLOUDFLARE_API_TOKEN" in line]
    assert len(with_secret) == 5
    assert [line for line in with_secret if not line.startswith("printf ") or "$" not in line.split(" | ")[0]] == []
    assert [line for line in with_secret if 'TOKEN"' in line.split(" | ")[1]] == []


def test_what_starts_a_cache_is_read_by_a_shell(tmp_path: Path) -> None:
    scripts = {path: text for path, text in texts().items() if path.endswith("deploy.sh")}
    for path, text in scripts.items():
        ran = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, timeout=30, check=False)
        assert (path, ran.returncode, ran.stderr) == (path, 0, "")
        # Without its secrets it does nothing at all.
        asks = ': "${' in text
        bare = {"PATH": str(tmp_path)}
        ran = subprocess.run(["/bin/sh", "-c", text], capture_output=True, text=True, timeout=30, env=bare, check=False)
        assert (asks, ran.returncode != 0, "set it in your own environment" in ran.stderr) == (True, True, True)


def test_a_worker_with_a_bundle_asks_for_its_secrets() -> None:
    graph = run_changed(EDGE_LAYER, {f"{CACHES}.cloudflare-eu.bundle": "dist/agentdb.mjs"})
    assert document("edge-cloudflare-eu/wrangler.jsonc", graph)["secrets"] == {"required": ["REGION_TOKEN"]}
    assert 'import app from "./dist/agentdb.mjs";' in texts(graph)["edge-cloudflare-eu/gate.mjs"].splitlines()


SCALES: Mapping[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "machines of Fly.io stop without traffic": (
        {},
        "edge-fly/fly.toml",
        {"auto_stop_machines": "stop", "auto_start_machines": True, "min_machines_running": 0},
    ),
    "a fixed number of them never stops": (
        {f"{CACHES}.fly.minimum": 2},
        "edge-fly/fly.toml",
        {"auto_stop_machines": "off", "auto_start_machines": False, "min_machines_running": 2},
    ),
}


@pytest.mark.parametrize("case", SCALES)
def test_machines_stop_and_start_together(case: str) -> None:
    changes, path, wanted = SCALES[case]
    service = document(path, run_changed(EDGE_LAYER, changes))["http_service"]
    assert {name: service[name] for name in wanted} == wanted


def test_replicas_sleep_only_where_none_has_to_run() -> None:
    for minimum, sleeps in ((0, True), (2, False)):
        graph = run_changed(EDGE_LAYER, {f"{CACHES}.railway.minimum": minimum})
        assert document("edge-railway/railway.json", graph)["deploy"]["sleepApplication"] is sleeps


def test_memory_is_what_is_asked_for_by_the_hosts_own_measure() -> None:
    graph = run_changed(EDGE_LAYER, {"agentdb.memory_mib": 2560})
    assert document("edge-fly/fly.toml", graph)["vm"] == [{"memory": "2560mb", "cpu_kind": "shared", "cpus": 2}]
    assert document("edge-vercel/vercel.json", graph)["functions"]["api/index.mjs"]["memory"] == 2560
    assert document("edge-render-eu/render.yaml", graph)["services"][0]["plan"] == "pro"


def test_how_old_an_answer_is_is_the_same_in_every_layer() -> None:
    """003:5314: five minutes to the regions and one to the edge."""
    names = ("core_sync_s", "edge_sync_s", "edge_cache_s", "staleness_s", "core_host")
    said = {tuple(shipped(one)["agentdb"]["hybrid_edge"][name] for name in names) for one in (*EDGE_STACKS, EDGE_LAYER)}
    assert said == {(300, 60, 60, 420, "core.agentdb.vendor.example")}
    exported = outputs(graph_of(EDGE_LAYER))
    assert (exported["stalenessS"], exported["edgeCacheS"]) == (360, 60)
    assert "recoveryPointS" not in exported
    assert exported["edges"]["fly"] == "https://fly.agentdb.vendor.example"


def test_an_image_that_is_pinned_is_so_on_every_host() -> None:
    pinned = f"registry.vendor.example/agentdb/agentdb@sha256:{'ab' * 32}"
    graph = run_changed(EDGE_LAYER, {"agentdb.image": pinned})
    assert texts(graph)["edge-railway/Dockerfile"].splitlines()[0] == f"FROM {pinned}"
    assert document("edge-fly/fly.toml", graph)["build"]["image"] == pinned
    assert document("edge-render-eu/render.yaml", graph)["services"][0]["image"]["url"] == pinned


def test_nobody_knows_a_price() -> None:
    found = estimate(graph_of(EDGE_LAYER), load_book())
    caches = [f"edge-{name}" for name in shipped(EDGE_LAYER)["agentdb"]["hybrid_edge"]["caches"]]
    assert sorted(line.name for line in found.unknown) == sorted(caches)
    assert [line.name for line in found.lines if line.component.unknown is None] == []


def outside(changes: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    graph = run_changed(EDGE_LAYER, changes)
    context = context_of(graph, today=date(2026, 11, 21))
    return {
        (rule.id, judgement.resource.name, judgement.property_path)
        for rule in RULES
        for judgement in rule.check(graph, context)
        if judgement.verdict is Verdict.VIOLATION and judgement.resource is not None
    }


def test_an_answer_may_be_kept_only_where_its_profile_allows() -> None:
    assert outside({}) == set()
    assert outside({f"{CACHES}.fly.reads.sin": "us-west"}) == {("RES001", "edge-fly-sin", "jurisdiction")}
    sovereign = {"profile": "eu-sovereign", "boundaries": [{"data_class": "confidential", "jurisdictions": ["EU"]}]}
    found = outside({"residency": sovereign})
    american = {"edge-fly-iad", "edge-fly-sjc", "edge-vercel-iad1", "edge-cloudflare-us-us", "region-us-east"}
    assert {("RES001", name, "jurisdiction") for name in american} <= found
    assert not {name for _, name, _ in found} & {"edge-fly-ams", "edge-cloudflare-eu-eu", "edge-render-eu-frankfurt"}


REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "a region that is not described": ({f"{CACHES}.fly.reads.ams": "ap"}, "'ap' is no region of"),
    "writes to such a region": ({f"{CACHES}.fly.writes_to": "ap"}, "caches.fly.writes_to"),
    "a place of no known country": (
        {f"{CACHES}.fly.reads.xyz": "us-east"},
        "nobody knows in which country 'xyz' of fly is",
    ),
    "another country than a place is in": (
        {f"{CACHES}.fly.countries": {"ams": "US"}},
        "'US' is not the 'NL' where fly has 'ams'",
    ),
    "several places of which none is the primary one": ({f"{CACHES}.fly.primary": None}, "is required of 3 places"),
    "a primary place that is none": ({f"{CACHES}.fly.primary": "lhr"}, "'lhr' is no place of `reads`"),
    "the country of no place": ({f"{CACHES}.fly.countries": {"lhr": "GB"}}, "is no place of `reads`"),
    "two places of one Worker": (
        {f"{CACHES}.cloudflare-us.reads": {"us": "us-east", "eu": "eu-west"}},
        "a name of cloudflare leads to one",
    ),
    "a number of functions": ({f"{CACHES}.vercel.maximum": 3}, "starts functions as they are called"),
    "functions without a module": ({f"{CACHES}.vercel.bundle": None}, "is required on vercel"),
    "a module beside an image": ({f"{CACHES}.fly.bundle": "api/index.mjs"}, "has no meaning on fly"),
    "no instance of Render": ({f"{CACHES}.render-eu.minimum": 0}, "no less than one instance"),
    "more at least than at most": ({f"{CACHES}.fly.minimum": 9, f"{CACHES}.fly.maximum": 3}, "more than the maximum"),
    "a minimum that Fly.io keeps in one place": ({f"{CACHES}.fly.minimum": 1}, "in the primary one of 3 places alone"),
    "a number that Railway cannot follow": (
        {f"{CACHES}.railway.minimum": 1},
        "1 is neither 0 nor the maximum 2",
    ),
    "a login that only Render has": ({f"{CACHES}.fly.registry_login": "ours"}, "has no meaning on fly"),
    "memory that no machine has": ({"agentdb.memory_mib": 600}, "600 MiB is not what a machine of Fly.io has"),
    "one name for two caches": (
        {f"{CACHES}.fly.host": "vercel.agentdb.vendor.example"},
        "is that of 'fly' too",
    ),
    "no cache": ({CACHES: {}}, "is empty, and the edge reads from regions by caches"),
    "caches in another layer": ({"agentdb.hybrid_edge.layer": "regional"}, "has no meaning in layer regional"),
    "a database at the edge": ({"agentdb.database": {"storage_gib": 10}}, "is of the core, which alone holds"),
    "younger answers than the looks allow": (
        {"agentdb.hybrid_edge.staleness_s": 360},
        "360 s is less than the 300 + 60 s of the two looks",
    ),
    "a promise about losses": ({"agentdb.hybrid_edge.recovery_point_s": 300}, "is of the core, whose backups"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_an_edge_cannot_be_is_refused(case: str) -> None:
    changes, text = REFUSED[case]
    with pytest.raises(ConfigError) as error:
        load_spec(changed_deployment(EDGE_LAYER, changes), EDGE_LAYER)
    assert text in str(error.value)


def test_a_place_that_skerry_does_not_know_may_be_told() -> None:
    changes = {f"{CACHES}.fly.reads.waw": "eu-west", f"{CACHES}.fly.countries": {"waw": "PL"}}
    assert outside(changes) == set()


def test_every_host_has_places_in_countries() -> None:
    assert {host: all(len(code) == 2 and code.isupper() for code in places_of(host).values()) for host in EdgeHost} == (
        dict.fromkeys(EdgeHost, True)
    )


DRIVE = """\
const kept = new Map(), asked = [];
globalThis.caches = { default: {
  match: async (key) => kept.get(key.url)?.clone(),
  put: async (key, answer) => { kept.set(key.url, answer); },
} };
globalThis.fetch = async (request) => {
  asked.push(`${request.method} ${request.url}`);
  return new Response(`answer ${asked.length}`, { headers: { "set-cookie": "a=b" } });
};
const { default: gate } = await import("./gate.mjs");
const env = { REGION_URL: "https://region.example", WRITE_URL: "https://writes.example", EDGE_CACHE_S: "60",
  AGENTDB_LAYER: "edge" };
const rows = [];
for (const [method, path, who] of [["GET", "/a?b=1", "one"], ["GET", "/a?b=1", "one"], ["GET", "/a?b=1", "two"],
  ["POST", "/a?b=1", "one"], ["DELETE", "/a", "one"], ["GET", "/health", "one"]]) {
  const waits = [];
  const request = new Request(`https://edge.example${path}`, { method, headers: { authorization: who } });
  const answer = await gate.fetch(request, env, { waitUntil: (one) => waits.push(one) });
  await Promise.all(waits);
  rows.push([answer.status, answer.headers.get("location"), answer.headers.get("x-edge-cache"), await answer.text()]);
}
const stored = [...kept.values()].map((one) => [one.headers.get("cache-control"), one.headers.get("set-cookie")]);
console.log(JSON.stringify({ rows, asked, stored }));
"""


def test_the_gate_keeps_reads_of_one_caller_and_sends_writes_on(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    (tmp_path / "gate.mjs").write_text(texts()["edge-cloudflare-eu/gate.mjs"], encoding="utf-8")
    (tmp_path / "drive.mjs").write_text(DRIVE, encoding="utf-8")
    ran = subprocess.run([node, "drive.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(ran.stdout)
    assert found["rows"] == [
        [200, None, "miss", "answer 1"],
        [200, None, "hit", "answer 1"],
        [200, None, "miss", "answer 2"],
        [307, "https://writes.example/a?b=1", None, ""],
        [307, "https://writes.example/a", None, ""],
        [200, None, None, '{"status":"ok","layer":"edge"}'],
    ]
    assert found["asked"] == ["GET https://region.example/a?b=1"] * 2
    assert found["stored"] == [["max-age=60", None]] * 2
