"""The resource monitor: answers a program in process as the engine of `pulumi preview` answers it on a new stack.

The rules, in the order in which a registration meets them:

1. What the parent says is inherited where the child is silent: protect, retainOnDelete, deletedWith, provider.
2. An explicit provider wins; then the `providers` of the request; then those of the enclosing components.
3. Transforms run: the resource's own, its parents' from the inside out, then the stack's.
4. The URN is `urn:pulumi:<stack>::<project>::<parent types$>type::name`; a second one is an error.
5. The outputs of a custom resource are its inputs; all else, its id included, is unknown. A component has no outputs
   until it registers them. A provider's id is the fixed mark that the command shows in a preview.

What needs a provider plugin (functions, methods, remote components, existence checks) is recorded as an unanswered
call and its result is unknown.
"""

# Source: pulumi/pulumi pkg v3.250.0 resource/deploy/source_eval.go and builtins.go, and pulumi 3.272.0 (Python), read
# 2026-11.

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, resource_pb2

from skerry.engine import urns, values
from skerry.engine.registration import (
    DefaultProviders,
    Draft,
    check_token,
    inherit,
    leave_name_to_provider,
    referenced_stack,
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
"""What the monitor says it supports. Hooks and state migrations are accepted: neither changes a first preview."""


class Monitor:
    """Implements the ResourceMonitor contract for one run of one program."""

    def __init__(
        self, project: str, stack: str, stack_outputs: Mapping[str, Mapping[str, Any]], config: Mapping[str, str]
    ) -> None:
        """Start with nothing registered; `stack_outputs` answers stack references by stack name.

        Raises:
            ConfigError: `pulumi:disable-default-providers` is not a list of names.
        """
        self.project = project
        self.stack = stack
        self.invokes: list[Invoke] = []
        self.drafts: dict[str, Draft] = {}
        self.callbacks = InProcessCallbacks(self)
        self._transforms = Transforms(self.callbacks)
        self._stack_outputs = stack_outputs
        self._config = config
        self._defaults = DefaultProviders(config)
        self._packages: dict[bytes, str] = {}
        self._package_versions: dict[str, str] = {}

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
        parent = self.drafts.get(request.parent)
        if parent is not None:
            inherit(request, parent)
        change = self._transform(request, self._resolve_provider(request, parent))
        opts, inputs = change.options, change.inputs
        urn = urns.create(self.stack, self.project, request.parent, type_, name)
        providers = dict(opts.providers)
        if not request.custom and parent is not None:
            providers = {**parent.providers, **providers}
        provider = "" if type_.startswith(PROVIDER_PREFIX) else opts.provider
        if request.custom or request.remote:
            self._defaults.check(type_, provider)
        draft = Draft(
            order=request.sourcePosition.column,
            fields=self._fields(request, change, urn, provider),
            protect=opts.protect if opts.HasField("protect") else None,
            retain_on_delete=opts.retain_on_delete if opts.HasField("retain_on_delete") else None,
            deleted_with=opts.deleted_with,
            provider=opts.provider,
            providers=providers,
            transforms=change.own,
        )
        self._add(urn, draft)
        if request.remote:
            self._unanswered(type_, inputs)
        return self._registered(request, urn, change)

    def _fields(self, request: Any, change: Change, urn: str, provider: str) -> dict[str, Any]:
        opts = change.options
        project, parent = self.project, request.parent
        return {
            "urn": urn,
            "type": request.type,
            "name": request.name,
            "custom": request.custom,
            "parent": parent,
            # A component's provider serves its children only, so it is not the component's own.
            "provider": provider if request.custom or request.remote else "",
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
            "aliases": tuple(
                dict.fromkeys(
                    urns.alias_urn(alias, self.stack, project, parent, request.type, request.name)
                    for alias in opts.aliases
                )
            ),
            "deleted_with": opts.deleted_with,
            "id": getattr(opts, "import"),
            "version": opts.version or self._package_versions.get(request.packageRef, ""),
            "source": source(request),
        }

    def _registered(self, request: Any, urn: str, change: Change) -> Any:
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        import_id = getattr(change.options, "import")
        outputs = {key: values.downgrade(value) for key, value in change.inputs.items()}
        if request.type.startswith("kubernetes:"):
            leave_name_to_provider(outputs)
        for key in change.options.additional_secret_outputs:
            if not values.is_secret(outputs.get(key)):
                outputs[key] = values.secret(outputs.get(key, values.UNKNOWN_ON_WIRE))
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
        draft.outputs = values.decode(values.to_plain(request.outputs))
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
        draft = Draft(order=request.sourcePosition.column, fields=fields, provider=request.provider)
        self._add(urn, draft)
        answer = self._read_stack(draft, inputs) if request.type == STACK_REFERENCE_TYPE else inputs
        for key in request.additionalSecretOutputs:
            answer[key] = values.secret(answer.get(key, values.UNKNOWN_ON_WIRE))
        return resource_pb2.ReadResourceResponse(urn=urn, id=known_id, properties=values.to_struct(answer))

    def _read_stack(self, draft: Draft, inputs: dict[str, Any]) -> dict[str, Any]:
        found = referenced_stack(str(inputs.get("name", "")), self.project, self._stack_outputs)
        if found is None:
            self._unanswered(STACK_REFERENCE_TYPE, inputs)
            return inputs
        outputs = self._stack_outputs[found]
        draft.outputs = {"outputs": dict(outputs)}
        encoded = {key: values.encode(value) for key, value in outputs.items()}
        names = sorted(key for key, value in encoded.items() if values.holds_secret(value))
        return {**inputs, "outputs": encoded, "secretOutputNames": names}

    def needs(self, name: str, siblings: frozenset[str]) -> str | None:
        """Return which of `siblings` a stack reference means, where no answer to it is at hand."""
        if referenced_stack(name, self.project, self._stack_outputs) is not None:
            return None
        return referenced_stack(name, self.project, dict.fromkeys(siblings))

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
        """Answer the engine's own functions, and everything else with an unknown result that is recorded."""
        args = self._transforms.apply_to_invoke(request, values.to_plain(request.args))
        if request.tok == "pulumi:pulumi:getResource":
            return self._get_resource(str(args.get("urn", "")))
        if request.tok == "pulumi:pulumi:readStackOutputs":
            found = referenced_stack(str(args.get("name", "")), self.project, self._stack_outputs)
            if found is not None:
                self.invokes.append(Invoke(request.tok, self.stack, True, values.decode(args)))
                outputs = {key: values.encode(value) for key, value in self._stack_outputs[found].items()}
                return _answer({"name": args["name"], "outputs": outputs})
        self._defaults.check(request.tok, request.provider)
        self._unanswered(request.tok, args)
        return resource_pb2.ResourceInvokeResponse(unknown=True)

    def _get_resource(self, urn: str) -> Any:
        draft = self.drafts.get(urn)
        if draft is None:
            raise ProgramError(f"the program asks for the resource {urn}, which it has not registered")
        state = values.encode({**draft.fields["inputs"], **draft.outputs})
        return _answer({"urn": urn, "id": draft.fields.get("id", ""), "state": state})

    def call(self, request: Any) -> Any:
        """Record a method call of a remote component; its result is unknown."""
        self._unanswered(request.tok, values.to_plain(request.args))
        # One unknown member makes the whole result unknown to the SDK.
        return provider_pb2.CallResponse(**{"return": values.to_struct({"result": values.UNKNOWN_ON_WIRE})})

    def exists_resource(self, request: Any) -> Any:
        """Record a question that only a cloud can answer; the answer is unknown."""
        self._unanswered(f"exists {request.type}", {"id": request.id})
        return resource_pb2.ExistsResourceResponse(exists=False, unknown=True)

    def _unanswered(self, token: str, args: Mapping[str, Any]) -> None:
        self.invokes.append(Invoke(token, self.stack, False, values.decode(dict(args))))

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
        self._package_versions[reference] = parameter.version if parameter is not None else request.version
        return resource_pb2.RegisterPackageResponse(ref=reference)

    def accept_hook(self, _request: Any) -> Any:
        """Accept a hook; hooks run code around real changes and add nothing to a graph, so none is run."""
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
    RegisterResourceHook = accept_hook
    RegisterErrorHook = accept_hook
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


def _answer(result: dict[str, Any]) -> Any:
    return resource_pb2.ResourceInvokeResponse(**{"return": values.to_struct(result)})
