import io
import os
import pathlib

import pytest

from ddtrace_litellm.extract.files import file_marker


class _File(io.BytesIO):
    def __init__(self, name):
        super().__init__(b"RIFF")
        self.name = name


class _PathLike(os.PathLike):
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


@pytest.mark.parametrize(
    ("file", "marker"),
    [
        ("day.wav", "[audio: day.wav]"),
        ("/home/ann/day.wav", "[audio: day.wav]"),
        (pathlib.Path("/home/ann/day.wav"), "[audio: day.wav]"),
        (_PathLike("/home/ann/day.wav"), "[audio: day.wav]"),
        (_PathLike(b"/home/ann/day.wav"), "[audio]"),
        (_File("/home/ann/day.wav"), "[audio: day.wav]"),
        (_File(7), "[audio]"),
        (_File(None), "[audio]"),
        (io.BytesIO(b"RIFF"), "[audio]"),
        (b"RIFF", "[audio]"),
        (("day.wav", b"RIFF"), "[audio: day.wav]"),
        (("/home/ann/day.wav", io.BytesIO(b"RIFF"), "audio/wav"), "[audio: day.wav]"),
        ((None, b"RIFF"), "[audio]"),
        ((), "[audio]"),
        ("https://ann:SECRET@host/day.wav?sig=SECRET", "[audio: https://host/day.wav]"),
        ("https://[odd/day.wav?sig=SECRET", "[audio]"),
        ("data:audio/wav;base64,AAAA/SECRET", "[audio: audio/wav]"),
        (" DATA:audio/wav;base64,AAAA/SECRET", "[audio: audio/wav]"),
        ("data:,SECRET", "[audio]"),
        ("UklGR/" + "SECRET" * 1000, "[audio]"),
        (None, "[audio]"),
        ("", "[audio]"),
        (7, "[audio]"),
        ({"odd": 1}, "[audio]"),
    ],
)
def test_name_of_a_file(file, marker):
    """The name alone: no folder of the caller's, no payload, no credentials."""
    assert file_marker("audio", file) == marker


def test_a_file_is_not_read():
    """It stands where it stood, and a closed one is no error."""
    file = _File("day.wav")
    file.seek(2)
    assert file_marker("audio", file) == "[audio: day.wav]"
    assert file.tell() == 2
    file.close()
    assert file_marker("audio", file) == "[audio: day.wav]"


def test_longest_name_of_a_file():
    """A name as long as file systems have it is said, a longer one is none."""
    longest = "n" * 255
    assert longest in file_marker("file", (longest, b""))
    assert "nnn" not in file_marker("file", (f"{longest}n", b""))
