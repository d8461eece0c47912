"""Asking servers of this machine, from outside."""

import json
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


def get(url, **headers):
    """Return the answer to a GET request, and its text."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def answered(port, method, path, key, body=None):
    """Return the answer of a LiteLLM proxy, ``""`` while there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, body and json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read().decode()
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()
    return text if response.status == 200 else ""


def ask(port, key, model, question):
    """Return the answer of a LiteLLM proxy to a question."""
    asked = {"model": model, "messages": [{"role": "user", "content": question}]}
    return answered(port, "POST", "/v1/chat/completions", key, asked)
