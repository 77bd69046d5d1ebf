"""A page on this machine to label replies with, over the session that the terminal uses too.

It listens on 127.0.0.1 only, under a path with a random word in it, and answers nobody who names another host: a site
in the same browser can neither read it nor write to it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from importlib.resources import files
from typing import Annotated, Any

from aiohttp import web
from jinja2 import Template
from markupsafe import Markup
from pydantic import BaseModel, Field

from holdfast.core.errors import HoldfastError, InputError
from holdfast.simulator.labelling.session import MEANINGS, QUESTIONS, LabelSession
from holdfast.simulator.report.render import bundle, environment, policy_for

HOST = "127.0.0.1"


class Answer(BaseModel):
    """What the page sends: the reply's place in the sample, and its levels."""

    place: Annotated[int, Field(ge=0)]
    levels: dict[str, int]


class LabelPage:
    """The page of one coder's session; ``path`` is where it is served."""

    def __init__(self, session: LabelSession) -> None:
        self.session, self.path = session, f"/{secrets.token_urlsafe(16)}/"
        self.ended = asyncio.Event()  # every reply is labelled

    async def serve(self, port: int, ready: Callable[[str], None]) -> None:
        """Serve until cancelled. ``port`` 0: any free one. ``ready`` is told the address.

        Raises:
            InputError: The port is taken.
        """
        app = web.Application(client_max_size=100_000, middlewares=[_only_here])
        app.add_routes(
            [
                web.get(self.path, self._page),
                web.get(f"{self.path}next", self._next),
                web.post(f"{self.path}answer", self._answer),
                web.post(f"{self.path}undo", self._undo),
            ]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, port)
            try:
                await site.start()
            except OSError as error:
                raise InputError(f"port {port} cannot be listened on ({error.strerror}); name another --port") from None
            host, taken = runner.addresses[0][:2]
            ready(f"http://{host}:{taken}{self.path}")
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=page_text(self.session), content_type="text/html")

    async def _next(self, request: web.Request) -> web.Response:
        return web.json_response(self._question())

    async def _answer(self, request: web.Request) -> web.Response:
        given, replies = Answer.model_validate_json(await request.text()), self.session.asked
        if given.place >= len(replies):
            raise InputError("that reply is not asked about")
        item = replies[given.place]
        self.session.answer(item.reply, given.levels)
        return web.json_response(self._question())

    async def _undo(self, request: web.Request) -> web.Response:
        self.session.undo()
        return web.json_response(self._question())

    def _question(self) -> dict[str, Any]:
        """What the page shows next. A place in the sample stands for the reply, whose id would name its candidate."""
        replies, question = self.session.asked, self.session.next()
        counts = {"answered": self.session.answered, "total": len(replies), "place": None}
        if question is None:
            return counts
        shown = asdict(question)
        return {**shown, **counts, "item": None, "place": replies.index(question.item)}


@web.middleware
async def _only_here(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse what was sent to another name, or by a page of another origin; errors of ours become JSON."""
    origin = request.headers.get("Origin", f"http://{request.host}")
    if request.host.rpartition(":")[0] not in (HOST, "localhost") or origin != f"http://{request.host}":
        return web.json_response({"error": "asked by another site"}, status=403)
    try:
        return await handler(request)
    except (HoldfastError, ValueError) as error:
        return web.json_response({"error": str(error)}, status=400)


def page_text(session: LabelSession) -> str:
    """Return the page of ``session``: its script asks for everything else."""
    scale = session.sample.rated
    levels = range(int(scale.low), int(scale.high) + 1)
    dimensions = [
        {
            "name": name,
            "title": name.replace("_", " ").capitalize(),
            "question": QUESTIONS[name],
            "levels": list(zip(levels, MEANINGS[name], strict=True)),
        }
        for name in scale.dimensions
    ]
    style = bundle(("base.css",)) + _file("page.css")
    script = f'(() => {{\n"use strict";\n{_file("page.js")}}})();\n'
    page: Template = environment().from_string(_file("page.html.jinja"))
    return page.render(
        style=Markup(style),
        script=Markup(script),
        policy=f"{policy_for(script, style)}; connect-src 'self'",
        dimensions=dimensions,
        coder=session.coder,
        total=len(session.asked),
        low=levels[0],
        high=levels[-1],
    )


def _file(name: str) -> str:
    return (files("holdfast.simulator.labelling") / name).read_text(encoding="utf-8")
