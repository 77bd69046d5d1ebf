"""``transformers serve`` itself, on a free loopback port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.simulator.serving import ServedRun


@contextmanager
def transformers_serve(what: ServedRun, home: Path) -> Iterator[None]:
    """The very command that the hint prints."""
    log = home / "server.log"
    home.mkdir()
    environment = {**os.environ, "HF_HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with log.open("wb") as out:
        server = subprocess.Popen(
            ["bash", "-c", what.transformers().replace("&& ", "&& exec ")],
            env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            for _ in range(600):
                assert server.poll() is None, log.read_text()
                try:
                    urllib.request.urlopen(f"http://{what.host}:{what.port}/health").close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield
        finally:
            server.terminate()
            server.wait(60)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
