"""Read a LoRA folder's settings and the shapes of its weights, and refuse what would not be run as it was trained.

Everything is checked before a tensor is made: an adapter is a foreign file. Imports no torch.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from holdfast.agents.models.local.safetensors_files import EXPONENTS, PICKLED, first_not_finite, tensor_kinds
from holdfast.core.errors import ModelError
from holdfast.core.files import read_file
from holdfast.core.text import MAX_BYTES
from holdfast.core.wording import shorten

SETTINGS_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."  # of every weight's name
_PICKLED_STEMS = ("adapter_model", "pytorch_model")  # of files that may hold an adapter's weights

_USED = frozenset(
    (
        *("r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "target_modules", "exclude_modules"),
        *("layers_to_transform", "layers_pattern", "fan_in_fan_out", "init_lora_weights"),
    )
)
_WITHOUT_EFFECT = frozenset(
    (
        *("peft_type", "peft_version", "task_type", "auto_mapping", "base_model_name_or_path", "revision"),
        *("inference_mode", "lora_dropout", "megatron_core", "qalora_group_size", "runtime_config"),
        *("ensure_weight_tying", "loftq_config", "eva_config", "corda_config", "lora_ga_config"),
    )
)
#: Options of PEFT that make something else of a LoRA, and what that is called.
_KINDS = {
    "use_dora": "DoRA",
    "use_qalora": "QA-LoRA",
    "use_bdlora": "BD-LoRA",
    "kasa_config": "KaSA",
    "velora_config": "VeLoRA",
    "monteclora_config": "MonteCLoRA",
    "alora_invocation_tokens": "activated LoRA (aLoRA)",
    "arrow_config": "Arrow routing of several LoRAs",
    "layer_replication": "a LoRA that replicates layers",
    "target_parameters": "a LoRA on parameters of experts",
    "trainable_token_indices": "a LoRA with trained tokens",
    "modules_to_save": "a LoRA that brings whole modules",
    "lora_bias": "a LoRA with a bias",
    "bias": "a LoRA that also trained biases",
    "megatron_config": "a LoRA of Megatron",
}
_OTHERWISE = (
    "Merge it into its base (PEFT's merge_and_unload), and take the result as a model of its own with 'hf:'; or leave "
    "its candidate out"
)
#: Ways to begin a training that leave the base as it is, so that the folder's weights are all there is to it.
_PLAIN_STARTS = ("gaussian", "eva", "orthogonal", "mica")
_PLAIN_WEIGHT = re.compile(rf"{re.escape(PREFIX)}(?P<module>.+)\.lora_(?P<side>[AB])\.weight")


@dataclass(frozen=True, slots=True)
class AdapterFolder:
    """A checked folder. ``ranks`` by module of the base; ``shapes`` by weight; ``settings``: as they stand there."""

    settings: Mapping[str, Any]
    ranks: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]

    def absent(self, modules: Iterable[str]) -> list[str]:
        """Return which of a model's ``modules`` are named by the settings and have no weights here.

        Nothing is known of settings that name modules by a pattern.
        """
        targets, left_out = self.settings.get("target_modules"), self.settings.get("exclude_modules") or []
        if not isinstance(targets, list) or not isinstance(left_out, list):
            return []
        wanted, unwanted = (tuple(f".{each}" for each in names) for names in (targets, left_out))
        layers = _layers(self.settings)
        return [
            module
            for module in modules
            if module not in self.ranks
            and f".{module}".endswith(wanted)
            and not f".{module}".endswith(unwanted)
            and not (layers and layers.isdisjoint(module.split(".")))
        ]

    def peft_settings(self) -> dict[str, Any]:
        """Return what PEFT's ``LoraConfig`` needs to run the weights.

        Which modules are adapted, and by which rank, is read off the weights: no pattern of the folder can say more.
        """
        rank = max(self.ranks.values())
        return {
            "r": rank,
            "lora_alpha": self.settings.get("lora_alpha", 8),
            "use_rslora": self.settings.get("use_rslora") or False,
            "fan_in_fan_out": self.settings.get("fan_in_fan_out") or False,
            "target_modules": sorted(self.ranks),
            "rank_pattern": {re.escape(module): other for module, other in self.ranks.items() if other != rank},
            "alpha_pattern": self.settings.get("alpha_pattern") or {},
        }


def read_adapter(folder: Path, name: str, head: str = "") -> AdapterFolder:
    """Read and check the adapter ``name`` in ``folder``.

    ``head``: the module that is saved whole beside the LoRA, where there must be one: that of a reward model.

    Raises:
        ModelError: a file is absent, pickled or damaged; the adapter is no plain LoRA, is relative to a changed base,
            has an option that is not known here, settings that its weights contradict, or weights that are no numbers.
    """
    who = f"adapter {name!r} in {folder}"
    _refuse_pickles(folder)
    settings = _settings(folder / SETTINGS_FILE, who)
    peft_type = settings.get("peft_type")
    if peft_type != "LORA":
        kind = shorten(str(peft_type), 40)
        raise ModelError(
            f"{folder / SETTINGS_FILE}: {kind} is no LoRA (peft_type); only plain LoRA is run. {_OTHERWISE}"
        )
    _check_start(settings, who)
    saved = settings.get("modules_to_save")
    whole = isinstance(saved, list) and head in saved  # PEFT lists other names of a head with it; weights tell
    _check_options(settings | ({"modules_to_save": None} if whole else {}), who)
    kinds = tensor_kinds(folder / WEIGHTS_FILE)
    ranks = _ranks({weight: kind for weight, kind in kinds.items() if weight != f"{PREFIX}{head}.weight"}, who)
    _check_types(kinds, who)
    _check_ranks(settings, ranks, who)
    _check_numbers(settings, who)
    _check_modules(settings, ranks, who)
    _check_finite(folder / WEIGHTS_FILE, who)
    return AdapterFolder(settings, ranks, {weight: shape for weight, (_, shape) in kinds.items()})


def _refuse_pickles(folder: Path) -> None:
    for pickle in (folder / f"{stem}{ending}" for stem in _PICKLED_STEMS for ending in PICKLED):
        if pickle.exists():
            raise ModelError(
                f"{pickle}: pickled weights may run code when they are opened and are not read; "
                f"keep {WEIGHTS_FILE} only"
            )


def _settings(file: Path, who: str) -> dict[str, Any]:
    try:
        settings = json.loads(read_file(file, MAX_BYTES))
    except FileNotFoundError as error:
        raise ModelError(f"{who}: holds no {file.name}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file}: cannot be read as JSON: {error}") from error
    if not isinstance(settings, dict):
        raise ModelError(f"{file}: holds no JSON object")
    return settings


def _check_start(settings: Mapping[str, Any], who: str) -> None:
    """Refuse weights that belong to another base than the model's own."""
    start = settings.get("init_lora_weights", True)
    if isinstance(start, bool) or start is None or start in _PLAIN_STARTS:
        return
    raise ModelError(
        f"{who} was begun with init_lora_weights={shorten(repr(start), 40)}, which changes the base: its weights are "
        "relative to another one than the model's. Convert it where it was trained: PEFT's "
        "model.save_pretrained(FOLDER, path_initial_model_for_weight_conversion=INITIAL_ADAPTER) writes the "
        "same as a plain LoRA"
    )


def _check_options(settings: Mapping[str, Any], who: str) -> None:
    """Refuse every option that would change replies and is not run here."""
    for option, kind in _KINDS.items():
        value = settings.get(option)
        if value and value != "none":
            shown = shorten(json.dumps(value), 40) if isinstance(value, bool | str) else "…"
            raise ModelError(f"{who}: {kind} ({option}: {shown}); only plain LoRA is run. {_OTHERWISE}")
    known = _USED | _WITHOUT_EFFECT | _KINDS.keys()
    strange = sorted(option for option, value in settings.items() if option not in known and value)
    if strange:
        named = [f"{shorten(option, 60)} ({shorten(json.dumps(settings[option]), 40)})" for option in strange]
        shown = shorten(", ".join(named), 400)
        raise ModelError(
            f"{who} has options that are not known here: {shown}. It was saved by PEFT "
            f"{shorten(str(settings.get('peft_version') or 'of some version'), 40)}, here is {version('peft')}: "
            "without them it would not be the adapter that was trained. Update PEFT (pip install -U peft), or remove "
            f"them from {SETTINGS_FILE} if they have no effect on replies"
        )


def _ranks(kinds: Mapping[str, tuple[str, tuple[int, ...]]], who: str) -> dict[str, int]:
    """Return the rank of each adapted module."""
    sides: dict[str, dict[str, int]] = {}
    for weight, (_, shape) in kinds.items():
        match = _PLAIN_WEIGHT.fullmatch(weight)
        if match is None or len(shape) != 2 or 0 in shape:
            raise ModelError(f"{who}: it holds {shorten(weight, 200)}; only plain LoRA is run. {_OTHERWISE}")
        sides.setdefault(match["module"], {})[match["side"]] = shape[0 if match["side"] == "A" else 1]
    for module, rank in sides.items():
        if len(rank) < 2 or rank["A"] != rank["B"]:
            raise ModelError(f"{who}: {module} has {rank} for the ranks of its matrices; both are needed, and equal")
    return {module: rank["A"] for module, rank in sides.items()}


def _check_types(kinds: Mapping[str, tuple[str, tuple[int, ...]]], who: str) -> None:
    for weight, (kind, _) in kinds.items():
        if kind not in EXPONENTS:
            raise ModelError(f"{who}: {weight} is of type {kind}; allowed: {', '.join(EXPONENTS)}")


def _check_ranks(settings: Mapping[str, Any], ranks: Mapping[str, int], who: str) -> None:
    """Refuse ranks that the weights do not have: the scale of an adapter follows from its rank."""
    by_layer = settings.get("rank_pattern") or {}
    if not isinstance(by_layer, dict):
        raise ModelError(f"{who}: rank_pattern is {shorten(repr(by_layer), 40)}; it maps layers to ranks")
    stated = {"r": settings.get("r", 8), **{f"rank_pattern of {shorten(key, 60)}": by_layer[key] for key in by_layer}}
    for option, value in stated.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ModelError(f"{who}: {option} is {shorten(repr(value), 40)}; it is a whole number from 1")
    strange = {module: rank for module, rank in ranks.items() if rank not in stated.values()}
    if strange:
        module, rank = next(iter(strange.items()))
        raise ModelError(f"{who}: r is {shorten(repr(stated['r']), 40)}, but the weights of {module} have rank {rank}")


def _check_numbers(settings: Mapping[str, Any], who: str) -> None:
    by_layer = settings.get("alpha_pattern") or {}
    if not isinstance(by_layer, dict):
        raise ModelError(f"{who}: alpha_pattern is {shorten(repr(by_layer), 40)}; it maps layers to numbers")
    stated = {"lora_alpha": settings.get("lora_alpha", 8)}
    stated |= {f"alpha_pattern of {shorten(key, 60)}": by_layer[key] for key in by_layer}
    for option, value in stated.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise ModelError(f"{who}: {option} is {shorten(repr(value), 40)}; it is a number")
    for option in ("use_rslora", "fan_in_fan_out"):
        if not isinstance(settings.get(option), bool | None):
            raise ModelError(f"{who}: {option} is {shorten(repr(settings[option]), 40)}; it is true or false")
    for pattern in by_layer:
        _check_pattern(pattern, who)


def _check_modules(settings: Mapping[str, Any], ranks: Mapping[str, int], who: str) -> None:
    """Refuse weights of modules that the settings leave out: one of the two was changed afterwards."""
    targets, layers = settings.get("target_modules"), settings.get("layers_to_transform")
    if not isinstance(targets, str | list | None) or not isinstance(layers, int | list | None):
        raise ModelError(f"{who}: target_modules and layers_to_transform are lists, got {shorten(repr(targets), 40)}")
    numbers, suffixes = _layers(settings), tuple(f".{target}" for target in targets or [])
    for module in ranks:
        if isinstance(targets, list) and not f".{module}".endswith(suffixes):
            raise ModelError(f"{who}: it holds weights of {module}, which target_modules does not name")
        if numbers and numbers.isdisjoint(module.split(".")):
            raise ModelError(f"{who}: it holds weights of {module}, which layers_to_transform leaves out")


def _layers(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return the numbers of the layers that are adapted; none: all are."""
    layers = settings.get("layers_to_transform")
    return frozenset(map(str, [layers] if isinstance(layers, int) else layers or []))


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number past the largest float
        return False


def _check_pattern(text: str, who: str) -> None:
    """Refuse a regular expression that could take for ever on a layer's name."""
    repeated_group = re.search(r"\)[*+{]", text) is not None
    if len(text) > 1000 or repeated_group or len(re.findall(r"[*+{]", text)) > 3:
        raise ModelError(
            f"{who}: the pattern {shorten(text, 60)!r} in alpha_pattern could take very long; list the layers by name"
        )
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ModelError(f"{who}: {shorten(text, 60)!r} in alpha_pattern is no pattern: {error}") from error


def _check_finite(file: Path, who: str) -> None:
    """Refuse weights with an infinite number or none: in a batch they would spoil more than their own rows."""
    if spoilt := first_not_finite(file):
        raise ModelError(f"{who}: {spoilt} holds a NaN or an infinite number; train the adapter again")
