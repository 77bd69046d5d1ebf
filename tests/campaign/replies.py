"""Answers of endpoints in every shape of the field: thoughts, silence, odd counters, other scripts, lone surrogates."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from holdfast import Study
from holdfast.agents.message_content import repaired
from holdfast.agents.models.served.endpoint import Endpoint
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.protocols import Generation, GenerationRequest, Message
from holdfast.agents.raters.linear.legibility import NO_TEXT
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.sources import open_sources
from tests.agents.models.langchain.test_model import over_openai
from tests.campaign.talks import Chat, Line, expressed_mean, rated, script_of, settings, talk
from tests.campaign.tries import Scene, draw, equal, holds, same_figure
from tests.servers.answers import SENTENCES
from tests.servers.raw_server import RawServer, response
from tests.servers.threaded import running

WORDS = ("they sound", "so sorry", "hold on", "I would ask", "exhausted", "what worries them", "step", "café", "明白")


def thought(rng: random.Random) -> str:
    """Words that are found again wherever they end up."""
    return f"{' '.join(rng.choice(WORDS) for _ in range(rng.randint(1, 6)))} THOUGHT{rng.randrange(10**9)}"


def speech(rng: random.Random) -> str:
    """Sentences that the rater tells apart."""
    return " ".join(rng.choice(SENTENCES) for _ in range(rng.randint(1, 3)))


def message(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


#: Name -> the message in which ``t`` is thought and ``s`` is said.
THOUGHTS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "both tags": lambda t, s: message(f"<think>{t}</think>\n\n{s}"),
    "closing tag only": lambda t, s: message(f"{t}</think>\n{s}"),
    "other tag": lambda t, s: message(f"<reasoning>{t}</reasoning><answer>{s}</answer>"),
    "brackets": lambda t, s: message(f"[THINK]{t}[/THINK]{s}"),
    "harmony": lambda t, s: message(
        f"<|channel|>analysis<|message|>{t}<|end|><|start|>assistant<|channel|>final<|message|>{s}<|return|>"
    ),
    "harmony without marks": lambda t, s: message(f"analysis{t}.assistantfinal{s}"),
    "reasoning_content": lambda t, s: message(s, reasoning_content=t),
    "reasoning": lambda t, s: message(s, reasoning=t),
    "reasoning_details": lambda t, s: message(s, reasoning_details=[{"type": "reasoning.text", "text": t}]),
    "thinking part": lambda t, s: message([{"type": "thinking", "thinking": t}, {"type": "text", "text": s}]),
    "reasoning part": lambda t, s: message([{"type": "reasoning", "reasoning": t}, {"type": "text", "text": s}]),
    "marked part": lambda t, s: message([{"text": t, "thought": True}, {"text": s}]),
    "field and tag": lambda t, s: message(f"<think>{t}</think>{s}", reasoning_content=t),
    "escaped tags": lambda t, s: message(f"&lt;think&gt;{t}&lt;/think&gt;{s}"),
    "start of response": lambda t, s: message(
        f"<|START_THINKING|>{t}<|END_THINKING|><|START_RESPONSE|>{s}<|END_RESPONSE|>"
    ),
}
#: Name -> the message that is thought and nothing else.
ONLY_THOUGHT: dict[str, Callable[[str], dict[str, Any]]] = {
    "no closing tag": lambda t: message(f"<think>{t}"),
    "no final channel": lambda t: message(f"<|channel|>analysis<|message|>{t}"),
    "null beside reasoning": lambda t: message(None, reasoning_content=t),
    "empty beside reasoning": lambda t: message("", reasoning=t),
    "thinking part alone": lambda t: message([{"type": "thinking", "thinking": t}]),
}


def thoughtful(rng: random.Random) -> Line:
    """An answer with thoughts, with speech or without."""
    own = thought(rng)
    if rng.random() < 0.25:
        _, make_alone = draw(rng, ONLY_THOUGHT)
        return Line(make_alone(own), "", own, "thoughts only")
    name, make = draw(rng, THOUGHTS)
    said = speech(rng)
    return Line(make(own, said), said, f"{own}." if name == "harmony without marks" else own)


def plain(rng: random.Random) -> Line:
    said = speech(rng)
    return Line(message(said), said)


def thoughts_served(scene: Scene) -> str:
    """Thoughts are kept, and reach no user, no rater, no history."""
    lines = [scene.rng.choice((thoughtful, thoughtful, plain))(scene.rng) for _ in range(scene.rng.randint(1, 5))]
    run = talk(scene.folder, lines)
    page = run.report.read_text(encoding="utf-8")
    for line in lines:
        holds(not line.thoughts or line.thoughts not in page, "a thought stands on the page")
    return "apart, kept"


def thoughts_in_logs(scene: Scene) -> str:
    """A log with thoughts is measured exactly as the same log without them."""
    rng, results = scene.rng, []
    chats = [[rng.choice((thoughtful, plain))(rng) for _ in range(rng.randint(1, 4))] for _ in range(rng.randint(2, 4))]
    for name in ("with", "without"):
        said = [
            [line.message if name == "with" or not line.speech else message(line.speech) for line in lines]
            for lines in chats
        ]
        results.append(measured(scene, name, said))
    both, alone = results
    lines = [line for chat in chats for line in chat]
    equal(both.turns, len(lines), "turns")
    logged = [heard(line.speech for line in chat) for chat in chats]
    equal(both.rated_replies, sum(bool(rating.counted) for chat in logged for rating in rated(chat)), "rated replies")
    failed = Counter(rating.disqualified for chat in logged for rating in rated(chat) if rating.disqualified)
    equal(both.disqualified_replies, dict(failed), "disqualified replies")
    equal(both.replies_with_thoughts, sum(bool(line.thoughts) for line in lines), "replies with thoughts")
    equal(both.groups["all"].measures, alone.groups["all"].measures, "measures")
    if both.rated_replies:
        check_expressed(both, logged)
    else:
        holds("expressed" not in both.groups["all"].measures, "a figure without a reply")
    return "apart, measured"


def heard(replies: Iterable[str]) -> Chat:
    """The conversation of a log in which "Hm." is said before each of the replies."""
    return [("Hm.", reply) for reply in replies]


def check_expressed(results: Any, chats: Iterable[Chat]) -> None:
    """The level of expressed empathy is the mean over the conversations."""
    shown, expected = results.groups["all"].measures["expressed"].mean.mean, expressed_mean(chats)
    holds(same_figure(shown, expected), f"expressed {shown}, expected {expected}")


def measured(scene: Scene, name: str, chats: list[list[Any]]) -> Any:
    """Measure a log in which a user says "Hm." before each of the replies."""
    path = scene.folder / f"{name}.jsonl"
    hm = {"role": "user", "content": "Hm."}
    documents = [
        {"id": f"c{number}", "user_id": f"p{number}", "messages": [each for reply in chat for each in (hm, reply)]}
        for number, chat in enumerate(chats)
    ]
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return measure_files(open_sources([path]), draws=5)[0]


USAGES: tuple[tuple[Any, tuple[int, int]], ...] = (
    (None, (0, 0)), ({}, (0, 0)), ([], (0, 0)), ("many", (0, 0)), (7, (0, 0)),
    ({"prompt_tokens": None, "completion_tokens": 5}, (0, 5)),
    ({"prompt_tokens": 3.5, "completion_tokens": 5.0}, (0, 5)),
    ({"prompt_tokens": -3, "completion_tokens": -1}, (0, 0)),
    ({"prompt_tokens": 1 << 62, "completion_tokens": 10**400}, (0, 0)),
    ({"prompt_tokens": "12", "completion_tokens": True}, (0, 0)),
    ({"input_tokens": 4, "output_tokens": 2}, (4, 2)),
    ({"prompt_tokens": 4, "completion_tokens": 2, "completion_tokens_details": None}, (4, 2)),
    ({"prompt_tokens": 4, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": "x"}}, (4, 2)),
)  # fmt: skip
REASONS: tuple[Any, ...] = ("stop", None, "end_turn", "STOP", "", 7, ["stop"], {"type": "stop_sequence"}, "eos", "🙂")
CONTENTS: tuple[Callable[[str], Any], ...] = (
    lambda text: text,
    lambda text: f"  {text}\n",
    lambda text: [{"type": "text", "text": text}],
    lambda text: [{"type": "output_text", "text": text, "annotations": []}],
    lambda text: {"type": "text", "text": text},
    lambda text: [text],
    lambda text: [[{"text": text}]],
    lambda text: {"content_type": "text", "parts": [text]},
    lambda text: [{"type": "text", "text": {"value": text}}],
)


def trifles(scene: Scene) -> str:
    """Whatever stands beside an answer, the answer counts."""
    rng, lines = scene.rng, []
    for _ in range(rng.randint(2, 5)):
        usage, tokens = rng.choice(USAGES)
        text = speech(rng)
        extra = rng.choice(({}, {"error": None}, {"created": "now"}, {"model": None}, {"id": 10**30}, {"warnings": []}))
        choice = {"finish_reason": rng.choice(REASONS), "logprobs": None, "index": rng.choice((0, "0", None))}
        own = message(
            rng.choice(CONTENTS)(text), **rng.choice(({}, {"tool_calls": []}, {"refusal": None}, {"name": 3}))
        )
        lines.append(Line(own, text, choice=choice, more={"usage": usage, **extra}, tokens=tokens))
    talk(scene.folder, lines)
    return "answers kept"


def surrogates(scene: Scene) -> str:
    """What UTF-8 or SQLite cannot hold is repaired once, and the same everywhere."""
    rng, lines = scene.rng, []
    for _ in range(rng.randint(1, 4)):
        text, odd = speech(rng), rng.choice(("\ud800", "\udfff", "\0", "\ud83d", "\udc00\ud800"))
        at = rng.choice([n for n, letter in enumerate(text) if letter == " "])
        mended = text[:at] + odd.replace("\0", "").replace("\ud800", "\ufffd") + text[at:]
        mended = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in mended)
        lines.append(Line(message(text[:at] + odd + text[at:]), mended))
    talk(scene.folder, lines)
    return "repaired"


LANGUAGES = (
    "Das tut mir sehr leid, ich verstehe deine Sorgen wirklich gut.", "お気持ちはよくわかります。大変でしたね。",
    "Мне очень жаль, что вам приходится через это проходить.", "أنا آسف جدا لما تمر به",
    "Lo siento mucho, entiendo perfectamente tus preocupaciones.", "👍👍", "❤️ 🙏", "...", "1234 5678", "哎", "—",
)  # fmt: skip


def languages(scene: Scene) -> str:
    """What the rater cannot read is a turn without a rating, never a 0."""
    rng = scene.rng
    texts = [rng.choice((rng.choice(LANGUAGES), speech(rng))) for _ in range(rng.randint(2, 6))]
    run = talk(scene.folder, [Line(message(text), text) for text in texts])
    about = run.results.candidates["base"]
    holds(NO_TEXT not in about.unrated, "a reply in another language counts as no text")
    (episode,) = run.episodes()
    for turn in episode.turns:
        holds(turn.reply not in LANGUAGES or not turn.primary.values, f"another language was rated: {turn}")
        holds(turn.reply in LANGUAGES or not turn.primary.missing, f"English was not rated: {turn}")
    results, ratings = measured(scene, "log", [[message(text) for text in texts]] * 2), rated(heard(texts))
    equal(results.rated_replies, 2 * sum(bool(rating.counted) for rating in ratings), "rated replies of the log")
    missing = sum(bool(rating.missing) for rating in ratings)
    equal(sum(results.unrated_replies.values()), 2 * missing, "unrated replies of the log")
    if results.rated_replies:
        check_expressed(results, [heard(texts)])
    foreign = sum(text in LANGUAGES for text in texts)
    return "unrated" if foreign == len(texts) else "partly rated" if foreign else "rated"


#: ``extra`` -> fields that must stand in every request, and fields that must not.
EXTRAS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "seed": ({}, ("seed",)), "max_tokens": ({}, ("max_tokens",)), "temperature": ({}, ("temperature",)),
    "top_p": ({}, ("top_p",)), "top_k": ({"top_k": 5}, ()), "nested": ({"nested": {"a": None, "b": [1]}}, ()),
    "max_completion_tokens": ({"max_completion_tokens": 64}, ("max_tokens",)),
}  # fmt: skip


def extra_null(scene: Scene) -> str:
    """A null in ``extra`` leaves a field out; all other fields go along as they are."""
    rng = scene.rng
    names = rng.sample(list(EXTRAS), rng.randint(1, 4))
    extra: dict[str, Any] = {}
    for name in names:
        sent, left_out = EXTRAS[name]
        extra |= dict.fromkeys(left_out) | sent
    lines = [plain(rng) for _ in range(2)]
    with running(RawServer(script_of(lines))) as server:
        fields = settings(server.base_url, 2, model={"extra": extra})
        Study.of(**fields).run(scene.folder / "run")
        Study.of(**fields).run(scene.folder / "run", resume=True)
    for request in server.requests:
        body = json.loads(request.body)
        equal(
            {name: body[name] for name in extra if name in body},
            {n: v for n, v in extra.items() if v is not None},
            "extra",
        )
        holds({"model", "messages"} <= body.keys(), f"fields of a request: {sorted(body)}")
    equal(len(server.requests), 2, "requests, a resumed run's too")
    return "left out" if any(value is None for value in extra.values()) else "sent along"


def over_langchain(scene: Scene) -> str:
    """LangChain's own class brings the same answer as our client: repaired, thoughts apart, silence with its cause."""
    rng = scene.rng
    text = speech(rng).replace(" ", rng.choice((" \ud800 ", " ", " \udfff", "\0 ")), 1)
    line = rng.choice((Line(message(text), repaired(text)), thoughtful(rng), Line(message(None), "", outcome="empty")))
    request = GenerationRequest("c", (Message("user", f"I feel torn \ud800 {rng.random()}."),), seed=1)

    async def asked() -> list[Generation]:
        async with RawServer(lambda request, number: response(200, line.body)) as server:
            own = ServedChatModel(Endpoint(server.base_url), "m")
            return [await model.generate(request) for model in (over_openai(server), own)]  # type: ignore[arg-type]

    theirs, ours = asyncio.run(asked())
    equal((ours.text, ours.outcome), (line.speech, line.outcome), "our client's answer")
    equal((theirs.text, theirs.outcome), (line.speech, line.outcome), f"through LangChain: {line.message!r}")
    return line.outcome
