"""What the monitor keeps of a registration while the program runs, and what a child takes over from its parent."""

# Source: pulumi/pulumi pkg v3.250.0 resource/deploy/source_eval.go (inheritFromParent) and sdk/go/common/resource asset
# and archive, read 2026-11.

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from skerry.engine import urns, values
from skerry.errors import ConfigError, Problem, ProgramError
from skerry.graph import PROVIDER_PREFIX, is_known

_ARCHIVES: Final = (".tar", ".tgz", ".tar.gz", ".zip", ".jar")
"""Files that the engine can open as archives, by their endings."""


STASH_TYPE: Final = "pulumi:index:Stash"


@dataclass(slots=True)
class Draft:
    """A resource while the program runs, with what its children inherit."""

    order: int
    fields: dict[str, Any]
    protect: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    provider: str = ""
    providers: dict[str, str] = field(default_factory=dict)
    transforms: tuple[str, ...] = ()
    after_create: tuple[str, ...] = ()
    """Hooks that wait for a component's outputs."""
    outputs: dict[str, Any] = field(default_factory=dict)


def referenced_stack(name: str, project: str, stacks: Mapping[str, Any]) -> str | None:
    """Return which of `stacks` a reference means: `stack`, `organization/stack` or `organization/project/stack`.

    A stack may be known by the whole reference, as `project/stack`, or by its bare name if it is of this project.
    """
    if name in stacks:
        return name
    *scope, stack = name.split("/")
    if len(scope) > 2:
        return None
    its_project = scope[1] if len(scope) == 2 else project
    if f"{its_project}/{stack}" in stacks:
        return f"{its_project}/{stack}"
    return stack if its_project == project and stack in stacks else None


class DefaultProviders:
    """Says which packages must have an explicit provider: the `pulumi:disable-default-providers` of a stack."""

    def __init__(self, config: Mapping[str, str]) -> None:
        """Read the list, which stands in the configuration as JSON text."""
        text = config.get("pulumi:disable-default-providers", "")
        try:
            listed = json.loads(text) if text else []
        except ValueError:
            listed = None
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            problem = Problem("pulumi:disable-default-providers", f"{text!r} is not a list of package names")
            raise ConfigError("pulumi config", [problem])
        self._barred = {name.strip() for name in listed}

    def check(self, token: str, provider: str) -> None:
        """Refuse what would need a default provider that is switched off.

        Raises:
            ProgramError: it is switched off and no provider is given.
        """
        package = token.split(":", 1)[0]
        if provider or package == "pulumi" or not self._barred & {package, "*"}:
            return
        raise ProgramError(
            f"the default provider for '{package}' is switched off by pulumi:disable-default-providers: "
            f"give '{token}' an explicit provider"
        )


def check_token(type_: str, name: str) -> None:
    """Refuse a type token that the engine would not take.

    Raises:
        ProgramError: it is not of the form `package:module:Type`.
    """
    parts = type_.split(":")
    if len(parts) != 3 or not all(parts):
        raise ProgramError(f"resource '{name}' has the type '{type_}': a type token is written package:module:Type")


def check_options(request: Any) -> None:
    """Refuse options that the engine would refuse.

    Raises:
        ProgramError: variables of the environment are mapped for something that is no provider.
    """
    if request.envVarMappings and not request.type.startswith(PROVIDER_PREFIX):
        raise ProgramError(
            f"resource '{request.name}' of type {request.type} has env_var_mappings: only a provider can have them"
        )


def check_assets(request: Any, inputs: Mapping[str, Any]) -> None:
    """Refuse files and archives that are not there: the engine reads them to compare their content.

    Raises:
        ProgramError: a path does not exist, or is not of the kind that is needed.
    """
    for place, given, is_archive in values.asset_paths(inputs):
        path = Path(given)
        if not path.exists():
            wrong = "which does not exist"
        elif is_archive and not path.is_dir() and not path.name.endswith(_ARCHIVES):
            wrong = f"which is neither a folder nor one of {', '.join(_ARCHIVES)}"
        elif not is_archive and path.is_dir():
            wrong = "which is a folder: a folder is handed on as an archive"
        else:
            continue
        raise ProgramError(
            f"input '{place}' of {request.type} '{request.name}'{_made_at(request)} names the "
            f"{'archive' if is_archive else 'file'} '{given}', {wrong}; a relative path starts at the program's folder"
        )


def _made_at(request: Any) -> str:
    made_at = source(request)
    return f" ({made_at})" if made_at else ""


def inherit(request: Any, parent: Draft) -> None:
    """Fill in what the request leaves out and its parent says; a parent that was only read says nothing."""
    if parent.fields.get("external"):
        return
    if not request.deletedWith:
        request.deletedWith = parent.deleted_with
    if not request.HasField("protect") and parent.protect is not None:
        request.protect = parent.protect
    if not request.HasField("retainOnDelete") and parent.retain_on_delete is not None:
        request.retainOnDelete = parent.retain_on_delete
    if not request.provider and parent.provider:
        package = urns.type_of(parent.provider).removeprefix(PROVIDER_PREFIX)
        if not (request.custom or request.remote) or package == request.type.split(":", 1)[0]:
            request.provider = parent.provider


def preview_outputs(request: Any, change: Any, drafts: Mapping[str, Draft]) -> dict[str, Any]:
    """Return what a preview knows of the outputs of a custom resource; what it leaves out is unknown.

    Raises:
        ProgramError: a stash is given something else than an `input`.
    """
    opts = change.options
    outputs = {key: values.downgrade(value) for key, value in change.inputs.items()}
    if request.type == STASH_TYPE:
        return stash(outputs, request.name)
    if is_unconfigured(opts.provider, drafts):
        # The command asks such a provider nothing, and all outputs are unknown.
        return {}
    if request.type.startswith(PROVIDER_PREFIX) and opts.version:
        outputs.setdefault("version", opts.version)
    if request.type.startswith("kubernetes:"):
        leave_name_to_provider(outputs)
    for key in opts.additional_secret_outputs:
        if not values.is_secret(outputs.get(key)):
            outputs[key] = values.secret(outputs.get(key, values.UNKNOWN_ON_WIRE))
    return outputs


def is_unconfigured(reference: str, drafts: Mapping[str, Draft]) -> bool:
    """Say whether a provider cannot be configured in a preview: its inputs wait for resources of the same stack.

    What waits for a stack reference, a resource that is read, a function or a sealed value is known by the time that
    the stack is previewed for real.
    """
    # Source: pulumi/pulumi v3.250.0 pkg/resource/plugin/provider_plugin.go (Configure, Create), read 2026-11.
    provider = drafts.get(reference.rpartition("::")[0])
    if provider is None:
        return False
    made_by = provider.fields["property_dependencies"]
    return any(
        not is_known(value) and any(not drafts[urn].fields.get("external") for urn in made_by.get(key, ()))
        for key, value in provider.fields["inputs"].items()
    )


def stash(inputs: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the outputs of a stash on a first preview: what is put in comes out.

    Raises:
        ProgramError: it is given something else than an `input`.
    """
    # Source: pulumi/pulumi v3.250.0 pkg/resource/deploy/builtins.go (Check, Create), read 2026-11.
    if set(inputs) != {"input"}:
        given = ", ".join(sorted(inputs)) or "none"
        raise ProgramError(f"stash '{name}' has the inputs {given}: it takes 'input' and nothing else")
    return {"input": inputs["input"], "output": inputs["input"]}


def leave_name_to_provider(outputs: dict[str, Any]) -> None:
    """Mark the name of a Kubernetes object as unknown where the program leaves it to the provider."""
    # A Kubernetes object without a name gets a random one from the provider: unknown, not absent.
    metadata = outputs.get("metadata")
    if isinstance(metadata, dict) and values.SIGNATURE not in metadata and "name" not in metadata:
        outputs["metadata"] = {**metadata, "name": values.UNKNOWN_ON_WIRE}


def source(request: Any) -> str:
    """Return the user's `file:line` that a request carries."""
    position = request.sourcePosition
    return f"{position.uri}:{position.line}" if position.uri else ""
