"""A provider that keeps what it creates in a folder: `pulumi-resource-<package>` for any package, with no cloud.

It proves that a deployment's plumbing works, never that a cloud would accept the inputs. Each resource is one JSON file
under SKERRY_SIM_STATE, so several provider processes share one "cloud" and tests read and change what is in it.
"""

# Source: pulumi/pulumi proto/pulumi/provider.proto and developer-docs/providers, read 2026-11.

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.simulators.pulumi_plugin import serve

VERSION: Final = "0.0.0-simulated"
"""What marks a provider as a simulator; nothing is deployed through one that does not say so."""
STATE_VARIABLE: Final = "SKERRY_SIM_STATE"
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_ID_PREFIX: Final = "sim-"

_AWS_ACCOUNT: Final = "000000000000"
_COMPUTED: Final[Mapping[str, Mapping[str, Any]]] = {
    # What a cloud fills in and programs read; `{id}` is the resource's id.
    "aws:": {"arn": "arn:aws:sim:eu-central-1:000000000000:{id}", "name": "{id}"},
    "aws:s3/bucket:Bucket": {"bucket": "{id}"},
    "aws:sqs/queue:Queue": {"url": "https://sqs.example/{id}"},
    "aws:eks/cluster:Cluster": {
        "endpoint": "https://{id}.eks.example",
        "certificateAuthority": {"data": "c2ltdWxhdGVk"},
        "certificateAuthorities": [{"data": "c2ltdWxhdGVk"}],
        "vpcConfig": {"clusterSecurityGroupId": "sg-{id}"},
        "identities": [{"oidcs": [{"issuer": "https://oidc.example/{id}"}]}],
    },
    "aws:rds/instance:Instance": {
        "address": "{id}.rds.example",
        "endpoint": "{id}.rds.example:5432",
        "masterUserSecrets": [{"secretArn": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:{id}"}],
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": {"primaryEndpointAddress": "{id}.cache.example"},
    "aws:ec2/eip:Eip": {"publicIp": "192.0.2.1"},
}
_ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": _AWS_ACCOUNT, "arn": f"arn:aws:iam::{_AWS_ACCOUNT}:root", "id": _AWS_ACCOUNT, "userId": "SIM"
    },
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"},
}  # fmt: skip


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One package's provider."""

    def __init__(self, store: Path) -> None:
        """Keep resources in the folder `store`."""
        self._store = store

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return _difference(request)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.ConfigureResponse(acceptSecrets=True, acceptResources=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        return _difference(request)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind = request.urn.split("::")[2].split("$")[-1]
        inputs = _plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=_struct(_outputs(kind, request.urn, inputs, "")))
        id_ = self._new_id(request.urn)
        outputs = _outputs(kind, request.urn, inputs, id_)
        self._write(id_, {"urn": request.urn, "type": kind, "inputs": inputs, "outputs": outputs})
        return provider_pb2.CreateResponse(id=id_, properties=_struct(outputs))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        path = self._path(request.id)
        if not path.is_file():
            if request.id.startswith(_ID_PREFIX):
                return provider_pb2.ReadResponse()
            # Not made here, so it is somebody else's: it is as the program says it is.
            return provider_pb2.ReadResponse(id=request.id, inputs=request.inputs, properties=request.properties)
        found = json.loads(path.read_text(encoding="utf-8"))
        # What drifted must show in the inputs too: these are what the engine compares.
        inputs = {key: found["outputs"].get(key) for key in found["inputs"]}
        return provider_pb2.ReadResponse(id=request.id, inputs=_struct(inputs), properties=_struct(found["outputs"]))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind, inputs = request.urn.split("::")[2].split("$")[-1], _plain(request.news)
        outputs = _outputs(kind, request.urn, inputs, request.id)
        if not request.preview:
            self._write(request.id, {"urn": request.urn, "type": kind, "inputs": inputs, "outputs": outputs})
        return provider_pb2.UpdateResponse(properties=_struct(outputs))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._path(request.id).unlink(missing_ok=True)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        answer = _ANSWERS.get(request.tok)
        if answer is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the simulated provider has no answer for {request.tok}")
        return provider_pb2.InvokeResponse(**{"return": _struct(answer)})

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def _new_id(self, urn: str) -> str:
        # The same URN gets the same id, and a second one while the first still stands (a replacement, a retained one).
        number = 0
        while True:
            id_ = _ID_PREFIX + hashlib.sha256(f"{urn}#{number}".encode()).hexdigest()[:12]
            if not self._path(id_).exists():
                return id_
            number += 1

    def _path(self, id_: str) -> Path:
        return self._store / f"{hashlib.sha256(id_.encode()).hexdigest()[:24]}.json"

    def _write(self, id_: str, resource: Mapping[str, Any]) -> None:
        path = self._path(id_)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps({"id": id_, **resource}, indent=1, sort_keys=True), encoding="utf-8")
        part.replace(path)


def _plain(struct: Any) -> dict[str, Any]:
    return MessageToDict(struct)


def _struct(value: Mapping[str, Any]) -> Any:
    struct = struct_pb2.Struct()
    struct.update(value)
    return struct


def _outputs(kind: str, urn: str, inputs: Mapping[str, Any], id_: str) -> dict[str, Any]:
    """Return the inputs and what a cloud adds to them; without an id (a preview) that is unknown."""
    outputs = dict(inputs)
    added = {**_COMPUTED.get(kind.split(":")[0] + ":", {}), **_COMPUTED.get(kind, {})}
    _fill(outputs, added, id_)
    metadata = outputs.get("metadata")
    if kind.startswith("kubernetes:") and isinstance(metadata, dict) and not {"name", "generateName"} & set(metadata):
        # The real provider makes up a name; a preview does not know it.
        outputs["metadata"] = {**metadata, "name": f"{urn.split('::')[-1]}-{id_[-8:]}" if id_ else _UNKNOWN}
    return outputs


def _fill(outputs: dict[str, Any], added: Mapping[str, Any], id_: str) -> None:
    for key, value in added.items():
        given = outputs.get(key)
        if isinstance(given, dict) and isinstance(value, Mapping):
            outputs[key] = dict(given)
            _fill(outputs[key], value, id_)
        elif given is None:
            outputs[key] = json.loads(json.dumps(value).replace("{id}", id_)) if id_ else _UNKNOWN


def _difference(request: Any) -> Any:
    """Say which top-level inputs changed; nothing is ever replaced."""
    old, new = _plain(request.old_inputs), _plain(request.news)
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    kinds = provider_pb2.DiffResponse
    return kinds(changes=kinds.DIFF_SOME if changed else kinds.DIFF_NONE, diffs=changed)


def main() -> None:
    """Serve until the command ends."""
    store = os.environ.get(STATE_VARIABLE)
    if not store:
        sys.exit(f"{STATE_VARIABLE} is not set: a simulated provider runs only inside the tests")
    serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(Path(store)), server))


if __name__ == "__main__":
    main()
