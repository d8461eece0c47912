"""Run a program under the real ``ddtrace-run`` of this environment, as if it had been started directly."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from ddtrace_litellm.tryout.errors import TryoutError

_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_SIGNAL_BASE = 128

# A terminal sends these to every process in its foreground, so to the program as well as to us.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT")
_FROM_PROCESSES = ("SIGTERM", "SIGHUP")


class Ended(NamedTuple):
    """How a program ended.

    Attributes:
        status: its exit status, 128+n when signal n ended it.
        told_to: whether another process told us, and so the program, to end (SIGTERM, SIGHUP).
    """

    status: int
    told_to: bool


def program_environment(environment: Mapping[str, str], agent_url: str, metrics_url: str) -> dict[str, str]:
    """Return ``environment`` with what sends everything to the agent at ``agent_url``, and nothing anywhere else.

    The user's own settings are kept except for those that would send the data elsewhere or nowhere. Metrics go to
    ``metrics_url``.
    """
    result = dict(environment)
    result.update(
        DD_TRACE_AGENT_URL=agent_url,
        DD_LLMOBS_ENABLED="1",
        DD_LLMOBS_AGENTLESS_ENABLED="0",
        DD_INSTRUMENTATION_TELEMETRY_ENABLED="0",
        DD_REMOTE_CONFIGURATION_ENABLED="0",
        DD_LITELLM_OPENMETRICS_AGENTLESS="false",
        DD_DOGSTATSD_URL=metrics_url,
    )
    result.pop("DD_LLMOBS_OVERRIDE_ORIGIN", None)
    result.setdefault("DD_LLMOBS_ML_APP", "try")
    # Each span is sent when it is finished. Otherwise ddtrace keeps them back until the whole trace is, and of a trace
    # with a span that never ends there would be nothing to look at.
    result.setdefault("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", "1")
    # The test agent takes no debugger data, and ddtrace would complain about that among the program's output.
    result.setdefault("DD_CODE_ORIGIN_FOR_SPANS_ENABLED", "0")
    return result


def run_program(command: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """Run ``command`` under ``ddtrace-run`` with our standard streams and wait for it.

    Signals that reach us reach the program, and we go on until it ends.

    Args:
        command: the program and its arguments, at least the program.
        environment: the whole environment of the program.

    Raises:
        TryoutError: there is no such program, it cannot be executed, or ``ddtrace-run`` is missing.
    """
    executable = find_program(command[0], environment.get("PATH"))
    launcher = find_ddtrace_run()
    with _signals_passed_on() as watch:
        process = subprocess.Popen([launcher, executable, *command[1:]], env=dict(environment))  # noqa: S603
        watch(process)
        status = process.wait()
    return Ended(status if status >= 0 else _SIGNAL_BASE - status, watch.told_to_end)


def find_program(program: str, path: str | None) -> str:
    """Return the executable that ``program`` means.

    Raises:
        TryoutError: there is none (status 127), or it is not executable (status 126).
    """
    found = shutil.which(program, path=path)
    if found is not None:
        return found
    if Path(program).is_file():
        raise TryoutError(f"not executable: {program} (did you mean: python {program}?)", _NOT_EXECUTABLE)
    raise TryoutError(f"program not found: {program}", _NOT_FOUND)


def find_ddtrace_run() -> str:
    """Return the ``ddtrace-run`` that belongs to the running Python.

    Raises:
        TryoutError: it is not there.
    """
    directories = (str(Path(sys.executable).parent), sysconfig.get_path("scripts"))
    found = shutil.which("ddtrace-run", path=os.pathsep.join(directories))
    if found is None:
        raise TryoutError(f"ddtrace-run is not installed in the environment of {sys.executable}", 2)
    return found


@contextmanager
def _signals_passed_on() -> Iterator["_Watch"]:
    """Pass signals on to the process that is watched, while the block runs."""
    watch = _Watch()
    if threading.current_thread() is not threading.main_thread():
        yield watch  # Python lets only the main thread handle signals
        return
    previous = {}
    for name in (*_FROM_TERMINAL, *_FROM_PROCESSES):
        number = getattr(signal, name, None)
        # What we were told to ignore (nohup, a background job) the program ignores too.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, watch.receive)
    try:
        yield watch
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Watch:
    """Hands signals to one process; those that came before it existed, when it does."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self.told_to_end = False

    def __call__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for number in self._early:
            process.send_signal(number)

    def receive(self, number: int, _frame: FrameType | None) -> None:
        self.told_to_end |= signal.Signals(number).name in _FROM_PROCESSES
        if self._process is None:
            self._early.append(number)
        elif signal.Signals(number).name not in _FROM_TERMINAL or not _in_foreground():
            self._process.send_signal(number)


def _in_foreground() -> bool:
    """Whether the terminal sends its signals to our process group, the program's too."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except (OSError, AttributeError):
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
