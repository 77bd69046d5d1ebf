"""A reward model as a rater: a causal language model with a scalar head and a LoRA.

Its scale is ``preferred``: the chance, by Bradley and Terry, that a reply would be preferred to an average one of
those that it was trained on. A reward has no unit of its own, so levels of two reward models are not comparable.
"""

from __future__ import annotations

import hashlib
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
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import NO_REPLY, Passage, RaterIdentity, Rating, Scale, holds_reply
from holdfast.core.errors import InputError, ModelError
from holdfast.core.files import read_file
from holdfast.core.hashing import weights_sha256

PREFERRED = Scale("preferred", ("preferred",), 0, 1)
WEIGHTS, CONFIG, SETTINGS = "adapter_model.safetensors", "adapter_config.json", "reward.json"
HEAD = "base_model.model.score.weight"
DIGITS = 5  # of a reward: batches of other shapes round otherwise beyond them


@dataclass(frozen=True, slots=True)
class RewardModel:
    """The model with its LoRA and head. ``version``: first 12 hex digits of its weights' SHA-256."""

    model: Any  # peft.PeftModel around a sequence classifier with one label
    tokenizer: Any
    version: str
    longest: int  # tokens of a dialogue that are read, from its end

    @classmethod
    def load(cls, folder: Path, base: Path) -> RewardModel:
        """Load the PEFT folder onto the base. Raises :class:`InputError`: absent; :class:`ModelError`: damaged, or made
        for another base.
        """
        _check(folder)
        model, tokenizer = load_base(base)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of the libraries, about each other
                model = PeftModel.from_pretrained(model, str(folder)).eval().requires_grad_(False)
        except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{folder}: cannot be put on the model in {base}: {reason}") from error
        version = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()[:12]
        longest = getattr(model.config, "max_position_embeddings", None) or 1 << 30
        return cls(model, tokenizer, version, longest)

    @torch.inference_mode()
    def rewards(self, dialogues: Sequence[Sequence[Message]], batch_size: int = 32) -> NDArray[np.float64]:
        """(n,) rewards of the last messages; dialogues of like length share a batch."""
        tokens = [self._tokens(messages) for messages in dialogues]
        rewards = np.empty(len(tokens))
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = self.tokenizer.pad(
                {"input_ids": [tokens[row] for row in rows]}, padding_side="right", return_tensors="pt"
            )
            rewards[rows] = self.model(**batch, use_cache=False).logits[:, 0].double().numpy()
        return np.round(rewards, DIGITS)

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        encoded = self.tokenizer.apply_chat_template([message.as_dict() for message in messages], return_dict=True)
        return list(encoded["input_ids"])[-self.longest :]


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


def load_base(base: Path) -> tuple[Any, Any]:
    """The base with a fresh head for one number, and its tokenizer. Raises :class:`ModelError` if it does not load."""
    level, bar = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # that the head is new is the point, not a fault
    transformers_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
        model = AutoModelForSequenceClassification.from_pretrained(
            base, num_labels=1, dtype=torch.float32, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{base}: cannot be loaded as a model with a head: {reason}") from error
    finally:
        transformers_logging.set_verbosity(level)
        if bar:
            transformers_logging.enable_progress_bar()
    if not getattr(tokenizer, "chat_template", None):
        raise ModelError(f"{base}: its tokenizer has no chat template, so it cannot read a conversation")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    return model, tokenizer


def _check(folder: Path) -> None:
    """Only safetensors are read (a pickle may run code), and only a folder that has a head for one number."""
    if not (folder / CONFIG).is_file() or not (folder / WEIGHTS).is_file():
        raise InputError(f"{folder}: no reward model lies there; train one with `holdfast rater reward --out {folder}`")
    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as tensors:
            names = list(tensors.keys())
            shape = tensors.get_slice(HEAD).get_shape() if HEAD in names else None
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{folder / WEIGHTS}: cannot be read as safetensors: {error}") from error
    if shape is None or shape[0] != 1:
        raise ModelError(f"{folder}: holds an adapter but no reward head; train one with `holdfast rater reward`")
