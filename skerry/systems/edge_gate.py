"""The Worker that stands before a cache on Cloudflare: reads are kept for a time, writes go to the region."""

from __future__ import annotations

import json
from typing import Final

_FROM_BUNDLE: Final = "app.fetch(request, env, context)"
_FROM_REGION: Final = "fetch(new Request(new URL(path, env.REGION_URL), request))"

_GATE: Final = """\
// A cache that only reads: what was read is kept for EDGE_CACHE_S seconds, and writes are sent to WRITE_URL.
%(imported)sconst READS = ["GET", "HEAD", "OPTIONS"];

// Two callers never share an answer: the key of one holds a digest of what he proves himself by.
async function keyOf(request) {
  const proof = ["authorization", "cookie", "x-api-key"].map((name) => request.headers.get(name) ?? "").join("\\n");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(proof));
  const caller = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const url = new URL(request.url);
  url.searchParams.append("edge-caller", caller);
  return new Request(url, { method: "GET" });
}

function toCaller(answer, found) {
  const copy = new Response(answer.body, answer);
  copy.headers.set("cache-control", "private, no-store");
  copy.headers.set("x-edge-cache", found);
  return copy;
}

export default {
  async fetch(request, env, context) {
    const { pathname, search } = new URL(request.url);
    const path = pathname + search;
    if (!READS.includes(request.method)) {
      return new Response(null, { status: 307, headers: { location: new URL(path, env.WRITE_URL).href } });
    }
    if (pathname === %(health)s) {
      return Response.json({ status: "ok", layer: env.AGENTDB_LAYER });
    }
    const keeps = request.method === "GET";
    const key = keeps ? await keyOf(request) : undefined;
    const kept = keeps ? await caches.default.match(key) : undefined;
    if (kept) {
      return toCaller(kept, "hit");
    }
    const answer = await %(source)s;
    if (keeps && answer.status === 200) {
      const copy = new Response(answer.clone().body, answer);
      copy.headers.set("cache-control", `max-age=${env.EDGE_CACHE_S}`);
      copy.headers.delete("set-cookie");
      context.waitUntil(caches.default.put(key, copy));
    }
    return toCaller(answer, "miss");
  },
};
"""


def gate(bundle: str | None, health: str) -> str:
    """Return the module.

    Args:
        bundle: the user's module that answers reads, beside it; None where the region answers.
        health: the path by which it is asked whether it is well, which it answers itself.
    """
    return _GATE % {
        "imported": f"import app from {json.dumps(f'./{bundle}')};\n\n" if bundle else "",
        "health": json.dumps(health),
        "source": _FROM_BUNDLE if bundle else _FROM_REGION,
    }
