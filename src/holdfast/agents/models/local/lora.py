"""Several LoRA adapters and the bare base in one forward pass (LoRA: Hu et al., ICLR 2022).

PEFT loads the adapters, so every folder that it writes works. To run them, the adapters of a module are concatenated,
A = [A1; A2; ...] and B = [s1 B1, s2 B2, ...], and a row's activations outside its own adapter's ranks are set to 0:
``y = W x + B select(A x)``. That is three more operations a module however many adapters there are, where PEFT's
``adapter_names`` takes a handful per adapter and module; a row without an adapter gets exactly 0.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import Linear, LoraLayer
from safetensors import SafetensorError
from safetensors.torch import load_file

from holdfast.agents.models.local.adapter_folder import WEIGHTS_FILE, AdapterFolder, read_adapter
from holdfast.agents.models.local.fingerprint import WeightsFingerprint
from holdfast.agents.models.local.tiles import in_tiles, runs_in_tiles
from holdfast.core.errors import ModelError


class AdapterBank:
    """The adapters of one base model, by name."""

    def __init__(self, model: Any, base_name: str) -> None:
        self._model = model
        self._base_name = base_name
        self.tiled = runs_in_tiles(model)
        self._peft: Any = None
        self._others: torch.Tensor | None = None  # (1 + adapters, ranks): which ranks are not whose; row 0: the base
        self._fingerprint: WeightsFingerprint | None = None  # of the base, before the first adapter
        self._spoilt: ModelError | None = None  # why the base is no longer what it was
        self.names: tuple[str, ...] = ()
        self.current: torch.Tensor | None = None  # (rows, 1, ranks): what to leave out of the coming pass; None: all

    def add(self, name: str, path: Path) -> None:
        """Load the PEFT folder ``path`` under ``name``; the base's weights stay as they are.

        Raises:
            ModelError: the name is taken, or the folder is absent, damaged, of another base, or not plain LoRA; see
                :func:`holdfast.agents.models.local.adapter_folder.read_adapter`.
        """
        if name in self.names:
            raise ModelError(f"there is an adapter named {name!r} already")
        folder = read_adapter(path, name)
        names = [module for module, _ in self._model.named_modules()]
        if absent := folder.absent(names):
            raise ModelError(
                f"adapter {name!r} in {path}: it holds no weights of {absent[0]}, which target_modules names "
                f"({len(absent)} modules in all): a part of the file is missing, or it was trained on another base"
            )
        if self._fingerprint is None:
            self._fingerprint = WeightsFingerprint(self._model)
        slot = f"adapter{len(self.names)}"  # PEFT forbids dots and more in names
        try:
            self._load(slot, path / WEIGHTS_FILE, folder)
            self._check(name, slot, folder)
        except (RuntimeError, ValueError, KeyError, TypeError, OSError, SafetensorError) as error:
            self._forget(slot)
            raise ModelError(
                f"adapter {name!r} in {path} does not fit the base {self._base_name}: {_gist(error)}"
            ) from error
        except ModelError:
            self._forget(slot)
            raise
        try:
            self._fingerprint.require_unchanged(f"adapter {name!r} in {path}", self._base_name)
        except ModelError as error:
            self._spoilt = error
            raise
        self.names += (name,)
        self._stack()

    def use(self, adapters: Sequence[str | None]) -> None:
        """Set the adapter of each row of the coming pass; None is the bare base.

        Raises:
            ModelError: an adapter has changed the base.
        """
        if self._spoilt is not None:
            raise self._spoilt
        if self._others is None or not any(adapters):
            self.current = None
            return
        rows = [0 if name is None else 1 + self.names.index(name) for name in adapters]
        self.current = self._others[rows][:, None]

    def _load(self, slot: str, file: Path, folder: AdapterFolder) -> None:
        config = LoraConfig(**folder.peft_settings(), inference_mode=True, task_type="CAUSAL_LM")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of the libraries, about each other
            if self._peft is None:
                self._peft = PeftModel(self._model, config, slot, autocast_adapter_dtype=False)
            else:
                self._peft.add_adapter(slot, config)
            set_peft_model_state_dict(self._peft, load_file(file), slot)
        self._peft.eval().requires_grad_(False)

    def _check(self, name: str, slot: str, folder: AdapterFolder) -> None:
        given = set(folder.shapes)
        expected = set(get_peft_model_state_dict(self._peft, adapter_name=slot, save_embedding_layers=False))
        if given != expected:
            odd = sorted(given ^ expected)
            raise ValueError(f"{len(odd)} weights have no counterpart, the first is {odd[0]}")
        for where, module in self._peft.named_modules():
            if not isinstance(module, LoraLayer) or slot not in module.r:
                continue
            plain = isinstance(module, Linear) and slot not in module.lora_variant and not module.lora_bias[slot]
            if not plain:
                raise ModelError(f"adapter {name!r}: {where} is no linear layer; the local engine cannot run it")
            up, dtype = module.lora_B[slot].weight * module.scaling[slot], module.get_base_layer().weight.dtype
            if not torch.isfinite(up.to(dtype)).all() or not torch.isfinite(module.lora_A[slot].weight.to(dtype)).all():
                raise ModelError(
                    f"adapter {name!r}: {where} is too large for {dtype} numbers, scaled by its lora_alpha"
                )

    def _forget(self, slot: str) -> None:
        """Undo a load that failed half-way."""
        if self._peft is None:
            for module in list(self._model.modules()):
                for child_name, child in list(module.named_children()):
                    if isinstance(child, LoraLayer):
                        setattr(module, child_name, child.get_base_layer())
            if hasattr(self._model, "peft_config"):
                del self._model.peft_config
        elif slot in self._peft.peft_config and len(self._peft.peft_config) > 1:
            self._peft.delete_adapter(slot)
        elif not self.names:
            self._peft.unload()
            self._peft = None
            self._forget(slot)

    def _stack(self) -> None:
        slots = [f"adapter{number}" for number in range(len(self.names))]
        layers = [module for module in self._peft.modules() if isinstance(module, LoraLayer)]
        ranks = [max((layer.r[slot] for layer in layers if slot in layer.r), default=0) for slot in slots]
        device = self._model.get_input_embeddings().weight.device
        self._others = torch.ones(1 + len(slots), sum(ranks), dtype=torch.bool, device=device)
        first = 0
        for number, rank in enumerate(ranks):
            self._others[1 + number, first : first + rank] = False
            first += rank
        for layer in layers:
            layer.forward = _Stacked(self, layer, slots, ranks)


class _Stacked:
    """Runs one linear layer with every row under its own adapter."""

    def __init__(self, bank: AdapterBank, layer: Any, slots: Sequence[str], ranks: Sequence[int]) -> None:
        self.bank, self.base = bank, layer.get_base_layer()
        weight = self.base.weight
        self.down = weight.new_zeros(layer.in_features, sum(ranks))
        self.up = weight.new_zeros(sum(ranks), layer.out_features)
        first = 0
        for slot, rank in zip(slots, ranks, strict=True):
            if slot in layer.r:
                last = first + layer.r[slot]
                self.down[:, first:last] = layer.lora_A[slot].weight.T
                self.up[first:last] = layer.lora_B[slot].weight.T * layer.scaling[slot]
            first += rank

    def __call__(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result: torch.Tensor = self.base(x, *args, **kwargs)
        self.add_to(result, x)
        return result

    def add_to(self, result: torch.Tensor, x: torch.Tensor) -> None:
        """Add what the adapters make of ``x`` to ``result``, the base's product, in place."""
        if self.bank.current is None:
            return
        # Not times 0: what is infinite or no number in one row's own ranks would reach the others.
        own = self._times(x, self.down).masked_fill_(self.bank.current, 0)
        result += self._times(own, self.up)

    def _times(self, x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        return in_tiles(x, lambda rows: rows @ matrix) if self.bank.tiled else torch.matmul(x, matrix)


def _gist(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300] or type(error).__name__
