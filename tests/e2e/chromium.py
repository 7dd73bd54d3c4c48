"""A headless Chromium, driven through a pipe by its own protocol: pages, scripts, screenshots."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
COMPLAINTS = ("Log.entryAdded", "Runtime.exceptionThrown")


class Page:
    """One page of a browser."""

    def __init__(self, requests: int, answers: int) -> None:
        self._requests, self._answers = requests, answers
        self._left, self._count, self._session = b"", 0, ""
        self.complaints: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._requests, json.dumps(message).encode() + b"\0")
        while True:
            output = self._read()
            if output.get("method") in COMPLAINTS:
                self.complaints.append(json.dumps(output["params"]))
            if output.get("id") == self._count:
                assert "error" not in output, output
                by_name: dict[str, Any] = output["result"]
                return by_name

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            got = os.read(self._answers, 1 << 20)
            assert got, "the browser has ended"
            self._left += got
        entry, _, self._left = self._left.partition(b"\0")
        document: dict[str, Any] = json.loads(entry)
        return document

    def look(
        self, width: int, height: int = 900, *, dark: bool = False, motion: bool = False, paper: bool = False
    ) -> None:
        """Emulate a screen's size or a sheet of paper's, and its user's preferences."""
        mobile = width < 600
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        preferences = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "no-preference" if motion else "reduce",
        }
        features = [{"name": name, "value": value} for name, value in preferences.items()]
        self._call("Emulation.setEmulatedMedia", media="print" if paper else "", features=features)

    def open(self, address: str) -> None:
        """Load a page, with its scripts."""
        self._call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def download_to(self, folder: Path) -> None:
        """Save what the page downloads in a folder, under the names that the page gives."""
        self._call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        output = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in output, output["exceptionDetails"]
        return output["result"].get("value")

    def wait(self, condition: str, limit_s: float = 120) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + limit_s
        while not self.run(condition):
            assert time.monotonic() < end, f"waited {limit_s} s for {condition}"
            time.sleep(0.05)

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Write a PNG of the page, to its end or as far as the screen shows it."""
        clip = {}
        if whole:
            size = self._call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        output = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)
        path.write_bytes(base64.b64decode(output["data"]))


def find_browser() -> str | None:
    """Return the browser of this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _as_3_and_4(reading: int, writing: int) -> None:
    """Duplicate the pipe's ends to 3 and 4, where the browser expects them; both are above 9 first."""
    high = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (reading, writing)]
    os.dup2(high[0], 3)
    os.dup2(high[1], 4)


@contextmanager
def browser() -> Iterator[Page]:
    """A browser with an empty page; SKIP where the machine has none."""
    path = find_browser()
    if path is None:
        pytest.skip("Chromium is not installed here (apt-get install chromium)")
    profile = tempfile.mkdtemp(prefix="chromium-")
    requests, answers = os.pipe(), os.pipe()  # (read, write) each
    process = subprocess.Popen(
        [path, *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(3, 4),
        preexec_fn=partial(_as_3_and_4, requests[0], answers[1]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(requests[0])
    os.close(answers[1])
    try:
        yield Page(requests[1], answers[0])
    finally:
        os.close(requests[1])  # the browser ends with its pipe
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(answers[0])
        shutil.rmtree(profile, ignore_errors=True)
