"""What a model is shown when it plays a user, as chat messages.

The *speaking* prompt holds who the persona is and what this one message is for. It holds no goal beyond that and no
expectation, so these cannot slip out. The *judging* prompt holds both, and its answer is never spoken.

Whatever was said in the chat stands on one line per speaker between two marker lines. The marker is drawn from the
turn's seed and appears in none of the texts of its request, so a text can neither close its own quotation nor open
another.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from string import Template

from holdfast.agents.prompts import read_prompt
from holdfast.agents.protocols import Message, Intention, UserState
from holdfast.core.seeds import derive_seed
from holdfast.agents.users.llm.memory import Memory, clipped
from holdfast.agents.users.rules.speech import Tone
from holdfast.personas.schema import Persona

#: Characters of the newest reply that are judged.
REPLY = 4000


@cache
def lines_of(name: str) -> Mapping[str, str]:
    """A prompt file of ``key: text`` lines."""
    lines = (line.partition(": ") for line in read_prompt(f"users/{name}").splitlines() if line)
    return {key: text for key, _, text in lines}


def fill(file: str, **values: str) -> str:
    """A prompt file with its slots filled once, lines that stayed empty left out."""
    text = Template(read_prompt(f"users/{file}")).substitute(values)
    return text if file in ("speak", "feel") else "\n".join(line for line in text.splitlines() if line.strip())


def marker(seed: int, memory: Memory, *texts: str) -> str:
    """A line that stands in none of the texts between which it will stand: those of ``memory``, and ``texts``."""
    enclosed = [memory.pending, memory.thought, *texts, *(text for pair in memory.exchanges for text in pair)]
    for attempt in range(1000):
        mark = f"{derive_seed('marker', seed, attempt):016x}"[:12]
        if not any(mark in text for text in enclosed):
            return f"#{mark}#"
    raise AssertionError("a thousand 48-bit marks in one text")  # pragma: no cover


def answer_id(seed: int, reply: str) -> str:
    """What the judgement of ``reply`` must carry. It hangs on the reply itself, so that no reply can hold it, not even
    one by somebody who knows the seed."""
    return f"{derive_seed('answer', seed, reply):016x}"[:8]


def speaking(
    persona: Persona, state: UserState, memory: Memory, said: Intention, tone: Tone, seed: int, remark: str | None
) -> tuple[Message, ...]:
    """The request for the message that says ``said``. ``remark``: which check refused the last try."""
    who = persona.name.split()[0]
    system = fill("speak", name=persona.name, background=persona.background, manner=lines_of("manners")[tone])
    turn = fill(
        "speak_turn",
        memory=_facts(memory),
        chat=_chat(who, memory, marker(seed, memory)),
        mood=_mood(who, state.emotion),
        name=who,
        intention=intention(said),
        remark=Template(lines_of("remarks")[remark]).substitute(name=who) if remark else "",
    )
    return Message("system", system), Message("user", turn)


def judging(
    persona: Persona, state: UserState, memory: Memory, reply: str, seed: int, fault: str | None
) -> tuple[Message, ...]:
    """The request for the inner monologue on ``reply``. ``fault``: why the last answer could not be read."""
    who = persona.name.split()[0]
    system = fill(
        "feel",
        name=persona.name,
        background=persona.background,
        temper=_temper(persona.temperament.reactivity),
        goals=_goals(persona, state),
    )
    id, reply = answer_id(seed, reply), clipped(reply, REPLY)
    mark = marker(seed, memory, reply)
    thought = (f"{who}, thinking: {memory.thought}",) if memory.thought else ()
    turn = fill(
        "feel_turn",
        memory=_facts(memory),
        chat=_chat(who, memory, mark, *thought),
        mood=_mood(who, state.emotion),
        expectation=_expectation(who, state.desired),
        nonce=mark,
        name=who,
        message=f"{who}: {memory.pending}",
        reply=f"Assistant: {reply}",
        remark=fill("repair", fault=fault) if fault else "",
        id=id,
    )
    return Message("system", system), Message("user", turn)


def intention(said: Intention) -> str:
    """What this message is for, in words."""
    return _with_slots("intentions", said.kind, said.feeling, said.topic, said.need)


def _with_slots(file: str, kind: str, feeling: str | None, topic: str | None, need: str | None, **more: str) -> str:
    slots = {name: value for name, value in (("feeling", feeling), ("topic", topic), ("need", need)) if value}
    return Template(lines_of(file)[" ".join([kind, *slots]).strip()]).substitute(slots, **more)


def _facts(memory: Memory) -> str:
    words = lines_of("facts")
    told = [
        _with_slots("facts", "", *fact.subject, received=words["answered" if fact.taken_up else "passed_over"])
        for fact in memory.facts
    ]
    return "\n".join(["What you remember:", *(f"- {line}" for line in told)]) if told else ""


def _chat(who: str, memory: Memory, mark: str, *thought: str) -> str:
    if not memory.exchanges:
        return ""
    lines = [line for user, reply in memory.exchanges for line in (f"{who}: {user}", f"Assistant: {reply}")]
    return fill("chat", nonce=mark, lines="\n".join([*lines, *thought]))


def _mood(who: str, emotion: float) -> str:
    text = next(text for bound, text in lines_of("moods").items() if emotion <= float(bound))
    return Template(text).substitute(name=who)


def _expectation(who: str, desired: float) -> str:
    nearest = min(lines_of("expectations"), key=lambda level: abs(float(level) - desired))
    return Template(lines_of("expectations")[nearest]).substitute(name=who)


def _temper(reactivity: float) -> str:
    words = lines_of("tempers")
    return words["calm" if reactivity < 0.35 else "quick" if reactivity > 0.65 else "even"]


def _goals(persona: Persona, state: UserState) -> str:
    left = [f"{goal.need} ({goal.topic})" for goal in persona.goals if goal.id in state.goals_left]
    return "; ".join(left) if left else "nothing more"
