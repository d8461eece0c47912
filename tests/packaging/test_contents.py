"""What lies in the wheel and in the sdist, byte for byte."""

import os
import shutil
import tarfile
import zipfile
from pathlib import PurePosixPath

from tests.checkout import CHECKOUT
from tests.packaging.conftest import build

START_FILES = {"ddtrace_litellm.pth", "ddtrace_litellm.start"}


def test_wheel_is_the_package(built, committed):
    """The wheel has each file of the package and the two start files, as they are committed, and nothing else."""
    with zipfile.ZipFile(built.wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}
        metadata = {PurePosixPath(name).name for name in archive.namelist() if ".dist-info/" in name}
    expected = {name for name in committed if name.startswith("ddtrace_litellm/")} | START_FILES
    assert files == {name: (CHECKOUT / name).read_bytes() for name in expected}
    assert metadata == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "LICENSE"}


def test_sdist_is_the_checkout(built, committed):
    """The sdist has each file that is committed and its metadata, and nothing else."""
    with tarfile.open(built.sdist) as archive:
        files = {
            str(PurePosixPath(*PurePosixPath(member.name).parts[1:])): archive.extractfile(member).read()
            for member in archive.getmembers()
        }
    assert files.pop("PKG-INFO")
    assert files == {name: (CHECKOUT / name).read_bytes() for name in committed}


def test_same_bytes_again(built, committed, tmp_path):
    """The same sources elsewhere, with other times, modes and umask, give the same sdist, and without it that wheel."""
    copy = tmp_path / "elsewhere"
    for number, name in enumerate(sorted(committed)):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, copy / name)
        (copy / name).chmod((copy / name).stat().st_mode & 0o700)
        os.utime(copy / name, (1_500_000_000 + number,) * 2)
    mask = os.umask(0o027)
    try:
        again = build(copy, tmp_path / "again", "--sdist", "--wheel")
    finally:
        os.umask(mask)
    assert again.sdist.read_bytes() == built.sdist.read_bytes()
    assert again.wheel.read_bytes() == built.wheel.read_bytes()


def test_source_date_epoch(tmp_path):
    """The time of all files in the wheel is SOURCE_DATE_EPOCH, where it is set."""
    dated = build(CHECKOUT, tmp_path, "--wheel", environment={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
    with zipfile.ZipFile(dated.wheel) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}
