"""Check, when a model is loaded, that the engine computes the same logits as the model's plain forward pass.

The engine passes its own masks, positions and cache to ``forward``. An architecture that takes its positions from
elsewhere (ALiBi from a two-dimensional mask, for instance) would run without an error and generate nonsense.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from holdfast.agents.models.local.cache import CachedConversation, ConversationCache
from holdfast.agents.models.local.engine import Engine
from holdfast.agents.models.local.loading import Backbone
from holdfast.agents.models.local.lora import AdapterBank
from holdfast.agents.models.local.rows import Job, Row
from holdfast.agents.protocols import GenerationRequest
from holdfast.core.errors import ModelError, UnevenError
from holdfast.core.wording import first_line

TOLERANCE = 0.05  # of the logits' norm: bfloat16 stays under .02, a wrong position is far above
LENGTHS = (9, 4)  # two rows of different length, so that padding and masks take part
STEPS = 3


@torch.inference_mode()
def check_architecture(backbone: Backbone) -> None:
    """Compare a prefill and some steps of two short rows with plain forward passes over the same tokens.

    Raises:
        ModelError: they differ, or the model cannot run with the engine's cache and masks at all.
    """
    kind = backbone.model.config.model_type
    try:
        worst = _difference(backbone)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ModelError(f"not enough memory to run {backbone.name}") from error
    except (TypeError, ValueError, RuntimeError, IndexError, AttributeError, KeyError) as error:
        raise ModelError(
            f"the local engine cannot run {kind} ({first_line(error)}); serve it behind an endpoint"
        ) from error
    if not math.isfinite(worst):
        raise ModelError(
            f"{backbone.name} computes no finite numbers: its weights are damaged, or too large for "
            f"{str(backbone.model.dtype).removeprefix('torch.')}; take another dtype, such as float32"
        )
    if not worst < TOLERANCE:
        reason = f"its logits would differ by {worst:.0%}"
        raise ModelError(f"the local engine cannot run {kind} ({reason}); serve it behind an endpoint")


def _difference(backbone: Backbone) -> float:
    """Return the largest distance between the logits of both ways, relative to their norm."""
    engine = Engine(
        backbone, AdapterBank(backbone.model, backbone.name), batch_size=len(LENGTHS), cache=ConversationCache(0)
    )
    size = backbone.model.get_input_embeddings().weight.shape[0]
    texts = [np.random.default_rng(row).integers(0, size, length + STEPS) for row, length in enumerate(LENGTHS)]
    for text, length in zip(texts, LENGTHS, strict=True):
        job = Job(GenerationRequest("check", (), 0), text, STEPS, lambda _: None, lambda: False)
        engine.rows.append(Row(job, CachedConversation(), 0, 0, text[:length], np.zeros(STEPS)))
    distances = []
    for _ in range(STEPS):
        ours = engine.logits(0, len(LENGTHS))[:, -1]
        for row, text, logits in zip(engine.rows, texts, ours, strict=True):
            row.length += len(row.pending)
            ids = torch.from_numpy(text[None, : row.length]).to(backbone.device)
            plain = backbone.model(input_ids=ids, use_cache=False).logits[0, -1]
            distances.append(_distance(logits, plain))
            row.pending = text[row.length : row.length + 1]
    return float(np.max(distances))  # nan where one is


#: Tokens of the rows by which bytes are compared. Up to six of them are read in one pass, the last tokens singly.
_COMPANY = (33, 5, 17, 29, 9, 21)
_LONG, _LONGER = 300, 460  # attended to over other numbers of slots


@torch.inference_mode()
def require_same_bytes(backbone: Backbone) -> None:
    """Make sure that a row's logits have the same bytes alone, among others, and read in one pass or in several.

    Raises:
        UnevenError: they have not, on this machine.
    """
    size = backbone.model.get_input_embeddings().weight.shape[0]
    lengths = [min(length, backbone.context - 1) for length in (*_COMPANY, _LONG, _LONGER)]
    *company, long, longer = (
        np.random.default_rng(row).integers(0, size, length) for row, length in enumerate(lengths)
    )
    first, short = company[0], company[1]
    alike = (
        (([first], 0), (company, 0), ([*company, long], STEPS), ([first], 1)),
        (([short], 0), ([*company[1:], first], 0)),
        (([long], 0), ([long, longer, short], STEPS)),
    )
    for alone, *others in ([_first_logits(backbone, *how) for how in ways] for ways in alike):
        if not all(torch.equal(logits, alone) for logits in others):
            dtype = str(backbone.model.dtype).removeprefix("torch.")
            raise UnevenError(
                f"{backbone.name} in {dtype} has not the same bytes whatever shares a batch: this machine's libraries "
                "add in another order in another shape. Leave 'reproducible' out (results then say so), or take "
                "dtype: float64"
            )


def _first_logits(backbone: Backbone, texts: Sequence[NDArray[np.int64]], steps: int) -> torch.Tensor:
    """Return what the last token of the first text predicts, (vocabulary,), the last ``steps`` of each read singly."""
    bank, count = AdapterBank(backbone.model, backbone.name), len(texts)
    engine = Engine(backbone, bank, batch_size=count, cache=ConversationCache(0))
    engine.reserve(max(map(len, texts)))
    for text in texts:
        job = Job(GenerationRequest("check", (), 0), text, 1, lambda _: None, lambda: False)
        engine.rows.append(Row(job, CachedConversation(), 0, 0, text[: len(text) - steps], np.zeros(1)))
    together = min(count, len(_COMPANY))
    logits = engine.logits(0, together)
    if count > together:
        engine.logits(together, count)
    for _ in range(steps):
        for row, text in zip(engine.rows, texts, strict=True):
            row.length += len(row.pending)
            row.pending = text[row.length : row.length + 1]
        logits = engine.logits(0, count)
    return logits[0, -1].clone()


def _distance(logits: torch.Tensor, plain: torch.Tensor) -> float:
    """Return |logits - plain| / |plain|: 0 where both are all zeros, nan where a logit is not finite."""
    difference, norm = float((logits - plain).double().norm()), float(plain.double().norm())
    if not math.isfinite(difference + norm):
        return math.nan
    if norm == 0:
        return 0.0 if difference == 0 else 1.0
    return difference / norm
