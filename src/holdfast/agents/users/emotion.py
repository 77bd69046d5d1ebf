"""A user's emotion, 0-100: sticky, quicker to fall than to rise, adapting to what it gets.

The shape follows SAGE (Zhang et al. 2025, "Sentient Agent as a Judge"): emotion starts at 40; in its 15,369 changes the
lag-1 autocorrelation is 0.59, the size of a change is mostly 5, and no change is rare (0.4 %). The constants are
holdfast's assumption, set so that simulated conversations come near these (``tests/agents/users/test_realism.py``).
"""

import random

from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Temperament

#: Points per unit of surprise at reactivity 1.
GAIN = 20.0
#: Weight of replies worse than expected, relative to better ones: one poor turn lowers perceived empathy with
#: d = 1.14 (SENSE-7), and losses weigh about double (Tversky & Kahneman 1992).
LOSS_WEIGHT = 1.8
#: Standard deviation of the random change per turn, in points.
UNREST = 2.5
#: Largest change by one reply (SAGE's largest common change is 10).
LARGEST_CHANGE = 12.0


def expectation(emotion: float) -> float:
    """Return the satisfaction (0-1) that leaves ``emotion`` where it is: ``1.1 * emotion / 100 - 0.05``.

    It rises with emotion because people adapt to what they get (Helson 1964): this keeps the emotion off its bounds.
    """
    return 1.1 * emotion / 100.0 - 0.05


def surprise(satisfaction: float, emotion: float) -> float:
    """Return satisfaction minus expectation, a shortfall multiplied by :data:`LOSS_WEIGHT`."""
    difference = satisfaction - expectation(emotion)
    return difference if difference >= 0 else LOSS_WEIGHT * difference


def next_emotion(
    emotion: float, momentum: float, satisfaction: float, temperament: Temperament, seed: int
) -> tuple[float, float]:
    """Return the emotion (0-100) after a reply, and its change.

    ::

        change = stickiness * momentum + GAIN * reactivity * surprise(satisfaction, emotion) + N(0, UNREST)

    with the change clipped to ±LARGEST_CHANGE, and the emotion to [0, 100]. ``momentum`` is the change before.
    """
    unrest = random.Random(derive_seed("emotion", seed)).gauss(0.0, UNREST)
    pull = GAIN * temperament.reactivity * surprise(satisfaction, emotion)
    change = temperament.stickiness * momentum + pull + unrest
    change = min(LARGEST_CHANGE, max(-LARGEST_CHANGE, change))
    after = min(100.0, max(0.0, emotion + change))
    return after, after - emotion
