"""Sentence vectors of any Hugging Face encoder, frozen, as numbers that a dialogue rater weighs.

Torch is imported here only. Texts go through the encoder one length after another, in float32 and without sampling, so
the same texts give the same numbers whatever else is rated beside them (up to rounding).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from holdfast.agents.models.local.loading import open_tokenizer, open_weights
from holdfast.agents.models.opening import fetched
from holdfast.agents.models.references import AwayReference, HubModel
from holdfast.agents.raters.dialogue.manifest import EncoderPart
from holdfast.agents.raters.dialogue.window import WindowTurn
from holdfast.agents.raters.linear.features import Floats
from holdfast.core.errors import HoldfastError, ModelError

_BATCH = 32
DEFAULT_MAX_TOKENS = 256


def vectors_of(part: EncoderPart, dialogues: Sequence[Sequence[WindowTurn]]) -> Floats:
    """(n, 4 x width): the mean over replies and over the user's messages, the rated reply, the message before it.

    Raises :class:`ModelError` where the encoder cannot be loaded, or its weights are others than ``part`` says.
    """
    encoder = open_encoder(part.name)
    if encoder.sha256 != part.sha256:
        raise ModelError(
            f"{part.name}: its weights are not those that this rater was trained with "
            f"(sha256 {encoder.sha256[:12]}, expected {part.sha256[:12]}). Train the rater again."
        )
    texts = sorted({text for dialogue in dialogues for turn in dialogue for text in (turn.user, turn.reply)})
    vectors = encoder.vectors(texts, part.max_tokens)
    place = {text: number for number, text in enumerate(texts)}
    numbers = np.zeros((len(dialogues), 4 * vectors.shape[1]))
    for row, dialogue in enumerate(dialogues):
        if dialogue:
            replies = vectors[[place[turn.reply] for turn in dialogue]]
            users = vectors[[place[turn.user] for turn in dialogue]]
            numbers[row] = np.concatenate([replies.mean(axis=0), users.mean(axis=0), replies[-1], users[-1]])
    return numbers


def encoder_part(name: str, max_tokens: int = DEFAULT_MAX_TOKENS) -> EncoderPart:
    """Describe the encoder ``name``: a Hugging Face name or a folder. Raises :class:`ModelError` if unreadable."""
    return EncoderPart(name=name, sha256=open_encoder(name).sha256, max_tokens=max_tokens)


@dataclass(frozen=True)
class SentenceEncoder:
    """A frozen encoder; ``sha256``: of its weights as loaded."""

    tokenizer: Any
    model: Any
    sha256: str

    @torch.no_grad()
    def vectors(self, texts: Sequence[str], max_tokens: int, at_once: int = _BATCH) -> Floats:
        """(n, width): the mean of the last layer's token vectors, as a unit vector; zeros for an empty text.

        With one text ``at_once`` a text's numbers are the same to the last bit whatever stands beside it.
        """
        vectors = np.zeros((len(texts), int(self.model.config.hidden_size)))
        order = sorted((i for i, text in enumerate(texts) if text.strip()), key=lambda i: len(texts[i]))
        limit = min(max_tokens, self.tokenizer.model_max_length)
        for at in range(0, len(order), at_once):
            rows = order[at : at + at_once]
            batch = self.tokenizer(
                [texts[i] for i in rows], padding=True, truncation=True, max_length=limit, return_tensors="pt"
            )
            states = self.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
            vectors[rows] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return vectors


@lru_cache(maxsize=2)
def open_encoder(name: str) -> SentenceEncoder:
    """Load the encoder ``name``, a folder or a Hugging Face name; once. Raises :class:`ModelError` if unreadable."""
    from transformers import AutoModel
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # standard error is for our own progress
    try:
        folder = Path(name) if Path(name).is_dir() else fetched(AwayReference(name, HubModel(name))).path
        tokenizer = open_tokenizer(folder)
        # last layers are read, no pooled ones, which many encoders lack
        model = open_weights(AutoModel, folder, dtype=torch.float32, fresh=frozenset({"pooler"})).eval()
    except HoldfastError as error:
        raise ModelError(
            f"{name}: no encoder can be loaded ({error}). Allowed: a folder with config.json, weights as safetensors "
            "and a tokenizer, or a Hugging Face name in the local cache (set HF_HUB_OFFLINE=0 to fetch one)."
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return SentenceEncoder(tokenizer, model, _digest(model))


def _digest(model: Any) -> str:
    """Of the weights as loaded, so that a name that comes to mean other weights is noticed."""
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(value.detach().numpy()).tobytes())
    return digest.hexdigest()
