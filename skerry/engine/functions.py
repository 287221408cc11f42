"""Function calls of a program: what the engine itself answers, what a table answers, and the rest, which is unknown.

Every call is recorded with what answered it. A call that waits for a resource that does not exist yet has no answer,
whatever the table says: the engine would not make it either.
"""

# Source: pulumi/pulumi pkg v3.250.0 resource/deploy/source_eval.go (Invoke, Call) and builtins.go, and pulumi 3.272.0
# runtime/invoke.py, read 2026-11.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2, resource_pb2

from skerry.engine import values
from skerry.engine.answers import Answers, builtin_answers
from skerry.engine.registration import DefaultProviders, Draft, referenced_stack
from skerry.engine.transforms import Transforms
from skerry.errors import ProgramError
from skerry.graph import STACK_REFERENCE_TYPE, Invoke


class Functions:
    """Answers and records the function calls of one run."""

    def __init__(
        self,
        project: str,
        stack: str,
        stack_outputs: Mapping[str, Mapping[str, Any]],
        config: Mapping[str, str],
        answers: Answers | None,
    ) -> None:
        """Answer from `answers`, or from the built-in table, which is read when it is first needed."""
        self.invokes: list[Invoke] = []
        self._project = project
        self._stack = stack
        self._stack_outputs = stack_outputs
        self._config = config
        self._answers = answers
        self.unanswered: dict[str, str] = {}
        """Functions without an answer -> why, where the table can tell; the last one called stands last."""

    @property
    def answers(self) -> Answers:
        """The table."""
        return self._answers if self._answers is not None else builtin_answers()

    def invoke(
        self, request: Any, transforms: Transforms, defaults: DefaultProviders, drafts: Mapping[str, Draft]
    ) -> Any:
        """Answer one call, or say that its result is unknown.

        Raises:
            ProgramError: it needs a default provider that is switched off, or names a resource that is not there.
        """
        args, provider = transforms.apply_to_invoke(request, values.to_plain(request.args))
        token = request.tok
        if token == "pulumi:pulumi:getResource":
            return _get_resource(str(args.get("urn", "")), drafts)
        if token == "pulumi:pulumi:readStackOutputs":
            outputs = self._outputs_of(str(args.get("name", "")))
            if outputs is None:
                self.record(token, args)
                return resource_pb2.ResourceInvokeResponse(unknown=True)
            self.record(token, args, "engine")
            return _answer({"name": args["name"], "outputs": {key: values.encode(v) for key, v in outputs.items()}})
        defaults.check(token, provider)
        if not any(_is_pending(drafts.get(urn)) for urn in request.dependsOn):
            serving = drafts.get(provider.rsplit("::", 1)[0]) if provider else None
            inputs = serving.fields["inputs"] if serving is not None else ({} if provider else None)
            given = values.decode(args)
            found = self.answers.find(token, given, provider=inputs, config=self._config)
            if found is not None:
                self.record(token, args, found.by)
                return _answer({key: values.encode(value) for key, value in found.result.items()})
            self.unanswered.pop(token, None)
            self.unanswered[token] = self.answers.reason(token, given, provider=inputs, config=self._config)
        self.record(token, args)
        return resource_pb2.ResourceInvokeResponse(unknown=True)

    def call(self, request: Any) -> Any:
        """Record a method call of a component that is not here; its result is unknown."""
        self.record(request.tok, values.to_plain(request.args))
        # One unknown member makes the whole result unknown to the SDK.
        return provider_pb2.CallResponse(**{"return": values.to_struct({"result": values.UNKNOWN_ON_WIRE})})

    def read_stack(self, draft: Draft, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs of the stack that a stack reference names, where they are at hand."""
        outputs = self._outputs_of(str(inputs.get("name", "")))
        if outputs is None:
            self.record(STACK_REFERENCE_TYPE, inputs)
            return inputs
        draft.outputs = {"outputs": dict(outputs)}
        encoded = {key: values.encode(value) for key, value in outputs.items()}
        names = sorted(key for key, value in encoded.items() if values.holds_secret(value))
        return {**inputs, "outputs": encoded, "secretOutputNames": names}

    def needs(self, name: str, siblings: frozenset[str]) -> str | None:
        """Return which of `siblings` a stack reference means, where no answer to it is at hand."""
        if self._outputs_of(name) is not None:
            return None
        return referenced_stack(name, self._project, dict.fromkeys(siblings))

    def _outputs_of(self, name: str) -> Mapping[str, Any] | None:
        found = referenced_stack(name, self._project, self._stack_outputs)
        return None if found is None else self._stack_outputs[found]

    def record(self, token: str, args: Mapping[str, Any], by: str = "") -> None:
        """Remember a call; without `by` it has no answer."""
        self.invokes.append(Invoke(token, self._stack, bool(by), values.decode(dict(args)), by))


def _is_pending(draft: Draft | None) -> bool:
    """Say whether a resource only comes to be with the deployment that is previewed."""
    return draft is not None and bool(draft.fields["custom"]) and not draft.fields.get("id")


def _get_resource(urn: str, drafts: Mapping[str, Draft]) -> Any:
    draft = drafts.get(urn)
    if draft is None:
        raise ProgramError(f"the program asks for the resource {urn}, which it has not registered")
    state = values.encode({**draft.fields["inputs"], **draft.outputs})
    return _answer({"urn": urn, "id": draft.fields.get("id", ""), "state": state})


def _answer(result: dict[str, Any]) -> Any:
    return resource_pb2.ResourceInvokeResponse(**{"return": values.to_struct(result)})
