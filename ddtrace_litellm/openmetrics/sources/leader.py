"""Which of several processes does what only one of them should do.

A lock on a file, which the kernel releases when its holder ends, however it ends. No library is worth its place for
this: ``filelock`` and ``portalocker`` wait for locks well, but neither looks at whose file it is that they open in a
directory that anybody can write to, nor lets go of it in a process that was forked.
"""

import multiprocessing
import os
import stat
import sys
import tempfile
import weakref
from hashlib import sha256
from pathlib import Path

from ddtrace_litellm.masking import SafeError

if sys.platform != "win32":
    import fcntl


class NotPrivateError(SafeError, PermissionError):
    """The file is another user's, or others may write to it."""


class Leader:
    """One process' part in an election. Not to be used by two threads at once.

    On Windows, which has no such locks, a process leads that ``multiprocessing`` did not start.

    Args:
        path: the file to lock; it is made where it is not there, and stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        if hasattr(os, "register_at_fork"):
            reference = weakref.WeakMethod(self.close)
            # A forked process would hold the lock too, and longer than this one lives.
            os.register_at_fork(after_in_child=lambda: (close := reference()) and close())

    def leads(self) -> bool:
        """Tell whether this process is the one. It stays so until it ends or closes this; then another may follow.

        Raises:
            OSError: the file cannot be locked, or is not private to this user; the message names it.
        """
        if sys.platform == "win32":
            return multiprocessing.parent_process() is None
        # Where somebody cleaned up the directory, others may have made, and locked, another file.
        if self._file is None or not self._is_at_path(self._file):
            self.close()
            self._file = self._locked()
        return self._file is not None

    def close(self) -> None:
        """Lead no longer."""
        # Closed, not unlocked: in a forked process that would unlock it for the one that leads.
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        self.close()

    def _locked(self) -> int | None:
        # It does not follow a link, nor wait for the other end of a pipe.
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            self._check(os.fstat(file))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_at_path(file):
                return file
        except BlockingIOError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        return None

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise NotPrivateError(f"{self.path} is not a private file of this user")

    def _is_at_path(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self.path.lstat())
        except FileNotFoundError:
            return False


def leader_of_directory(directory: Path) -> Leader:
    """Return the election among the processes that keep their metrics in one directory."""
    # MultiProcessCollector reads, and LiteLLM wipes, what ends with .db.
    return Leader(directory / "ddtrace-litellm.lock")


def leader_of_endpoint(url: str) -> Leader:
    """Return the election among the processes of this host and user that are to scrape one endpoint."""
    user = os.geteuid() if hasattr(os, "geteuid") else ""
    name = f"ddtrace-litellm-{user}-{sha256(url.encode()).hexdigest()[:16]}.lock"
    return Leader(Path(tempfile.gettempdir(), name))
