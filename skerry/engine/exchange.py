"""What of the SDK is exchanged while a program runs in process, and put back afterwards.

- The search for the line that makes a resource: the SDK formats the whole stack, this one stops at the user's line.
- The last wait for all outputs: the SDK's own takes quadratic time.
- The arguments of a function call: they stay marked as secret.
- The secret getters of Config: a value whose plaintext is withheld is a secret unknown.
- Fields of outputs (`cluster.vpc_config.security_group_id`): one that the inputs do not give is unknown, not None,
  because the provider fills it in.
- An input whose output has another shape (a list of ids that comes back as a map) is unknown as an output.
- What the SDK does for each resource has quicker forms (skerry.engine.quick).
- The modules of generated SDKs are imported by need (skerry.engine.lazy).
- StackReference: one unknown output of a stack must not hide the known ones, and a sibling stack that is needed first
  is asked for.

A program sees none of it but its effect.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
from pulumi import _types as sdk_types
from pulumi.output import _OutputData
from pulumi.runtime import resource as sdk_resource
from pulumi.runtime import rpc as sdk_rpc
from pulumi.runtime import settings as sdk_settings
from pulumi.runtime import stack as sdk_stack
from pulumi.runtime.proto import source_pb2

from skerry.engine import failure
from skerry.engine.lazy import lazy_sdks
from skerry.engine.monitor import Monitor
from skerry.engine.project import Project, StackConfig
from skerry.engine.quick import quick_sdk
from skerry.engine.traces import place_of_frame
from skerry.errors import ProgramError


class StackNeededError(BaseException):
    """Ends a run early: the program refers to a sibling stack that has not been run yet."""

    def __init__(self, stack: str) -> None:
        """Name the stack."""
        self.stack = stack
        super().__init__(stack)


@dataclasses.dataclass(slots=True)
class Run:
    """One run of a program."""

    project: Project
    stack: str
    config: StackConfig
    monitor: Monitor
    timeout_s: float
    siblings: frozenset[str] = frozenset()
    """Stacks that could be run first; a reference to one of them ends this run."""
    created: int = 0
    """How many resources the program has made so far."""
    read_as_secret: set[str] = dataclasses.field(default_factory=set)
    """Keys that the program reads as secrets, wherever their values come from."""


@contextlib.contextmanager
def exchanged(run: Run, code: failure.UserCode) -> Iterator[None]:
    """Exchange the parts of the SDK for the time of one run."""
    with contextlib.ExitStack() as stack:

        def exchange(owner: Any, name: str, replacement: Any) -> None:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, replacement)

        stack.enter_context(lazy_sdks())
        stack.enter_context(quick_sdk())
        exchange(sdk_stack, "wait_for_rpcs", _wait_for_all)
        exchange(sdk_resource, "_get_stack_trace", functools.partial(_source_of_caller, run, code))
        exchange(sdk_rpc, "_unwrap_rpc_secret_struct_properties", _keep_marks(sdk_rpc))
        exchange(sdk_rpc, "translate_output_properties", _or_unknown(sdk_rpc.translate_output_properties))
        for name in vars(pulumi.Config):
            if name.startswith(("get_secret", "require_secret")):
                exchange(pulumi.Config, name, _withholding(getattr(pulumi.Config, name), run))
        exchange(pulumi.Output, "__getattr__", _get_attribute)
        exchange(pulumi.Output, "__getitem__", _get_item)
        exchange(pulumi.StackReference, "__init__", _demanding(pulumi.StackReference.__init__, run))
        exchange(pulumi.StackReference, "get_output", _get_output)
        exchange(pulumi.StackReference, "require_output", _requiring(code))
        yield


async def _wait_for_all(await_all_outstanding_tasks: bool = True) -> None:
    """Wait for every registration and output, as the SDK does, but in one wait instead of one for each output."""
    manager, settings = sdk_settings._get_rpc_manager(), sdk_settings.SETTINGS
    while True:
        while manager.rpcs:
            await asyncio.sleep(0)
            await manager.rpcs.pop()
        if manager.unhandled_exception is not None:
            raise manager.unhandled_exception.with_traceback(manager.exception_traceback)
        while await_all_outstanding_tasks and settings.outputs:
            with settings.lock:
                waiting = list(settings.outputs)
                settings.outputs.clear()
            done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
            with settings.lock:
                settings.outputs.update(rest)
            for task in done:
                await task
        if not manager.rpcs:
            return


def _source_of_caller(run: Run, code: failure.UserCode) -> Any:
    """Return the user's line that makes a resource, and the resource's number, in place of a whole stack trace."""
    frame: Any = sys._getframe(1)
    resource = frame.f_locals.get("res")
    run.created += 1
    position = source_pb2.SourcePosition(column=run.created)
    while frame is not None:
        path = code.relative(frame.f_code.co_filename)
        if path:
            position.uri, position.line = path, frame.f_lineno
            # The constructors of the resource's own class are not where the user asked for it.
            if "init" not in frame.f_code.co_name or frame.f_locals.get("self") is not resource:
                break
        frame = frame.f_back
    return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])


def _keep_marks(rpc: Any) -> Callable[[Any], tuple[Any, bool]]:
    """Leave the arguments of a function call marked: the graph that records them must know what is secret."""
    unwrap = rpc._unwrap_rpc_secret_struct_properties
    return lambda value: (value, unwrap(value)[1])


def _or_unknown(translate: Callable[..., Any]) -> Callable[..., Any]:
    """Take a value that does not fit the type of its output for unknown: the provider will give it another shape."""

    # Source: pulumi/pulumi-azure-native provider/pkg/convert/previewOutputs.go, read 2026-11.
    @functools.wraps(translate)
    def fitting(output: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return translate(output, *args, **kwargs)
        except AssertionError:
            return pulumi.output.UNKNOWN

    return fitting


def _withholding(getter: Callable[..., Any], run: Run) -> Callable[..., Any]:
    @functools.wraps(getter)
    def get(self: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        full = self.full_key(key)
        run.read_as_secret.add(full)
        if full in run.config.secret_keys and full not in run.config.values:
            return _secret_unknown()
        return getter(self, key, *args, **kwargs)

    return get


def _secret_unknown() -> Any:
    data: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    data.set_result(_OutputData(resources=set(), value=None, is_known=False, is_secret=True))
    return pulumi.Output._from_data(data)


def _get_attribute(self: Any, item: str) -> Any:
    if item.startswith("__"):
        raise AttributeError(f"'Output' object has no attribute '{item}'")
    return self.apply(lambda value: _lifted(value, item, getattr), True)


def _get_item(self: Any, key: Any) -> Any:
    return self.apply(lambda value: _lifted(value, key, operator.getitem), True)


def _lifted(value: Any, key: Any, read: Callable[[Any, Any], Any]) -> Any:
    """Read a field of an output; one that a provider's type has and the inputs lack is the provider's to decide."""
    if isinstance(value, pulumi.output.Unknown):
        return pulumi.output.UNKNOWN
    if not sdk_types.is_output_type(type(value)):
        return read(value, key)
    try:
        found = read(value, key)
    except KeyError:
        found = None
    return pulumi.output.UNKNOWN if found is None else found


def _demanding(init: Callable[..., None], run: Run) -> Callable[..., None]:
    @functools.wraps(init)
    def __init__(self: Any, name: str, stack_name: Any = None, opts: Any = None) -> None:  # noqa: N807
        target = stack_name if stack_name is not None else name
        if isinstance(target, str) and (needed := run.monitor.needs(target, run.siblings)):
            raise StackNeededError(needed)
        init(self, name, stack_name, opts)

    return __init__


def _get_output(self: Any, name: Any) -> Any:
    return _one_output(self, name, lambda outputs, key, _: outputs.get(key))


def _requiring(code: failure.UserCode) -> Callable[[Any, Any], Any]:
    def require_output(self: Any, name: Any) -> Any:
        place = place_of_frame(sys._getframe(1), code)

        def pick(outputs: Any, key: str, stack: str) -> Any:
            if key in outputs:
                return outputs[key]
            at = f" at {place.where}" if place.where else ""
            raise ProgramError(
                f"the program requires the output '{key}' of the stack '{stack}'{at}, which is not among its outputs "
                f"here: {', '.join(sorted(outputs)) or 'none'}; export it in that stack, add it to --stack-outputs "
                f"FILE if it is from there, or read it with get_output{place.shown}"
            )

        return _one_output(self, name, pick)

    return require_output


def _one_output(reference: Any, name: Any, pick: Callable[[Any, Any, Any], Any]) -> Any:
    """Pick one output of a stack while others are unknown; the SDK's own getter waits until all are known."""

    def choose(found: Any) -> Any:
        key, outputs, stack = found
        whole = isinstance(key, pulumi.output.Unknown) or isinstance(outputs, pulumi.output.Unknown)
        return pulumi.output.UNKNOWN if whole else pick(outputs, key, stack)

    value = pulumi.Output.all(pulumi.Output.from_input(name), reference.outputs, reference.name).apply(choose, True)

    async def picked() -> Any:
        # The name is mangled because the SDK keeps it private; its rule for secrets is the SDK's own.
        is_secret = await reference._StackReference__is_secret_name(name)
        return dataclasses.replace(await value._data, is_secret=is_secret)

    return pulumi.Output._from_data(picked())
