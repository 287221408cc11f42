"""What a simulated provider does where a real one runs code of its own: components, methods and parameters.

A component is registered with what the program gave it and has no children, for its insides are its plugin's alone. Its
outputs, and the result of every method, are unknown, as those of resources that do not exist yet may be.
"""

# Source: pulumi/pulumi v3.250.0 proto/pulumi/provider.proto and sdk/go/pulumi/provider.go (construct), read 2026-11.

from __future__ import annotations

from typing import Any, Final

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc

from tests.simulators.provider_check import UNKNOWN

_COPIED: Final = ("type", "name", "parent", "retainOnDelete", "deletedWith")


def construct(request: Any) -> Any:
    """Register a component without children and answer for it."""
    message = resource_pb2.RegisterResourceRequest(
        custom=False,
        object=request.inputs,
        propertyDependencies={
            key: resource_pb2.RegisterResourceRequest.PropertyDependencies(urns=found.urns)
            for key, found in request.inputDependencies.items()
        },
        dependencies=request.dependencies,
        providers=dict(request.providers),
        aliases=request.aliases,
        aliasSpecs=True,
        additionalSecretOutputs=request.additionalSecretOutputs,
        ignoreChanges=request.ignoreChanges,
        replaceOnChanges=request.replaceOnChanges,
        replace_with=request.replace_with,
        deleteBeforeReplaceDefined=request.HasField("deleteBeforeReplace"),
        acceptSecrets=True,
        acceptResources=True,
    )
    message.hooks.MergeFromString(request.resource_hooks.SerializeToString())
    for name in (*_COPIED, "protect", "deleteBeforeReplace"):
        if name in _COPIED or request.HasField(name):
            setattr(message, name, getattr(request, name))
    with grpc.insecure_channel(request.monitorEndpoint) as channel:
        monitor = resource_pb2_grpc.ResourceMonitorStub(channel)
        made = monitor.RegisterResource(message)
        monitor.RegisterResourceOutputs(
            resource_pb2.RegisterResourceOutputsRequest(urn=made.urn, outputs=struct_pb2.Struct())
        )
    return provider_pb2.ConstructResponse(urn=made.urn, state=struct_pb2.Struct())


def call() -> Any:
    """Answer a method: its result is unknown."""
    result = struct_pb2.Struct()
    result.update({"result": UNKNOWN})
    return provider_pb2.CallResponse(**{"return": result})


def parameterize(request: Any) -> Any:
    """Say which package the provider is from now on."""
    if request.HasField("value"):
        return provider_pb2.ParameterizeResponse(name=request.value.name, version=request.value.version)
    return provider_pb2.ParameterizeResponse(name=request.args.args[0], version="0.0.0")
