"""Commands that serve a run's base model and adapters, and the study YAML that uses them.

Two servers: vLLM, which takes LoRA folders by name, and ``transformers serve``, which takes a folder that holds the
files of the base and of the adapter (links will do).
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from holdfast.adapters.micro import base_path
from holdfast.adapters.training.store import AdapterStore
from holdfast.agents.models.local.adapter_folder import SETTINGS_FILE
from holdfast.agents.models.opening import references
from holdfast.agents.models.references import LocalReference
from holdfast.core.errors import InputError
from holdfast.core.files import read_file
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study
from holdfast.simulator.runtime.adapters import trained_in

#: The values that vLLM's --max-lora-rank takes.
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
BASE = "base"  # the bare model's folder among the links


@dataclass(frozen=True, slots=True)
class ServedRun:
    """A base model, its adapters by name, and the address to serve them at."""

    base: Path
    name: str
    adapters: Mapping[str, Path]
    folder: Path  # of the adapters, and of a router where there is one
    rank: int  # the largest among the adapters
    tested: tuple[str, ...]  # persona ids that none of them was trained on; empty: unknown
    dtype: str  # "auto", or the type that reproduces the run's texts
    host: str = "127.0.0.1"
    port: int = 8000

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    def vllm(self) -> str:
        """Return the command for vLLM."""
        rank = next((rank for rank in RANKS if rank >= self.rank), RANKS[-1])
        words = ["vllm", "serve", str(self.base), "--served-model-name", self.name, "--enable-lora"]
        words += ["--max-loras", str(len(self.adapters)), "--max-lora-rank", str(rank), "--lora-modules"]
        words += [f"{name}={path}" for name, path in self.adapters.items()]
        return shlex.join([*words, "--dtype", self.dtype, "--host", self.host, "--port", str(self.port)])

    def transformers(self) -> str:
        """Return the command for ``transformers serve``, which loads the folders of :func:`link` on demand.

        It lists the hub's cache, which must exist. Several models in memory at once need no setting.
        """
        serve = shlex.join(
            ["transformers", "serve", "--host", self.host, "--port", str(self.port), "--dtype", self.dtype]
        )
        return f'mkdir -p "${{HF_HOME:-$HOME/.cache/huggingface}}/hub" && {serve}'

    def study_for_vllm(self) -> str:
        """Return the lines of a study's YAML for vLLM."""
        return self._study({"ref": f"openai:{self.name}", "base_url": self.base_url})

    def study_for_transformers(self, links: Path) -> str:
        """Return the lines of a study's YAML for ``transformers serve``."""
        served_as = str(links / "{adapter}")
        return self._study({"ref": f"openai:{links / BASE}", "base_url": self.base_url, "served_as": served_as})

    def _study(self, model: dict[str, str]) -> str:
        lines: dict[str, Any] = {"model": model, "adapters": str(self.folder)}
        if self.tested:
            lines["personas"] = {"ids": list(self.tested)}
        return yaml.safe_dump(lines, sort_keys=False, allow_unicode=True, width=1000)

    def as_json(self, links: Path) -> dict[str, Any]:
        """Return everything, for ``--json``."""
        return {
            "base": str(self.base),
            "name": self.name,
            "adapters": {name: str(path) for name, path in self.adapters.items()},
            "max_lora_rank": self.rank,
            "vllm": {"command": self.vllm(), "study": yaml.safe_load(self.study_for_vllm())},
            "transformers": {
                "folders": str(links),
                "command": self.transformers(),
                "study": yaml.safe_load(self.study_for_transformers(links)),
            },
        }


def served(run: Path, *, host: str = "127.0.0.1", port: int = 8000) -> ServedRun:
    """Return what a server needs of the run folder ``run``.

    Raises:
        InputError: it is no run folder, has no adapters, or its model is behind an endpoint already.
    """
    if not (run / "study.yaml").exists():
        raise InputError(f"{run} holds no study.yaml: not a run folder")
    study = load_study(run / "study.yaml")
    if not study.model.local:
        raise InputError(f"{run}: its model, {study.model.in_words}, is served already")
    reference = references([study.model], base_path())[study.model]
    assert isinstance(reference, LocalReference)
    folder = (Path(study.adapters) if study.adapters else trained_in(run)).absolute()
    adapters = AdapterStore(folder).paths()
    if not adapters:
        raise InputError(f"{folder} holds no adapters: nothing to serve beside the base")
    name = reference.name
    rank = max(_rank(path) for path in adapters.values())
    dtype = "float32" if reference.dtype == "float64" else reference.dtype  # the highest precision of servers
    return ServedRun(reference.path.absolute(), name, adapters, folder, rank, _tested(study), dtype, host, port)


def link(run: ServedRun, folder: Path) -> list[Path]:
    """Create the folders of links for ``transformers serve``: ``base``, and one for each adapter; return them.

    Existing folders are replaced where they hold nothing but links.

    Raises:
        InputError: a folder holds something else, or cannot be written.
    """
    made = []
    for name, own in ((BASE, None), *run.adapters.items()):
        place = folder / name
        try:
            place.mkdir(parents=True, exist_ok=True)
            _clear(place)
            for file in (*run.base.iterdir(), *(own.iterdir() if own is not None else ())):
                _link(place / file.name, file)
        except OSError as error:
            raise InputError(f"{place}: the folder of links cannot be made ({error.strerror})") from error
        made.append(place)
    return made


def _clear(place: Path) -> None:
    for old in place.iterdir():
        if not old.is_symlink():
            raise InputError(f"{place} holds {old.name}, which is no link; name another folder")
        old.unlink()


def _link(place: Path, file: Path) -> None:
    """Link ``place`` to ``file``; an adapter's own file (its card, say) replaces the base's."""
    place.unlink(missing_ok=True)
    place.symlink_to(file.resolve())


def _rank(adapter: Path) -> int:
    try:
        config = json.loads(read_file(adapter / SETTINGS_FILE))
        return max([int(config["r"]), *map(int, config.get("rank_pattern", {}).values())])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{adapter / SETTINGS_FILE}: says no LoRA rank ({error})") from error


def _tested(study: StudyConfig) -> tuple[str, ...]:
    """Return the personas that a study held out of training; only those of the library can be named."""
    if study.training is None or study.personas.files:
        return ()
    return tuple(resolve(study).personas)
