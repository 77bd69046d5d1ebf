"""Does the base do what its prompt asks? Read by the grammar and by no rater.

``python tests/launch.py tests.adapters.micro.following [FOLDER]`` samples first replies under random prompts and looks
each sentence up in the grammar, which knows its mechanism and level. What the grammar does not hold counts as none.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from holdfast.adapters.micro import base_path
from holdfast.adapters.micro.lexicon import load_lexicon
from holdfast.adapters.micro.replies import load_replies
from holdfast.adapters.micro.world import Document, prompted_document
from holdfast.agents.sentence_frames import BLANK, SentenceFrame, blanked, blanked_frames
from holdfast.personas.schema import MECHANISMS

SEED, PROMPTS, TEMPERATURE, MAX_TOKENS = 5, 128, 0.5, 90


def levels_by_frame() -> dict[SentenceFrame, tuple[str, int]]:
    """Return the mechanism and level of every sentence of the grammar, names aside."""
    grammar = load_replies()
    return {
        frame: (part, level)
        for (part, level), families in grammar.frames.items()
        if part in MECHANISMS
        for family in families
        for wording in family
        for frame in blanked_frames(re.sub(r"\{\w+\}", f" {BLANK} ", wording.text))
    }


def first_replies(folder: Path, documents: list[Document]) -> list[str]:
    """Return what the base in ``folder`` says in the first turn of each document."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompts = [
        tokenizer.apply_chat_template(
            [message.as_dict() for message in document.messages()[:-1]], tokenize=False, add_generation_prompt=True
        )
        for document in documents
    ]
    encoded = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
    torch.manual_seed(SEED)
    made = model.generate(
        input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"], max_new_tokens=MAX_TOKENS,
        do_sample=True, temperature=TEMPERATURE, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    start = encoded["input_ids"].shape[1]
    return [tokenizer.decode(row[start:], skip_special_tokens=True).strip() for row in made]


def main(folder: Path) -> None:
    """Print, for each mechanism, how many replies have the level that was asked, and the table of asked and shown."""
    rng, frames = random.Random(SEED), levels_by_frame()
    documents = [prompted_document(rng, load_lexicon(), turns=1, late=0.0) for _ in range(PROMPTS)]
    shown: dict[str, Counter[tuple[int, int]]] = {mechanism: Counter() for mechanism in MECHANISMS}
    for document, reply in zip(documents, first_replies(folder, documents), strict=True):
        (turn,) = document.turns
        said = [name for name in (turn.said.feeling, turn.said.topic, turn.said.need) if name]
        known = dict(frames[frame] for frame in blanked_frames(blanked(reply, said)) if frame in frames)
        for mechanism in MECHANISMS:
            shown[mechanism][getattr(turn.style, mechanism), known.get(mechanism, 0)] += 1
    for mechanism, table in shown.items():
        followed = sum(count for (asked, level), count in table.items() if asked == level) / PROMPTS
        rows = "; ".join(f"{asked}: " + " ".join(str(table[asked, level]) for level in range(3)) for asked in range(3))
        print(f"{mechanism}: {followed:.2f} (asked: replies at 0, 1, 2: {rows})")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else base_path())
