"""The chat messages of a model that plays a user.

The *speaking* prompt holds the persona and what this one message is about. It holds no other goal and no expectation,
so these cannot leak. The *judging* prompt holds both, and its answer is never spoken.

The chat stands on one line per message between two marker lines. The marker is drawn from the turn's seed and occurs in
none of the request's texts, so no text can close its own quotation or open another.
"""

from collections.abc import Mapping
from functools import cache
from string import Template

from holdfast.agents.prompts import read_prompt
from holdfast.agents.protocols import Message
from holdfast.agents.users.llm.memory import Memory, clipped
from holdfast.agents.users.protocol import Intention, UserState
from holdfast.agents.users.rules.speech import Tone
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona

#: Characters of a reply that are judged.
REPLY = 4000


@cache
def lines_of(name: str) -> Mapping[str, str]:
    """Return a prompt file of ``key: text`` lines as a mapping."""
    lines = (line.partition(": ") for line in read_prompt(f"users/{name}").splitlines() if line)
    return {key: text for key, _, text in lines}


def fill_prompt(file: str, **values: str) -> str:
    """Return a prompt file with its slots filled once; empty lines are dropped except in "speak" and "feel"."""
    text = Template(read_prompt(f"users/{file}")).substitute(values)
    return text if file in ("speak", "feel") else "\n".join(line for line in text.splitlines() if line.strip())


def marker(seed: int, memory: Memory, *texts: str) -> str:
    """Return a line that occurs in none of the texts that it will enclose: those of ``memory``, and ``texts``."""
    enclosed = [memory.pending, memory.thought, *texts, *(text for pair in memory.exchanges for text in pair)]
    for attempt in range(1000):
        mark = f"{derive_seed('marker', seed, attempt):016x}"[:12]
        if not any(mark in text for text in enclosed):
            return f"#{mark}#"
    raise AssertionError("a thousand 48-bit marks in one text")  # pragma: no cover


def answer_id(seed: int, reply: str) -> str:
    """Return the id that the judgement of ``reply`` must carry.

    It is derived from the reply itself, so no reply can contain it, even by an author who knows the seed.
    """
    return f"{derive_seed('answer', seed, reply):016x}"[:8]


def speaking_prompt(
    persona: Persona, state: UserState, memory: Memory, said: Intention, tone: Tone, seed: int, remark: str | None
) -> tuple[Message, ...]:
    """Return the request for the message with intention ``said``. ``remark``: the check that refused the last try."""
    first_name = persona.name.split()[0]
    system = fill_prompt("speak", name=persona.name, background=persona.background, manner=lines_of("manners")[tone])
    turn = fill_prompt(
        "speak_turn",
        memory=_facts(memory),
        chat=_chat(first_name, memory, marker(seed, memory)),
        mood=_mood(first_name, state.emotion),
        name=first_name,
        intention=describe_intention(said),
        remark=Template(lines_of("remarks")[remark]).substitute(name=first_name) if remark else "",
    )
    return Message("system", system), Message("user", turn)


def judging_prompt(
    persona: Persona, state: UserState, memory: Memory, reply: str, seed: int, fault: str | None
) -> tuple[Message, ...]:
    """Return the request for the judgement of ``reply``. ``fault``: why the last answer could not be read."""
    first_name = persona.name.split()[0]
    system = fill_prompt(
        "feel",
        name=persona.name,
        background=persona.background,
        temper=_temper(persona.temperament.reactivity),
        goals=_goals(persona, state),
    )
    id, reply = answer_id(seed, reply), clipped(reply, REPLY)
    mark = marker(seed, memory, reply)
    thought = (f"{first_name}, thinking: {memory.thought}",) if memory.thought else ()
    turn = fill_prompt(
        "feel_turn",
        memory=_facts(memory),
        chat=_chat(first_name, memory, mark, *thought),
        mood=_mood(first_name, state.emotion),
        expectation=_expectation(first_name, state.desired),
        nonce=mark,
        name=first_name,
        message=f"{first_name}: {memory.pending}",
        reply=f"Assistant: {reply}",
        remark=fill_prompt("repair", fault=fault) if fault else "",
        id=id,
    )
    return Message("system", system), Message("user", turn)


def describe_intention(said: Intention) -> str:
    """Describe what this message is about."""
    return _with_slots("intentions", said.kind, said.feeling, said.topic, said.need)


def _with_slots(file: str, kind: str, feeling: str | None, topic: str | None, need: str | None, **more: str) -> str:
    slots = {name: value for name, value in (("feeling", feeling), ("topic", topic), ("need", need)) if value}
    return Template(lines_of(file)[" ".join([kind, *slots]).strip()]).substitute(slots, **more)


def _facts(memory: Memory) -> str:
    words = lines_of("facts")
    facts = [
        _with_slots("facts", "", *fact.subject, received=words["answered" if fact.taken_up else "passed_over"])
        for fact in memory.facts
    ]
    return "\n".join(["What you remember:", *(f"- {line}" for line in facts)]) if facts else ""


def _chat(first_name: str, memory: Memory, mark: str, *thought: str) -> str:
    if not memory.exchanges:
        return ""
    lines = [line for user, reply in memory.exchanges for line in (f"{first_name}: {user}", f"Assistant: {reply}")]
    return fill_prompt("chat", nonce=mark, lines="\n".join([*lines, *thought]))


def _mood(first_name: str, emotion: float) -> str:
    text = next(text for bound, text in lines_of("moods").items() if emotion <= float(bound))
    return Template(text).substitute(name=first_name)


def _expectation(first_name: str, desired: float) -> str:
    nearest = min(lines_of("expectations"), key=lambda level: abs(float(level) - desired))
    return Template(lines_of("expectations")[nearest]).substitute(name=first_name)


def _temper(reactivity: float) -> str:
    words = lines_of("tempers")
    return words["calm" if reactivity < 0.35 else "quick" if reactivity > 0.65 else "even"]


def _goals(persona: Persona, state: UserState) -> str:
    left = [f"{goal.need} ({goal.topic})" for goal in persona.goals if goal.id in state.goals_left]
    return "; ".join(left) if left else "nothing more"
