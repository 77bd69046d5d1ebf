"""Find candidates whose system prompt did not arrive: a served model's chat template may drop it without a word.

What a local template drops is refused before the first turn (:mod:`holdfast.simulator.runtime.prompt_rehearsal`). Of a
served one only tokens are counted: where its prompt is dropped, the first request is as long as the bare model's.
"""

from collections.abc import Mapping, Sequence

from holdfast.agents.assistants.specs import AdapterSpec, BaseSpec, CandidateSpec, PromptedSpec
from holdfast.core.wording import how_many
from holdfast.simulator.results.context import MeasuredCandidate


def lost_prompts(specs: Sequence[CandidateSpec], measured: Mapping[str, MeasuredCandidate]) -> dict[str, str]:
    """Return the prompted candidates that always read as many tokens at turn 1 as the bare model before the same users.

    Returns:
        By name: what says so.
    """
    bare = {spec.model: spec.name for spec in specs if isinstance(spec, BaseSpec) and spec.name in measured}
    lost = {}
    for spec in specs:
        plain = bare.get(spec.model)
        prompted = isinstance(spec, PromptedSpec) and (not isinstance(spec, AdapterSpec) or spec.prompted)
        if not prompted or plain is None or spec.name not in measured:
            continue
        own, theirs = _first_prompts(measured[spec.name]), _first_prompts(measured[plain])
        pairs = [(own[user], theirs[user]) for user in own if user in theirs]
        if pairs and all(with_prompt == without for with_prompt, without in pairs):
            lost[spec.name] = (
                f"its system prompt did not reach the model: at turn 1 it always read as many tokens as {plain} before "
                f"the same users ({how_many(len(pairs), 'conversation')} compared); its figures are {plain}'s. Write "
                "'system: fold' at the model"
            )
    return lost


def _first_prompts(measured: MeasuredCandidate) -> dict[str, int]:
    """Tokens of the first prompt by user, where the model counted them."""
    return {
        episode.spec.user_key: episode.turns[0].tokens[0]
        for episode in measured.arrays.episodes
        if episode.turns and episode.turns[0].tokens[0] > 0
    }
