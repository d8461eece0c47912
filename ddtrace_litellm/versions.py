"""This package's version, LiteLLM's, and which of LiteLLM's are traced; importable without LiteLLM."""

from functools import cache

__version__ = "0.1.0"

MALICIOUS_VERSIONS = frozenset({"1.82.7", "1.82.8"})
"""Published with a stolen token, deleted since (BerriAI/litellm#24512, #24518); caches may keep them."""

OLDEST_VERSION = (1, 72)
NEWEST_TESTED = {"python": (3, 13), "ddtrace": (4, 16), "litellm": (1, 110)}
"""The newest of each that the tests run with (``riotfile.py``); newer ones are traced, for all that is known."""

OLDEST_TESTED = {"python": (3, 10), "ddtrace": (4, 8), "litellm": OLDEST_VERSION}


class UnsupportedVersionError(Exception):
    """The installed LiteLLM cannot or must not be traced.

    Attributes:
        malicious: it is one of the two releases that steal credentials: nothing at all is to be done with it.
    """

    def __init__(self, message: str, *, malicious: bool = False) -> None:
        super().__init__(message)
        self.malicious = malicious


@cache  # Python parses all of LiteLLM's metadata for it, which takes milliseconds, and ddtrace asks once more
def get_version() -> str:
    """Return the version of the installed LiteLLM, ``""`` where none is installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("litellm")
    except PackageNotFoundError:
        return ""


def check_version(version: str) -> None:
    """Refuse the LiteLLM releases that cannot or must not be traced.

    Raises:
        UnsupportedVersionError: with a sentence that says which version, and what to do.
    """
    import re

    if version in MALICIOUS_VERSIONS:
        raise UnsupportedVersionError(
            f"litellm {version} was published with a stolen token and steals credentials (BerriAI/litellm#24518). "
            "It is not traced. Uninstall it, rotate every secret this machine holds, and install another version.",
            malicious=True,
        )
    numbers = tuple(int(digits) for digits in re.findall(r"\d+", version)[:2])
    # By as many numbers as there are: "1" may be any 1.x.
    if numbers and numbers < OLDEST_VERSION[: len(numbers)]:
        raise UnsupportedVersionError(f"litellm {version} is older than {'.'.join(map(str, OLDEST_VERSION))}")
