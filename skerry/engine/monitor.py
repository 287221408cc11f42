"""The resource monitor: answers a program in process as the engine of `pulumi preview` answers it on a new stack.

The rules, in the order in which a registration meets them:

1. What the parent says is inherited where the child is silent: protect, retainOnDelete, deletedWith, and the provider
   of a custom resource. A resource that is only read passes nothing on.
2. An explicit provider wins; then the `providers` of the request; then those of the enclosing components.
3. Transforms run: the resource's own, its parents' from the inside out, then the stack's.
4. The URN is `urn:pulumi:<stack>::<project>::<parent types$>type::name`; a second one is an error.
5. The outputs of a custom resource are its inputs; all else, its id included, is unknown. A component has no outputs
   until it registers them. A provider's id is the fixed mark that the command shows in a preview.

What needs a provider plugin (functions without an answer in skerry.engine.functions, methods, components of packages
that are not in a local folder, existence checks) is recorded as an unanswered call and its result is unknown.
"""

# Source: pulumi/pulumi pkg v3.250.0 resource/deploy/source_eval.go and builtins.go, and pulumi 3.272.0 (Python), read
# 2026-11.

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf import empty_pb2
from pulumi.runtime.proto import resource_pb2

from skerry.engine import urns, values
from skerry.engine.aliases import resolve
from skerry.engine.answers import Answers
from skerry.engine.components import LocalComponents
from skerry.engine.functions import Functions
from skerry.engine.hooks import Hooks
from skerry.engine.registration import (
    DefaultProviders,
    Draft,
    check_assets,
    check_options,
    check_token,
    inherit,
    preview_outputs,
    source,
)
from skerry.engine.transforms import Change, InProcessCallbacks, Transforms
from skerry.errors import ProgramError
from skerry.graph import PROVIDER_PREFIX, STACK_REFERENCE_TYPE, Invoke, Resource, ResourceGraph

_FEATURES: Final = (
    "SECRETS",
    "RESOURCE_REFERENCES",
    "OUTPUT_VALUES",
    "ALIAS_SPECS",
    "REPLACEMENT_TRIGGER",
    "DELETED_WITH",
    "REPLACE_WITH",
    "TRANSFORMS",
    "INVOKE_TRANSFORMS",
    "PARAMETERIZATION",
    "RESOURCE_HOOKS",
    "ERROR_HOOKS",
    "SENDS_OPTIONS_TO_HOOKS",
    "INVOKE_DEPENDS_ON",
    "STATE_MIGRATIONS",
)
"""What the monitor says it supports: what the engine does, and two that newer ones do. With INVOKE_DEPENDS_ON a call
that must wait reaches the monitor and is recorded; a state migration changes no first preview."""


class Monitor:
    """Implements the ResourceMonitor contract for one run of one program."""

    def __init__(
        self,
        project: str,
        stack: str,
        stack_outputs: Mapping[str, Mapping[str, Any]],
        config: Mapping[str, str],
        *,
        answers: Answers | None = None,
        packages: Mapping[str, Path] = {},
    ) -> None:
        """Start with nothing registered.

        `stack_outputs` answers stack references by stack name, `answers` function calls (None: the built-in table);
        `packages` are the local folders of component packages by name.

        Raises:
            ConfigError: `pulumi:disable-default-providers` is not a list of names.
        """
        self.project = project
        self.stack = stack
        self.drafts: dict[str, Draft] = {}
        self.callbacks = InProcessCallbacks(self)
        self.functions = Functions(project, stack, stack_outputs, config, answers)
        self.components = LocalComponents(packages, project, stack)
        self._transforms = Transforms(self.callbacks)
        self._pending: dict[tuple[str, str, str], tuple[tuple[str, ...], Any]] = {}
        self._hooks = Hooks(self.callbacks)
        self._aliases_of: dict[str, tuple[str, ...]] = {}
        self._config = config
        self._defaults = DefaultProviders(config)
        self._packages: dict[bytes, str] = {}
        self._package_versions: dict[str, str] = {}
        self._package_names: dict[str, str] = {}

    @property
    def invokes(self) -> list[Invoke]:
        """The function calls so far."""
        return self.functions.invokes

    # -- what the program registers -----------------------------------------------------------------------------

    def register_resource(self, request: Any) -> Any:
        """Record a resource and answer with its URN and what a preview knows of its outputs.

        Raises:
            ProgramError: the type token is malformed, the URN was registered before, or it needs a default provider
                that is switched off.
        """
        type_, name = request.type, request.name
        if request.custom or request.remote:
            check_token(type_, name)
        check_options(request)
        parent = self.drafts.get(request.parent)
        if parent is not None:
            inherit(request, parent)
        change = self._transform(request, self._resolve_provider(request, parent))
        opts = change.options
        check_assets(request, change.inputs)
        providers = dict(opts.providers)
        if not request.custom and parent is not None:
            providers = {**parent.providers, **providers}
            opts.providers.update(providers)
        provider = "" if type_.startswith(PROVIDER_PREFIX) else opts.provider
        if request.custom or request.remote:
            self._defaults.check(type_, provider)
        if request.remote and (servicer := self._component_provider(request)) is not None:
            self.functions.record(type_, change.inputs, "component")
            return self.components.construct(servicer, request, change)
        urn = urns.create(self.stack, self.project, request.parent, type_, name)
        draft = Draft(
            order=request.sourcePosition.column,
            fields=self._fields(request, change, urn, provider),
            protect=opts.protect if opts.HasField("protect") else None,
            retain_on_delete=opts.retain_on_delete if opts.HasField("retain_on_delete") else None,
            deleted_with=opts.deleted_with,
            # The engine keeps no provider of a component, so nothing inherits it; its map of providers does the work.
            provider=opts.provider if request.custom else "",
            providers=providers,
            transforms=change.own,
            after_create=tuple(opts.hooks.after_create),
        )
        self._add(urn, draft)
        if request.remote:
            self.functions.record(type_, change.inputs)
        return self._registered(request, urn, change)

    def _component_provider(self, request: Any) -> Any:
        return self.components.find(self._package_names.get(request.packageRef) or request.type.split(":", 1)[0])

    def _fields(self, request: Any, change: Change, urn: str, provider: str) -> dict[str, Any]:
        opts = change.options
        parent = request.parent
        return {
            "urn": urn,
            "type": request.type,
            "name": request.name,
            "custom": request.custom,
            "parent": parent,
            # A component's provider serves its children only, so it is not the component's own; where a plugin
            # constructs it, it is the plugin that registers it, without one.
            "provider": provider if request.custom else "",
            "inputs": values.decode(change.inputs),
            "dependencies": tuple(sorted(change.dependencies)),
            "property_dependencies": {
                key: tuple(sorted(found)) for key, found in sorted(change.property_dependencies.items()) if found
            },
            "protect": opts.protect,
            "retain_on_delete": opts.retain_on_delete,
            "ignore_changes": tuple(opts.ignore_changes),
            "replace_on_changes": tuple(opts.replace_on_changes),
            "delete_before_replace": opts.delete_before_replace if opts.HasField("delete_before_replace") else None,
            "additional_secret_outputs": tuple(opts.additional_secret_outputs),
            "aliases": self._resolved_aliases(opts.aliases, urn, parent),
            "deleted_with": opts.deleted_with,
            "id": getattr(opts, "import"),
            "version": opts.version or self._package_versions.get(request.packageRef, ""),
            "source": source(request),
        }

    def _resolved_aliases(self, aliases: Any, urn: str, parent: str) -> tuple[str, ...]:
        found = resolve(aliases, urn, parent, self._aliases_of)
        if found:
            self._aliases_of[urn] = found
        return found

    def _registered(self, request: Any, urn: str, change: Change) -> Any:
        hooks = change.options.hooks
        self._hooks.run("before_create", hooks.before_create, urn, change.inputs)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        import_id = getattr(change.options, "import")
        outputs = preview_outputs(request, change, self.drafts)
        self._hooks.run("after_create", hooks.after_create, urn, change.inputs, outputs)
        return resource_pb2.RegisterResourceResponse(
            urn=urn,
            id=values.UNKNOWN_ON_WIRE if request.type.startswith(PROVIDER_PREFIX) else import_id,
            object=values.to_struct(outputs),
        )

    def register_resource_outputs(self, request: Any) -> Any:
        """Record what a component or the stack exports."""
        draft = self.drafts.get(request.urn)
        if draft is None:
            raise ProgramError(f"outputs were registered for {request.urn}, which the program never registered")
        outputs = values.to_plain(request.outputs)
        draft.outputs = values.decode(outputs)
        if not draft.fields["custom"]:
            self._hooks.run(
                "after_create", draft.after_create, request.urn, values.encode(draft.fields["inputs"]), outputs
            )
        return empty_pb2.Empty()

    def read_resource(self, request: Any) -> Any:
        """Record a resource that the program reads; only a stack reference can be answered.

        Raises:
            ProgramError: the type token is malformed, the URN was registered before, or it needs a default provider
                that is switched off.
        """
        check_token(request.type, request.name)
        self._defaults.check(request.type, request.provider)
        urn = urns.create(self.stack, self.project, request.parent, request.type, request.name)
        inputs = values.to_plain(request.properties)
        known_id = "" if request.id == values.UNKNOWN_ON_WIRE else request.id
        fields = {
            "urn": urn,
            "type": request.type,
            "name": request.name,
            "custom": True,
            "parent": request.parent,
            "provider": request.provider,
            "inputs": values.decode(inputs),
            "dependencies": tuple(sorted(request.dependencies)),
            "external": True,
            "id": known_id,
            "additional_secret_outputs": tuple(request.additionalSecretOutputs),
            "version": request.version or self._package_versions.get(request.packageRef, ""),
            "source": source(request),
        }
        draft = Draft(order=request.sourcePosition.column, fields=fields)
        self._add(urn, draft)
        is_reference = request.type == STACK_REFERENCE_TYPE
        answer = self.functions.read_stack(draft, inputs) if is_reference else inputs
        for key in request.additionalSecretOutputs:
            answer[key] = values.secret(answer.get(key, values.UNKNOWN_ON_WIRE))
        return resource_pb2.ReadResourceResponse(urn=urn, id=known_id, properties=values.to_struct(answer))

    def needs(self, name: str, siblings: frozenset[str]) -> str | None:
        """Return which of `siblings` a stack reference means, where no answer to it is at hand."""
        return self.functions.needs(name, siblings)

    def _add(self, urn: str, draft: Draft) -> None:
        earlier = self.drafts.get(urn)
        if earlier is not None:
            places = " and ".join(place for place in (earlier.fields["source"], draft.fields["source"]) if place)
            raise ProgramError(f"two resources have the URN {urn} ({places}): give one of them another name")
        if not draft.order:
            draft.order = max((known.order for known in self.drafts.values()), default=0)
        self.drafts[urn] = draft

    # -- providers and transforms -------------------------------------------------------------------------------

    def _resolve_provider(self, request: Any, parent: Draft | None) -> str:
        if request.provider or not (request.custom or request.remote):
            return str(request.provider)
        package = request.type.split(":", 1)[0]
        own = request.providers.get(package, "")
        return own or (parent.providers.get(package, "") if parent is not None else "")

    def _transform(self, request: Any, provider: str) -> Change:
        own = self._transforms.own(request)
        key = (request.parent, request.type, request.name)
        if request.remote and self.components.any:
            self._pending[key] = own, request.sourcePosition
        elif key in self._pending:
            # A component that was asked for as a remote one registers itself: its transforms came with the request,
            # and the line that the user knows is the one that asked.
            own, position = self._pending.pop(key)
            request.sourcePosition.CopyFrom(position)
        inherited: list[str] = []
        urn = request.parent
        while urn and (draft := self.drafts.get(urn)) is not None:
            inherited += draft.transforms
            urn = draft.fields["parent"]
        return self._transforms.apply(request, provider, own, tuple(inherited))

    def register_stack_transform(self, callback: Any) -> Any:
        """Run a transform on every later resource."""
        self._transforms.stack.append(callback.token)
        return empty_pb2.Empty()

    def register_stack_invoke_transform(self, callback: Any) -> Any:
        """Run a transform on every later function call."""
        self._transforms.invokes.append(callback.token)
        return empty_pb2.Empty()

    # -- what only a provider could answer ----------------------------------------------------------------------

    def invoke(self, request: Any) -> Any:
        """Answer a function call where an answer is at hand; any other result is unknown, and recorded."""
        return self.functions.invoke(request, self._transforms, self._defaults, self.drafts)

    def call(self, request: Any) -> Any:
        """Run a method of a component whose package is in a local folder; any other result is unknown, and recorded."""
        package = self._package_names.get(request.packageRef) or request.tok.split(":", 1)[0]
        servicer = self.components.find(package)
        if servicer is None or not self.components.calls(servicer):
            return self.functions.call(request)
        self.functions.record(request.tok, values.to_plain(request.args), "component")
        return self.components.call(servicer, request)

    def exists_resource(self, request: Any) -> Any:
        """Record a question that only a cloud can answer; the answer is unknown."""
        self.functions.record(f"exists {request.type}", {"id": request.id})
        return resource_pb2.ExistsResourceResponse(exists=False, unknown=True)

    # -- the rest of the contract -------------------------------------------------------------------------------

    def get_deployment_info(self, _request: Any) -> Any:
        """Say which stack this is and what the monitor supports."""
        return resource_pb2.DeploymentInfo(
            project=self.project,
            stack=self.stack,
            config=dict(self._config),
            dryRun=True,
            supportedFeatures=[getattr(resource_pb2, f"RESOURCE_MONITOR_FEATURE_{name}") for name in _FEATURES],
        )

    def supports_feature(self, request: Any) -> Any:
        """Answer no: SDKs that ask for a feature by name are older than the pinned one, which asks for all at once."""
        del request
        return resource_pb2.SupportsFeatureResponse(hasSupport=False)

    def register_package(self, request: Any) -> Any:
        """Give a (parameterized) package a reference, the same one for the same request."""
        key = request.SerializeToString(deterministic=True)
        reference = self._packages.setdefault(key, str(uuid.uuid5(uuid.NAMESPACE_OID, key.hex())))
        parameter = request.parameterization if request.HasField("parameterization") else None
        self._package_names[reference] = parameter.name if parameter is not None else request.name
        self._package_versions[reference] = parameter.version if parameter is not None else request.version
        return resource_pb2.RegisterPackageResponse(ref=reference)

    def register_hook(self, request: Any) -> Any:
        """Remember a hook."""
        self._hooks.register(request)
        return empty_pb2.Empty()

    def signal_and_wait_for_shutdown(self, _request: Any) -> Any:
        """Let the program go at once: nothing runs after it."""
        return empty_pb2.Empty()

    RegisterResource = register_resource
    RegisterResourceOutputs = register_resource_outputs
    ReadResource = read_resource
    ExistsResource = exists_resource
    Invoke = invoke
    Call = call
    GetDeploymentInfo = get_deployment_info
    SupportsFeature = supports_feature
    RegisterPackage = register_package
    RegisterStackTransform = register_stack_transform
    RegisterStackInvokeTransform = register_stack_invoke_transform
    RegisterResourceHook = register_hook
    RegisterErrorHook = register_hook
    SignalAndWaitForShutdown = signal_and_wait_for_shutdown

    def graph(self) -> ResourceGraph:
        """Return what was registered, in the order in which the program made it."""
        drafts = sorted(self.drafts.values(), key=lambda draft: draft.order)
        return ResourceGraph(
            project=self.project,
            stacks=(self.stack,),
            resources=tuple(Resource(**draft.fields, outputs=draft.outputs) for draft in drafts),
            invokes=tuple(self.invokes),
            producer="engine",
        )
