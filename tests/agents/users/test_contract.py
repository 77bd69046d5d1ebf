"""What holds for every kind of user agent, whoever plays it."""

from __future__ import annotations

import json
import math
import random
from dataclasses import FrozenInstanceError, replace
from typing import ClassVar

import pytest

from holdfast.agents.protocols import SENSE7, GenerationRequest
from holdfast.agents.users.intention import has_feeling
from holdfast.agents.users.llm.agent import ModelUser
from holdfast.agents.users.llm.memory import MOST_CHARACTERS
from holdfast.agents.users.protocol import Felt, Spoken, UserAgent, UserState
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.agents.users.state import state_from_json, state_to_json
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona
from tests.agents.users.conftest import POLICIES
from tests.agents.users.players import Player, monologue, nonsense
from tests.agents.users.rules.test_agent import SECRETS, shares_a_run

Turn = tuple[Spoken, str, Felt]


def same(one: UserState, other: UserState) -> bool:
    """Equal, where nan equals nan."""
    return json.dumps(state_to_json(one)) == json.dumps(state_to_json(other))


async def hold(
    agent: UserAgent,
    policy: str = "erratic",
    *,
    turns: int = 12,
    seed: int = 3,
    state: UserState | None = None,
    first: int = 1,
) -> list[Turn]:
    """``turns`` turns with an assistant of :data:`POLICIES`, or the rest of them from ``state`` and turn ``first``."""
    state = state or agent.begin(seed)
    held: list[Turn] = []
    for turn in range(first, turns + 1):
        spoken = await agent.speak(state, (), derive_seed(seed, turn, "speak"))
        reply, expressed = POLICIES[policy](agent.persona, spoken.said, random.Random(derive_seed(policy, seed, turn)))
        felt = await agent.feel(spoken.state, spoken.said, reply, expressed, derive_seed(seed, turn, "feel"))
        held.append((spoken, reply, felt))
        state = felt.state
    return held


class UserAgentContract:
    """Inherit, and write :meth:`agent`."""

    turns: ClassVar[int] = 30  # of the longer conversations here
    long: ClassVar[int] = 200

    def agent(self, persona: Persona) -> UserAgent:
        raise NotImplementedError

    def test_begins_the_same_for_the_same_seed_and_in_another_order_for_another(self, ada: Persona) -> None:
        agent = self.agent(ada)
        assert agent.persona is ada
        assert same(agent.begin(3), agent.begin(3))
        assert len({agent.begin(seed).topics_left for seed in range(8)}) > 1
        state = agent.begin(3)
        assert math.isnan(state.felt_mean)
        assert set(state.goals_left) == {"sort", "check", "plan"}

    async def test_same_state_and_seed_same_words_and_feelings(self, ada: Persona) -> None:
        one, other = await hold(self.agent(ada), turns=6), await hold(self.agent(ada), turns=6)
        assert [spoken.text for spoken, _, _ in one] == [spoken.text for spoken, _, _ in other]
        assert [felt.dimensions for _, _, felt in one] == [felt.dimensions for _, _, felt in other]
        assert same(one[-1][2].state, other[-1][2].state)

    async def test_what_it_says_and_feels_is_in_its_range(self, ada: Persona) -> None:
        for number, (spoken, _, felt) in enumerate(await hold(self.agent(ada), turns=self.turns), start=1):
            assert spoken.text.strip()
            assert spoken.state.last_said == spoken.said
            assert spoken.state.turns == number - 1
            assert tuple(felt.dimensions) == SENSE7
            assert all(1 <= value <= 5 for value in felt.dimensions.values())
            assert 0 <= felt.state.emotion <= 100
            assert felt.state.turns == number
            assert 1 <= felt.state.felt_mean <= 5

    async def test_a_goal_is_met_only_where_this_message_asked_for_it(self, ada: Persona) -> None:
        goals = {goal.id: (goal.need, goal.topic) for goal in ada.goals}
        left = ("sort", "check", "plan")
        for spoken, _, felt in await hold(self.agent(ada), "fitting", turns=self.turns):
            for gone in set(left) - set(felt.state.goals_left):
                assert goals[gone] == (spoken.said.need, spoken.said.topic)
            left = felt.state.goals_left

    async def test_a_conversation_goes_on_from_the_journal(self, ada: Persona) -> None:
        agent = self.agent(ada)
        whole = await hold(agent, turns=8)
        for kept in (1, 4, 7):
            state = state_from_json(json.loads(json.dumps(state_to_json(whole[kept - 1][2].state))))
            rest = await hold(agent, turns=8, state=state, first=kept + 1)
            assert [spoken.text for spoken, _, _ in rest] == [spoken.text for spoken, _, _ in whole[kept:]]
            assert same(rest[-1][2].state, whole[-1][2].state)

    async def test_memory_is_bounded_however_long_it_talks(self, ada: Persona) -> None:
        turns = await hold(self.agent(ada), turns=self.long)
        sizes = [len(json.dumps(state_to_json(felt.state), ensure_ascii=False)) for _, _, felt in turns]
        assert max(sizes) < MOST_CHARACTERS
        late, early = sizes[-self.long // 10 :], sizes[self.long // 10 : self.long // 5]
        assert sum(late) / len(late) < 1.25 * sum(early) / len(early)

    @pytest.mark.parametrize("policy", ["careless", "caring"])
    async def test_it_never_tells_what_it_expects_or_who_it_is(self, ada: Persona, policy: str) -> None:
        said = {*ada.feelings, *ada.topics, *(phrase for goal in ada.goals for phrase in (goal.need, goal.topic))}
        for spoken, _, _ in await hold(self.agent(ada), policy, turns=self.turns):
            words = spoken.text.casefold()
            for phrase in sorted(said, key=len, reverse=True):
                words = words.replace(phrase.casefold(), " ")
            assert not SECRETS.search(words), spoken.text
            assert not shares_a_run(words, ada.background.casefold()), spoken.text

    async def test_the_cues_hang_on_persona_and_seed_alone(self, ada: Persona) -> None:
        """Feeling or practical matter: the same against every assistant, and for every player of the persona."""
        mixes = []
        for agent in (self.agent(ada), EmbeddedUser(ada)):
            for policy in ("careless", "caring"):
                turns = await hold(agent, policy, turns=8)
                mixes.append(
                    [None if spoken.said.kind == "thank" else has_feeling(spoken.said) for spoken, _, _ in turns]
                )
        for column in zip(*mixes, strict=True):
            first, *_ = [cue for cue in column if cue is not None] or [None]
            after_thanks = None in column
            assert after_thanks or set(column) == {first}
            if after_thanks:
                break  # a word of thanks moves the next cue's chance, by design

    async def test_patience_ends(self, ada: Persona) -> None:
        turns = await hold(self.agent(ada), "careless", turns=12)
        assert any(felt.leave for _, _, felt in turns)

    def test_holds_no_state_that_could_change(self, ada: Persona) -> None:
        with pytest.raises(FrozenInstanceError):
            self.agent(ada).persona = ada  # type: ignore[misc]

    async def test_a_moved_expectation_stays(self, ada: Persona) -> None:
        agent = self.agent(ada)
        turns = await hold(agent, turns=3, state=replace(agent.begin(1), desired=4.25))
        assert {felt.state.desired for _, _, felt in turns} == {4.25}


class TestEmbedded(UserAgentContract):
    def agent(self, persona: Persona) -> UserAgent:
        return EmbeddedUser(persona)


class TestPlayedWell(UserAgentContract):
    """By a model that keeps to its part: every word and judgement is the model's own."""

    def agent(self, persona: Persona) -> UserAgent:
        return ModelUser(persona, Player(), "c/ada/1")

    async def test_patience_ends(self, ada: Persona) -> None:
        harsh = Player(judges=_harsh)
        turns = await hold(ModelUser(ada, harsh, "c"), "careless", turns=4)
        assert [felt.leave is None for _, _, felt in turns] == [True, True, False, False]  # patience 3

    async def test_nothing_stands_in(self, ada: Persona) -> None:
        turns = await hold(self.agent(ada), turns=self.turns)
        counts = turns[-1][2].state.extra["driven"]["counts"]
        assert counts["messages"] == counts["judgements"] == self.turns
        assert not {"stand_in_messages", "stand_in_judgements", "refused"} & counts.keys(), counts


class TestPlayedByNonsense(UserAgentContract):
    """By a model whose every answer is rubbish: the embedded user stands in, word for word and feeling for feeling."""

    def agent(self, persona: Persona) -> UserAgent:
        return ModelUser(persona, Player(speaks=nonsense, judges=nonsense), "c/ada/1", retries=1)

    async def test_it_is_the_embedded_user_and_every_case_is_counted(self, ada: Persona) -> None:
        ours, theirs = await hold(self.agent(ada)), await hold(EmbeddedUser(ada))
        assert [spoken.text for spoken, _, _ in ours] == [spoken.text for spoken, _, _ in theirs]
        assert [felt.dimensions for _, _, felt in ours] == [felt.dimensions for _, _, felt in theirs]
        counts = ours[-1][2].state.extra["driven"]["counts"]
        assert counts["messages"] == counts["stand_in_messages"] == 12
        assert counts["judgements"] == counts["stand_in_judgements"] == 12
        assert counts["refused"] == 24  # each asked for twice
        assert sum(number for name, number in counts.items() if name.startswith("refused_")) == 24
        assert counts["prompt_tokens"] == (24 + 24) * 100


def _harsh(request: GenerationRequest) -> str:
    return monologue(request, felt=dict.fromkeys(SENSE7, 1), goal="none")
