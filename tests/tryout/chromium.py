"""A page in headless Chromium, over its DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_START = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--remote-debugging-pipe"),
)


class Page:
    """One page, as a context manager.

    Args:
        url: what it shows.
        profile: a directory that Chromium may fill.
        size: of the window, in pixels.
    """

    def __init__(self, url, profile: Path, size=(1200, 800)):
        self._url, self._profile, self._size = url, profile, size
        self._last, self._session, self._pending = 0, None, b""

    def __enter__(self):
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        # Chromium reads its descriptor 3 and writes to 4.
        self._process = subprocess.Popen(
            [
                *("bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", CHROMIUM, *_START),
                *(f"--user-data-dir={self._profile}", f"--window-size={self._size[0]},{self._size[1]}", "about:blank"),
            ],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.navigate", url=self._url)
        return self

    def __exit__(self, *_exception):
        self._session = None
        self.call("Browser.close")
        self._process.wait(20)
        os.close(self._to)
        os.close(self._from)

    def call(self, method, **parameters):
        """Call a method of the protocol and return its result."""
        self._last += 1
        request = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            request["sessionId"] = self._session
        os.write(self._to, json.dumps(request).encode() + b"\0")
        while True:
            message, found, rest = self._pending.partition(b"\0")
            if not found:
                piece = os.read(self._from, 1 << 16)
                assert piece, "Chromium has ended"
                self._pending += piece
                continue
            self._pending = rest
            answer = json.loads(message)
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]

    def value(self, expression):
        """Return what a JavaScript expression is."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def until(self, expression, seconds=30):
        """Return what an expression is as soon as that is true."""
        deadline = time.monotonic() + seconds
        while not self.value(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"not within {seconds} s: {expression}\n{self.text[:5000]}"
            time.sleep(0.05)
        return self.value(expression)

    @property
    def text(self):
        """What can be read on the page."""
        return self.value("document.body.innerText")

    def screenshot(self):
        """Return a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
