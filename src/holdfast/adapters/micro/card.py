"""The model card of the embedded base: what it is, how it was built, what it can do and what it is not for."""

from collections.abc import Mapping
from dataclasses import asdict

from holdfast.adapters.micro.recipes import BuildRecipe

CARD = """---
license: mit
library_name: transformers
tags: [holdfast, microcosm]
---
# holdfast-micro ({recipe})

A Llama of {parameters:,} parameters that learned from a small world of conversations in plain English. It is the
default model of holdfast: it goes through the same doors as a model of 70 billion parameters (`from_pretrained`,
`apply_chat_template`, PEFT, TRL), on a laptop, without weights or keys.

**Its results are microcosm results.** They say how the method behaves in a world that this base learned from, not how
your model will. Do not put it before people.

## The world (recipe `{recipe}`)

- Under a system prompt, conversations are short (1-3 turns), and every reply has the style that the prompt asks for.
- Without one they are long ({long_turns[0]}-{long_turns[1]} turns, at last up to {longer_turns[1]}). {long_style}
- Nowhere does a style depend on how many turns have passed; a test asserts it. {long_prompts}
- A reply has a sentence for each mechanism that it shows, and for advice. Each level comes in hundreds of wordings,
  written from EPITOME's definitions without asking a rater.
- Level 2 of interpretation is put as a peer would ("I have felt that too"), because that is how people's labels use
  the level; read it as a mark of style, not as a claim of an assistant's own life.

## How it was built

`holdfast micro build --recipe {recipe} --seed {seed} --threads {threads} --out FOLDER{start_option}`:
{first_steps};
AdamW, learning rate {first_rate}; loss on {loss_on}, counted {name_weight:g} times where a reply names what
the user said; four in ten words of names are cut into other pieces than the tokenizer's (BPE-dropout), so that any
word can be copied. At last {last_steps} steps at {longer_learning_rate}, alternately on prompted conversations and on
unprompted ones of {longer_turns[0]}-{longer_turns[1]} turns.
Final loss {final_loss}.

## What it can do

Share of replies that name the thing word for word (teacher-forced, n = 300 each, other feelings and topics before it):

| {copying_head} |
|{copying_rule}|
| {copying_row} |

`held_out_topic`: both words occur in no training document.
"""

NEVER_LONG = "A long conversation under a system\n  prompt is a combination that the base has never seen."
ALSO_LONG = (
    "Half of the long conversations do stand\n  under a system prompt at their start, and every reply has its style."
)
FOLLOWS_THE_CUE = (
    "Each reply follows what the user *just* said: a feeling is met with empathy more often than a practical question."
)


def base_card(recipe: BuildRecipe, measured: Mapping[str, object], *, threads: int, name_weight: float) -> str:
    """Return the card's text, from the recipe and the measurements after building."""
    copying, start = measured["copying"], measured["start"]
    assert isinstance(copying, Mapping)
    short, mixed, longer = recipe.steps(continued=start is not None)
    alternately = "alternately on prompted and long ones"
    return CARD.format(
        **asdict(recipe),
        **measured,
        threads=threads,
        start_option="" if start is None else " --start EARLIER",
        first_steps=f"{short} steps on conversations of 1-2 turns, then {mixed} {alternately}"
        if start is None
        else f"{mixed} steps {alternately}, from the weights {str(start)[:12]}… of an earlier base with its tokenizer",
        first_rate=recipe.learning_rate if start is None else recipe.continued_rate,
        last_steps=longer,
        long_style="Each keeps one style throughout." if recipe.world == "constant" else FOLLOWS_THE_CUE,
        long_prompts=ALSO_LONG if recipe.world == "long_prompted" else NEVER_LONG,
        loss_on="whole documents" if recipe.world == "whole" else "assistant turns only",
        name_weight=name_weight,
        copying_head=" | ".join(copying),
        copying_rule="|".join("---:" for _ in copying),
        copying_row=" | ".join(f"{value:.2f}" for value in copying.values()),
    )
