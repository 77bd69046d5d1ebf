"""The page: over HTTP, and in a real browser with real keys."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from holdfast.core.errors import InputError
from holdfast.simulator.labelling.page import LabelPage, page_text
from holdfast.simulator.labelling.session import LabelSession, open_session
from holdfast.simulator.runtime.pipeline import report
from tests.simulator.recorded import record_run
from tests.simulator.report.browser import EXECUTABLE, Browser

LEVELS = {"emotional_reaction": 2, "interpretation": 1, "exploration": 0}


@pytest.fixture
def session(tmp_path: Path) -> LabelSession:
    return open_session(record_run(tmp_path / "run"), "ana", count=30, scale="expressed")


@contextlib.asynccontextmanager
async def served(session: LabelSession, port: int = 0) -> AsyncIterator[str]:
    """The page's address."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(LabelPage(session).serve(port, ready.set_result))
    await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
    try:
        if serving.done():
            await serving
        yield ready.result()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_an_answer_is_kept_and_the_next_reply_comes(session: LabelSession) -> None:
    async with served(session) as address, aiohttp.ClientSession() as client:
        first = await (await client.get(f"{address}next")).json()
        second = await (await client.post(f"{address}answer", json={"place": first["place"], "levels": LEVELS})).json()
        back = await (await client.post(f"{address}undo", json={})).json()
    assert (first["answered"], second["answered"], back["answered"]) == (0, 1, 0)
    assert first["place"] != second["place"]
    assert back["place"] == first["place"]


async def test_nothing_that_is_sent_names_the_candidate(session: LabelSession) -> None:
    async with served(session) as address, aiohttp.ClientSession() as client:
        sent = await (await client.get(address)).text() + await (await client.get(f"{address}next")).text()
    assert "system_prompt" not in sent
    assert '"base"' not in sent
    assert "base/" not in sent


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
async def test_another_site_is_refused(session: LabelSession, headers: dict[str, str]) -> None:
    async with served(session) as address, aiohttp.ClientSession() as client:
        answer = await client.post(f"{address}answer", json={"place": 0, "levels": LEVELS}, headers=headers)
        elsewhere = await client.get(address.rsplit("/", 2)[0] + "/next")
    assert (answer.status, elsewhere.status, session.answered) == (403, 404, 0)


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"place": 999, "levels": {}}', '{"place": 0, "levels": {"x": 1}}', '{"place": "a"}']
)
async def test_what_is_no_answer_is_refused_and_the_page_lives(session: LabelSession, body: str) -> None:
    async with served(session) as address, aiohttp.ClientSession() as client:
        answer = await client.post(f"{address}answer", data=body)
        assert answer.status == 400
        assert (await answer.json())["error"]
        assert (await client.get(f"{address}next")).status == 200
    assert session.answered == 0


async def test_a_taken_port_is_told(session: LabelSession) -> None:
    async with served(session) as address:
        port = int(address.split(":")[2].split("/")[0])
        with pytest.raises(InputError, match=f"port {port} cannot be listened on"):
            async with served(session, port):
                pass


def test_the_page_runs_its_own_script_only(session: LabelSession) -> None:
    page = html.unescape(page_text(session))
    assert "script-src 'sha256-" in page
    assert "connect-src 'self'" in page
    assert "unsafe" not in page


@pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium on this machine: the page cannot be opened")
async def test_thirty_replies_by_keys_with_undo_a_pause_and_a_second_coder(session: LabelSession) -> None:
    async with served(session) as address:
        await asyncio.to_thread(_label, address, 20)
        assert session.answered == 20
    again = open_session(session.folder.run, "ana", count=30, scale="expressed")
    async with served(again) as address:
        await asyncio.to_thread(_label, address, 10)
    assert again.answered == 30
    second = open_session(session.folder.run, "ben", count=30, scale="expressed")
    async with served(second) as address:
        await asyncio.to_thread(_label, address, 12)
    results = await asyncio.to_thread(report, session.folder.run)
    assert results.labels is not None
    assert results.labels.coders == {"ana": 30, "ben": 12}
    assert results.labels.twice == 12
    levels = [label.levels for label in session.folder.answers("ana").values()]
    assert levels == [LEVELS] * 30
    page = (session.folder.run / "report.html").read_text(encoding="utf-8")
    assert "What do people say of these replies?" in page


def _label(address: str, count: int) -> None:
    """Label ``count`` replies by keys; the first is answered wrongly, kept and taken back."""
    with Browser() as browser:
        browser.open(address)
        wait = "new Promise(done => {{ const see = () => {} ? done(true) : setTimeout(see, 20); see(); }})"

        def answered(number: int) -> None:
            browser.ask(
                wait.format(
                    f"document.getElementById('bar').value === {number} && document.getElementById('count').textContent"
                )
            )

        browser.ask(wait.format("document.getElementById('count').textContent"))
        before = int(browser.ask("document.getElementById('bar').value"))
        for key in ("0", "0", "0", "Enter"):
            browser.key(key)
        answered(before + 1)
        browser.key("u")
        answered(before)
        for number in range(before + 1, before + count + 1):
            for key in ("2", "1", "0", "Enter"):
                browser.key(key)
            answered(number)
        assert browser.complaints() == []


def test_json_of_a_reply_holds_markup_as_text(session: LabelSession) -> None:
    shown: dict[str, Any] = LabelPage(session)._question()
    assert json.loads(json.dumps(shown)) == shown | {"messages": [list(each) for each in shown["messages"]]}
