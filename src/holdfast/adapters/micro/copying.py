"""Measure whether the base can name what the user just said, for each kind of thing apart: they are learned separately.

Teacher-forced: the reply is the grammar's, and a name counts as copied when every one of its tokens is the model's
first choice. Fast enough to watch while building; a test measures the same in free replies.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import torch

from holdfast.adapters.micro.encoding import Encoder
from holdfast.adapters.micro.lexicon import Lexicon, load_lexicon
from holdfast.adapters.micro.replies import Style, yours
from holdfast.adapters.micro.world import Document, cue_style, intentions, make_turn
from holdfast.agents.users.protocol import Intention

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

KINDS = ("feeling", "topic", "invented_topic", "held_out_topic", "need")
EARLIER_TURNS = 2  # with other feelings and topics, before the tested message


def copying_scores(model: LlamaForCausalLM, encoder: Encoder, *, seed: int, n: int = 300) -> dict[str, float]:
    """Return the share of ``n`` replies in which the thing was copied whole, per kind; in [0, 1]."""
    rng = random.Random(seed)
    return {kind: _score(model, encoder, [_case(kind, rng) for _ in range(n)]) for kind in KINDS}


def _case(kind: str, rng: random.Random) -> tuple[Document, str]:
    """Return a conversation whose last reply names the thing, and the thing."""
    lexicon = load_lexicon()
    while True:
        said = _intention(kind, lexicon, rng)
        named = {"feeling": said.feeling, "need": said.need}.get(kind, said.topic) or ""
        named = yours(named)
        style = Style(0, 0, 0, 2) if kind == "need" else Style(2, 0, 0, 0)
        earlier = [
            make_turn(rng, intention, cue_style(intention, rng))
            for intention in intentions(rng, lexicon, EARLIER_TURNS)
        ]
        last = make_turn(rng, said, style)
        if named in last.reply:
            return Document((*earlier, last)), named


def _intention(kind: str, lexicon: Lexicon, rng: random.Random) -> Intention:
    topics = {
        "topic": f"my {rng.choice(lexicon.modifiers)} {rng.choice(lexicon.heads)}",
        "invented_topic": f"the {lexicon.invented(rng)} {rng.choice(lexicon.heads)}",
        "held_out_topic": lexicon.held_out_topic(rng),
    }
    topic = topics.get(kind) or lexicon.topic(rng)
    if kind == "need":
        return Intention("ask", topic=topic, need=lexicon.need(rng))
    return Intention("feel", feeling=lexicon.feeling(rng), topic=topic)


def _score(model: LlamaForCausalLM, encoder: Encoder, cases: list[tuple[Document, str]]) -> float:
    rows = [encoder.encode(document) for document, _ in cases]
    tokens = encoder.padded(rows).tokens
    training = model.training
    model.eval()
    with torch.no_grad():
        chosen = model(input_ids=tokens).logits.argmax(-1)
    model.train(training)
    copied = 0
    for index, ((document, named), row) in enumerate(zip(cases, rows, strict=True)):
        places = encoder.places(document, named)
        copied += all(int(chosen[index, place - 1]) == row.tokens[place] for place in places)
    return round(copied / len(cases), 3)
