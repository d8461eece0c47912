"""A server like Presidio's, which knows one phone number: its analyzer and its anonymizer."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_NUMBER = re.compile("555-1234")
MASK = "<PHONE_NUMBER>"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = _analyzed(asked["text"]) if self.path == "/analyze" else _anonymized(asked["text"])
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def _analyzed(text: str) -> Any:
    return [
        {"entity_type": "PHONE_NUMBER", "start": found.start(), "end": found.end(), "score": 0.9}
        for found in _NUMBER.finditer(text)
    ]


def _anonymized(text: str) -> Any:
    items = [{**found, "text": MASK, "operator": "replace"} for found in _analyzed(text)]
    return {"text": _NUMBER.sub(MASK, text), "items": items}


class Presidio:
    """The server as a context manager.

    Attributes:
        url: where it listens.
    """

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Presidio":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
