"""The best of several replies: after the gate, at the end of a sentence, and nothing that was said before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from holdfast.adapters.dialogues.filtering import Standard
from holdfast.adapters.dialogues.prompting import SteeringPrompt
from holdfast.adapters.dialogues.steering import DialoguePlan, hold_dialogue
from holdfast.agents.protocols import Generation, GenerationRequest, Message
from holdfast.agents.raters.gate.rater import GatedRater
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.personas.schema import MechanismLevels
from tests.adapters.standins import SorryRater, persona

WARM = Standard(MechanismLevels(emotional_reaction=2, interpretation=0, exploration=0), 0.7)


@dataclass
class InTurn:
    """Gives sample number ``n`` of each turn the words ``replies[n]``; its name says which turn it is."""

    replies: list[str]
    outcome: str = "answered"
    id: str = "in turn"
    asked: list[GenerationRequest] = field(default_factory=list)

    async def generate(self, request: GenerationRequest) -> Generation:
        self.asked.append(request)
        turn = sum(message.role == "user" for message in request.messages)
        text = self.replies[int(request.key.rsplit("/", 1)[1])]
        return Generation(text.replace("TURN", f"number {turn}"), 7, 3, outcome=self.outcome)  # type: ignore[arg-type]


def plan(samples: int, turns: int = 1, **fields: object) -> DialoguePlan:
    return replace(DialoguePlan("p", EmbeddedUser(persona("ana")), WARM, 3, turns, samples=samples), **fields)  # type: ignore[arg-type]


async def test_the_gate_comes_before_adherence() -> None:
    loop = "sorry about the ana report " * 6 + "."
    model = InTurn([loop, "the ana report and the ana deck."])
    (turn,) = (await hold_dialogue(plan(2), model, GatedRater(SorryRater()))).turns
    assert turn.samples[0].rating.disqualified == "loop"
    assert turn.samples[1].flaws
    assert turn.best == 1


async def test_a_cut_reply_ends_at_its_last_sentence_and_without_one_is_refused() -> None:
    model = InTurn(["i am sorry about the ana report, and", "i am sorry about the ana report. and then i"], "cut")
    (turn,) = (await hold_dialogue(plan(2), model, SorryRater())).turns
    assert turn.samples[0].flaws == ("unfinished",)
    assert (turn.reply, turn.best) == ("i am sorry about the ana report.", 1)
    assert "unfinished" not in turn.flaws


async def test_what_a_server_filtered_is_not_whole() -> None:
    model = InTurn(["i am sorry about the ana report."], "filtered")
    (turn,) = (await hold_dialogue(plan(1), model, SorryRater())).turns
    assert "unfinished" in turn.flaws


async def test_no_reply_says_an_earlier_one_again() -> None:
    same = "i am so sorry: anxious, tired, the report, the deck."
    model = InTurn([same, "sorry TURN: anxious tired report deck."])
    dialogue = await hold_dialogue(plan(2, turns=4), model, SorryRater())
    replies = [turn.reply for turn in dialogue.turns]
    assert not any(turn.flaws for turn in dialogue.turns)
    assert len(set(replies)) == 4
    assert all("says_again" in turn.samples[0].flaws for turn in dialogue.turns if same in replies[: turn.turn - 1])
    assert replies.count(same) <= 1


async def test_no_reply_says_an_example_again() -> None:
    example = "i am so sorry about the lost cat of yours and hope it comes home."
    opening = (Message("system", "Be kind."), Message("user", "My cat is lost."), Message("assistant", example))
    model = InTurn([example])
    (turn,) = (await hold_dialogue(plan(1, steering=SteeringPrompt(opening, "Be kind.")), model, SorryRater())).turns
    assert "says_again" in turn.flaws
    roles = [message.role for message in model.asked[0].messages]
    assert roles == ["system", "user", "assistant", "system", "user"]


@dataclass
class Improving(InTurn):
    """Its first ``bad`` replies to a message are of no use."""

    bad: int = 0

    async def generate(self, request: GenerationRequest) -> Generation:
        self.asked.append(request)
        good = sum(each.messages == request.messages for each in self.asked) > self.bad
        return Generation("i am sorry: anxious, tired, the report, the deck." if good else "no", 7, 3)


async def test_as_many_are_drawn_again_while_none_is_usable() -> None:
    for bad, drawn in ((0, 2), (1, 2), (2, 4), (5, 6), (9, 6)):
        (turn,) = (await hold_dialogue(plan(2, retries=2), Improving([], bad=bad), SorryRater())).turns
        assert len(turn.samples) == drawn
        assert bool(turn.flaws) == (bad == 9)
        assert len({sample.seed for sample in turn.samples}) == drawn


async def test_a_spoiled_dialogue_costs_one_reply_a_turn_but_of_the_embedded_model() -> None:
    embedded = replace(WARM, own_words=False)
    for standard, drawn in ((WARM, [6, 1, 1]), (embedded, [6, 2, 2])):
        model = Improving([], bad=99)
        dialogue = await hold_dialogue(plan(2, turns=3, retries=2, standard=standard), model, SorryRater())
        assert [len(turn.samples) for turn in dialogue.turns] == drawn


async def test_every_sample_is_kept_with_its_tokens() -> None:
    (turn,) = (await hold_dialogue(plan(3), InTurn(["a.", "b.", "c."]), SorryRater())).turns
    assert [sample.reply for sample in turn.samples] == ["a.", "b.", "c."]
    assert {sample.tokens for sample in turn.samples} == {(7, 3)}


@pytest.mark.parametrize("again", ["", "Be kind."])
def test_a_prompt_stands_around_the_newest_message(again: str) -> None:
    talk = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    sent = SteeringPrompt((Message("system", "S"),), again).around(talk)
    assert "".join(message.content[0] for message in sent) == ("SabBc" if again else "Sabc")
