"""Which processes are there."""

import os
import subprocess
import time


def gone(*pids):
    """Return whether all these processes end within ten seconds."""
    deadline = time.monotonic() + 10
    left = set(pids)
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if _runs(pid)}
        time.sleep(0.02)
    return not left


def children(pid):
    """Return the ids of the processes that ``pid`` has started: for a tryout, the agent's and the program's."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has asked about yet is still listed.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return not state.stdout.startswith("Z") and bool(state.stdout.strip())
