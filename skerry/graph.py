"""The resource graph: what a Pulumi program declares, and the one thing that every reader reads.

Three producers make it (the embedded engine, `pulumi preview --json`, `pulumi stack export`); policies, cost, the
bundle planner and the renderers only read it. Its JSON form is `skerry.graph_json`.

A value inside `inputs` or `outputs` is `None`, `bool`, `int`, `float`, `str`, a list, a dict with string keys, or one
of the marks `UNKNOWN`, `Secret`, `Asset` and `ResourceRef`. Readers call `plain`, `is_known` or `find` and never guess
at a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from skerry.errors import GraphError

STACK_TYPE: Final = "pulumi:pulumi:Stack"
STACK_REFERENCE_TYPE: Final = "pulumi:pulumi:StackReference"
PROVIDER_PREFIX: Final = "pulumi:providers:"
_PLACE_KEYS: Final = frozenset({"location", "region", "zone"})


class Unknown:
    """The mark of a value that is only known after a deployment; there is one instance, `UNKNOWN`."""

    _instance: Unknown | None = None

    def __new__(cls) -> Unknown:
        """Return the one instance."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        """Return the way reports show it."""
        return "<unknown>"

    def __bool__(self) -> bool:
        """Refuse to be taken for true or false: an unknown is neither."""
        raise GraphError("an unknown value was used as a condition: ask is_known() first")


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that must never be shown; `value` may itself be `UNKNOWN`."""

    value: Any

    def __repr__(self) -> str:
        """Return the mask, never the value."""
        return "<secret>"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, text or archive that a program hands to a provider."""

    kind: str
    """One of `file`, `text`, `remote`, `archive`."""
    location: str
    """The path or address; empty for text."""


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """A resource handed on as a value."""

    urn: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One node of the graph, with the resource options that readers ask about."""

    urn: str
    """`urn:pulumi:<stack>::<project>::<parent types$>type::name`."""
    type: str
    """The type token, for example `aws:s3/bucket:Bucket` or `skerry:index:MetaTier`."""
    name: str
    """The logical name."""
    custom: bool
    """False for a component."""
    parent: str = ""
    """The parent's URN; empty for the stack itself."""
    provider: str = ""
    """The provider reference `<urn>::<id>`; empty for a component, or where the default provider serves it."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """What `register_outputs` gave for components and stacks; state outputs when read from a state."""
    dependencies: tuple[str, ...] = ()
    """URNs, sorted: `depends_on` and every resource whose output is in an input."""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Top-level input name -> URNs, sorted."""
    protect: bool = False
    retain_on_delete: bool = False
    external: bool = False
    """Read from the provider (`X.get`), not managed by this stack."""
    id: str = ""
    """The provider's id where it is known (external resources, states)."""
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    deleted_with: str = ""
    version: str = ""
    """The provider plugin's version that the SDK asked for."""
    source: str = ""
    """`file:line` of the user's code that made it, relative to the program; empty where not known."""

    @property
    def stack(self) -> str:
        """The stack's name, taken from the URN."""
        return self.urn.split("::", 1)[0].removeprefix("urn:pulumi:")

    @property
    def is_provider(self) -> bool:
        """Whether this is a provider resource."""
        return self.type.startswith(PROVIDER_PREFIX)


@dataclass(frozen=True, slots=True)
class Invoke:
    """A provider function that the program called while it ran."""

    token: str
    stack: str
    answered: bool
    """False: no answer was at hand, so the result is unknown and reports list it."""
    args: Mapping[str, Any] = field(default_factory=dict)
    answered_by: str = ""
    """`engine`, `table`, `stand-in`, `computed`, `file` or `component`; empty where nothing answered."""


@dataclass(frozen=True, slots=True)
class ResourceGraph:
    """All resources of a deployment: one stack, or a base stack and the stacks that refer to it."""

    project: str
    stacks: tuple[str, ...]
    """In the order in which they come up; the last one is the stack that was asked for."""
    resources: tuple[Resource, ...]
    """In registration order; a parent stands before its children."""
    invokes: tuple[Invoke, ...] = ()
    producer: str = ""
    """`engine`, `preview-json`, `preview-events` or `state`."""
    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Stack -> where its default providers put things: `aws:region` and the like, as far as they are known."""
    _by_urn: dict[str, Resource] = field(init=False, repr=False, compare=False)
    _children: dict[str, tuple[Resource, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index by URN.

        Raises:
            GraphError: two resources bear the same URN.
        """
        by_urn: dict[str, Resource] = {}
        children: dict[str, list[Resource]] = {}
        for resource in self.resources:
            if resource.urn in by_urn:
                raise GraphError(f"two resources have the URN {resource.urn}: give one of them another name")
            by_urn[resource.urn] = resource
            children.setdefault(resource.parent, []).append(resource)
        object.__setattr__(self, "_by_urn", by_urn)
        object.__setattr__(self, "_children", {urn: tuple(found) for urn, found in children.items()})

    def __getitem__(self, urn: str) -> Resource:
        """Return the resource with `urn`.

        Raises:
            GraphError: there is none.
        """
        try:
            return self._by_urn[urn]
        except KeyError:
            raise GraphError(f"no resource has the URN {urn}") from None

    def get(self, urn: str) -> Resource | None:
        """Return the resource with `urn`, or None."""
        return self._by_urn.get(urn)

    def children(self, urn: str) -> tuple[Resource, ...]:
        """Return the direct children in registration order; `""` gives the stacks."""
        return self._children.get(urn, ())

    def descendants(self, urn: str) -> Iterator[Resource]:
        """Yield everything under `urn`, depth first."""
        for child in self.children(urn):
            yield child
            yield from self.descendants(child.urn)

    def ancestors(self, resource: Resource) -> Iterator[Resource]:
        """Yield parent, grandparent and so on, up to the stack."""
        parent = self.get(resource.parent) if resource.parent else None
        while parent is not None:
            yield parent
            parent = self.get(parent.parent) if parent.parent else None

    def of_type(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of these type tokens, in order."""
        return (resource for resource in self.resources if resource.type in types)

    def provider_of(self, resource: Resource) -> Resource | None:
        """Return the explicit provider resource that serves `resource`, or None."""
        return self.get(resource.provider.rsplit("::", 1)[0]) if resource.provider else None

    def path(self, resource: Resource) -> str:
        """Return `stack > component > ... > name`, the way reports name a resource."""
        names = [resource.name] + [ancestor.name for ancestor in self.ancestors(resource)]
        return " > ".join(reversed(names))

    def stack_outputs(self, stack: str) -> Mapping[str, Any]:
        """Return the outputs of one stack; empty where it exports none."""
        for resource in self.children(""):
            if resource.type == STACK_TYPE and resource.stack == stack:
                return resource.outputs
        return {}

    def unknown_paths(self) -> list[tuple[Resource, str]]:
        """Return each resource with each input path that is unknown, in order."""
        return [
            (resource, path)
            for resource in self.resources
            for path, value in walk(resource.inputs)
            if value is UNKNOWN or (isinstance(value, Secret) and value.value is UNKNOWN)
        ]


def merge(graphs: Iterable[ResourceGraph]) -> ResourceGraph:
    """Join the graphs of several stacks into one, in the given order.

    Raises:
        GraphError: no graph was given, or two of them hold the same URN.
    """
    parts = list(graphs)
    if not parts:
        raise GraphError("no graph to merge")
    return ResourceGraph(
        project=parts[-1].project,
        stacks=tuple(stack for part in parts for stack in part.stacks),
        resources=tuple(resource for part in parts for resource in part.resources),
        invokes=tuple(invoke for part in parts for invoke in part.invokes),
        producer=parts[-1].producer,
        places={stack: found for part in parts for stack, found in part.places.items()},
    )


def places_of(config: Mapping[str, str]) -> dict[str, str]:
    """Return what a stack's configuration (full key -> value) says about the places of its default providers."""
    return {key: config[key] for key in sorted(config) if key.partition(":")[2] in _PLACE_KEYS and config[key]}


def is_known(value: object) -> bool:
    """Say whether `value` holds no unknown at any depth."""
    if value is UNKNOWN:
        return False
    if isinstance(value, Secret):
        return is_known(value.value)
    if isinstance(value, Mapping):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(is_known(item) for item in value)
    return True


def plain(value: Any) -> Any:
    """Return `value` with secret marks taken off, for readers that must look at shapes; never for output."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def find(value: Any, path: str, default: Any = None) -> Any:
    """Follow a dotted path (`spec.template.spec`), stopping at the first mark.

    Returns the value, `UNKNOWN` when an unknown stands in the way, or `default` when the path is absent. A secret on
    the way is looked through, and what it held is returned as a `Secret`.
    """
    secret = False
    for part in path.split(".") if path else ():
        if isinstance(value, Secret):
            secret, value = True, value.value
        if value is UNKNOWN:
            break
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return default
    return Secret(value) if secret and not isinstance(value, Secret) else value


def walk(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf with its path (`spec.containers[0].image`); marks are leaves."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from walk(item, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from walk(item, f"{prefix}[{index}]")
    else:
        yield prefix, value
