"""The people's feeler: what people who chatted would say of the chat so far, by weights fitted on what people said.

It counts words and weighs numbers, and never sees a rater's levels; text inside a conversation cannot instruct it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.raters.dialogue.manifest import MANIFEST, Manifest
from holdfast.agents.raters.felt.model import FeltModel
from holdfast.agents.raters.felt.reading import windows_of
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.linear.legibility import count_words, why_illegible
from holdfast.agents.raters.linear.rater import SHIPPED_PEERS, LinearRater
from holdfast.agents.raters.linear.weight_files import VOCABULARY, WEIGHTS
from holdfast.agents.raters.protocol import FELT, NO_REPLY, Passage, RaterIdentity, Rating, Scale
from holdfast.core.hashing import files_sha256

SHIPPED_FELT = Path(__file__).parent / "people"
LONGEST_CHAT = 3  # exchanges of the longest chat that people labelled: what is said of later turns is extrapolated


@dataclass(frozen=True, slots=True)
class PeopleFeeler:
    """Scores a chat up to its last reply. Implements :class:`holdfast.agents.raters.protocol.Rater`.

    A whole chat that is longer than those that people labelled has the mean over all its windows of that length.

    Raises :class:`DataError` on first use where the folder cannot be read.
    """

    folder: Path = SHIPPED_FELT

    @property
    def manifest(self) -> Manifest:
        """What it was fitted on, and what it reads."""
        return _loaded(self.folder).manifest

    def saw(self, labelled: Labelled) -> NDArray[np.bool_]:
        """(n,) whether the weights were fitted on a label of each passage's person."""
        return self.manifest.saw(labelled)

    @property
    def identity(self) -> RaterIdentity:
        return RaterIdentity("people", _loaded(self.folder).version)

    @property
    def scale(self) -> Scale:
        return FELT

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return self.score(passages)

    def score(self, passages: Sequence[Passage]) -> list[Rating]:
        """One rating per passage, in order; never depends on what else is in the batch."""
        _, model, _, unknown = _loaded(self.folder)
        ratings = []
        for windows in map(windows_of, passages):
            replies = "\n".join(window[-1].reply for window in windows)
            reason = unknown(replies) if windows else NO_REPLY
            score = math.nan if reason else sum(map(model.score, windows)) / len(windows)
            ratings.append(Rating(missing=reason) if reason else Rating({FELT.dimensions[0]: score}))
        return ratings


class _Loaded(NamedTuple):
    manifest: Manifest
    model: FeltModel
    version: str
    unknown: Callable[[str], str]  # of a reply: in no language that the feeler reads


@lru_cache(maxsize=4)
def _loaded(folder: Path) -> _Loaded:
    manifest, model = Manifest.load(folder), FeltModel.load(folder)
    english = frozenset(model.table.words).union(LinearRater(SHIPPED_PEERS).model.words)  # of more who write English

    @lru_cache(maxsize=4096)
    def reason(reply: str) -> str:
        return why_illegible(reply, *count_words(reply, english))

    return _Loaded(manifest, model, files_sha256(folder, WEIGHTS, VOCABULARY, MANIFEST)[:12], reason)
