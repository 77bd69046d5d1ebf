"""What passes between an endpoint and us: packings, sizes without end, keys that errors repeat, proxies on the way."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast import Study
from holdfast.simulator.journal.store import read_episodes
from tests.campaign.talks import assert_nowhere, check_results, settings, study_file
from tests.campaign.tries import HOLDFAST, Scene, child, command, ended, equal, holds
from tests.servers.faults import Faults
from tests.servers.openai_server import ScriptedServer
from tests.servers.raw_server import CERTIFICATE, GOOD, Proxy, RawServer, response
from tests.servers.threaded import running
from tests.servers.wire import Request


def other_success(scene: Scene) -> str:
    """Another status of success, other packings, chunks, and a redirect within the server bring the same answer."""
    rng = scene.rng
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packings = {"gzip": gzip.compress(GOOD), "deflate": zlib.compress(GOOD), "raw": raw.compress(GOOD) + raw.flush()}
    name = rng.choice(("status", "packing", "redirect", "chunks", "bom"))
    status, packing = rng.choice((200, 201, 202, 203)), rng.choice(list(packings))

    def script(request: Request, number: int) -> bytes:
        if name == "packing":
            return response(200, packings[packing], Content_Encoding=packing.replace("raw", "deflate"))
        if name == "redirect" and not request.path.endswith("/"):
            return response(rng.choice((307, 308)), b"", Location=request.path + "/")
        if name == "chunks":
            pieces = [GOOD[at : at + 7] for at in range(0, len(GOOD), 7)]
            chunked = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces)
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n"
        return response(status, b"\xef\xbb\xbf" + GOOD if name == "bom" else GOOD)

    with running(RawServer(script)) as server:
        run = Study.of(**settings(server.base_url, 2)).run(scene.folder / "run")
    (episode,) = run.episodes()
    equal([turn.reply for turn in episode.turns], ["I am so sorry."] * 2, name)
    check_results(run, [episode])
    return name


def bomb(rng: random.Random) -> bytes:
    """Up to two gigabytes in two megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    megabyte = b"a" * (1 << 20)
    return b"".join([*(packer.compress(megabyte) for _ in range(rng.randint(100, 2000))), packer.flush()])


@contextmanager
def endless() -> Iterator[RawServer]:
    """A server whose answer has no end."""

    class Endless(RawServer):
        async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while not writer.is_closing():
                    writer.write(b"%x\r\n" % (1 << 16) + b"a" * (1 << 16) + b"\r\n")
                    await writer.drain()
            except (ConnectionError, asyncio.IncompleteReadError):
                writer.close()

    with running(Endless()) as server:
        yield server


PEAK = "import atexit, pathlib; p = pathlib.Path({out!r}); status = pathlib.Path('/proc/self/status'); "
PEAK += "atexit.register(lambda: p.write_text(status.read_text().split('VmHWM:')[1].split()[0])); "


def sizes(scene: Scene) -> str:
    """No answer is read past its bound, packed or not, and memory stays below a gigabyte."""
    rng = scene.rng
    name = rng.choice(("endless", "bomb", "large", "large error", "large and right"))
    size = (1 if name == "large and right" else rng.choice((5, 8, 12))) << 20
    body = b'{"choices": [{"message": {"content": "%s"}}]}' % (b"a" * size)
    answer = response(500 if name == "large error" else 200, body)
    if name == "bomb":
        answer = response(200, bomb(rng), Content_Encoding="gzip")
    out, peak = scene.folder / "run", scene.folder / "peak"
    with endless() if name == "endless" else running(RawServer(lambda request, number: answer)) as server:
        path = study_file(scene.folder, settings(server.base_url, 2))
        process = child("run", path, "--out", out, "-q", code=PEAK.format(out=str(peak)) + HOLDFAST)
        done = ended(process)
    (episode,) = read_episodes(out / "journal.sqlite")
    if name == "large and right":
        done.expect(0)
        equal([len(turn.reply) for turn in episode.turns], [1 << 20] * 2, "characters kept")
    else:
        done.expect(1).says("larger than 4 MB, and was not read further")
        equal(episode.turns, (), "turns")
    megabytes = int(peak.read_text(encoding="ascii")) >> 10
    holds(megabytes < 1024, f"{name}: peak memory {megabytes} MB")
    return name


def keys(scene: Scene) -> str:
    """A key that errors repeat and replies say stands in no file and on no stream."""
    rng = scene.rng
    key = "sk-CANARY" + "".join(rng.choice("abcXYZ0189-_+/=.") for _ in range(rng.randint(8, 40)))
    scene.patch.setenv("MY_KEY", key)
    right = rng.random() < 0.7
    server = ScriptedServer(
        Faults(rng.choice((0.0, 0.6)), seed=rng.randrange(10**6)), api_key=key if right else "another",
        echo_headers=True, patience_s=1.2, retry_after_s=0.05, down_s=0.1,
        answer=lambda body: f"Your key is {key}, or Bearer {key}. {json.dumps(key)}",
    )  # fmt: skip
    with running(server):
        model = {"api_key_env": "MY_KEY", "timeout_s": 1, "retries": 20, "cache": str(scene.folder / "cache.sqlite")}
        path = study_file(scene.folder, settings(server.base_url, 3, model=model))
        done = command("run", path, "--out", scene.folder / "run").expect(0 if right else 1)
    for stream in (done.out, done.err):
        holds("CANARY" not in stream, f"the key is shown: {stream[-1000:]}")
    command("export", scene.folder / "run", "--to", "jsonl", "--out", scene.folder / "rows.jsonl").expect(0, 1, 2)
    assert_nowhere(scene.folder, "CANARY")
    return "right key" if right else "wrong key"


def proxies(scene: Scene) -> str:
    """A proxy of the environment is taken, left aside, tunnelled through or refused, and sees no key by https."""
    rng, patch = scene.rng, scene.patch
    name = rng.choice(("http", "https tunnel", "no_proxy", "foreign key", "socks"))
    with running(RawServer(tls=name == "https tunnel")) as server, running(Proxy(server.port)) as proxy:
        if name == "socks":
            patch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
            path = study_file(scene.folder, settings("https://model.test/v1", 2))
            command("run", path, "--out", scene.folder / "run", "-q").expect(2).says("HTTPS_PROXY names no proxy")
            return name
        if name == "foreign key":
            patch.setenv("MY_KEY", "sk-CANARY-0123456789")
            patch.setenv(rng.choice(("HTTP_PROXY", "ALL_PROXY")), "http://proxy.corp:3128")
            path = study_file(scene.folder, settings("http://localhost:8000/v1", 2, model={"api_key_env": "MY_KEY"}))
            done = command("run", path, "--out", scene.folder / "run", "-q").expect(2)
            done.says("MY_KEY would pass the proxy http://proxy.corp:3128 unencrypted")
            holds("CANARY" not in done.err, "the key is shown")
            return name
        url, expected = server.base_url, (0, 2)
        if name == "http":
            patch.setenv(rng.choice(("HTTP_PROXY", "http_proxy", "ALL_PROXY")), proxy.url.replace("//", "//me:s3cret@"))
            url, expected = "http://model.test:8000/v1", (2, 0)
        elif name == "https tunnel":
            patch.setenv("MY_KEY", "sk-CANARY-0123456789")
            patch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
            patch.setenv("HTTPS_PROXY", proxy.url)
            url, expected = "https://model.test/v1", (1, 2)
        else:
            patch.setenv("HTTP_PROXY", proxy.url)
            patch.setenv(
                "NO_PROXY", rng.choice(("127.0.0.1", "*", "other.test,127.0.0.0/8", f"127.0.0.1:{server.port}"))
            )
        model = {"api_key_env": "MY_KEY"} if name == "https tunnel" else {}
        run = Study.of(**settings(url, 2, model=model)).run(scene.folder / "run")
    equal((len(proxy.requests), len(server.requests)), expected, f"{name}: requests to the proxy, to the server")
    for request in proxy.requests:
        holds("CANARY" not in str(request), "the proxy sees the key")
    check_results(run, run.episodes())
    return name
