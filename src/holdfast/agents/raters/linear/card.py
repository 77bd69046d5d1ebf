"""The card that goes with fitted weights: what they were fitted on, how well they agree, where they fail."""

from collections.abc import Mapping
from pathlib import Path

from holdfast.agents.raters.linear.epitome_pairs import PREFIXES

_CARD = """\
# Linear rater of expressed empathy

Scores a reply 0-2 on the three mechanisms of EPITOME: emotional reaction, interpretation, exploration. Logistic
regressions on {features:,} words, word pairs and word triples: of the reply's strongest sentence, and of the reply as
a whole. It reads the reply only, in English.

## Fitted on
{replies:,} replies to {posts:,} posts of Reddit's mental-health forums, with levels and rationales by trained people:
Ashish Sharma, Adam S. Miner, David C. Atkins, Tim Althoff (2020), *A Computational Approach to Understanding Empathy
Expressed in Text-Based Mental Health Support*, EMNLP. Source: github.com/behavioral-data/Empathy-Mental-Health,
under its attribution-only licence; the labels are for research use, with citation. The texts are not part of these
files; the vocabulary holds words that occur in at least three replies.

## Agreement with the human levels, cross-validated
Quadratic-weighted kappa; folds grouped by post, cuts chosen on the other folds.

| mechanism | qwk | inverse L2 penalty (sentence / reply) | replies at level 0 / 1 / 2 |
|---|---|---|---|
{rows}

## Where it fails
- Interpretation of peers is mostly "I have been there". The labels hold few replies that infer a feeling in words, so
  "It makes sense that the audit makes you feel anxious" scores below 1.
- Level 1 is rare for interpretation and exploration: the middle of those scales says "unsure" more than "a little".
- "That must be hard" without a word of warmth scores low on emotional reaction.
- It knows words, not meaning: irony, quotation, denial ("I'm not sorry") and other languages mislead it.
- Fitted on peers writing about distress. Between colleagues, or for long machine replies, trust it less, and check it
  against people first (`holdfast validate linear`).
"""


def write_linear_card(
    out: Path, held_out: Mapping[str, Mapping[str, float]], replies: int, posts: int, features: int
) -> None:
    """Write ``card.md`` into ``out``. ``held_out``: mechanism -> ``qwk``, both strengths, ``n0``, ``n1``, ``n2``."""
    rows = [
        f"| {name.replace('_', ' ')} ({prefix}) | {figures['qwk']:.2f} | {figures['strength']:g} / "
        f"{figures['reply_strength']:g} | {figures['n0']:.0f} / {figures['n1']:.0f} / {figures['n2']:.0f} |"
        for prefix, (name, figures) in zip(PREFIXES, held_out.items(), strict=True)
    ]
    text = _CARD.format(features=features, replies=replies, posts=posts, rows="\n".join(rows))
    (out / "card.md").write_text(text, encoding="utf-8", newline="\n")
