"""Trained adapters in a folder: list them, and check that they fit a base before a model is loaded.

Only safetensors are read: a pickle may run code when it is opened, so ``adapter_model.bin`` is refused.
Shapes are read from the files' headers; torch is not imported.
"""

from dataclasses import dataclass
from pathlib import Path

from holdfast.agents.models.local.adapter_folder import (
    PREFIX,
    SETTINGS_FILE,
    WEIGHTS_FILE,
    AdapterFolder,
    read_adapter,
)
from holdfast.agents.models.local.safetensors_files import tensor_kinds
from holdfast.core.errors import InputError, ModelError
from holdfast.core.files import is_leftover, read_file
from holdfast.core.hashing import weight_files, weights_sha256
from holdfast.core.text import MAX_BYTES
from holdfast.core.wording import did_you_mean
from holdfast.core.yaml_source import parse_yaml

CARD = "README.md"
_HEAD = "lm_head"  # where it is tied to the embedding, a base's files have no weight of this name


@dataclass(frozen=True, slots=True)
class AdapterStore:
    """The adapters below ``folder``: every subfolder that holds an ``adapter_config.json``, named after it."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        """Return the names of all adapters, sorted.

        Raises:
            InputError: the folder is absent, or is an adapter itself.
        """
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such folder of adapters; train some with `holdfast train`")
        folders = (path.parent for path in self.folder.glob(f"*/{SETTINGS_FILE}"))
        names = tuple(sorted(folder.name for folder in folders if not is_leftover(folder)))
        if not names and (self.folder / SETTINGS_FILE).is_file():
            raise InputError(
                f"{self.folder} is an adapter itself, not a folder of adapters; write adapters: {self.folder.parent}, "
                f"and name it {self.folder.name!r} in a candidate"
            )
        return names

    def path(self, name: str) -> Path:
        """Return the folder of the adapter ``name``.

        Raises:
            InputError: there is no adapter of this name.
        """
        names = self.names()
        if name not in names:
            known = ", ".join(names) or "none"
            raise InputError(f"{self.folder} holds no adapter {name!r}{did_you_mean(name, names)} (it holds: {known})")
        return self.folder / name

    def paths(self) -> dict[str, Path]:
        """Return every adapter's folder by its name."""
        return {name: self.folder / name for name in self.names()}

    def check(self, name: str, base: Path) -> None:
        """Make sure that the adapter ``name`` was made for the model folder ``base``.

        Raises:
            ModelError: pickled or damaged weights; no plain LoRA, or one that cannot be run as it was trained (see
                :func:`holdfast.agents.models.local.adapter_folder.read_adapter`); a layer that the base lacks or has
                in another shape; a card that says it was trained on other weights.
        """
        folder = self.path(name)
        shapes = {weight: shape for file in weight_files(base) for weight, (_, shape) in tensor_kinds(file).items()}
        _check_shapes(folder / WEIGHTS_FILE, read_adapter(folder, name), shapes)
        trained_on = card_fields(folder).get("base_sha256")
        if trained_on is not None and trained_on != weights_sha256(base):
            raise ModelError(
                f"{folder}: trained on other weights than those in {base} (its card says {trained_on[:12]}…, these are "
                f"{weights_sha256(base)[:12]}…); train again with `holdfast train`, or use the base that it belongs to"
            )


def card_fields(folder: Path) -> dict[str, str]:
    """Return what the card's front matter says under ``holdfast``; empty for adapters trained elsewhere."""
    try:
        text = read_file(folder / CARD, MAX_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        return {}
    front_matter = text[4:].split("\n---\n", 1)[0]
    try:  # by events and within limits: a stranger's card may hold an alias bomb
        front = parse_yaml(front_matter.encode(), str(folder / CARD)).data
    except InputError as error:
        if "\nholdfast:" not in f"\n{front_matter}":
            return {}  # nobody's card of ours
        raise ModelError(f"{folder / CARD}: its front matter cannot be read: {error}") from error
    fields = front.get("holdfast") if isinstance(front, dict) else None
    return {key: str(value) for key, value in fields.items()} if isinstance(fields, dict) else {}


def _check_shapes(file: Path, adapter: AdapterFolder, base: dict[str, tuple[int, ...]]) -> None:
    for name, shape in adapter.shapes.items():
        module, _, part = name.removeprefix(PREFIX).partition(".lora_")
        wanted = base.get(f"{module}.weight")
        if wanted is None and module == _HEAD:
            continue
        if wanted is None or len(wanted) != 2:
            raise ModelError(f"{file}: {name} has no place in the base, which has no linear layer {module}")
        if adapter.settings.get("fan_in_fan_out"):
            wanted = wanted[::-1]
        side, expected = (1, wanted[1]) if part.startswith("A") else (0, wanted[0])
        if shape[side] != expected:
            raise ModelError(
                f"{file}: {name} is {_times(shape)}, but {module} of the base is {_times(wanted)}: "
                "it was trained on another base"
            )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
