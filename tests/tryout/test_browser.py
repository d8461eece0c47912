import pytest

from ddtrace_litellm.tryout import browser


@pytest.mark.parametrize(
    ("environ", "platform", "terminal", "seen"),
    [
        ({"DISPLAY": ":0"}, "linux", True, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True, True),
        ({}, "darwin", True, True),
        ({}, "linux", True, False),
        ({"DISPLAY": ":0"}, "linux", False, False),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "a 1 b 2"}, "linux", True, False),
        ({"CI": "true"}, "darwin", True, False),
    ],
)
def test_is_opened_only_where_it_is_seen(environ, platform, terminal, seen):
    """A browser needs a display, and someone at it who typed the command."""
    assert browser.can_be_seen(environ, platform, terminal=terminal) is seen


def test_opens_the_page(monkeypatch):
    """Where it is seen, the page is opened, and else nothing is."""
    opened = []
    monkeypatch.setattr(browser.webbrowser, "open", opened.append)
    monkeypatch.setattr(browser.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(browser.sys, "platform", "linux")
    browser.show("http://here", {})
    browser.show("http://there", {"DISPLAY": ":0"})
    assert opened == ["http://there"]
