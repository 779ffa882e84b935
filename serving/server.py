"""gRPC and REST in one process, until a signal."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from serving.grpc_server import grpc_server
from serving.rest_server import rest_app
from serving.scorer import OnlineScorer

__all__ = ["serve"]

_GRACE_SECONDS = 5


def serve(
    scorer: OnlineScorer, address: str, grpc_port: int, rest_port: int, on_ready: Callable[[int, int], None]
) -> None:
    """Answer requests until SIGINT or SIGTERM, then finish those under way.

    Args:
        scorer: what answers.
        address: to listen on.
        grpc_port: 0 for a free one.
        rest_port: 0 for a free one.
        on_ready: told both ports once they accept connections.

    Raises:
        OSError: if a port is taken.
    """
    http = _HttpServer(
        uvicorn.Config(rest_app(scorer), log_level="warning", lifespan="off", timeout_graceful_shutdown=_GRACE_SECONDS)
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, http.handle_exit)
    with socket.create_server((address, rest_port), backlog=128) as rest_socket:
        server, bound_grpc_port = grpc_server(scorer, address, grpc_port)
        server.start()
        try:
            on_ready(bound_grpc_port, rest_socket.getsockname()[1])
            http.run(sockets=[rest_socket])
        finally:
            server.stop(_GRACE_SECONDS).wait()


class _HttpServer(uvicorn.Server):
    """Leaves signals to `serve`: uvicorn would raise them anew when it is done, before gRPC has finished."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
