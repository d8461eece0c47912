import os
import signal
import tempfile
from pathlib import Path

import pytest

from ddtrace_litellm.openmetrics.sources.leader import Leader, leader_of_directory, leader_of_endpoint
from tests.openmetrics.worker import Worker


@pytest.fixture
def path(tmp_path):
    """Return where the lock is."""
    return tmp_path / "lock"


def test_one_of_several_processes_leads_until_it_ends_however_it_ends(path):
    """A process that is killed leads no longer, and one of the others does, for good."""
    with Worker() as one, Worker() as other, Worker() as third:
        for worker in (one, other, third):
            worker.ask(f"leader({str(path)!r})")
        assert [worker.ask("leader.leads()") for worker in (one, other, third, one)] == [True, False, False, True]
        one.end(signal.SIGKILL)
        assert [worker.ask("leader.leads()") for worker in (other, third, other)] == [True, False, True]


def test_fork_does_not_keep_its_parents_lock(path):
    """A process that the leader forked, and that outlives it, keeps nobody from leading."""
    with Worker() as one, Worker() as other:
        one.ask(f"leader({str(path)!r})")
        other.ask(f"leader({str(path)!r})")
        assert one.ask("leader.leads()")
        child = one.ask("lasting_fork()")
        try:
            assert not other.ask("leader.leads()")
            one.end(signal.SIGKILL)
            assert other.ask("leader.leads()")
        finally:
            os.kill(child, signal.SIGKILL)


def test_closing_lets_another_lead(path):
    """Within a process too, one part leads until it is closed."""
    one, other = Leader(path), Leader(path)
    assert one.leads()
    assert not other.leads()
    one.close()
    assert other.leads()
    other.close()


def test_lock_that_was_deleted_is_no_lock(path):
    """Where the file was cleaned away and another process locked a new one, the old leader notices."""
    one, other = Leader(path), Leader(path)
    assert one.leads()
    path.unlink()
    assert other.leads()
    assert not one.leads()
    other.close()
    assert one.leads()
    one.close()


def test_the_directory_is_the_users_own(tmp_path):
    """It is made so that nobody else can look into it, and its file is private too."""
    path = tmp_path / "own" / "lock"
    leader = Leader(path, private=True)
    assert leader.leads()
    assert [each.stat().st_mode & 0o777 for each in (path.parent, path)] == [0o700, 0o600]
    leader.close()


def test_link_is_not_followed(path, tmp_path):
    """Whoever can write to a directory of metrics cannot have us open, or make, another file."""
    path.symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match=str(path)):
        Leader(path).leads()
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    "make",
    [
        lambda directory: directory.mkdir(0o755),
        lambda directory: directory.symlink_to("elsewhere"),
        lambda directory: directory.touch(0o600),
    ],
    ids=["open to others", "link", "file"],
)
def test_what_is_not_a_private_directory_is_refused(tmp_path, make):
    """A directory that others may open, or none at all, is named in the error."""
    (tmp_path / "elsewhere").mkdir(0o700)
    make(tmp_path / "own")
    with pytest.raises(OSError, match=str(tmp_path / "own")):
        Leader(tmp_path / "own" / "lock", private=True).leads()
    assert not (tmp_path / "elsewhere" / "lock").exists()


def test_directory_of_another_user_is_refused(tmp_path, monkeypatch):
    """Its owner decides who leads."""
    (tmp_path / "own").mkdir(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="not a private directory of this user"):
        Leader(tmp_path / "own" / "lock", private=True).leads()


def test_each_endpoint_and_each_directory_has_a_leader_of_its_own(tmp_path, monkeypatch):
    """The name of the file tells the endpoint, that of its directory the user, and none what the URL is."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    one, other = leader_of_endpoint("http://a:4000/metrics"), leader_of_endpoint("http://b:4000/metrics")
    assert one.path != other.path
    assert one.path == leader_of_endpoint("http://a:4000/metrics").path
    assert one.path.parent.parent == tmp_path
    assert "4000" not in one.path.name
    assert leader_of_directory(Path("/somewhere")).path == Path("/somewhere/ddtrace-litellm.lock")
