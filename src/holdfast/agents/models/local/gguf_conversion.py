"""Convert a GGUF file to a folder of float32 safetensors, as a process of its own: ``… FILE FOLDER``.

Every quantised weight becomes the float32 number that its block says, and half-precision ones are widened, so nothing
is rounded again. The tokenizer and the chat template come from the file's metadata. What goes wrong is the last line of
standard output.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.core.errors import HoldfastError, ModelError
from holdfast.core.hashing import file_sha256
from holdfast.core.wording import shorten

_SOURCE = "source.gguf"


def write_folder(file: Path, folder: Path) -> None:
    """Write the model in the GGUF ``file`` to ``folder``.

    Raises:
        ModelError: The file lacks weights, or a chat template.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-") as scratch:
        (Path(scratch) / _SOURCE).symlink_to(file)  # alone, so that no configuration beside it is taken for its own
        source: dict[str, Any] = {"gguf_file": _SOURCE, "local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(scratch, **source)
        ChatTemplate.of(tokenizer, file.name)
        loaded, info = AutoModelForCausalLM.from_pretrained(
            scratch, **source, dtype=torch.float32, output_loading_info=True
        )
    if info["missing_keys"]:
        raise ModelError(f"the file lacks weights, the first is {min(info['missing_keys'])}")
    plain = _plain(loaded)
    plain.save_pretrained(folder, max_shard_size="1000GB")
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(
        f"Made by holdfast from {file.name} (SHA-256 {file_sha256(file)}): its weights dequantised to float32, its "
        "tokenizer and its chat template. Its licence is that of the model. It can be removed and made again.\n",
        encoding="utf-8",
    )


def _plain(loaded: Any) -> Any:
    """Return the model as if it had never been quantised, over the same numbers."""
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    with torch.device("meta"):
        plain = type(loaded)(config)
    plain.load_state_dict(loaded.state_dict(), assign=True)
    plain.tie_weights()
    plain.generation_config = loaded.generation_config
    plain.generation_config.do_sample = True  # or it could not be saved, where it says how to sample
    return plain


def main() -> int:
    """Convert the file that the command line names; return the exit code."""
    file, folder = map(Path, sys.argv[1:])
    try:
        write_folder(file, folder)
    except HoldfastError as error:
        print(error)
        return 1
    except Exception as error:  # of any kind: libraries read a file of others here
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        print(f"{type(error).__name__}: {shorten(lines[0], 250)}" if lines else type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
