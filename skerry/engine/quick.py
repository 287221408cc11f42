"""Quicker forms of what the SDK does for every resource, with the same results.

The SDK is written for an engine behind a socket: each output property of a resource is four futures and a task, a
value is asked whether it is unknown each time it is handed on, and a URN is made with eight outputs. In process one
future does, a scalar is known to be no unknown, and the text of a URN is joined at once. What a program gets (outputs,
their values, marks, dependencies and errors) is the same.
"""

# Source: pulumi 3.272.0 runtime/rpc.py, runtime/resource.py, output.py and urn.py, read 2026-11.

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pulumi
from pulumi import _types as sdk_types
from pulumi import output as sdk_output
from pulumi.output import _OutputData
from pulumi.runtime import known_types
from pulumi.runtime import resource as sdk_resource
from pulumi.runtime import rpc as sdk_rpc

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
"""Types that hold no other value; a subclass of one is none of them."""

_YOUNG_OBJECTS: Final = 100_000
"""How many new objects start the garbage collector; Python's own 700 make it walk all modules hundreds of times."""


@contextlib.contextmanager
def quick_sdk() -> Iterator[None]:
    """Exchange the slow parts of the SDK; they are put back at the end."""
    with contextlib.ExitStack() as stack:

        def exchange(owner: Any, name: str, replacement: Any) -> None:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, replacement)

        stack.enter_context(_calm_collector())
        exchange(sdk_rpc, "transfer_properties", _transfer_properties)
        exchange(sdk_resource, "create_urn", _creating_urn(sdk_resource.create_urn))
        exchange(sdk_rpc, "contains_unknowns", _contains_unknowns)
        exchange(sdk_output, "contains_unknowns", _contains_unknowns)
        for owner in (sdk_rpc, sdk_resource):
            exchange(owner, "serialize_property", _serializing(owner.serialize_property))
        for name in ("_names_from_annotations", "_types_from_annotations"):
            exchange(sdk_types, name, _skipping_unannotated(getattr(sdk_types, name)))
        exchange(sdk_types, "_types_from_py_properties", _reading_types(sdk_types._types_from_py_properties))
        exchange(sdk_types, "resource_types", _merging_types(sdk_types.resource_types))
        for name in ("_py_to_pulumi_names_from_py_properties", "_pulumi_to_py_names_from_py_properties"):
            exchange(sdk_types, name, functools.cache(getattr(sdk_types, name)))
        yield


@contextlib.contextmanager
def _calm_collector() -> Iterator[None]:
    """Let garbage gather for longer: a run makes many objects that live to its end."""
    before = gc.get_threshold()
    if before[0]:
        gc.set_threshold(max(_YOUNG_OBJECTS, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _transfer_properties(res: Any, props: Any, custom: bool) -> dict[str, Callable[..., None]]:
    """Give a resource an output for each property, and return what resolves them; one future each."""
    resolvers: dict[str, Callable[..., None]] = {}
    loop = asyncio.get_event_loop()
    for name in props:
        if name == "urn" or (name == "id" and custom):
            continue
        future = loop.create_future()
        resolvers[name] = functools.partial(_resolve, res, future)
        res.__dict__[name] = _output_of(future)
    return resolvers


def _resolve(
    res: Any,
    future: asyncio.Future[Any],
    value: Any,
    is_known: bool,
    is_secret: bool,
    deps: set[Any] | None,
    failed: Exception | None,
) -> None:
    if failed is not None:
        future.set_exception(failed)
        return
    future.set_result(_OutputData({*deps, res} if deps else {res}, value, is_known, is_secret))


def _output_of(future: asyncio.Future[Any]) -> Any:
    """Return the output of a future that a registration resolves.

    The SDK keeps a list of all outputs, to wait for them and to raise what they raise. A resource's URN stands there
    and is resolved with the rest, so the rest need not.
    """
    output = object.__new__(pulumi.Output)
    output._data = future
    return output


def _creating_urn(create: Callable[..., Any]) -> Callable[..., Any]:
    """Join a URN at once where all its parts are plain text."""

    @functools.wraps(create)
    def create_urn(name: Any, type_: Any, parent: Any = None, project: Any = None, stack: Any = None) -> Any:
        if not type(name) is type(type_) is type(parent) is str:
            return create(name, type_, parent, project, stack)
        future = asyncio.get_event_loop().create_future()
        future.set_result(_OutputData(set(), f"{parent[0 : parent.rfind('::')]}${type_}::{name}", True, False))
        return _output_of(future)

    return create_urn


def _contains_unknowns(val: Any) -> bool:
    """Say whether a value is an unknown or holds one."""
    return type(val) not in _SCALARS and _holds_unknown(val, set())


def _holds_unknown(val: Any, seen: set[int]) -> bool:
    if known_types.is_unknown(val):
        return True
    if isinstance(val, dict):
        items = [val[key] for key in val]
    elif isinstance(val, list):
        items = val
    else:
        return False
    if id(val) in seen:
        return False
    seen.add(id(val))
    return any(type(item) not in _SCALARS and _holds_unknown(item, seen) for item in items)


def _serializing(serialize: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a scalar on as it is, which is what the SDK does after a dozen questions about it."""

    @functools.wraps(serialize)
    async def serialize_property(value: Any, *args: Any, return_protobuf_value: bool = False, **kwargs: Any) -> Any:
        if type(value) in _SCALARS and not return_protobuf_value:
            return value
        return await serialize(value, *args, return_protobuf_value=return_protobuf_value, **kwargs)

    return serialize_property


def _skipping_unannotated(read: Callable[[type], Any]) -> Callable[[type], Any]:
    """Skip the reading of annotations where a class has none of its own, which is the rule for generated resources."""

    @functools.wraps(read)
    def from_annotations(cls: type) -> Any:
        return read(cls) if inspect.get_annotations(cls) else {}

    return from_annotations


def _reading_types(read: Callable[[type], dict[str, type]]) -> Callable[[type], Any]:
    """Resolve the annotations of a class by need: a program sets five of a pod's forty properties."""

    @functools.cache
    def _types_from_py_properties(cls: type) -> Any:
        return _TypesByNeed(cls, read)

    return _types_from_py_properties


def _merging_types(merge: Callable[[type], dict[str, type]]) -> Callable[[type], Any]:
    """Leave the types of a resource as they are where its class has no annotations to merge with them."""

    @functools.wraps(merge)
    def resource_types(resource_cls: type) -> Any:
        return merge(resource_cls) if inspect.get_annotations(resource_cls) else _types_of(resource_cls)

    return resource_types


def _types_of(cls: type) -> Any:
    return sdk_types._types_from_py_properties(cls)


class _TypesByNeed(Mapping[str, type]):
    """The types of a class's properties; each is resolved when it is asked for, all when one looks at the whole."""

    def __init__(self, cls: type, read: Callable[[type], dict[str, type]]) -> None:
        self._cls = cls
        self._read = read
        self._whole: dict[str, type] | None = None
        self._found: dict[str, Any] = {}
        self._getters: dict[str, list[Any]] = {}
        for _, name, prop in sdk_types._py_properties(cls):
            self._getters.setdefault(name, []).insert(0, prop.fget)
        self._globals = sdk_types._globals_for_cls(cls)

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self._found:
            self._found[key] = self._resolved(key)
        found = self._found[key]
        return default if found is None else found

    def _resolved(self, key: str) -> Any:
        names = {"Output": pulumi.Output, "T": type(None)}
        for getter in self._getters.get(key, ()):
            hint = typing.get_type_hints(getter, globalns=self._globals, localns=names).get("return")
            if hint is not None:
                found = sdk_types.unwrap_type(hint)
                return None if found is pulumi.Output else found
        return None

    def _all(self) -> dict[str, type]:
        if self._whole is None:
            self._whole = self._read(self._cls)
        return self._whole

    def __getitem__(self, key: str) -> type:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
