"""The URNs under which an earlier deployment may know a resource, as the engine works them out.

An alias says what was different (name, type, parent, stack, project, or no parent); what it leaves out is as the
resource is now. A parent's aliases pass to its children, whose names change along where they begin with the parent's.
The engine follows the one alias of a parent that it finds in the state; without a state each of them may be it, so all
are followed.
"""

# Source: pulumi/pulumi pkg v3.250.0 resource/deploy/step_generator.go (collapseAliasToUrn, inheritedChildAlias,
# generateAliases), read 2026-11.

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from skerry.engine import urns

MOST_INHERITED: Final = 1000
"""Aliases of a resource that come through its parent's. A type of azure-native has hundreds of its own, one a version
of the API, and each level of parents would multiply them: beyond three levels no machine holds them."""


def resolve(aliases: Iterable[Any], urn: str, parent: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return every URN that `aliases` (wire form) give a resource, its own first, then those through its parent.

    `known` holds the aliases of the resources registered so far, by URN.
    """
    stack, project, type_, name = _parts(urn)
    own = [found for alias in aliases for found in _collapse(alias, (stack, project, type_, name), parent, known)]
    kinds = dict.fromkeys(((type_, name), *((_parts(found)[2], _parts(found)[3]) for found in own)))
    # The resource as it is now under each alias of its parent comes first, so the limit takes what is least likely.
    pairs = ((kind, alias) for kind in kinds for alias in known.get(parent, ()))
    inherited = (
        _through_parent(child_type, child_name, parent, alias, stack, project)
        for (child_type, child_name), alias in itertools.islice(pairs, MOST_INHERITED)
    )
    return tuple(found for found in dict.fromkeys((*own, *inherited)) if found != urn)


def _parts(urn: str) -> tuple[str, str, str, str]:
    stack, project, chain, name = urn.removeprefix("urn:pulumi:").split("::", 3)
    return stack, project, chain.rsplit("$", 1)[-1], name


def _collapse(
    alias: Any, now: tuple[str, str, str, str], parent: str, known: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    if alias.HasField("urn"):
        yield str(alias.urn)
        return
    spec, (stack, project, type_, name) = alias.spec, now
    # A parent that bears an alias itself was known by that one.
    parents = ("",) if spec.noParent else known.get(spec.parentUrn) or (spec.parentUrn or parent,)
    for was_under in parents:
        yield urns.create(
            spec.stack or stack, spec.project or project, was_under, spec.type or type_, spec.name or name
        )


def _through_parent(type_: str, name: str, parent: str, alias: str, stack: str, project: str) -> str:
    parent_name = _parts(parent)[3]
    if name.startswith(parent_name):
        name = _parts(alias)[3] + name.removeprefix(parent_name)
    return urns.create(stack, project, alias, type_, name)
