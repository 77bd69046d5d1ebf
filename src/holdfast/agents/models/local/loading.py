"""Load a model folder, ready to generate, with errors that say what is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import rms_norm
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from holdfast.agents.models.local.attention import install
from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.models.local.end_of_turn import EndingText, end_of_turn
from holdfast.agents.models.local.folders import check_model_folder
from holdfast.agents.models.local.llama_layers import by_columns, install_llama_layers
from holdfast.agents.models.local.rope import check_positions, longest_context
from holdfast.agents.models.local.tiles import install_tiles
from holdfast.agents.models.spec import TODAY
from holdfast.core.errors import HoldfastError, ModelError
from holdfast.core.wording import first_line, shorten


@dataclass(frozen=True, slots=True)
class Backbone:
    """A causal language model, its tokenizer and chat template, what ends a reply, and its longest context in tokens.

    ``ending``: the text that ends a reply, where no token of ``stop_ids`` does. ``why_context``: why it is shorter than
    the model's files say, to add to a sentence.
    """

    name: str
    model: Any  # transformers.PreTrainedModel
    tokenizer: Any  # transformers.PreTrainedTokenizerBase
    template: ChatTemplate
    stop_ids: frozenset[int]
    context: int
    ending: EndingText | None = None
    why_context: str = ""

    @property
    def device(self) -> torch.device:
        return self.model.get_input_embeddings().weight.device  # type: ignore[no-any-return]


def load_backbone(
    path: Path,
    *,
    dtype: str = "auto",
    device: str = "cpu",
    today: date = TODAY,
    fold: bool = False,
    reproducible: bool = False,
) -> Backbone:
    """Load the model in ``path``; code that comes with it is never run (``trust_remote_code`` off).

    Args:
        path: a folder that ``transformers`` can load.
        dtype: a torch type's name ("float64", "bfloat16") or "auto", as the files say.
        device: a torch device, or "auto": a GPU where this machine has one.
        today: what a chat template is told that asks for the date.
        fold: whether it is given system messages inside the user's.
        reproducible: run it in shapes that make no difference (:mod:`holdfast.agents.models.local.tiles`).

    Raises:
        InputError: there is no such folder, or it holds no model.
        ModelError: weights that cannot be read, no chat template, no such device, or not enough memory.
    """
    tokenizer = open_tokenizer(path)
    model = open_weights(AutoModelForCausalLM, path, dtype=_dtype(dtype), device=_device(device))
    with _loading(path):
        return wrap(model, tokenizer, name=path.name, today=today, fold=fold, reproducible=reproducible)


def open_tokenizer(path: Path) -> Any:
    """Return the tokenizer of the model folder ``path``.

    Raises:
        InputError: there is no such folder, or it holds no model.
        ModelError: it cannot be read.
    """
    check_model_folder(path)
    with _loading(path):
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False, local_files_only=True)
        tokenizer("a")  # some settings are looked at only then
        return tokenizer


def open_config(path: Path) -> Any:
    """Return the configuration of the language model in the folder ``path``. Raises as :func:`open_tokenizer` does."""
    check_model_folder(path)
    with _loading(path):
        return AutoConfig.from_pretrained(path, trust_remote_code=False, local_files_only=True).get_text_config()


def open_weights(
    kind: Any, path: Path, *, dtype: Any, device: str = "cpu", fresh: frozenset[str] = frozenset(), **settings: Any
) -> Any:
    """Return the model in ``path``: safetensors only, and no code that comes with them.

    Args:
        kind: one of transformers' ``AutoModel`` classes.
        dtype: a torch type, or "auto", as the files say.
        device: a torch device.
        fresh: names of modules whose weights the files need not hold; they are 0 then.
        **settings: for the model's configuration.

    Raises:
        InputError: there is no such folder, or it holds no model.
        ModelError: weights that cannot be read or are incomplete, no such device, or not enough memory.
    """
    check_model_folder(path)
    with _loading(path, device):
        model, info = kind.from_pretrained(
            path,
            dtype=dtype,
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            **settings,
        )
        model.to(device)
    missing = info["missing_keys"]  # transformers leaves them random
    if lost := sorted(name for name in missing if fresh.isdisjoint(name.split("."))):
        raise ModelError(f"the weights in {path} are incomplete: {lost[0]} is missing")
    with torch.no_grad():
        for name in missing:
            model.get_parameter(name).zero_()
    return model


@contextmanager
def _loading(path: Path, device: str = "cpu") -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ModelError(f"not enough memory on {device} for the model in {path}; try a smaller dtype") from error
    except HoldfastError:
        raise
    except Exception as error:  # of any kind: libraries read files of others here
        raise ModelError(f"cannot load the model in {path}: {shorten(first_line(error), 300)}") from error


def wrap(
    model: Any, tokenizer: Any, *, name: str, today: date = TODAY, fold: bool = False, reproducible: bool = False
) -> Backbone:
    """Return a backbone from objects already in memory.

    Raises:
        ModelError: the tokenizer has no chat template, or one that does not end.
    """
    template = ChatTemplate.of(tokenizer, name, today, fold=fold)
    model.eval().requires_grad_(False)
    if reproducible:
        install_tiles(model)
    else:
        install(model)
    context, why = longest_context(model.config.get_text_config())
    context = context or 1 << 30
    check_positions(model, context, name)
    _use_lean_layers(model, reproducible=reproducible)
    end = end_of_turn(template, tokenizer)
    stop_ids = _stop_ids(model, tokenizer) | end.ids
    return Backbone(name, model, tokenizer, template, stop_ids, context, end.text, why)


def _stop_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Return the end tokens of the generation config, and the tokenizer's own."""
    stops = model.generation_config.eos_token_id if model.generation_config is not None else None
    ids = set(stops if isinstance(stops, list) else [stops]) | {tokenizer.eos_token_id}
    return frozenset(int(token) for token in ids if token is not None)


def _use_lean_layers(model: Any, *, reproducible: bool) -> None:
    """Change how the layers of a float32 or float64 model on a CPU compute, not what."""
    on_cpu, dtype = model.device.type == "cpu", model.dtype
    plain = on_cpu and not reproducible and dtype in (torch.float32, torch.float64)
    if plain or dtype == torch.float64:
        _use_torch_norms(model)
    if plain:
        install_llama_layers(model)
    if on_cpu and dtype == torch.float32:
        _store_by_columns(model)


def _use_torch_norms(model: torch.nn.Module) -> None:
    """Let RMS norms be computed by torch's own, in the model's type.

    Transformers' cast float64 to float32 and back: a difference of 1e-16 between two batch shapes then becomes 1e-7
    where it crosses a rounding border. Only modules that agree with torch's on random input are changed.
    """
    for module in model.modules():
        weight, eps = getattr(module, "weight", None), getattr(module, "variance_epsilon", None)
        if not type(module).__name__.endswith("RMSNorm") or weight is None or eps is None:
            continue
        sample = torch.linspace(-2, 3, weight.numel(), dtype=weight.dtype, device=weight.device)[None]
        native = rms_norm(sample, weight.shape, weight, eps)
        if torch.allclose(module(sample), native, rtol=1e-5, atol=1e-6):
            module.forward = partial(rms_norm, normalized_shape=weight.shape, weight=weight, eps=eps)


def _store_by_columns(model: Any) -> None:
    """Store the weights of linear layers that do not narrow by columns: their shape and numbers stay.

    Not the output layer, where several rows would take longer; joined ones lie so already.
    """
    output = model.get_output_embeddings()
    for layer in model.modules():
        narrows = type(layer) is not torch.nn.Linear or layer.out_features < layer.in_features
        if not narrows and layer is not output and layer.weight.is_contiguous():
            layer.weight.data = by_columns(layer.weight.data)


def _dtype(name: str) -> Any:
    if name == "auto":
        return "auto"
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ModelError(f"unknown dtype {name!r}; allowed: auto, float64, float32, bfloat16, float16")
    return dtype


def _device(name: str) -> str:
    if name != "auto":
        return name
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
