"""What systems say of the runtime that they are put on: no word to one that has no use for it."""

from __future__ import annotations

from skerry.config.application import Runtime, SiteSpec

NAMES_ITS_SITE = (Runtime.ECS, Runtime.LAMBDA)
"""Runtimes whose shared resources bear a name that a user can choose."""

ASKS_CALLERS = (Runtime.CLOUD_RUN, Runtime.FUNCTIONS)
"""Runtimes that ask callers for an identity of the cloud unless they are told not to."""


def named_site(site: SiteSpec, name: str, runtime: Runtime) -> SiteSpec:
    """Return the site, called as the system where a name of it is written anywhere."""
    if runtime not in NAMES_ITS_SITE or site.name is not None:
        return site
    return site.model_copy(update={"name": name})


def asks_callers(runtime: Runtime) -> bool:
    """Say whether callers are asked for an identity of the cloud, so that it has to be said where they have none."""
    return runtime in ASKS_CALLERS
