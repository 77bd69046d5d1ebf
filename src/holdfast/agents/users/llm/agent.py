"""A user agent played by a chat model. Registry word: ``model``.

The intention of each message is chosen as for the embedded users (:mod:`holdfast.agents.users.intention`); the model
finds the words. A message that fails a check (:mod:`holdfast.agents.users.llm.guards`) is generated again with another
seed, at most ``retries`` times; then the embedded grammar's words are used.

After a reply the model answers with a judgement (:mod:`holdfast.agents.users.llm.monologue`): a thought, a change of
emotion, SENSE-7's dimensions, what became of the goal, whether to leave. An unreadable one is asked for once more; then
the embedded appraisal of this reply is used. Both fallbacks are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest, Message, Sampling
from holdfast.agents.raters.protocol import Rating
from holdfast.agents.users.after_reply import Appraisal, after_reply, reason_to_leave
from holdfast.agents.users.appraisal import Expressed, acknowledges, overall, satisfaction
from holdfast.agents.users.intention import next_intention
from holdfast.agents.users.llm.guards import DraftMessage, cleaned, fault_of
from holdfast.agents.users.llm.memory import Memory
from holdfast.agents.users.llm.monologue import Monologue, read_monologue
from holdfast.agents.users.llm.prompting import answer_id, judging_prompt, marker, speaking_prompt
from holdfast.agents.users.protocol import Felt, Intention, Spoken, UserState
from holdfast.agents.users.reply_cues import cues_of
from holdfast.agents.users.rules.agent import appraise_by_rules
from holdfast.agents.users.rules.speech import Tone, say, tone_of
from holdfast.agents.users.state import begin_state
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona

SAMPLING = Sampling(temperature=0.8)


@dataclass(frozen=True, slots=True)
class ModelUser:
    """A persona played by ``model``; implements :class:`holdfast.agents.users.protocol.UserAgent`.

    ``key`` names the conversation, for the model's cache. ``retries``: how often a refused message is generated again;
    ``window``: exchanges remembered verbatim; ``answer_tokens``: tokens for one judgement. A retry's prompt differs
    only near its end, so that a model with a KV cache has little to prefill. A ModelError of the model is not caught.
    """

    persona: Persona
    model: ChatModel
    key: str
    sampling: Sampling = SAMPLING
    retries: int = 2
    window: int = 4
    answer_tokens: int = 320

    def begin(self, seed: int) -> UserState:
        """Return the state before the first message; ``seed`` orders what will be disclosed."""
        return begin_state(self.persona, seed)

    async def speak(self, state: UserState, messages: Sequence[Message], seed: int) -> Spoken:
        """Return the next message. ``messages`` is not read: what the user remembers is in ``state``."""
        tone = tone_of(self.persona, state)
        memory, before = Memory.of(state), state
        said, state = next_intention(self.persona, state, seed)
        text, memory = await self._words(before, memory, said, tone, seed)
        return Spoken(text, said, memory.saying(text).into(state))

    async def feel(self, state: UserState, said: Intention, reply: str, rating: Rating, seed: int) -> Felt:
        """Return SENSE-7 dimensions (1-5), the state after the reply, and a reason to leave, if any.

        Silence is not judged by the model: there are no words that its judgement could rest on.
        """
        monologue, memory = None, Memory.of(state)
        if reply.strip():
            monologue, memory = await self._monologue(state, reply, seed)
        if monologue is None:
            appraisal = appraise_by_rules(self.persona, state, said, reply, rating, seed)
        else:
            appraisal = _appraisal_of(state, said, reply, rating, monologue, self.persona.language)
        after = after_reply(state, said, reply, appraisal)
        thought = monologue.thought if monologue else ""
        memory = memory.hearing(said, reply, taken_up=appraisal.taken_up, thought=thought, window=self.window)
        leave = "the user ends the conversation" if monologue and monologue.leave else None
        return Felt(appraisal.dimensions, memory.into(after), reason_to_leave(self.persona, after) or leave)

    async def _words(
        self, state: UserState, memory: Memory, said: Intention, tone: Tone, seed: int
    ) -> tuple[str, Memory]:
        """Return words for ``said``, the model's or the grammar's, and the memory with the attempts counted."""
        remark = None
        memory = memory.counting(messages=1)
        for attempt in range(self.retries + 1):
            draw = derive_seed("driven", seed, "speak", attempt)
            prompt = speaking_prompt(self.persona, state, memory, said, tone, seed, remark)
            generation = await self._ask("speak", prompt, self.sampling, draw)
            memory = _spent(memory, generation)
            line = self._line(generation.text, memory, said, seed)
            remark = fault_of(line)
            if remark is None:
                return line.text, memory
            memory = memory.counting(refused=1, **{f"refused_{remark}": 1})
        return say(said, tone, seed, self.persona.language), memory.counting(stand_in_messages=1)

    async def _monologue(self, state: UserState, reply: str, seed: int) -> tuple[Monologue | None, Memory]:
        """Return the model's judgement; None where neither of its two answers can be read."""
        fault: str | None = None
        memory = Memory.of(state).counting(judgements=1)
        sampling = replace(self.sampling, max_tokens=self.answer_tokens)
        for attempt in range(2):
            draw = derive_seed("driven", seed, "feel", attempt)
            prompt = judging_prompt(self.persona, state, memory, reply, seed, fault)
            generation = await self._ask("feel", prompt, sampling, draw)
            memory = _spent(memory, generation)
            judgement = read_monologue(generation.text, answer_id(seed, reply))
            if isinstance(judgement, Monologue):
                return judgement, memory.counting(repaired=attempt)
            fault = judgement
        return None, memory.counting(stand_in_judgements=1)

    async def _ask(self, what: str, messages: tuple[Message, ...], sampling: Sampling, seed: int) -> Generation:
        return await self.model.generate(
            GenerationRequest(f"{self.key}/user/{what}", messages, seed, sampling=sampling)
        )

    def _line(self, raw: str, memory: Memory, said: Intention, seed: int) -> DraftMessage:
        text = cleaned(raw, self.persona.name)
        last_message, last_reply = memory.exchanges[-1] if memory.exchanges else ("", "")
        return DraftMessage(
            text=" ".join(text.split()),
            raw=text,
            persona=self.persona,
            said=said,
            last_reply=last_reply,
            last_message=last_message,
            mentioned=frozenset(phrase for fact in memory.facts for phrase in (fact.topic, fact.need) if phrase),
            secrets=(marker(seed, memory).strip("#"),),
        )


def _appraisal_of(
    state: UserState, said: Intention, reply: str, rating: Rating, monologue: Monologue, language: str
) -> Appraisal:
    """Return the model's judgement as an appraisal.

    A goal counts as met only where this very message asked for it. The emotion moves by the model's own change (-10 to
    10, as in SAGE), clipped to [0, 100].
    """
    cues = cues_of(said, reply, state.extra.get("reply", ()), language)
    dimensions = monologue.dimensions
    emotion = min(100.0, max(0.0, state.emotion + monologue.emotion_change))
    return Appraisal(
        dimensions=dimensions,
        emotion=emotion,
        change=emotion - state.emotion,
        pleased=satisfaction(overall(dimensions), state.desired, cues),
        served=cues.asked and monologue.goal == "done",
        taken_up=monologue.goal != "none" if cues.asked else acknowledges(cues, Expressed.of(rating)),
    )


def _spent(memory: Memory, generation: Generation) -> Memory:
    return memory.counting(prompt_tokens=generation.prompt_tokens, completion_tokens=generation.completion_tokens)
