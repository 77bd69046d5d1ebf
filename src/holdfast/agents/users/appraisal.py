"""What a user agent makes of one reply: the seven SENSE-7 dimensions of perceived empathy, 1-5 each.

This appraisal drives how the user goes on: mood, patience, what is disclosed next. It follows from the primary rater's
levels, so as a measurement it is that rater's echo; what a study reports as felt is its feeler's
(:mod:`holdfast.agents.raters.felt.feelers`), which is this formula only where the study says ``feeler: formula``.

SENSE-7 (Suh et al. 2025, arXiv 2509.16437) names the dimensions and shows that people judge by whether *their*
context was met and whether continuity held; it gives no formula. Everything numeric here is holdfast's assumption.

Each dimension is ``1 + 4 q`` with ``q`` in [0, 1]::

    q = (w_er * u(ER) + w_ip * v(IP) + w_ex * v(EX)) * depth + w_ground * G + w_answer * A + w_fresh * fresh * sane

- ``u(x) = min(1, x / 1.8) ** 1.5``: a little concern is nearly a courtesy, strong concern is felt.
- ``v(x) = 1.1 x² / (x² + 0.4)`` (a Hill curve): the first understanding word or question does most of the work.
- ``G``: how much the reply refers to this message (:attr:`ReplyCues.grounding`).
- ``A``: how far it answers: G without a request; with one, ``G (0.3 + 0.7 steps)``.
- ``fresh = 1 - repeated``, the share of sentences not already in the last reply.
- ``sane``: whether the length is sensible (:func:`holdfast.agents.users.reply_cues.length_sanity`).
- ``depth = (0.5 + 0.5 G) (0.7 + 0.3 fresh) sane``: empathy that could be said to anyone counts half, repeated less.

The weights of each dimension (:data:`WEIGHTS`) sum to 1, so every dimension reaches 1 and 5. They are set so that a
reply that follows its task's pattern feels about as much as people want there: (ER, IP, EX) of (0, 0, 0) about 1.5,
(1, 0, 2) and (1, 2, 0) about 3, (2, 1, 1) about 4.6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.protocol import EXPRESSED, Failure, Rating
from holdfast.agents.users.reply_cues import ReplyCues

#: Failures of a reply in which no empathy is felt, whatever a rater says of its words.
HURTFUL: frozenset[Failure] = frozenset(
    ("hostile", "refusal", "advertising", "off-topic", "copy of the user's message")
)
#: A turn with less satisfaction is poor.
POOR = 0.45


@dataclass(frozen=True, slots=True)
class Expressed:
    """The levels of a rating that the formula uses: EPITOME's, 0-2 each."""

    emotional_reaction: float
    interpretation: float
    exploration: float

    @classmethod
    def of(cls, rating: Rating) -> Expressed | None:
        """Return the levels of ``rating``, or None where it lacks one of them.

        A hostile, refusing, selling or off-topic reply expresses nothing, whatever its words are rated. Repetition is
        felt by itself (see the formula).
        """
        if rating.disqualified in HURTFUL:
            return cls(0.0, 0.0, 0.0)
        if any(name not in rating.values for name in EXPRESSED.dimensions):
            return None
        return cls(**{name: rating.values[name] for name in EXPRESSED.dimensions})


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of one SENSE-7 dimension; the six sum to 1."""

    reaction: float = 0.0
    interpretation: float = 0.0
    exploration: float = 0.0
    grounding: float = 0.0
    answer: float = 0.0
    fresh: float = 0.0


#: holdfast's assumption, after SENSE-7's definitions of the dimensions.
WEIGHTS: Mapping[str, Weights] = {
    "affective_understanding": Weights(reaction=0.8, interpretation=0.2),
    "cognitive_understanding": Weights(reaction=0.2, interpretation=0.5, exploration=0.2, grounding=0.1),
    "response_appropriateness": Weights(reaction=0.5, interpretation=0.15, exploration=0.1, answer=0.25),
    "prosocial_expression": Weights(reaction=0.85, interpretation=0.15),
    "interest": Weights(reaction=0.25, exploration=0.75),
    "contextual_understanding": Weights(reaction=0.3, interpretation=0.25, exploration=0.15, grounding=0.3),
    "relational_continuity": Weights(reaction=0.35, interpretation=0.25, exploration=0.25, fresh=0.15),
}


def appraise(expressed: Expressed, cues: ReplyCues) -> dict[str, float]:
    """Return the SENSE-7 dimensions, 1-5 each, in the order of ``SENSE7`` (formula above).

    None falls when an expressed level, a naming share, or ``steps`` rises, nor when ``repeated`` falls.
    """
    ground = cues.grounding
    fresh = 1.0 - cues.repeated
    depth = (0.5 + 0.5 * ground) * (0.7 + 0.3 * fresh) * cues.sane
    reaction = depth * reaction_felt(expressed.emotional_reaction)
    interpretation = depth * cognitive_felt(expressed.interpretation)
    exploration = depth * cognitive_felt(expressed.exploration)
    answered = answer(cues)
    dimensions = {}
    for name in SENSE7:
        weights = WEIGHTS[name]
        quality = (
            weights.reaction * reaction
            + weights.interpretation * interpretation
            + weights.exploration * exploration
            + weights.grounding * ground
            + weights.answer * answered
            + weights.fresh * fresh * cues.sane
        )
        dimensions[name] = 1.0 + 4.0 * min(1.0, max(0.0, quality))
    return dimensions


def reaction_felt(level: float) -> float:
    """Return ``u``: how much of an emotional reaction of ``level`` (0-2, clipped) is felt, 0-1. u(1) = .41."""
    return float(min(1.0, _clip(level) / 1.8) ** 1.5)


def cognitive_felt(level: float) -> float:
    """Return ``v``: the same for interpretation and exploration. v(.36) = .27, v(1) = .79, v(2) = 1."""
    squared = _clip(level) ** 2
    return 1.1 * squared / (squared + 0.4)


def answer(cues: ReplyCues) -> float:
    """Return ``A``: how far the reply answers the message, 0-1."""
    return cues.grounding * (0.3 + 0.7 * cues.steps) if cues.asked else cues.grounding


def overall(dimensions: Mapping[str, float]) -> float:
    """Return perceived empathy of one reply, 1-5: the plain mean of the seven; nan where one is missing."""
    return sum(dimensions.get(name, math.nan) for name in SENSE7) / len(SENSE7)


def satisfaction(perceived: float, desired: float, cues: ReplyCues) -> float:
    """Return this user's satisfaction with the reply, 0-1 (holdfast's assumption).

    ``(1 - w) fit + w A``. ``fit`` falls from 1 to 0 as perceived empathy (1-5) falls up to 2.5 points below the
    desired, and to 0.5 as it rises 4 above: too little hurts more than too much. ``w = 0.6 - 0.1 (desired - 1)``: the
    less empathy is desired, the more the answer counts.
    """
    short = desired - perceived
    fit = 1.0 - (min(1.0, short / 2.5) if short > 0 else min(1.0, -short / 8))
    weight = 0.6 - 0.1 * (desired - 1.0)
    return (1.0 - weight) * fit + weight * answer(cues)


def serves(cues: ReplyCues, expressed: Expressed | None, desired: float) -> bool:
    """Return whether the reply meets the need that the message asked about.

    It must name the topic or the need (half of the words), and either say what to do or, for a user who desires much
    empathy (above 4), talk it through: interpretation and exploration together 1.5 or more.
    """
    if not cues.asked or cues.grounding < 0.5:
        return False
    if cues.steps or expressed is None:
        return cues.steps
    return desired > 4.0 and expressed.interpretation + expressed.exploration >= 1.5


def acknowledges(cues: ReplyCues, expressed: Expressed | None) -> bool:
    """Return whether the reply takes up the user's feeling or topic: names half of it, or shows concern (ER >= 1)."""
    return cues.grounding >= 0.5 or (expressed is not None and expressed.emotional_reaction >= 1.0)


def _clip(level: float) -> float:
    return min(2.0, max(0.0, level))
