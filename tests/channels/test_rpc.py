"""gRPC with the very service config of the stacks: what is retried, what is not, and when a call is given up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from tests.simulators.stack_objects import AIRGAPPED, THINKING, graph_of, inputs, objects

METHOD = "/sensei.Architect/Escalate"


def service_config(stack: str) -> str:
    texts = {
        inputs(one)["data"]["service-config.json"]
        for one in objects(graph_of(stack), "ConfigMap")
        if inputs(one)["metadata"]["name"] == "grpc-service-config"
    }
    (text,) = texts
    return str(text)


@dataclass
class Server:
    """Answers with what it is told, one row a call; then with `ok`."""

    answers: list[grpc.StatusCode]
    attempts: list[str] = field(default_factory=list)
    slow_s: float = 0

    def handle(self, request: bytes, context: Any) -> bytes:
        found = dict(context.invocation_metadata())
        self.attempts.append(str(found.get("grpc-previous-rpc-attempts", "0")))
        time.sleep(self.slow_s)
        if self.answers:
            context.abort(self.answers.pop(0), "told so")
        return b"ok:" + request


@contextmanager
def serving(server: Server, config: str) -> Iterator[Callable[..., bytes]]:
    """Run a server and yield a call of it through a channel with this service config."""
    handler = grpc.unary_unary_rpc_method_handler(server.handle)
    made = grpc.server(futures.ThreadPoolExecutor(4))
    made.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("sensei.Architect", {"Escalate": handler}),))
    port = made.add_insecure_port("127.0.0.1:0")
    made.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.service_config", config)])
    try:
        yield channel.unary_unary(METHOD)
    finally:
        channel.close()
        made.stop(0).wait()


CASES: dict[str, tuple[list[grpc.StatusCode], int, grpc.StatusCode | None]] = {
    "a peer that is away twice is asked again": ([grpc.StatusCode.UNAVAILABLE] * 2, 3, None),
    "a peer without room is asked again": ([grpc.StatusCode.RESOURCE_EXHAUSTED], 2, None),
    "four attempts are all": ([grpc.StatusCode.UNAVAILABLE] * 9, 4, grpc.StatusCode.UNAVAILABLE),
    "a wrong request is not repeated": (
        [grpc.StatusCode.INVALID_ARGUMENT] * 9, 1, grpc.StatusCode.INVALID_ARGUMENT),
    "what may have taken effect is not repeated": ([grpc.StatusCode.ABORTED] * 9, 1, grpc.StatusCode.ABORTED),
    "a fault of the server is not repeated": ([grpc.StatusCode.INTERNAL] * 9, 1, grpc.StatusCode.INTERNAL),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_retried(case: str) -> None:
    answers, attempts, outcome = CASES[case]
    server = Server(list(answers))
    with serving(server, service_config(AIRGAPPED)) as call:
        if outcome is None:
            assert call(b"x") == b"ok:x"
        else:
            with pytest.raises(grpc.RpcError) as error:
                call(b"x")
            assert outcome == error.value.code()
    assert [str(index) for index in range(attempts)] == server.attempts


def test_attempts_are_spread_over_growing_pauses() -> None:
    config = json.loads(service_config(AIRGAPPED))
    policy = config["methodConfig"][0]["retryPolicy"]
    first = float(policy["initialBackoff"].removesuffix("s"))
    server = Server([grpc.StatusCode.UNAVAILABLE] * 3)
    with serving(server, json.dumps(config)) as call:
        began = time.monotonic()
        assert call(b"x") == b"ok:x"
        took = time.monotonic() - began
    most = 1.2 * sum(first * policy["backoffMultiplier"] ** index for index in range(3))
    assert took < most + 2, "each pause is a random part of 0.1, 0.2 and 0.4 seconds"


def test_a_call_is_given_up_at_its_deadline() -> None:
    config = json.loads(service_config(AIRGAPPED))
    assert config["methodConfig"][0]["timeout"] == "30s"
    config["methodConfig"][0]["timeout"] = "0.5s"  # the same rule, sooner
    server = Server([], slow_s=3)
    with serving(server, json.dumps(config)) as call:
        began = time.monotonic()
        with pytest.raises(grpc.RpcError) as error:
            call(b"x")
        assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - began < 2


def test_a_callers_own_deadline_is_shorter_than_the_retries() -> None:
    server = Server([grpc.StatusCode.UNAVAILABLE] * 9, slow_s=0.3)
    with serving(server, service_config(AIRGAPPED)) as call:
        with pytest.raises(grpc.RpcError) as error:
            call(b"x", timeout=0.5)
        assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(server.attempts) < 4


@pytest.mark.parametrize("stack", THINKING)
def test_every_stack_hands_out_one_service_config(stack: str) -> None:
    assert service_config(AIRGAPPED) == service_config(stack)
