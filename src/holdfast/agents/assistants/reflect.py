"""A reply written in chunks, with reflections in between that nobody hears.

After ReEmpathy (arXiv 2601.18281), where a speech model alternates between speaking and free thoughts on what the user
feels. There the model is trained to do so; here any chat model is asked to, in the words of ``agents/prompts/reflect``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field

from holdfast.agents.assistants.candidates import ask, with_usage_of
from holdfast.agents.assistants.wanted import WantedPattern, WantingSpec
from holdfast.agents.prompts import read_prompt
from holdfast.agents.protocols import AssistantView, ChatModel, Message, Reply, Sampling
from holdfast.agents.sentences import sentences_in, whole_sentences
from holdfast.core.hashing import sha256
from holdfast.core.seeds import derive_seed

PROMPTS = ("pause", "go_on", "rewrite")
_VERDICT = re.compile(r"\b(GO ON|REWRITE)\b")


class ReflectSpec(WantingSpec):
    """Writes in ``chunks`` at most, and reflects after each but the last in ``reflection_tokens`` at most.

    It can aim at a pattern by words alone, so ``pattern`` and ``recognise`` imply ``with_prompt``.
    """

    title = "the model that reflects"
    kind: Literal["reflect"] = "reflect"
    chunks: Annotated[int, Field(ge=1, le=8)] = 3
    reflection_tokens: Annotated[int, Field(ge=8, le=4096)] = 80

    @property
    def prompted(self) -> bool:
        return self.with_prompt or self.pattern is not None or self.recognise


@dataclass(frozen=True, slots=True)
class Reflect:
    """Writes a chunk, reflects on it, then goes on or writes anew: 2 ``chunks`` - 1 calls at most.

    A chunk has at most its share of a reply's tokens, and ends at a sentence unless the model stopped by itself. What
    is thought stands in the reply's ``thoughts``, drafts that were given up among it; a later chunk that repeats a
    sentence of them, of what it was asked, or of the reply, is heard without it. All calls of a turn have the
    conversation's key and add to the messages of the one before, so that a local model reads nothing twice.

    Attributes:
        wanted: The pattern to say in words; None: none is said, and the candidate need not know the task.
    """

    model: ChatModel
    name: str
    wanted: WantedPattern | None = None
    chunks: int = 3
    reflection_tokens: int = 80
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def knows_task(self) -> bool:
        return self.wanted is not None and self.wanted.needs_task

    @property
    def prompt_hashes(self) -> dict[str, str]:
        asked = {f"reflect/{name}": sha256(_prompt(name)) for name in PROMPTS}
        return asked | ({} if self.wanted is None else self.wanted.hashes())

    async def reply(self, view: AssistantView) -> Reply:
        wanted = None if self.wanted is None else self.wanted.of(view)
        draft = _Draft(view.messages if wanted is None else (*wanted.opening, *view.messages))
        chunk = replace(self.sampling, max_tokens=max(1, self.sampling.max_tokens // self.chunks))
        thought = replace(self.sampling, max_tokens=self.reflection_tokens)
        for step in range(self.chunks):
            seed = view.seed if step == 0 else derive_seed(view.seed, "chunk", step)
            if not draft.write(await ask(self.model, replace(view, seed=seed), chunk, messages=draft.talk)):
                break
            if step == self.chunks - 1:
                break
            seed = derive_seed(view.seed, "reflection", step)
            if not draft.reflect(await ask(self.model, replace(view, seed=seed), thought, messages=draft.talk)):
                break
        return replace(draft.reply, recognised_task=None if wanted is None else wanted.recognised_task)


@dataclass(slots=True)
class _Draft:
    """A reply as it grows within a turn. ``talk``: what the model is sent next, with all that went before."""

    talk: tuple[Message, ...]
    text: str = ""
    anew: bool = True  # the next chunk takes the place of the text
    ended: Reply = field(default_factory=lambda: Reply(""))  # the call that wrote the newest chunk
    calls: list[Reply] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)

    def write(self, made: Reply) -> bool:
        """Take a chunk; False where it brings nothing new."""
        self._note(made)
        chunk = (whole_sentences(made.text) if made.outcome == "cut" else "").strip() or made.text.strip()
        if self.text:
            unheard = (*self.thoughts, *map(_prompt, PROMPTS))
            chunk = without_sentences_of(chunk, unheard if self.anew else (*unheard, self.text))
        if not chunk:
            self.ended = replace(self.ended, outcome="answered") if self.text else made
            return False
        if self.anew and self.text:
            self.thoughts.append(f"[given up: {self.text}]")
        self.text, self.ended = (chunk if self.anew else f"{self.text} {chunk}"), made
        self.talk = (*self.talk, Message("assistant", chunk), Message("user", _prompt("pause")))
        return True

    def reflect(self, made: Reply) -> bool:
        """Take a reflection; False where the text is whole and may stand."""
        self._note(made)
        thought = made.text.strip()
        self.anew = wants_rewrite(thought)
        instruction = Message("user", _prompt("rewrite" if self.anew else "go_on"))
        if thought:
            self.thoughts.append(thought)
            self.talk = (*self.talk, Message("assistant", thought), instruction)
        else:
            self.talk = (*self.talk[:-1], instruction)
        return self.anew or self.ended.outcome == "cut"

    @property
    def reply(self) -> Reply:
        """What is said, with the thoughts, tokens and calls of the whole turn."""
        thoughts = "\n\n".join(self.thoughts)
        return with_usage_of(replace(self.ended, text=self.text or self.ended.text, thoughts=thoughts), self.calls)

    def _note(self, made: Reply) -> None:
        self.calls.append(made)
        if made.thoughts:
            self.thoughts.append(made.thoughts)


def without_sentences_of(text: str, others: Iterable[str]) -> str:
    """Return the sentences of ``text`` that stand in none of ``others``; letters and digits alone are compared."""
    known = {_bare(sentence) for other in others for sentence in sentences_in(other)}
    return " ".join(sentence for sentence in sentences_in(text) if _bare(sentence) not in known)


def _bare(sentence: str) -> str:
    return "".join(character for character in sentence.casefold() if character.isalnum())


def wants_rewrite(reflection: str) -> bool:
    """Return whether the last verdict in a reflection is REWRITE; without any verdict the text may stand."""
    verdicts = _VERDICT.findall(reflection)
    return bool(verdicts) and verdicts[-1] == "REWRITE"


def _prompt(name: str) -> str:
    return read_prompt(f"reflect/{name}")
