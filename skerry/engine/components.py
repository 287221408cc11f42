"""Component packages that lie in a local folder: what a provider process would construct, constructed in this one.

Pulumi.yaml names such a package under `packages: {name: ./folder}`; the folder has a PulumiPlugin.yaml and, for Python,
a `__main__.py` that hands its provider to the SDK. The provider is taken from there instead of being served, and asked
for what the SDK's own server would ask of it. What stays outside: packages that must be downloaded, and folders in
another language; their components have unknown outputs and stand in the graph's invokes.
"""

# Source: pulumi 3.272.0 provider/server.py (ProviderServicer), provider/experimental/host.py, and pulumi/pulumi pkg
# v3.250.0 resource/deploy/source_eval.go (RegisterResource, Call), read 2026-11.

from __future__ import annotations

import contextlib
import runpy
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulumi.runtime.proto import provider_pb2, resource_pb2

from skerry.engine import values
from skerry.engine.modules import modules_of
from skerry.engine.transforms import Change
from skerry.errors import ProgramError

if TYPE_CHECKING:
    from pulumi.provider import Provider
    from pulumi.provider.server import ProviderServicer

_NO_VERSION: Final = "0.0.0"


class _HandedOverError(BaseException):
    """Ends a provider's main module: its provider is at hand."""

    def __init__(self, provider: Provider, name: str) -> None:
        self.provider = provider
        self.name = name
        super().__init__(name)


class LocalComponents:
    """The component providers of a project, each loaded when it is first needed."""

    def __init__(self, folders: Mapping[str, Path], project: str, stack: str) -> None:
        """Take the local packages of a project by the name that Pulumi.yaml gives them."""
        self._waiting = dict(folders)
        self._project = project
        self._stack = stack
        self._loaded: dict[str, ProviderServicer] = {}

    @property
    def any(self) -> bool:
        """Whether the project has a local package at all."""
        return bool(self._waiting or self._loaded)

    def find(self, package: str) -> ProviderServicer | None:
        """Return the provider of a package, or None where it is in no local folder.

        Raises:
            ProgramError: the folder's main module offers no provider.
        """
        # The folder's own name for itself may differ from the one in Pulumi.yaml.
        for name in sorted(self._waiting, key=lambda name: name != package):
            if package in self._loaded:
                break
            handed = _load(self._waiting.pop(name), name)
            self._loaded.setdefault(name, handed[1])
            self._loaded[handed[0]] = handed[1]
        return self._loaded.get(package)

    async def construct(self, servicer: ProviderServicer, request: Any, change: Change) -> Any:
        """Construct a component and answer for it; its own registration comes through the monitor."""
        opts = change.options
        message = provider_pb2.ConstructRequest(
            project=self._project,
            stack=self._stack,
            dryRun=True,
            type=request.type,
            name=request.name,
            parent=request.parent,
            inputs=values.to_struct(change.inputs),
            inputDependencies={
                key: provider_pb2.ConstructRequest.PropertyDependencies(urns=sorted(urns))
                for key, urns in change.property_dependencies.items()
            },
            providers=dict(opts.providers),
            dependencies=sorted(change.dependencies),
            aliases=opts.aliases,
            additionalSecretOutputs=opts.additional_secret_outputs,
            deletedWith=opts.deleted_with,
            ignoreChanges=opts.ignore_changes,
            replaceOnChanges=opts.replace_on_changes,
            replace_with=opts.replace_with,
            accepts_output_values=True,
            resource_hooks=_hooks(opts.hooks),
        )
        if opts.HasField("protect"):
            message.protect = opts.protect
        if opts.HasField("retain_on_delete"):
            message.retainOnDelete = opts.retain_on_delete
        if opts.HasField("delete_before_replace"):
            message.deleteBeforeReplace = opts.delete_before_replace
        if opts.HasField("replacement_trigger"):
            message.replacement_trigger.CopyFrom(opts.replacement_trigger)
        result = servicer.provider.construct(
            name=request.name,
            resource_type=request.type,
            inputs=await servicer._construct_inputs(message.inputs, message.inputDependencies),
            options=servicer._construct_options(message),
        )
        answer = await servicer._construct_response(result)
        outputs = {key: values.downgrade(value) for key, value in values.to_plain(answer.state).items()}
        kind = resource_pb2.RegisterResourceResponse.PropertyDependencies
        return resource_pb2.RegisterResourceResponse(
            urn=answer.urn,
            object=values.to_struct(outputs),
            propertyDependencies={key: kind(urns=found.urns) for key, found in answer.stateDependencies.items()},
        )

    @staticmethod
    def calls(servicer: ProviderServicer) -> bool:
        """Say whether a provider has methods at all; one that hosts component classes has none."""
        from pulumi.provider import Provider

        return type(servicer.provider).call is not Provider.call

    @staticmethod
    async def call(servicer: ProviderServicer, request: Any) -> Any:
        """Run a method of a component and return its result."""
        message = provider_pb2.CallRequest(tok=request.tok, args=request.args, argDependencies={})
        for key, found in request.argDependencies.items():
            message.argDependencies[key].urns.extend(found.urns)
        args = await servicer._call_args(message)
        return await servicer._call_response(servicer.provider.call(token=request.tok, args=args))


def _hooks(bound: Any) -> Any:
    return provider_pb2.ConstructRequest.ResourceHooksBinding.FromString(bound.SerializeToString())


def _load(folder: Path, name: str) -> tuple[str, ProviderServicer]:
    """Run a provider's main module up to the point where it would serve."""
    # The SDK's half for providers costs time to import, and few programs need it.
    from pulumi.provider.server import ProviderServicer

    try:
        with modules_of(folder), _handing_over(name):
            runpy.run_path(str(folder / "__main__.py"), run_name="__main__")
    except _HandedOverError as handed:
        if str(folder) not in sys.path:
            # Imports inside its functions come later; the end of the run takes this back.
            sys.path.append(str(folder))
        return handed.name, ProviderServicer(handed.provider, [], "")
    raise ProgramError(
        f"the package '{name}' in {folder.name} offers no provider: its __main__.py must call component_provider_host"
    )


@contextlib.contextmanager
def _handing_over(name: str) -> Iterator[None]:
    import pulumi.provider.server
    from pulumi.provider import experimental
    from pulumi.provider.experimental import host
    from pulumi.provider.experimental.component import ComponentProvider

    def from_components(
        components: list[Any], name: str, namespace: str | None = None, version: str | None = None
    ) -> None:
        chosen = host._validate_explicit_components(components)
        raise _HandedOverError(ComponentProvider(chosen, name, namespace, version or _NO_VERSION), name)

    def from_provider(provider: Provider, args: list[str]) -> None:
        del args
        raise _HandedOverError(provider, name)

    with contextlib.ExitStack() as stack:
        for owner, attribute, replacement in (
            (experimental, "component_provider_host", from_components),
            (host, "component_provider_host", from_components),
            (pulumi.provider, "main", from_provider),
            (pulumi.provider.server, "main", from_provider),
        ):
            stack.callback(setattr, owner, attribute, getattr(owner, attribute))
            setattr(owner, attribute, replacement)
        yield
