"""A cache at the edge on Netlify: one region, writes sent on, answers that nothing of Netlify keeps."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.graph import ResourceGraph
from skerry.render.files import files
from tests.simulators.changed_stacks import changed_deployment, run_changed
from tests.simulators.cluster_service_stacks import EDGE_LAYER

CACHES = "agentdb.hybrid_edge.caches"
CACHE = {
    "runs_on": "netlify",
    "host": "netlify.agentdb.vendor.example",
    "bundle": "dist/agentdb.mjs",
    "reads": {"fra": "eu-west"},
}
CHANGES: dict[str, Any] = {CACHES: {"netlify": CACHE}, "agentdb.memory_mib": 1024, "agentdb.longest_request_s": 30}
FUNCTION = "netlify/functions/agentdb.mjs"


@cache
def graph() -> ResourceGraph:
    return run_changed(EDGE_LAYER, CHANGES)


def texts() -> dict[str, str]:
    return {file.path.removeprefix("edge-netlify/"): file.text for file in files(graph())}


def test_it_is_a_folder_beside_the_others() -> None:
    assert sorted(texts()) == sorted(["deploy.sh", FUNCTION, "netlify.toml", "public/.keep"])


def test_netlify_reads_where_the_function_is_and_where_it_runs() -> None:
    assert tomllib.loads(texts()["netlify.toml"]) == {
        "build": {"publish": "public"},
        "functions": {"directory": "netlify/functions", "node_bundler": "esbuild"},
    }
    config = texts()[FUNCTION].partition("export const config = ")[2].rstrip().removesuffix(";")
    assert json.loads(config) == {"path": "/*", "region": "fra", "memory": 1024}


def test_it_is_told_that_it_only_reads_and_secrets_are_named_and_never_written() -> None:
    lines = texts()["deploy.sh"].splitlines()
    told = {words[2]: words[3] for line in lines if "env:set" in line and '"$' not in line and (words := line.split())}
    wanted = {"READ_ONLY": "true", "AGENTDB_LAYER": "edge", "EDGE_CACHE_S": "60"}
    assert {name: told[name] for name in wanted} == wanted
    assert told["REGION_URL"] == "https://eu-west.agentdb.vendor.example"
    assert ': "${REGION_TOKEN:?set it in your own environment}"' in lines
    assert 'netlify env:set REGION_TOKEN "$REGION_TOKEN" --context production --secret' in lines


DRIVE = """
process.env.WRITE_URL = "https://writes.example";
process.env.AGENTDB_LAYER = "edge";
const { default: answer } = await import("./netlify/functions/agentdb.mjs");
const rows = [];
for (const [method, path] of [["GET", "/a?b=1"], ["POST", "/a?b=1"], ["DELETE", "/a"], ["GET", "/health"]]) {
  const found = await answer(new Request(`https://edge.example${path}`, { method }), {});
  rows.push([found.status, found.headers.get("location"), found.headers.get("cache-control"), await found.text()]);
}
console.log(JSON.stringify(rows));
"""


def test_the_function_sends_writes_on_and_lets_nothing_be_kept(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    (tmp_path / "netlify" / "functions").mkdir(parents=True)
    (tmp_path / FUNCTION).write_text(texts()[FUNCTION], encoding="utf-8")
    (tmp_path / "dist").mkdir()
    own = "export default async (request) => new Response(new URL(request.url).pathname, "
    (tmp_path / "dist" / "agentdb.mjs").write_text(own + '{ headers: { "cache-control": "max-age=9" } });')
    (tmp_path / "drive.mjs").write_text(DRIVE, encoding="utf-8")
    ran = subprocess.run([node, "drive.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(ran.stdout) == [
        [200, None, "private, no-store", "/a"],
        [307, "https://writes.example/a?b=1", None, ""],
        [307, "https://writes.example/a", None, ""],
        [200, None, None, '{"status":"ok","layer":"edge"}'],
    ]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a module is what it runs": ({f"{CACHES}.netlify.bundle": None}, "is required on netlify"),
    "a function is in one region": (
        {f"{CACHES}.netlify.reads": {"fra": "eu-west", "iad": "us-east"}},
        "a name of netlify leads to one",
    ),
    "functions have no number": ({f"{CACHES}.netlify.maximum": 3}, "starts functions as they are called"),
    "less memory than its default": ({"agentdb.memory_mib": 512}, "512 MiB is not what a function of Netlify has"),
    "longer than it runs": ({"agentdb.longest_request_s": 90}, "90 s is more than a function of Netlify runs, 60 s"),
    "a place that it has not": ({f"{CACHES}.netlify.reads": {"ams": "eu-west"}}, "nobody knows in which country"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_it_cannot_is_refused(case: str) -> None:
    more, text = REFUSED[case]
    with pytest.raises(ConfigError) as told:
        load_spec(changed_deployment(EDGE_LAYER, {**CHANGES, **more}), "a test")
    assert text in str(told.value)
