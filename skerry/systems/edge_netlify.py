"""The function that stands before a cache on Netlify: writes go to the region, and nothing of Netlify keeps answers."""

from __future__ import annotations

import json
from typing import Final

from skerry.systems.edge_environment import WRITES

_FUNCTION: Final = """\
// A cache that only reads: writes are sent to WRITE_URL, and Netlify's network keeps no answer.
import app from %(module)s;

const WRITES = %(writes)s;

export default async (request, context) => {
  const { pathname, search } = new URL(request.url);
  if (WRITES.includes(request.method)) {
    const location = new URL(pathname + search, process.env.WRITE_URL).href;
    return new Response(null, { status: 307, headers: { location } });
  }
  if (pathname === %(health)s) {
    return Response.json({ status: "ok", layer: process.env.AGENTDB_LAYER });
  }
  const answer = await app(request, context);
  const copy = new Response(answer.body, answer);
  copy.headers.set("cache-control", "private, no-store");
  copy.headers.set("netlify-cdn-cache-control", "no-store");
  return copy;
};

export const config = %(config)s;
"""

_TOML: Final = """\
[build]
publish = "public"

[functions]
directory = "netlify/functions"
node_bundler = "esbuild"
"""


def netlify_toml() -> str:
    """Return the file that Netlify reads first."""
    return _TOML


def netlify_function(bundle: str, region: str, memory_mib: int, health: str) -> str:
    """Return the function.

    Args:
        bundle: the user's module beside `netlify.toml`, whose default export takes a Request and gives a Response.
        region: Netlify's word for the place where it runs.
        memory_mib: its memory.
        health: the path by which it is asked whether it is well, which it answers itself.
    """
    config = {"path": "/*", "region": region, "memory": memory_mib}
    return _FUNCTION % {
        "module": json.dumps(f"../../{bundle}"),
        "writes": json.dumps(list(WRITES)),
        "health": json.dumps(health),
        "config": json.dumps(config, indent=2),
    }
