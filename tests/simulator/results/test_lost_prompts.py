"""A system prompt that a served model's template drops is seen by the count of tokens, and said with its figures."""

from dataclasses import replace

from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.outcomes import outcome_lines
from tests.simulator.results.test_build import build, conversation


def read(episode: EpisodeRecord, *tokens: int) -> EpisodeRecord:
    """The conversation with these tokens read at its first turns."""
    turns = [replace(turn, tokens=(count, 9)) for turn, count in zip(episode.turns, tokens, strict=False)]
    return replace(episode, turns=(*turns, *episode.turns[len(tokens) :]))


def held(prompted: list[int], bare: list[int]) -> list[EpisodeRecord]:
    return [
        read(conversation(name, f"p{number}", [0.9] * 4, max_turns=4), count, 50)
        for name, counts in (("system_prompt", prompted), ("base", bare))
        for number, count in enumerate(counts)
    ]


def test_a_dropped_prompt_is_said() -> None:
    parts = build(held([20, 31], [20, 31])).candidates
    assert parts["base"].prompt_lost == ""
    (line,) = outcome_lines(parts)
    assert line.startswith("system_prompt: its system prompt did not reach the model: at turn 1 it always read as many")
    assert "as base before the same users (2 conversations compared)" in line


def test_one_that_arrived_or_was_not_counted_is_not() -> None:
    for prompted, bare in (([20, 32], [20, 31]), ([12, 23], [20, 31]), ([0, 0], [0, 0]), ([20], [0])):
        assert outcome_lines(build(held(prompted, bare)).candidates) == []
