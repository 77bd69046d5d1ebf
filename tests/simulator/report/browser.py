"""A headless Chromium over its debugging pipe: enough to open a page, ask it things, press keys, take a picture."""

from __future__ import annotations

import base64
import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

EXECUTABLE = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-extensions --hide-scrollbars --remote-debugging-pipe"
)


class Browser:
    """Context manager around one page. ``events``: every protocol event so far."""

    def __init__(self, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True) -> None:
        self.size, self.dark, self.scripts = (width, height), dark, scripts
        self.events: list[dict[str, Any]] = []
        self._id, self._rest, self._session = 0, b"", ""

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (read, self._to), (self._from, write) = os.pipe(), os.pipe()
        command = f"exec {EXECUTABLE} {FLAGS} --user-data-dir={shlex.quote(self._profile.name)} about:blank"
        self._process = subprocess.Popen(
            ["bash", "-c", f"{command} 3<&{read} 4>&{write}"],
            pass_fds=(read, write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read)
        os.close(write)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        width, height = self.size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not self.scripts)
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def open(self, place: Path | str) -> None:
        """Open a file, or an address."""
        self.call("Page.navigate", url=place if isinstance(place, str) else place.resolve().as_uri())
        while not any(e["method"] == "Page.loadEventFired" for e in self.events):
            self._receive()

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression; AssertionError with the page's own words where it throws."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def key(self, name: str) -> None:
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name)

    def picture(self, path: Path, whole: bool = True) -> Path:
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def complaints(self) -> list[str]:
        """Console errors, uncaught exceptions and policy violations."""
        found = [e for e in self.events if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")]
        found += [e for e in self.events if e["method"] == "Runtime.consoleAPICalled"]
        return [json.dumps(e["params"])[:500] for e in found]

    def requests(self) -> list[str]:
        sent = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith("data:")]

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._id += 1
        message: dict[str, Any] = {"id": self._id, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._id:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result

    def _receive(self, patience: float = 60) -> dict[str, Any]:
        until = time.monotonic() + patience
        while b"\0" not in self._rest:
            left = until - time.monotonic()
            assert left > 0, "the browser does not answer"
            if not select.select([self._from], [], [], left)[0]:
                continue
            piece = os.read(self._from, 1 << 20)
            assert piece, "the browser has gone"
            self._rest += piece
        line, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message
