"""RES002 for prompts: what a provider of models is told leaves the boundary, unless a contract keeps it inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.context import Context, boundary
from policies.verdict import Judgement, ok, violation
from skerry.jurisdictions import inside

PROVIDERS: Final = frozenset({"openai", "anthropic"})
"""What endpoints of hosted models are called; held to the configuration's choices by a test."""


def prompts(context: Context) -> Iterator[Judgement]:
    """Judge where each provider that somebody else runs may answer.

    Left alone, both answer in any country where they have machines; a project or a workspace can be held to some, which
    is set at the provider and not seen here.

    Source: developers.openai.com "Data residency" and platform.claude.com "Data residency" (inference_geo, default
    "global"), read 2026-11.
    """
    for resource, facts in context.components():
        deployment = context.deployment(resource)
        row = boundary(deployment, facts.data_class) if deployment else None
        # A namespace names what its policies let out, which is said where it is asked.
        if row is None or context.own[resource.urn].role == "namespace":
            continue
        for at, endpoint in enumerate(context.own[resource.urn].endpoints):
            if endpoint.name not in PROVIDERS or endpoint.scope != "internet":
                continue
            allowed = ", ".join(row.jurisdictions)
            outside = [code for code in endpoint.jurisdictions if not inside(code, row.jurisdictions)]
            if not endpoint.jurisdictions:
                text = f"prompts go to {endpoint.host}, which may answer in any country; they must stay in {allowed}"
                yield violation(resource, text, f"endpoints[{at}].host")
            elif outside:
                text = f"prompts go to {endpoint.host} in {', '.join(outside)}, but must stay in {allowed}"
                yield violation(resource, text, f"endpoints[{at}].jurisdictions")
            else:
                kept = ", ".join(endpoint.jurisdictions)
                yield ok(resource, f"a contract keeps prompts of {endpoint.host} in {kept}")
