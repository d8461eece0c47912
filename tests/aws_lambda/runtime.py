"""An AWS Lambda of the tests' own: its runtime API, and functions that run under the real runtime client."""

import json
import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest

SECONDS = 120.0
PROGRAMS = Path(__file__).parent / "programs"
ACTIVATION = Path(__file__).parents[1] / "activation" / "programs"
SITE_PACKAGES = f"python/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
_NOT_INHERITED = ("AWS_", "DD_", "_DD_", "LITELLM_", "PYTEST_", "PYTHON", "COV_")
_REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
# Not imported here: datadog_lambda patches what it finds, for all tests of the process.
needs_lambda = pytest.mark.skipif(
    not (find_spec("awslambdaric") and find_spec("datadog_lambda")),
    reason="Lambda's runtime client or datadog-lambda is not installed",
)
_RUNTIME = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")


class InvocationFailed(AssertionError):  # noqa: N818
    """The function raised, could not be loaded, or its process ended."""


class RuntimeApi:
    """``/2018-06-01/runtime``, for one function that is invoked once at a time."""

    def __init__(self) -> None:
        events: Queue[tuple[Any, float]] = Queue()
        results: Queue[tuple[str, Any]] = Queue()
        self.events, self.results = events, results

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                results.put(("next", None))
                event, deadline = events.get()
                self._answer(
                    200,
                    event,
                    {
                        "Lambda-Runtime-Aws-Request-Id": _REQUEST_ID,
                        "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:tests",
                        "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
                    },
                )

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
                results.put((self.path.rpartition("/")[2], body))
                self._answer(202, {"status": "OK"}, {})

            def _answer(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {
                    **headers,
                    "Content-Type": "application/json",
                    "Content-Length": len(content),
                }.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Function:
    """A function in a process, from its cold start until it is killed, as Lambda does with one that it has frozen."""

    def __init__(self, command: list[str], environment: Mapping[str, str], directory: Path) -> None:
        self._command = command
        self._environment = dict(environment)
        self._log = directory / "log"
        self._api = RuntimeApi()

    def __enter__(self) -> "Function":
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**self._environment, "AWS_LAMBDA_RUNTIME_API": self._api.address},
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._environment["LAMBDA_TASK_ROOT"],
            )
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.kill()
        self._process.wait()
        self._api.close()

    @property
    def log(self) -> str:
        """What the function's process has written."""
        return self._log.read_text()

    def invoke(self, event: Any, seconds: float = SECONDS) -> Any:
        """Invoke the function; return its answer, which it gave before it was ready for another invocation."""
        self._expect("next")
        self._api.events.put((event, time.time() + seconds))
        return self._expect("response")

    def invoke_and_run_out(self, event: Any, seconds: float) -> None:
        """Invoke the function with so little time that it cannot answer, and kill it when that is over."""
        self._expect("next")
        self._api.events.put((event, time.time() + seconds))
        time.sleep(seconds)
        self._process.kill()
        assert self._api.results.empty()

    def _expect(self, wanted: str) -> Any:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                kind, body = self._api.results.get(timeout=0.2)
            except Empty:
                if self._process.poll() is not None:
                    raise InvocationFailed(f"the process ended: {self._process.returncode}\n{self.log}") from None
                continue
            if kind != wanted:
                raise InvocationFailed(f"{kind}: {body}\n{self.log}")
            return body
        raise InvocationFailed(f"no {wanted} within {SECONDS:.0f} s\n{self.log}")


class Lambda:
    """A machine of Lambda's below ``root``: runtime, Datadog's layer, the layer in ``zips``, and a function's code."""

    def __init__(self, root: Path, *zips: Path) -> None:
        self.root = root
        self.opt, self.task, self.runtime = root / "opt", root / "var" / "task", root / "var" / "runtime"
        # A bare Python: nothing is installed in it, so that no .pth file is read but those of Lambda's own doing.
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "var" / "lang"], check=True)
        for path in zips:
            unpack(path, self.opt)
        self._link(self.opt / SITE_PACKAGES, lambda name: not _is_ours(name) and not name.endswith(".pth"))
        self._link(self.runtime, lambda name: name.startswith(_RUNTIME) and not name.endswith("-info"))
        self.task.mkdir()
        for place, program in (
            (self.runtime, PROGRAMS / "bootstrap.py"),
            (self.task, PROGRAMS / "function.py"),
            (self.task, ACTIVATION / "state.py"),
        ):
            (place / program.name).write_bytes(program.read_bytes())

    @staticmethod
    def _link(directory: Path, wanted: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for source in {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}:
            for path in source.iterdir():
                if wanted(path.name) and path.name != "__pycache__":
                    (directory / path.name).symlink_to(path)

    def function(self, *, wrapper: str | None = None, **environment: str) -> Function:
        """Return a function that starts under the exec wrapper, a path below ``/opt``, with these variables."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
        variables = {
            **clean,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_NAME": "tests",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": "eu-west-1",
            "LAMBDA_RUNTIME_DIR": str(self.runtime),
            "LAMBDA_TASK_ROOT": str(self.task),
            "OPT": str(self.opt),
            "PYTHONUNBUFFERED": "1",
            "_HANDLER": "datadog_lambda.handler.handler",
            "DD_LAMBDA_HANDLER": "function.handler",
            "DD_COLD_START_TRACING": "false",  # a span for each import
            "DD_ENHANCED_METRICS": "false",
            "DD_LLMOBS_ML_APP": "tests",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            **environment,
        }
        command = [str(self.root / "var" / "lang" / "bin" / "python"), str(self.runtime / "bootstrap.py")]
        if wrapper is not None:
            command.insert(0, str(self.opt / wrapper))
        return Function(command, variables, self.root)

    @property
    def python_path(self) -> str:
        """The ``PYTHONPATH`` that a function has to set to have its layers, if it sets one."""
        return os.pathsep.join([str(self.opt / SITE_PACKAGES), str(self.opt / "python")])


def unpack(archive: Path, directory: Path) -> None:
    """Unpack a layer as Lambda does, permissions included."""
    with zipfile.ZipFile(archive) as layer:
        layer.extractall(directory)
        for entry in layer.infolist():
            (directory / entry.filename).chmod(entry.external_attr >> 16 & 0o777)


def _is_ours(name: str) -> bool:
    return "ddtrace_litellm" in name
