"""A provider that keeps what it creates in a folder: `pulumi-resource-<package>` for any package, with no cloud.

It proves that a deployment's plumbing works, and refuses what can be known without a cloud: names and types by the
package's own SDK, values by the clouds' own descriptions of their APIs. A package whose SDK is not installed is not
checked, and its log says so. Each resource is one JSON file under SKERRY_SIM_STATE, so several provider processes share
one "cloud" and tests read and change what is in it.

With SKERRY_SIM_TIMES set, `provider-times.jsonl` in that folder tells what provider processes cost: one JSON object a
line with `pid`, `package`, `calls`, `cpu_s` (user and system) and `wall_s` (inside calls), all since the process began.
A process writes several lines; its last one counts.
"""

# Source: pulumi/pulumi proto/pulumi/provider.proto and developer-docs/providers, read 2026-11.

from __future__ import annotations

import hashlib
import json
import os
import sys
import types
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final


def _skip_the_sdk() -> None:
    """Make `pulumi.runtime.proto` importable without the rest of the SDK, most of a provider's start."""
    spec = find_spec("pulumi")
    if "pulumi" in sys.modules or spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0])
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(path)]


if __name__ == "__main__":
    _skip_the_sdk()

import grpc  # noqa: E402  # after the line above, as are the rest
from google.protobuf import empty_pb2, struct_pb2  # noqa: E402
from google.protobuf.json_format import MessageToDict  # noqa: E402
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc  # noqa: E402

from tests.simulators import provider_command  # noqa: E402
from tests.simulators.provider_azure_answers import azure_answer  # noqa: E402
from tests.simulators.provider_check import RULES, UNKNOWN, Checker, Failure, Rules, reveal  # noqa: E402
from tests.simulators.provider_diff import changed, difference, refused  # noqa: E402
from tests.simulators.provider_outputs import MARK, Made, new_id, outputs_of  # noqa: E402
from tests.simulators.provider_remote import call, construct, parameterize  # noqa: E402
from tests.simulators.provider_times import Times  # noqa: E402
from tests.simulators.pulumi_plugin import serve  # noqa: E402
from tests.simulators.sdk_types import sdk_of  # noqa: E402

VERSION: Final = "0.0.0-simulated"
"""What marks a provider as a simulator; nothing is deployed through one that does not say so."""
STATE_VARIABLE: Final = "SKERRY_SIM_STATE"
ANSWERS_VARIABLE: Final = "SKERRY_SIM_ANSWERS"
"""A file of answers to functions that wins over the built-in ones."""
_NOT_CONFIGURATION: Final = ("version", "pluginDownloadURL", "parameterization")
"""What the command itself puts beside a provider's inputs."""
_CUSTOM_OBJECT: Final = "kubernetes:core/v1:ConfigMap"
"""Any built-in kind, for what objects of all kinds share."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One package's provider."""

    def __init__(self, store: Path) -> None:
        """Keep resources in the folder `store`."""
        self._store = store
        self._config: dict[str, Any] = {}

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        token, inputs = _type(request.urn), _plain(request.news)
        found = schema_of(token)
        if found is None:
            return provider_pb2.CheckResponse(inputs=request.news)
        # Anything but a text arrives as JSON, so of the settings only the names are checked.
        known = {**found, "inputs": {key: ["any", False] for key in [*found["inputs"], *_NOT_CONFIGURATION]}}
        failures = Checker(known, Rules()).failures(inputs)
        return provider_pb2.CheckResponse(inputs=request.news, failures=_told(failures))

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        kinds = provider_pb2.DiffResponse
        paths = sorted({path.split(".")[0] for path, _ in changed(_known(request.old_inputs), _known(request.news))})
        return kinds(changes=kinds.DIFF_SOME if paths else kinds.DIFF_NONE, diffs=paths)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._config = _known(request.args)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, acceptResources=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        failures = check(_type(request.urn), _plain(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_told(failures))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        return difference(_type(request.urn), _plain(request.old_inputs), _plain(request.news))

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs = _plain(request.properties)
        id_ = "" if request.preview else self._new_id(request.urn)
        outputs = self._outputs(request.urn, inputs, id_)
        if not request.preview:
            outputs |= _run(_type(request.urn), inputs, "create", context)
            self._write(id_, {"urn": request.urn, "type": _type(request.urn), "inputs": inputs, "outputs": outputs})
        return provider_pb2.CreateResponse(id=id_, properties=_struct(outputs))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        path = self._path(request.id)
        if not path.is_file():
            if MARK in request.id:
                return provider_pb2.ReadResponse()
            # Not made here, so it is somebody else's: it is as the program says it is.
            return provider_pb2.ReadResponse(id=request.id, inputs=request.inputs, properties=request.properties)
        found = json.loads(path.read_text(encoding="utf-8"))
        # What drifted must show in the inputs too: these are what the engine compares.
        inputs = _drifted(found["inputs"], found["outputs"])
        return provider_pb2.ReadResponse(id=request.id, inputs=_struct(inputs), properties=_struct(found["outputs"]))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs = _plain(request.news)
        outputs = self._outputs(request.urn, inputs, request.id)
        if not request.preview:
            paths = refused(_type(request.urn), _plain(request.old_inputs), inputs)
            if paths:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{', '.join(paths)} cannot be changed")
            outputs |= _run(_type(request.urn), inputs, "update", context)
            found = {"urn": request.urn, "type": _type(request.urn), "inputs": inputs, "outputs": outputs}
            self._write(request.id, found)
        return provider_pb2.UpdateResponse(properties=_struct(outputs))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        _run(_type(request.urn), _plain(request.properties), "delete", context)
        self._path(request.id).unlink(missing_ok=True)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        args = _known(request.args)
        answer = azure_answer(request.tok, args)
        if answer is None:
            answer = self._answers.answer(request.tok, args, provider=self._config, config={})
        if answer is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the simulated provider has no answer for {request.tok}")
        return provider_pb2.InvokeResponse(**{"return": _struct(_sealed(answer))})

    def Construct(self, request: Any, context: Any) -> Any:  # noqa: N802
        return construct(request)

    def Call(self, request: Any, context: Any) -> Any:  # noqa: N802
        return call()

    def Parameterize(self, request: Any, context: Any) -> Any:  # noqa: N802
        return parameterize(request)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    @cached_property
    def _answers(self) -> Any:
        from skerry.engine.answers import builtin_answers, load_answers

        own = os.environ.get(ANSWERS_VARIABLE)
        return load_answers(Path(own)) if own else builtin_answers()

    def _outputs(self, urn: str, inputs: Mapping[str, Any], id_: str) -> dict[str, Any]:
        token = _type(urn)
        region = str(self._config.get("region") or self._config.get("location") or "")
        return outputs_of(Made(token, urn.split("::")[-1], id_, region), inputs, schema_of(token))

    def _new_id(self, urn: str) -> str:
        # The same URN gets the same id, and a second one while the first still stands (a replacement, a retained one).
        number = 0
        while True:
            id_ = new_id(_type(urn), hashlib.sha256(f"{urn}#{number}".encode()).hexdigest())
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


def schema_of(token: str) -> dict[str, Any] | None:
    """Return what the package's installed SDK says of a type, or None where it is not there or does not say."""
    package = token.removeprefix("pulumi:providers:") if token.startswith("pulumi:providers:") else token.split(":")[0]
    sdk = sdk_of(package)
    return sdk.resource(token) if sdk else None


def check(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what is refused of a resource's inputs: by the SDK's types, and if these are right by its cloud's API."""
    found = schema_of(token)
    if found is None:
        return _without_schema(token, inputs)
    rules = RULES.get(token.split(":", 1)[0], Rules())
    return Checker(found, rules).failures(inputs) or _value_failures(token, inputs, found)


def _value_failures(token: str, inputs: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Failure]:
    """Judge values of the right type by what their cloud says of its API."""
    if token.startswith("kubernetes:"):
        from tests.simulators.provider_kubernetes_values import kubernetes_failures

        return kubernetes_failures(token, inputs, schema)
    if token.startswith(("aws:", "azure-native:", "gcp:")):
        from tests.simulators.provider_forms import form_failures
        from tests.simulators.provider_values import failures, own_rows

        found = form_failures(token, inputs)
        if token.startswith("azure-native:"):
            found += failures(inputs, own_rows().get(token, {}))
        if token.startswith("aws:"):
            from tests.simulators.provider_aws_values import aws_failures

            found += aws_failures(token, inputs)
        if token.startswith("gcp:"):
            from tests.simulators.provider_gcp_values import gcp_failures

            found += gcp_failures(token, inputs)
        return found
    return []


def _without_schema(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Judge a type that the SDK has no class for, or a package that has no SDK here."""
    package, module, _ = token.split(":")
    if package == "kubernetes":
        # A custom resource: free, but for what every object has.
        shared = schema_of(_CUSTOM_OBJECT)
        free = {key: ["any", False] for key in inputs}
        inside = {"apiVersion": ["str", True], "kind": ["str", True]}
        if shared is None:
            return []
        known = {**shared, "inputs": {**free, **inside, "metadata": shared["inputs"]["metadata"]}}
        return Checker(known, RULES["kubernetes"]).failures(inputs) or _value_failures(token, inputs, known)
    if sdk_of(package) is None:
        print(f"unchecked: no SDK of {package} is installed, so {token} is taken as it is", file=sys.stderr)
        return []
    if package == "azure-native" and "/v2" in module:
        # A version of the API that the SDK installed here does not carry; the provider serves them all.
        print(f"unchecked: the SDK of {package} does not carry {token}", file=sys.stderr)
        return []
    return [Failure("", f"the package {package} has no resource type {token}")]


def _run(token: str, inputs: Mapping[str, Any], verb: str, context: Any) -> dict[str, Any]:
    """Run what a test wants run, and return what it came to."""
    if not provider_command.is_run(token):
        return {}
    try:
        return provider_command.run(inputs, verb)
    except provider_command.CommandError as exc:
        return dict(context.abort(grpc.StatusCode.UNKNOWN, f"{exc}"))


def _drifted(given: Any, found: Any) -> Any:
    """Return what was given as it is found now, without what the cloud added beside it."""
    if isinstance(given, Mapping) and isinstance(found, Mapping):
        return {key: _drifted(value, found[key]) for key, value in given.items() if key in found}
    if isinstance(given, list) and isinstance(found, Mapping):
        # A set of texts, which Azure tells as an object with something beneath each.
        return [one for one in given if one in found] + [one for one in found if one not in given]
    if isinstance(given, list) and isinstance(found, list):
        return [_drifted(value, one) for value, one in zip(given, found, strict=False)] + found[len(given) :]
    return found


def _told(failures: list[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=one.property, reason=one.reason) for one in failures]


def _type(urn: str) -> str:
    return urn.split("::")[2].split("$")[-1]


def _plain(struct: Any) -> dict[str, Any]:
    return MessageToDict(struct)


def _known(struct: Any) -> dict[str, Any]:
    """Return inputs without wrappers, without what is not given or not known."""
    return {key: value for key, value in reveal(_plain(struct)).items() if value not in (None, UNKNOWN)}


def _sealed(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with its secrets as they stand on the wire."""
    from skerry.engine.values import encode

    return {key: encode(value) for key, value in answer.items()}


def _struct(value: Mapping[str, Any]) -> Any:
    struct = struct_pb2.Struct()
    struct.update(value)
    return struct


def main() -> None:
    """Serve until the command ends."""
    store = os.environ.get(STATE_VARIABLE)
    if not store:
        sys.exit(f"{STATE_VARIABLE} is not set: a simulated provider runs only inside the tests")
    times = Times.asked_for(Path(store))
    provider = Provider(Path(store))
    serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(times.over(provider), server),
        times.write,
    )


if __name__ == "__main__":
    main()
