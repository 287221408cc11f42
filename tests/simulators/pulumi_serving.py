"""What every simulated plugin does alike: listen on loopback, print the port, end with its engine."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc

_THREADS = 32
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024
"""What the engine itself allows."""
_POLL_S = 0.5


def serve(add: Callable[[Any], None], on_stop: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal comes or the process that started this one is gone."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = grpc.server(
        futures.ThreadPoolExecutor(_THREADS),
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ],
    )
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    parent = os.getppid()
    server.start()
    print(port, flush=True)
    # The engine puts plugins into process groups of their own, so the end of its group does not reach them.
    while not stop.wait(_POLL_S) and os.getppid() == parent:
        pass
    on_stop()
    server.stop(1)
