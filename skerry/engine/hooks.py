"""Resource hooks: functions of the program that run around a change, and in a preview only where they ask for it.

`pulumi preview` runs the before_create and after_create hooks that were registered with `on_dry_run`: those of a custom
resource around its step, those of a component before its step and once its outputs are there. Hooks of updates,
deletes and errors have nothing to run around on a new stack.
"""

# Source: pulumi/pulumi pkg v3.250.0 resource/deploy deployment.go (RunHooks), step.go (CreateStep.Apply) and
# step_executor.go (ExecuteRegisterResourceOutputs), read 2026-11.

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import resource_pb2

from skerry.engine import values
from skerry.engine.transforms import InProcessCallbacks
from skerry.errors import ProgramError

_LOG = logging.getLogger(__name__)


class Hooks:
    """The hooks that a program registered, by name."""

    def __init__(self, callbacks: InProcessCallbacks) -> None:
        """Start with none."""
        self._callbacks = callbacks
        self._known: dict[str, Any] = {}

    def register(self, request: Any) -> None:
        """Remember a hook.

        Raises:
            ProgramError: its name is taken.
        """
        if request.name in self._known:
            raise ProgramError(f"two hooks have the name '{request.name}': give one of them another name")
        self._known[request.name] = request

    def run(
        self,
        kind: str,
        names: Iterable[str],
        urn: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Run the hooks of one kind that want to run in a preview.

        Raises:
            ProgramError: one of them is not registered, or raised.
        """
        for name in names:
            hook = self._known.get(name)
            if hook is None:
                raise ProgramError(f"the {kind} hook '{name}' of {urn} was never registered")
            if not getattr(hook, "on_dry_run", False):
                continue
            type_, short = urn.rsplit("::", 2)[-2:]
            request = resource_pb2.ResourceHookRequest(
                urn=urn, name=short, type=type_.rsplit("$", 1)[-1], new_inputs=values.to_struct(inputs)
            )
            if outputs is not None:
                request.new_outputs.CopyFrom(values.to_struct(outputs))
            answer = resource_pb2.ResourceHookResponse.FromString(self._callbacks.run(hook.callback.token, request))
            if answer.error and not hook.ignore_errors:
                raise ProgramError(f"the {kind} hook '{name}' of {urn} failed{self._function(hook)}: {answer.error}")
            if answer.error:
                _LOG.warning("the %s hook '%s' of %s failed and asks to be ignored", kind, name, urn)

    def _function(self, hook: Any) -> str:
        """Return where the program defines the function of a hook: the SDK hands on the message of its error alone."""
        closure = getattr(self._callbacks.function(hook.callback.token), "__closure__", None) or ()
        for cell in closure:
            code = getattr(getattr(cell.cell_contents, "callback", None), "__code__", None)
            if code is not None:
                return f" in {code.co_name} of {Path(code.co_filename).name}:{code.co_firstlineno}"
        return ""
