"""What every plugin of the Pulumi command does: serve on loopback, print the port, and end with the command."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any, Final

import grpc

_PARENT_CHECK_S: Final = 0.5
_MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024
"""The command's own limit."""


def serve(register: Callable[[grpc.Server], None], stop: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal or the end of the command; the first line on stdout is the port."""
    options = [("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=options)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def end(*_: Any) -> None:
        stop()
        os._exit(0)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=_end_with_parent, args=(os.getppid(), end), daemon=True).start()
    print(port, flush=True)
    server.wait_for_termination()


def _end_with_parent(parent: int, end: Callable[[], None]) -> None:
    """Call `end` once the command is gone: it starts each plugin in a process group of its own."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  # open until the process ends
    end()
