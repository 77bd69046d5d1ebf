"""Endpoints that are dead, away, or ask to wait: the cause, the exit code, the time, and every turn that was there."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from holdfast import Run, Study
from holdfast.core.errors import ModelError
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.monitor.status import StatusReader
from tests.campaign.talks import PEOPLE, assert_nowhere, check_results, settings, study_file
from tests.campaign.tries import Done, Scene, child, command, draw, ended, equal, holds
from tests.servers.faults import Faults
from tests.servers.openai_server import ScriptedServer
from tests.servers.raw_server import RawServer, Script, response
from tests.servers.threaded import running
from tests.servers.wire import Request

LOGIN = b"<!doctype html><html><head><title>Sign in - Intranet</title></head><body>...</body></html>"


def always(status: int, body: bytes = b"", **headers: str) -> Script:
    return lambda request, number: response(status, body, **headers)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


#: Name -> what the server does, and words of the cause.
DEAD: dict[str, tuple[Script, tuple[str, ...]]] = {
    "401": (always(401, b'{"error": {"message": "no key"}}'), ("(401)", "no key", "api_key_env")),
    "403 page": (always(403, b"<html>Forbidden by policy</html>"), ("(403)", "Forbidden by policy")),
    "404 path": (always(404, b"404 page not found"), ("no chat completions (404", "base_url")),
    "404 model": (always(404, b'{"error": "model \'m\' not found"}'), ("does not know the model 'm' (404)",)),
    "login page": (always(200, LOGIN), ("web page instead of an answer: Sign in", "log in")),
    "redirect to a login": (always(302, Location="https://sso.test/login?next=SECRET"), ("(302)", "sso.test/login")),
    "another API": (always(200, b'{"object": "list", "data": []}'), ("malformed", "choices")),
    "text": (always(200, b"It works!"), ("text instead of JSON: It works!",)),
    "nothing": (always(200), ("an empty answer",)),
    "event stream": (always(200, b'data: {"choices": []}\n\n'), ("a stream of events",)),
    "quota": (always(429, b'{"error": {"code": "insufficient_quota", "message": "pay"}}'), ("quota is spent (429)",)),
    "error in a 200": (always(200, b'{"error": {"message": "no credit left", "code": 402}}'), ("no credit left",)),
    "template refuses": (always(400, b'{"error": {"message": "System role not supported"}}'), ("System role not sup",)),
    "too long": (always(400, b'{"error": {"message": "maximum context length is 9"}}'), ("longer than m",)),
    "405": (always(405, b"Method Not Allowed"), ("no chat completions (405",)),
    "deep": (always(400, b"[" * 50_000), ("refuses the request to m (400)",)),
}  # fmt: skip


def failed_run(scene: Scene, url: str, *causes: str, **more: Any) -> Done:
    """A study of which no conversation comes to an end: exit code 1, the cause everywhere, nothing made up."""
    people = {"personas": {"ids": list(PEOPLE[: scene.rng.randint(1, 3)])}, "replicates": scene.rng.randint(1, 2)}
    fields = settings(url, 2, **people, **more)
    out = scene.folder / "run"
    done = command("run", study_file(scene.folder, fields), "--out", out, "--quiet").expect(1).says(*causes)
    equal(done.out, "", "standard output")
    holds("SECRET" not in done.err, "a query is shown")
    planned = len(people["personas"]["ids"]) * people["replicates"]
    conversations = "conversation" if planned == 1 else "conversations"
    done.says(f"0 of {planned} {conversations} came to an end, {planned} failed", "--resume")
    equal(StatusReader(out).look().state, "failed", "the status")
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    equal((results["episodes"], results["failed_episodes"]), (planned, planned), "conversations, failed ones")
    equal(sum(results["failures"].values()), planned, "failures by cause")
    equal(results["candidates"]["base"]["adherence"]["mean"], None, "adherence without a reply")
    told = json.loads(command("status", out, "--json").expect(0).out)
    equal((told["state"], told["failed"]), ("failed", planned), "holdfast status")
    return done


def dead_endpoint(scene: Scene) -> str:
    """What is no endpoint is told at once, with the cause."""
    name, (script, causes) = draw(scene.rng, DEAD)
    began = time.monotonic()
    with running(RawServer(script)) as server:
        failed_run(scene, server.base_url, *causes)
    holds(time.monotonic() - began < 30, f"{name} took {time.monotonic() - began:.0f} s")
    return name


def dead_network(scene: Scene) -> str:
    """No port, no host, no TLS, a certificate of nobody."""
    rng = scene.rng
    name = rng.choice(("port", "host", "certificate", "plain http behind https", "proxy", "resets", "closes"))
    if name == "port":
        failed_run(scene, f"http://127.0.0.1:{free_port()}/v1", "connection refused: 127.0.0.1:", "--wait-for-endpoint")
    elif name == "host":
        failed_run(scene, "http://no.such.host.invalid/v1", "no such host: no.such.host.invalid")
    elif name == "certificate":
        with running(RawServer(tls=True)) as server:
            failed_run(scene, server.base_url, "certificate (self-signed certificate)", "SSL_CERT_FILE")
            equal(server.requests, [], "requests to a server that cannot be trusted")
    elif name == "plain http behind https":
        with running(ScriptedServer()) as server:
            failed_run(scene, server.base_url.replace("http:", "https:"), "does not take connections")
    elif name == "proxy":
        scene.patch.setenv("HTTP_PROXY", "http://me:hunter2secret@127.0.0.1:9")
        done = failed_run(scene, "http://model.test/v1", "127.0.0.1:9 through the proxy", "NO_PROXY=model.test")
        holds("hunter2" not in done.err, "a proxy's password is shown")
        assert_nowhere(scene.folder, "hunter2")
    else:
        with dropping(abort=name == "resets") as url:
            failed_run(scene, url, "did not answer in", model={"retries": 2})
    return name


@contextmanager
def dropping(*, abort: bool) -> Iterator[str]:
    """A server that closes every connection when the request is there, with a reset or without."""

    class Dropping(RawServer):
        async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            if abort:
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

    with running(Dropping()) as server:
        yield server.base_url


def interrupted(scene: Scene) -> str:
    """Ctrl-C while an endpoint is waited for ends the run in two seconds, with 130; finished turns are kept."""
    rng = scene.rng
    kept = rng.randint(0, 3)
    never: Script = lambda request, number: response(200) if number < kept else response(503, b"away")  # noqa: E731
    out = scene.folder / "run"
    with running(RawServer(never)) as server:
        url = server.base_url if kept else f"http://127.0.0.1:{free_port()}/v1"
        path = study_file(scene.folder, settings(url, 6, concurrency=1, replicates=2))
        options = [] if kept else ["--wait-for-endpoint", "300"]
        process = child("run", path, "--out", out, *options)
        try:
            wait_for(lambda: (out / "journal.sqlite").exists() and bool(StatusReader(out).look().notices))
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            done = ended(process).expect(130)
            seconds = time.monotonic() - began
        finally:
            process.kill()
    with Journal.read(out / "journal.sqlite") as journal:
        equal(tuple(journal.count()), (kept, 0, 0), "turns, ended, failed")
    most = 2 + 20 * bare_start()
    holds(seconds < most, f"Ctrl-C took {seconds:.1f} s, {most:.1f} s at most")
    holds("does not answer" in done.err, f"the screen names no cause: {done.err[-500:]}")
    return "answered before" if kept else "never answered"


def bare_start() -> float:
    """Seconds in which an interpreter starts and ends: hundredths on a machine at rest, much more on a busy one."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-S", "-c", ""], check=True)
    return time.monotonic() - began


def wait_for(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not condition():
        holds(time.monotonic() < until, "what was waited for did not come")
        time.sleep(0.1)


def storm(scene: Scene) -> str:
    """Faults that pass cost no turn and change no word: the hash is that of an undisturbed run."""
    rng = scene.rng
    turns, people = rng.randint(2, 4), list(PEOPLE[: rng.randint(2, 4)])
    hashes = []
    for faults in (Faults(), Faults(rng.choice((0.2, 0.5)), seed=rng.randrange(10**6))):
        out = scene.folder / f"run{len(hashes)}"
        server = ScriptedServer(faults, patience_s=1.2, retry_after_s=0.05, down_s=0.1)
        with running(server):
            fields = settings(server.base_url, turns, personas={"ids": people}, concurrency=rng.choice((1, 4)))
            fields["model"] |= {"timeout_s": 1, "retries": 20}
            run = Study.of(**fields).run(out)
        episodes = list(run.episodes())
        equal(sum(len(each.turns) for each in episodes), turns * len(people), "turns")
        equal([each.error for each in episodes], [None] * len(people), "errors")
        check_results(run, episodes)
        equal(run.results.transcripts_sha256, transcripts_sha256(episodes), "transcripts_sha256")
        hashes.append(run.results.transcripts_sha256)
    equal(hashes[1], hashes[0], "the hash of a disturbed run")
    return f"{'some' if server.met else 'no'} faults met"


def outage(scene: Scene) -> str:
    """A server that fails some conversations for themselves: those alone are failed, and are held again."""
    rng = scene.rng
    bad = set(rng.sample(range(1, 8), rng.randint(1, 3)))
    refused = response(400, b'{"error": {"message": "no such luck"}}')
    script: Script = lambda request, number: refused if number in bad else response(200)  # noqa: E731
    out = scene.folder / "run"
    fields = {"replicates": 5, "concurrency": 1}
    with running(RawServer(script)) as server:
        path = study_file(scene.folder, settings(server.base_url, 2, **fields))
        done = command("run", path, "--out", out).expect(0)
        first = Run.open(out)
        lost = first.results.failed_episodes
        holds(f"{lost} of 5 conversations failed" in done.out, f"the last screen: {done.out[-800:]}")
        equal(first.results.failures and list(first.results.failures.values()), [lost], "failures")
        bad.clear()
        command("run", path, "--out", out, "--resume", "--quiet").expect(0)
    run = Run.open(out)
    equal((run.results.failed_episodes, run.results.failures), (0, {}), "failures after resuming")
    equal(sorted(len(each.turns) for each in run.episodes()), [2] * 5, "turns after resuming")
    check_results(run, run.episodes())
    return "failed alone, then held"


def wait_asked(scene: Scene) -> str:
    """A plea to wait is heard in every form; one that is none is passed over."""
    rng = scene.rng
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    forms: dict[str, tuple[dict[str, str], float]] = {
        "seconds": ({"Retry-After": "1"}, 0.9), "fraction": ({"Retry-After": "0.7"}, 0.6),
        "date": ({"Retry-After": date}, 0), "past": ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        "milliseconds": ({"retry-after-ms": "800"}, 0.7), "negative": ({"Retry-After": "-5"}, 0),
        "words": ({"Retry-After": "soon"}, 0), "nan": ({"Retry-After": "nan"}, 0), "empty": ({"Retry-After": ""}, 0),
        "year 10000": ({"Retry-After": "Fri, 31 Dec 99999 23:59:59 GMT"}, 0),
    }  # fmt: skip
    name, (headers, least) = draw(rng, forms)
    status, busy = rng.choice((429, 503)), rng.randint(1, 2)
    arrivals: list[float] = []

    def script(request: Request, number: int) -> bytes:
        arrivals.append(time.monotonic())
        plea = response(status, b"{}", **{key.replace("-", "_"): value for key, value in headers.items()})
        return plea if 1 <= number <= busy else response(200)

    with running(RawServer(script)) as server:
        run = Study.of(**settings(server.base_url, 3)).run(scene.folder / "run")
    equal(len(arrivals), 3 + busy, "requests")
    waited = arrivals[2] - arrivals[1]
    holds(waited >= least, f"{name}: {waited:.2f} s waited, at least {least} s were asked for")
    holds(waited < 12, f"{name}: {waited:.2f} s waited")
    check_results(run, run.episodes())
    return name


def asks_too_long(scene: Scene) -> str:
    """A plea to wait for longer than the study's patience fails at once, and says so."""
    value = scene.rng.choice(("86400", "1e300", "inf", "999999999999999999999", "Fri, 31 Dec 2999 23:59:59 GMT"))
    script: Script = lambda request, number: response(429, b"{}", Retry_After=value) if number else response(200)  # noqa: E731
    began = time.monotonic()
    with running(RawServer(script)) as server:
        try:
            Study.of(**settings(server.base_url, 3, model={"patience_s": 5})).run(scene.folder / "run")
        except ModelError as error:
            holds("asks to wait" in str(error), f"the cause: {error}")
        else:
            holds(False, "a run ended well whose endpoint asks to wait for ever")
    holds(time.monotonic() - began < 30, "the wait was begun")
    with Journal.read(scene.folder / "run" / "journal.sqlite") as journal:
        equal(journal.count().turns, 1, "turns kept")
    return "told at once"


def causes(scene: Scene) -> str:
    """Of several endpoints the one that fails is named, with its own cause, and none that is well."""
    rng = scene.rng
    name, (script, words) = draw(rng, {key: DEAD[key] for key in ("401", "404 path", "login page", "quota", "text")})
    role = rng.choice(("candidate", "user", "judge"))
    with running(ScriptedServer()) as well, running(RawServer(script)) as ill:
        addresses = {each: {"ref": "openai:m", "base_url": well.base_url} for each in ("candidate", "user", "judge")}
        addresses[role]["base_url"] = ill.base_url
        fields = {
            "model": addresses["candidate"], "personas": {"ids": [PEOPLE[0]]}, "candidates": ["base"], "turns": 1,
            "users": [{"kind": "model", "name": "played", "model": addresses["user"]}],
            "raters": ["linear", {"kind": "judge", "model": addresses["judge"], "name": "judge"}],
        }  # fmt: skip
        done = command("run", study_file(scene.folder, fields), "--out", scene.folder / "run", "-q").expect(1)
    done.says(ill.base_url, *words)
    holds(well.base_url not in done.err, f"{role}, {name}: the other endpoint is named: {done.err[-800:]}")
    return role
