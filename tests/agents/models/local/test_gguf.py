"""GGUF files become folders of safetensors, once: the right numbers, tokens and template, or a plain refusal."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from holdfast import Study
from holdfast.agents.models.listing import listed_models
from holdfast.agents.models.local.gguf import WEIGHTS, convert_gguf, require_weights
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.models.opening import local_reference, no_progress
from holdfast.agents.models.references import AwayReference, resolve_model
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import InputError, ModelError
from holdfast.core.hashing import file_sha256, weights_sha256
from tests.agents.models.conftest import build_adapter
from tests.agents.models.local.gguf_files import QUANTISED, tiny_weights, write_gguf

MICRO = Path("somewhere/base")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.Q4_1.gguf")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture(scope="module")
def folder(file: Path, cache: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        (file.parent / "config.json").write_text('{"model_type": "gpt2"}')  # of something else beside it
        return local_reference(f"hf:{file}", MICRO).path


def test_every_weight_is_the_number_that_the_file_says(folder: Path) -> None:
    became, expected = load_file(folder / WEIGHTS), tiny_weights()
    assert became.keys() == expected.keys()
    for name, weight in expected.items():
        assert became[name].dtype == torch.float32
        assert torch.equal(became[name], weight), name
    assert became[QUANTISED][0, :3].tolist() == [-2.0, -1.25, -0.5]  # .25 q - 2 for q = 0, 3, 6


async def test_it_speaks_by_its_own_template_and_ends_with_its_own_token(folder: Path) -> None:
    model = LocalChatModel.load(folder)
    assert model.id == "tiny.Q4_1"
    backbone = model._backbone
    assert backbone.model.dtype == torch.float32
    assert backbone.template.text([Message("user", "hello")]) == (
        "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
    )
    assert 2 in backbone.stop_ids  # <|im_end|>
    ids = backbone.tokenizer("hello<|im_end|>", add_special_tokens=False)["input_ids"]
    assert backbone.tokenizer.convert_ids_to_tokens(ids) == ["he", "ll", "o", "<|im_end|>"]
    request = GenerationRequest("k", (Message("user", "hello"),), 1, None, Sampling(temperature=0.7, max_tokens=8))
    assert (await model.generate(request)).completion_tokens >= 1


def test_a_study_takes_the_file(file: Path, folder: Path, tmp_path: Path) -> None:
    """As candidate and with an adapter, as any model; the list of models has its folder."""
    build_adapter(folder, tmp_path / "adapters" / "warm", 3)
    settings = {
        "model": f"hf:{file}",
        "turns": 2,
        "personas": {"ids": ["jun_park"]},
        "adapters": str(tmp_path / "adapters"),
        "sampling": {"max_tokens": 6},
        "candidates": ["base", {"kind": "adapter", "adapter": "warm"}],
    }
    results = Study.of(**settings).run(tmp_path / "run").results
    assert (results.episodes, results.failed_episodes) == (2, 0)
    assert results.provenance["inputs"][f"model hf:{file}"] == weights_sha256(folder)
    assert [model.ref for model in listed_models(MICRO) if model.where == str(folder)] == [f"hf:{folder}"]


def test_it_is_converted_once(file: Path, folder: Path) -> None:
    before = (folder / WEIGHTS).stat().st_mtime_ns
    stages: list[str] = []
    assert convert_gguf(file, "again", lambda stage, *_: stages.append(stage)) == folder
    assert (stages, (folder / WEIGHTS).stat().st_mtime_ns) == ([], before)
    assert file_sha256(file)[:12] == folder.parent.name


def test_two_at_once_convert_it_once(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stages: list[tuple[str, int]] = []
    became: list[Path] = []

    def convert() -> None:
        became.append(convert_gguf(file, "tiny", lambda stage, done, _: stages.append((stage, done))))

    threads = [threading.Thread(target=convert) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stages == [("converting tiny", 0), ("converting tiny", 1)]
    assert len(became) == 2
    assert became[0] == became[1]
    assert [path.name for path in became[0].parent.iterdir() if "lock" not in path.name] == ["tiny.Q4_1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"template": None}, "has no chat template, so it cannot hold a conversation"),
        ({"leave_out": "blk.1.ffn_up.weight"}, r"the file lacks weights, the first is model\.layers\.1\.mlp\.up_proj"),
    ],
)
def test_a_file_that_lacks_something_leaves_no_folder(
    settings: dict[str, str | None], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lacking = write_gguf(tmp_path / "lacking.gguf", **settings)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=f"hf:mine cannot be converted to safetensors: .*{says}"):
        convert_gguf(lacking, "hf:mine", no_progress)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_other_weights_than_expected_are_not_kept(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelError, match=r"not the weights of tiny .*, not 000000000000….*constraints\.txt"):
        convert_gguf(file, "tiny", no_progress, weights_sha256="0" * 64)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_damage_in_the_cache_is_noticed(folder: Path, tmp_path: Path) -> None:
    digest = file_sha256(folder / WEIGHTS)
    require_weights(folder, digest, "tiny", "fetch it again")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (damaged / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError, match=r"not the weights of tiny \(SHA-256 .*; fetch it again"):
        require_weights(damaged, digest, "tiny", "fetch it again")


def test_what_is_no_gguf_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<!DOCTYPE html>")
    with pytest.raises(InputError, match=r"page\.gguf is no GGUF file \(it begins with b'<!DO'\); is it a whole downl"):
        convert_gguf(tmp_path / "page.gguf", "hf:page.gguf", no_progress)
    with pytest.raises(InputError, match=r"nowhere\.gguf cannot be read \(No such file or directory\)"):
        local_reference(f"hf:{tmp_path / 'nowhere.gguf'}", MICRO)


def test_without_the_package_it_says_what_to_install(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "gguf", raising=False)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(InputError, match=r"hf:x comes as a GGUF file, .* pip install 'holdfast\[gguf\]'"):
        convert_gguf(file, "hf:x", no_progress)


def test_a_reference_with_settings(file: Path) -> None:
    spec = ModelSpec(ref=f"hf:{file}", dtype="float64", device="cpu")
    assert resolve_model(spec, MICRO) == AwayReference(spec.ref, file, "float64", "cpu")
    with pytest.raises(InputError, match="retries means nothing for hf"):
        resolve_model(ModelSpec(ref=f"hf:{file}", retries=2), MICRO)
