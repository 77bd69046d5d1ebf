"""Episode records -> arrays, one set per candidate."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.felt.feelers import NAMES, FeelerKind
from holdfast.agents.raters.protocol import EXPRESSED, FELT
from holdfast.simulator.measure.arrays import Bools, Floats, Ints, present_mean
from holdfast.simulator.records import EpisodeRecord, TurnRecord


@dataclass(frozen=True, slots=True)
class EpisodeArrays:
    """The episodes of one candidate, ordered by id. Arrays are nan where a conversation had ended (or failed)."""

    episodes: tuple[EpisodeRecord, ...]
    user_keys: tuple[str, ...]  # the same for all candidates that met this user
    groups: tuple[str, ...]  # persona: the cluster
    tasks: tuple[str, ...]
    planned: Ints  # episodes: turns asked for
    failed: int  # how many of the episodes ended in an error
    levels: Floats  # episodes x turns x dimensions of the primary rater's scale, in its order
    disqualified: Bools  # episodes x turns: replies that are observed failures
    unrated: Bools  # episodes x turns: replies of which nothing is known
    felt: Floats  # episodes x turns x 7, 1-5, in the order of SENSE7: by the user agents' own appraisal
    desired: Floats  # episodes: desired empathy on the perceived scale, 1-5; nan where unknown

    @property
    def turns(self) -> int:
        """Length of the turn axis: the longest plan of the study."""
        return int(self.levels.shape[1])


def extract(
    episodes: Iterable[EpisodeRecord],
    desired: Mapping[str, float],
    dimensions: Sequence[str] = EXPRESSED.dimensions,
) -> dict[str, EpisodeArrays]:
    """Arrays per candidate, candidates in the order of their names.

    ``dimensions``: of the primary rater's scale. ``desired``: persona -> desired empathy on the perceived scale. Where
    the state of an episode's first turn carries its own ``desired`` (an expectation that experience has moved, see the
    population), that one counts.
    All candidates get the same number of turns. Failed episodes give the turns that they have: what was said before
    an endpoint broke down was measured properly.
    """
    by_candidate: dict[str, list[EpisodeRecord]] = defaultdict(list)
    turns = 0
    for episode in episodes:
        by_candidate[episode.spec.candidate].append(episode)
        turns = max(turns, episode.spec.max_turns, *(turn.turn for turn in episode.turns))
    return {name: _arrays(by_candidate[name], turns, desired, dimensions) for name in sorted(by_candidate)}


def rating_array(
    episodes: Sequence[EpisodeRecord], turns: int, dimensions: Sequence[str], rater: str | None = None
) -> Floats:
    """Values of a rater, the primary one by default: episodes x ``turns`` x ``dimensions``, nan where there is none."""
    values = np.full((len(episodes), turns, len(dimensions)), np.nan)
    for row, episode in enumerate(episodes):
        for turn in episode.turns:
            rating = turn.primary if rater is None else turn.ratings.get(rater)
            if rating is not None:
                values[row, turn.turn - 1] = rating.levels(dimensions)
    return values


def felt_array(arrays: EpisodeArrays, feeler: FeelerKind) -> Floats:
    """Felt empathy after each reply, 1-5, by one feeler: episodes x turns, nan where it says nothing."""
    if feeler == "formula":
        return present_mean(arrays.felt, axis=2)
    return rating_array(arrays.episodes, arrays.turns, FELT.dimensions, NAMES[feeler])[:, :, 0]


def felt_after(turn: TurnRecord, feeler: FeelerKind) -> float:
    """Felt empathy after one reply, as :func:`felt_array` has it."""
    if feeler == "formula":
        return float(present_mean(np.array([turn.felt.get(name, np.nan) for name in SENSE7])))
    rating = turn.ratings.get(NAMES[feeler])
    return float("nan") if rating is None else rating.levels(FELT.dimensions)[0]


def disqualified_array(episodes: Sequence[EpisodeRecord], turns: int, rater: str | None = None) -> Bools:
    """Which replies a rater, the primary one by default, says to be disqualified: episodes x ``turns``."""
    stopped = np.zeros((len(episodes), turns), dtype=np.bool_)
    for row, episode in enumerate(episodes):
        for turn in episode.turns:
            rating = turn.primary if rater is None else turn.ratings.get(rater)
            stopped[row, turn.turn - 1] = rating is not None and rating.disqualified is not None
    return stopped


def _arrays(
    episodes: list[EpisodeRecord], turns: int, desired: Mapping[str, float], dimensions: Sequence[str]
) -> EpisodeArrays:
    episodes = sorted(episodes, key=lambda episode: episode.spec.id)
    felt = np.full((len(episodes), turns, len(SENSE7)), np.nan)
    spoken = np.zeros(felt.shape[:2], dtype=np.bool_)
    for row, episode in enumerate(episodes):
        for turn in episode.turns:
            felt[row, turn.turn - 1] = [turn.felt.get(name, np.nan) for name in SENSE7]
            spoken[row, turn.turn - 1] = True
    levels, stopped = rating_array(episodes, turns, dimensions), disqualified_array(episodes, turns)
    specs = [episode.spec for episode in episodes]
    return EpisodeArrays(
        episodes=tuple(episodes),
        user_keys=tuple(spec.user_key for spec in specs),
        groups=tuple(spec.persona for spec in specs),
        tasks=tuple(spec.task for spec in specs),
        planned=np.array([spec.max_turns for spec in specs], dtype=np.int64),
        failed=sum(episode.error is not None for episode in episodes),
        levels=levels,
        disqualified=stopped,
        unrated=spoken & ~stopped & np.isnan(levels).any(axis=-1),
        felt=felt,
        desired=np.array([_desired(episode, desired) for episode in episodes], dtype=np.float64),
    )


def _desired(episode: EpisodeRecord, desired: Mapping[str, float]) -> float:
    if episode.turns:
        own = min(episode.turns, key=lambda turn: turn.turn).state.get("desired")
        if isinstance(own, (int, float)) and 1 <= own <= 5:
            return float(own)
    return desired.get(episode.spec.persona, float("nan"))


def targets(tasks: Sequence[str], target_of_task: Mapping[str, Sequence[float]]) -> Floats:
    """The target of each episode, episodes x 1 x dimensions, ready to stand beside episodes x turns x dimensions.

    Raises KeyError naming a task without a target.
    """
    dimensions = len(next(iter(target_of_task.values()), EXPRESSED.dimensions))
    return np.array([target_of_task[task] for task in tasks], dtype=np.float64).reshape(-1, 1, dimensions)
