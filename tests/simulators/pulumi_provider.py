"""A simulated resource provider: one program for every package, named by its first argument.

It keeps what exists as one JSON file a resource under SKERRY_SIM_STATE, so that a test can look at it after a destroy,
and says `simulated` in its version wherever it is asked. It proves the plumbing (order, protection, retention, secrets,
dependencies), never that a cloud would accept the inputs.
"""

# Source: pulumi/pulumi proto/pulumi/provider.proto (v3.250.0), read 2026-11.

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import uuid
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from skerry.engine.values import SECRET_SIGNATURE, SIGNATURE, reveal, to_plain, to_struct
from tests.simulators.pulumi_outputs import outputs_of
from tests.simulators.pulumi_serving import serve

VERSION = "0.0.0-simulated"
"""The handshake's mark: no real provider calls itself so."""

MASK = "[secret]"

IDENTITY = {
    "kubernetes": ("apiVersion", "kind", "metadata.name", "metadata.namespace"),
    "aws": ("bucket", "identifier", "name"),
    "gcp": ("name", "location", "project"),
    "azure-native": ("resourceGroupName", "location"),
}
"""Inputs whose change makes another object, so a replacement."""

ANSWERS: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": "123456789012",
        "arn": "arn:aws:iam::123456789012:user/simulated",
        "id": "123456789012",
        "userId": "simulated",
    },
    "aws:index/getRegion:getRegion": {"id": "us-east-1", "name": "us-east-1", "region": "us-east-1"},
    "aws:index/getPartition:getPartition": {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:index/getAvailabilityZones:getAvailabilityZones": {
        "id": "us-east-1",
        "names": ["us-east-1a", "us-east-1b", "us-east-1c"],
    },
}
"""Function token -> result; every other function is refused."""


class Store:
    """What exists: `<folder>/objects/<package>/<id>.json`; several processes write it, so a file is one resource."""

    def __init__(self, folder: Path, package: str) -> None:
        self.folder = folder
        self.objects = folder / "objects" / package
        self.objects.mkdir(parents=True, exist_ok=True)
        self.package = package

    def note_loaded(self) -> None:
        loaded = self.folder / "loaded"
        loaded.mkdir(exist_ok=True)
        (loaded / f"{self.package}-{uuid.uuid4().hex}.json").write_text(
            json.dumps({"package": self.package, "version": VERSION})
        )

    def new_id(self, type_: str, name: str, urn: str) -> str:
        stem = re.sub(r"[^A-Za-z0-9.-]", "-", f"{type_.rsplit(':', 1)[-1].lower()}-{name}")[:150]
        stem = f"sim-{stem}-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"
        taken = (stem if not count else f"{stem}-{count}" for count in range(1000))
        return next(candidate for candidate in taken if not self.path(candidate).exists())

    def path(self, id_: str) -> Path:
        return self.objects / (re.sub(r"[^A-Za-z0-9.-]", "_", id_) + ".json")

    def read(self, id_: str) -> dict[str, Any] | None:
        path = self.path(id_)
        return json.loads(path.read_text()) if path.exists() else None

    def write(self, id_: str, type_: str, urn: str, inputs: dict[str, Any]) -> None:
        record = {"id": id_, "type": type_, "urn": urn, "inputs": masked(inputs)}
        path = self.path(id_)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(record, indent=1, sort_keys=True))
        part.replace(path)

    def delete(self, id_: str) -> None:
        self.path(id_).unlink(missing_ok=True)


def masked(value: Any) -> Any:
    """Return a wire value without the content of its secrets."""
    if isinstance(value, list):
        return [masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET_SIGNATURE:
        return MASK
    return {key: masked(item) for key, item in value.items()}


def drifted(given: Any, stored: Any) -> Any:
    """Return the inputs as they stand in the store; where that holds a mask, as they were given."""
    if stored == MASK or masked(given) == stored:
        return given
    if isinstance(given, dict) and isinstance(stored, dict):
        return {key: drifted(given.get(key), value) for key, value in stored.items()}
    return stored


def changed_paths(old: Any, new: Any, prefix: str = "") -> list[str]:
    """Return the paths at which two plain values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted(old.keys() | new.keys()):
            path = f"{prefix}.{key}" if prefix else key
            if key not in old or key not in new:
                found.append(path)
            else:
                found += changed_paths(old[key], new[key], path)
        return found
    return [] if old == new else [prefix]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Implements the life cycle of resources over a Store."""

    def __init__(self, package: str, store: Store) -> None:
        self.package = package
        self.store = store

    # -- the plugin itself ---------------------------------------------------------------------------------------

    def Handshake(self, request: Any, context: Any) -> Any:
        self.store.note_loaded()
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": self.package, "version": VERSION}))

    def GetMapping(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingsResponse()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return _difference(
            to_plain(request.old_inputs if request.HasField("old_inputs") else request.olds),
            to_plain(request.news),
            (),
            (),
        )

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=False
        )

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    # -- resources -----------------------------------------------------------------------------------------------

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = to_plain(request.old_inputs), to_plain(request.news)
        return _difference(old, new, IDENTITY.get(self.package, ()), tuple(request.ignoreChanges))

    def Create(self, request: Any, context: Any) -> Any:
        inputs = to_plain(request.properties)
        id_ = "" if request.preview else self.store.new_id(request.type, request.name, request.urn)
        outputs = outputs_of(request.type, request.name, id_, inputs, request.preview)
        if not request.preview:
            self.store.write(id_, request.type, request.urn, inputs)
        return provider_pb2.CreateResponse(id=id_, properties=to_struct(outputs))

    def Update(self, request: Any, context: Any) -> Any:
        inputs = to_plain(request.news)
        if not request.preview:
            if self.store.read(request.id) is None:
                context.abort(grpc.StatusCode.NOT_FOUND, f"nothing with the id '{request.id}' exists")
            self.store.write(request.id, request.type, request.urn, inputs)
        outputs = outputs_of(request.type, request.name, request.id, inputs, request.preview)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def Read(self, request: Any, context: Any) -> Any:
        record = self.store.read(request.id)
        if record is None:
            return provider_pb2.ReadResponse(id="")
        given = to_plain(request.inputs)
        inputs = drifted(given, record["inputs"]) if given else record["inputs"]
        outputs = {**to_plain(request.properties), **outputs_of(request.type, request.name, request.id, inputs, False)}
        return provider_pb2.ReadResponse(id=request.id, inputs=to_struct(inputs), properties=to_struct(outputs))

    def Delete(self, request: Any, context: Any) -> Any:
        self.store.delete(request.id)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        if request.tok not in ANSWERS:
            known = ", ".join(sorted(ANSWERS))
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"the simulated provider has no answer to '{request.tok}': it answers {known}",
            )
        answer = {**reveal(to_plain(request.args)), **ANSWERS[request.tok]}
        return provider_pb2.InvokeResponse(**{"return": to_struct(answer)})


def _difference(old: Any, new: Any, identity: tuple[str, ...], ignored: tuple[str, ...]) -> Any:
    paths = [
        path
        for path in changed_paths(old, new)
        if not any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in ignored)
    ]
    kinds = provider_pb2.PropertyDiff
    replaced = [path for path in paths if path in identity]
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if paths else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted({path.split(".")[0] for path in paths}),
        replaces=replaced,
        deleteBeforeReplace=bool(replaced),
        hasDetailedDiff=bool(paths),
        detailedDiff={
            path: kinds(kind=kinds.UPDATE_REPLACE if path in replaced else kinds.UPDATE, inputDiff=True)
            for path in paths
        },
    )


def main() -> None:
    package = sys.argv[1]
    folder = os.environ.get("SKERRY_SIM_STATE")
    if not folder:
        sys.exit("SKERRY_SIM_STATE is not set: it names the folder in which the simulated provider keeps its objects")
    provider = Provider(package, Store(Path(folder), package))
    serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server))


if __name__ == "__main__":
    main()
