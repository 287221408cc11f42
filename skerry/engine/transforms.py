"""Transforms: functions of the program that the engine calls back, here without the socket between them.

The SDK registers a transform with its callback server and sends the engine a token. `InProcessCallbacks` keeps the
SDK's own table of tokens and drops the server; `Transforms` runs them in the order the engine does.
"""

# Source: pulumi/pulumi pkg v3.250.0 resource/deploy/source_eval.go (RegisterResource, upgradeOutputValues) and pulumi
# 3.272.0 runtime/_callbacks.py, read 2026-11.

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime.proto import alias_pb2, resource_pb2

from skerry.engine import values


class InProcessCallbacks(_CallbackServicer):
    """The SDK's table of callbacks without its server."""

    def __init__(self, monitor: Any) -> None:
        """Keep the tables that the SDK fills; the event loop is bound when the program starts."""
        self._callbacks = {}
        self._transforms = {}
        self._state_migrations = {}
        self._monitor = monitor
        self._target = "in-process"
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def in_use(self) -> bool:
        """Whether the program registered any callback: calls to the monitor then need a thread of their own."""
        return bool(self._callbacks)

    def function(self, token: str) -> Any:
        """Return what the SDK made of a function of the program."""
        return self._callbacks.get(token)

    def run(self, token: str, request: Any) -> bytes:
        """Run a callback on the program's event loop and return its answer; called from another thread."""
        if self.loop is None:
            raise RuntimeError("a callback was run before the program started")

        async def answer() -> bytes:
            return bytes((await self._callbacks[token](request.SerializeToString())).SerializeToString())

        return asyncio.run_coroutine_threadsafe(answer(), self.loop).result()


@dataclass(slots=True)
class Change:
    """A registration after its transforms."""

    inputs: dict[str, Any]
    options: Any
    dependencies: set[str]
    property_dependencies: dict[str, set[str]]
    own: tuple[str, ...] = ()
    """The resource's own transforms, which its children run too."""


class Transforms:
    """Runs the transforms of a program."""

    def __init__(self, callbacks: InProcessCallbacks) -> None:
        """Start with no transform of the stack."""
        self._callbacks = callbacks
        self.stack: list[str] = []
        self.invokes: list[str] = []

    def own(self, request: Any) -> tuple[str, ...]:
        """Return the tokens of the transforms declared on the resource itself."""
        return tuple(callback.token for callback in request.transforms)

    def apply(self, request: Any, provider: str, own: tuple[str, ...], inherited: tuple[str, ...]) -> Change:
        """Run the resource's own transforms, its parents' and the stack's; return what is to be registered."""
        inputs = values.to_plain(request.object)
        dependencies = set(request.dependencies)
        by_property = {key: set(found.urns) for key, found in request.propertyDependencies.items()}
        if not by_property and not request.remote:
            by_property = {key: set(dependencies) for key in inputs}
        options = _options(request, provider)
        tokens = (*own, *inherited, *self.stack)
        if tokens:
            inputs = values.upgrade(inputs)
            if own:
                inputs = {key: values.with_dependencies(v, by_property.get(key, set())) for key, v in inputs.items()}
            for token in tokens:
                inputs, options = self._run(token, request, inputs, options)
        if own:
            # The engine rebuilds the dependencies from what the resource's own transforms returned.
            by_property = {key: values.output_dependencies(value) for key, value in inputs.items()}
            dependencies = set(options.depends_on).union(*by_property.values())
        else:
            for key, value in inputs.items():
                by_property.setdefault(key, set()).update(values.output_dependencies(value))
        return Change(inputs, options, dependencies, by_property, own)

    def _run(self, token: str, request: Any, inputs: dict[str, Any], options: Any) -> tuple[dict[str, Any], Any]:
        message = resource_pb2.TransformRequest(
            name=request.name,
            type=request.type,
            parent=request.parent,
            custom=request.custom,
            properties=values.to_struct(inputs),
            options=options,
        )
        answer = resource_pb2.TransformResponse.FromString(self._callbacks.run(token, message))
        changed = values.to_plain(answer.properties) if answer.HasField("properties") else inputs
        return changed, answer.options if answer.HasField("options") else options

    def apply_to_invoke(self, request: Any, args: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Run the stack's transforms of function calls; return the arguments and the provider that they leave."""
        if not self.invokes:
            return args, str(request.provider)
        secrets = {key for key, value in args.items() if values.holds_secret(value)}
        args = {key: values.reveal(value) for key, value in args.items()}
        options = resource_pb2.TransformInvokeOptions(provider=request.provider, version=request.version)
        for token in self.invokes:
            message = resource_pb2.TransformInvokeRequest(
                token=request.tok, args=values.to_struct(args), options=options
            )
            answer = resource_pb2.TransformInvokeResponse.FromString(self._callbacks.run(token, message))
            args = values.to_plain(answer.args) if answer.HasField("args") else args
            options = answer.options if answer.HasField("options") else options
        marked = {key: values.secret(value) if key in secrets else value for key, value in args.items()}
        return marked, str(options.provider)


def _options(request: Any, provider: str) -> Any:
    options = resource_pb2.TransformResourceOptions(
        depends_on=request.dependencies,
        ignore_changes=request.ignoreChanges,
        replace_on_changes=request.replaceOnChanges,
        version=request.version,
        aliases=[*(alias_pb2.Alias(urn=urn) for urn in request.aliasURNs), *request.aliases],
        provider=provider,
        providers=dict(request.providers),
        plugin_download_url=request.pluginDownloadURL,
        deleted_with=request.deletedWith,
        replace_with=request.replace_with,
        additional_secret_outputs=request.additionalSecretOutputs,
        hooks=request.hooks,
        hide_diff=request.hideDiffs,
        **{"import": request.importId},
    )
    if request.HasField("protect"):
        options.protect = request.protect
    if request.HasField("retainOnDelete"):
        options.retain_on_delete = request.retainOnDelete
    if request.deleteBeforeReplaceDefined or request.deleteBeforeReplace:
        options.delete_before_replace = request.deleteBeforeReplace
    if request.HasField("customTimeouts"):
        options.custom_timeouts.CopyFrom(request.customTimeouts)
    if request.HasField("replacement_trigger"):
        options.replacement_trigger.CopyFrom(request.replacement_trigger)
    return options
