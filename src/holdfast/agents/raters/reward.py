"""A reward model as a rater: a causal language model with a scalar head and a LoRA.

Its scale is ``preferred``: the chance, by Bradley and Terry, that a reply would be preferred to an average one of
those that it was trained on. A reward has no unit of its own, so levels of two reward models are not comparable.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from holdfast.agents.models.local.adapter_folder import PREFIX, SETTINGS_FILE, WEIGHTS_FILE, read_adapter
from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.models.local.loading import open_tokenizer, open_weights
from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import NO_REPLY, Passage, RaterIdentity, Rating, Scale, holds_reply
from holdfast.core.errors import InputError, ModelError
from holdfast.core.files import read_file
from holdfast.core.hashing import file_sha256, weights_sha256
from holdfast.core.wording import first_line

PREFERRED = Scale("preferred", ("preferred",), 0, 1)
SETTINGS = "reward.json"
SCORE = "score"  # the module that is the head, as transformers calls it
HEAD = f"{PREFIX}{SCORE}.weight"
DIGITS = 5  # of a reward: batches of other shapes round otherwise beyond them


@dataclass(frozen=True, slots=True)
class DialogueReader:
    """Reads a dialogue that has come to its end, as the base's chat template writes it."""

    tokenizer: Any
    template: ChatTemplate

    def tokens(self, messages: Sequence[Message]) -> list[int]:
        """Return the token ids. Raises ModelError: the template refuses the messages, or does not end in bounds."""
        text = self.template.text(messages, prompted=False)
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


@dataclass(frozen=True, slots=True)
class RewardModel:
    """The model with its LoRA and head. ``version``: first 12 hex digits of its weights' SHA-256."""

    model: Any  # peft.PeftModel around a sequence classifier with one label
    reader: DialogueReader
    version: str
    longest: int  # tokens of a dialogue that are read, from its end

    @classmethod
    def load(cls, folder: Path, base: Path) -> RewardModel:
        """Load the PEFT folder onto the base. Raises :class:`InputError`: absent; :class:`ModelError`: damaged, or made
        for another base.
        """
        _check(folder)
        model, reader = load_base(base)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of the libraries, about each other
                model = PeftModel.from_pretrained(model, str(folder)).eval().requires_grad_(False)
        except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
            raise ModelError(f"{folder}: cannot be put on the model in {base}: {first_line(error)}") from error
        longest = getattr(model.config, "max_position_embeddings", None) or 1 << 30
        return cls(model, reader, file_sha256(folder / WEIGHTS_FILE)[:12], longest)

    @torch.inference_mode()
    def rewards(self, dialogues: Sequence[Sequence[Message]], batch_size: int = 32) -> NDArray[np.float64]:
        """(n,) rewards of the last messages; dialogues of like length share a batch."""
        tokens = [self.reader.tokens(messages)[-self.longest :] for messages in dialogues]
        rewards = np.empty(len(tokens))
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = self.reader.tokenizer.pad(
                {"input_ids": [tokens[row] for row in rows]}, padding_side="right", return_tensors="pt"
            )
            rewards[rows] = self.model(**batch, use_cache=False).logits[:, 0].double().numpy()
        return np.round(rewards, DIGITS)


@dataclass(frozen=True, slots=True)
class RewardRater:
    """A reward model as a :class:`holdfast.agents.raters.protocol.Rater`. ``average``: the reward of a mean reply."""

    model: RewardModel
    average: float

    @classmethod
    def load(cls, folder: Path, base: Path) -> RewardRater:
        """Read what ``holdfast rater reward`` wrote.

        Raises:
            InputError: no reward model lies in ``folder``, or it was trained on other weights than ``base``.
            ModelError: it cannot be read, or put on ``base``.
        """
        model = RewardModel.load(folder, base)
        try:
            settings = json.loads(read_file(folder / SETTINGS))
            average, base_sha256 = float(settings["mean_reward"]), str(settings["base_sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            hint = "train again with `holdfast rater reward`"
            raise ModelError(f"{folder / SETTINGS}: cannot be read ({error}); {hint}") from error
        if base_sha256 != weights_sha256(base):
            raise InputError(f"{folder}: trained on other weights than those in {base}; name its base with --base")
        return cls(model, average)

    @property
    def identity(self) -> RaterIdentity:
        return RaterIdentity("reward", self.model.version)

    @property
    def scale(self) -> Scale:
        return PREFERRED

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        """Of a passage its last reply; of a whole dialogue the mean over its replies."""
        replies = [replies_of(passage) for passage in passages]
        rewards = iter(self.model.rewards([reply for several in replies for reply in several]).tolist())
        chances = [[1 / (1 + float(np.exp(self.average - next(rewards)))) for _ in several] for several in replies]
        return [Rating({"preferred": sum(each) / len(each)}) if each else Rating(missing=NO_REPLY) for each in chances]


def replies_of(passage: Passage) -> list[tuple[Message, ...]]:
    """The dialogues up to each reply that is rated."""
    if not holds_reply(passage):
        return []
    numbered = enumerate(passage.messages, 1)
    ends = [number for number, message in numbered if message.role == "assistant" and message.content.strip()]
    return [passage.messages[:end] for end in (ends if passage.whole else ends[-1:])]


def load_base(base: Path) -> tuple[Any, DialogueReader]:
    """Return the base with a fresh head for one number, and what reads dialogues for it.

    Raises:
        InputError: no model lies there.
        ModelError: it does not load, or has no chat template.
    """
    level, bar = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # that the head is new is the point; other missing weights are refused
    transformers_logging.disable_progress_bar()
    try:
        tokenizer = open_tokenizer(base)
        fresh = frozenset({SCORE})
        kind = AutoModelForSequenceClassification
        model = open_weights(kind, base, dtype=torch.float32, fresh=fresh, num_labels=1)
    finally:
        transformers_logging.set_verbosity(level)
        if bar:
            transformers_logging.enable_progress_bar()
    template = ChatTemplate.of(tokenizer, base.name)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    return model, DialogueReader(tokenizer, template)


def _check(folder: Path) -> None:
    """Refuse a folder that has no head for one number, or whose LoRA would not be run as it was trained."""
    if not (folder / SETTINGS_FILE).is_file() or not (folder / WEIGHTS_FILE).is_file():
        raise InputError(f"{folder}: no reward model lies there; train one with `holdfast rater reward --out {folder}`")
    shape = read_adapter(folder, folder.name, SCORE).shapes.get(HEAD)
    if shape is None or shape[0] != 1:
        raise ModelError(f"{folder}: holds an adapter but no reward head; train one with `holdfast rater reward`")
