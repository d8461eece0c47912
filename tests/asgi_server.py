"""An ASGI application in a thread of this process."""

import socket
import threading
import time
from contextlib import suppress

import uvicorn


def start(server: uvicorn.Server, listening: socket.socket) -> threading.Thread:
    """Return the thread that a server runs in, once it answers; ``listening``: where."""

    def serve() -> None:
        with suppress(RuntimeError):  # of a loop that was stopped
            server.run(sockets=[listening])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    return thread
