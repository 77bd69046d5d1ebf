"""Which models of this machine a study can name: the embedded one, those of the package index, GGUF files that were
converted, and what lies in the Hugging Face cache. Imports no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast.agents.models.local.gguf import WEIGHTS
from holdfast.agents.models.packaged import PACKAGED
from holdfast.core.user_cache import user_cache
from holdfast.core.wording import printable


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model. ``ref``: how a study names it; ``licence`` "": not known here; ``where``: its folder, or its source.

    ``fetch``: whether ``holdfast models fetch`` brings it. Bytes are 0 where they are not known.
    """

    ref: str
    title: str
    ready: bool
    fetch: bool
    licence: str
    download_bytes: int
    disk_bytes: int
    where: str


def listed_models(micro_path: Path) -> list[ListedModel]:
    """Return the models that are ready or can be fetched, the embedded one (in ``micro_path``) first."""
    return [_embedded(micro_path), *_packaged(), *_converted(), *_of_the_hub()]


def _embedded(path: Path) -> ListedModel:
    title = "the microcosm, 1.2 million parameters"
    return ListedModel("micro", title, True, False, "MIT", 0, _bytes_in(path), str(path))


def _packaged() -> Iterator[ListedModel]:
    for model in PACKAGED.values():
        disk = _bytes_in(model.folder) if model.ready else model.disk_bytes
        where = str(model.folder) if model.ready else f"package index: {model.file.requirement}"
        title = f"{model.title}, {model.parameters} parameters"
        size = model.file.wheel_bytes
        yield ListedModel(model.word, title, model.ready, not model.ready, model.licence, size, disk, where)


def _converted() -> Iterator[ListedModel]:
    """GGUF files that were converted before; their folders are named after the files' hashes."""
    named = {model.folder for model in PACKAGED.values()}
    for weights in sorted((user_cache() / "models").glob(f"*/*/{WEIGHTS}")):
        folder = weights.parent
        if folder not in named and not folder.name.startswith("."):
            ref = f"hf:{folder}"
            yield ListedModel(ref, f"{folder.name}.gguf, dequantised", True, False, "", 0, _bytes_in(folder), ref[3:])


def _of_the_hub() -> Iterator[ListedModel]:
    """Models in the Hugging Face cache that have a configuration and weights."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir().repos
    except (CacheNotFound, OSError, ValueError):
        return
    for repo in sorted(repos, key=lambda each: each.repo_id):
        names = {file.file_name for revision in repo.revisions for file in revision.files}
        if (
            repo.repo_type == "model"
            and "config.json" in names
            and any(name.endswith(".safetensors") for name in names)
        ):
            name = printable(repo.repo_id)
            size = repo.size_on_disk
            yield ListedModel(f"hf:{name}", "of the Hugging Face hub", True, False, "", 0, size, str(repo.repo_path))


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*") if file.is_file())
