"""Opens the user's browser, if there is a screen."""

import sys
import webbrowser
from collections.abc import Mapping


def can_be_seen(environ: Mapping[str, str], platform: str, *, terminal: bool) -> bool:
    """Return whether a browser would show up on the screen of the user who typed the command.

    Args:
        environ: the variables.
        platform: as ``sys.platform`` has it.
        terminal: whether someone reads what we print.
    """
    if not terminal or environ.get("SSH_CONNECTION") or environ.get("CI"):
        return False
    # Without a display Python would open a browser for terminals, in the middle of what the program prints.
    return platform in ("darwin", "win32") or any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def show(url: str, environ: Mapping[str, str]) -> None:
    """Open ``url`` if it can be seen."""
    if can_be_seen(environ, sys.platform, terminal=sys.stderr.isatty()):
        webbrowser.open(url)
