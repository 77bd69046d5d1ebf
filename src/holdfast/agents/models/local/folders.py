"""What a model folder must hold, and in words what somebody has put there instead. Imports no torch."""

from pathlib import Path

from holdfast.agents.models.local.adapter_folder import SETTINGS_FILE
from holdfast.agents.models.local.gguf import GGUF
from holdfast.agents.models.local.model_sizes import CONFIG_FILE, check_sizes
from holdfast.agents.models.local.safetensors_files import PICKLED
from holdfast.core.errors import InputError
from holdfast.core.hashing import settings_files
from holdfast.core.wording import printable

_PICKLED_WAY = (
    "pickled weights may run code when they are opened and are not read; take the safetensors of the model, or "
    "convert it: AutoModelForCausalLM.from_pretrained(OLD).save_pretrained(NEW)"
)


def check_model_folder(path: Path) -> None:
    """Make sure that ``path`` holds a model that can be loaded: a configuration, and weights as safetensors.

    Raises:
        InputError: It does not; the message says what is there instead, and what to do with it.
        ModelError: A file of it is a pipe or a device, or too large to be what it is called; or its configuration
            describes a far larger model than its weights are.
    """
    if path.is_file():
        raise InputError(_of_file(path))
    if not path.is_dir():
        raise InputError(f"model folder {path} does not exist")
    if any(path.glob("*.safetensors")) and (path / CONFIG_FILE).is_file():
        settings_files(path)
        check_sizes(path)
        return
    gguf, pickled = sorted(path.glob("*.gguf")), sorted(file for kind in PICKLED for file in path.glob(f"*{kind}"))
    if (path / SETTINGS_FILE).is_file():
        raise InputError(
            f"{path} is an adapter, no model: name its base with 'hf:', write adapters: {path.parent}, and have a "
            f"candidate speak through it: {{kind: adapter, adapter: {path.name}}}"
        )
    if gguf:
        raise InputError(f"{path} holds GGUF weights; write the file itself: hf:{path / printable(gguf[0].name)}")
    if not (path / CONFIG_FILE).is_file():
        raise InputError(f"{path} is no model folder: it has no config.json{_models_below(path)}")
    if pickled:
        raise InputError(f"{path} holds only pickled weights ({printable(pickled[0].name)}): {_PICKLED_WAY}")
    raise InputError(f"{path} holds no weights: there is no *.safetensors in it (an interrupted download?)")


def _of_file(path: Path) -> str:
    if path.suffix == GGUF:
        return f"{path} is a GGUF file, no model folder; a study loads it as hf:{path}"
    if (path.parent / CONFIG_FILE).is_file():
        return f"{path} is a file; write the folder that it is in: hf:{path.parent}"
    return f"{path} is a file, no model folder"


def _models_below(path: Path) -> str:
    """A hint where models lie one or more folders deeper, as in a cache of the Hugging Face hub."""
    below = sorted(path.glob("*/config.json")) or sorted(path.glob("snapshots/*/config.json"))
    return f"; did you mean hf:{below[0].parent} ?" if below else ""
