"""Entry point of the API: ``python -m app``."""

from __future__ import annotations

import os
import socket
import sys

import uvicorn

from app.processes import Processes
from app.server import StoppingServer
from understudy.settings import Settings

BACKLOG = 2048
START_FAILED = 3


def main() -> None:
    """Serve the API until a signal arrives."""
    settings = Settings()
    listener = listen(settings.host, settings.port, is_shared=settings.share_port)
    n_processes = int(os.environ.get("WEB_CONCURRENCY", "1"))
    if n_processes > 1:
        Processes(lambda: serve(settings, listener)).run(n_processes)
    else:
        serve(settings, listener)


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve the API in this process."""
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        http="app.protocol:TimedProtocol",
        access_log=False,
        server_header=False,
        # With proxy headers, uvicorn would wrap the application and hide its state. The API ignores these
        # headers anyway.
        proxy_headers=False,
        backlog=BACKLOG,
    )
    server = StoppingServer(
        config,
        pause_seconds=settings.api_pause_seconds,
        grace_seconds=settings.api_grace_seconds,
    )
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(START_FAILED)


def listen(host: str, port: int, *, is_shared: bool) -> socket.socket:
    """Return a socket that is bound to the address.

    Parameters
    ----------
    is_shared : bool
        Whether other processes of the same user may listen on the same port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.stderr.write(
            f"error: Port {port} on {host} cannot be used ({error.strerror}). Set UNDERSTUDY_PORT to another "
            "port.\n"
        )
        sys.exit(START_FAILED)
    return listener


if __name__ == "__main__":
    main()
