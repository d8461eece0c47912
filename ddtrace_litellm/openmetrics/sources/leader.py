"""Elects one of several processes: the one that holds a lock on a file, until it ends."""

import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from ddtrace_litellm.masking import SafeError


class NotPrivateError(SafeError, PermissionError):
    """The directory is another user's, or others may write to it."""


class Leader:
    """One process's candidacy as leader. A forked process begins without the lock of its parent.

    Args:
        path: the file to lock; it is made where it is not there.
        private: its directory has to be of this user alone, and is made where it is not there.
    """

    def __init__(self, path: Path, *, private: bool = False) -> None:
        self.path, self._private = path, private
        self._lock = self._made()
        self._inode = 0

    def _made(self) -> BaseFileLock:
        return FileLock(self.path, mode=0o600, thread_local=False)

    def leads(self) -> bool:
        """Tell whether this process is the one. It stays so until it ends or closes this; then another may follow.

        Raises:
            OSError: the file cannot be locked, or its directory is not private; the message names it.
        """
        # Where somebody cleaned up the directory, others may have made, and locked, another file.
        if self._lock.is_locked and self._inode == self._inode_at_path():
            return True
        self.close()
        if self._private:
            _make_private(self.path.parent)
        self._lock = self._made()  # one of a parent cannot be used
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        self._inode = self._inode_at_path()
        return True

    def close(self) -> None:
        """Lead no longer."""
        if self._lock.is_locked:
            self._lock.release(force=True)

    def _inode_at_path(self) -> int:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return -1


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    # On Windows, the directory for temporary files is the user's own.
    if hasattr(os, "geteuid") and (
        not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077
    ):
        raise NotPrivateError(f"{directory} is not a private directory of this user")


def leader_of_directory(directory: Path) -> Leader:
    """Return the election among the processes that keep their metrics in one directory."""
    # MultiProcessCollector reads, and LiteLLM wipes, what ends with .db.
    return Leader(directory / "ddtrace-litellm.lock")


def leader_of_endpoint(url: str) -> Leader:
    """Return the election among the processes of this host and user that are to scrape one endpoint."""
    # Not of the user's home, which containers often lack, nor of XDG_RUNTIME_DIR, which not all his processes have.
    user = f"-{os.geteuid()}" if hasattr(os, "geteuid") else ""
    name = f"{sha256(url.encode()).hexdigest()[:16]}.lock"
    return Leader(Path(tempfile.gettempdir(), f"ddtrace-litellm{user}", name), private=True)
