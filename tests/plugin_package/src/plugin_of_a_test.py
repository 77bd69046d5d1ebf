"""What the package brings."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

from holdfast.agents.raters.protocol import EXPRESSED, Passage, RaterIdentity, Rating
from holdfast.agents.raters.specs import RaterSpec
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.protocols import LogFormat


async def parrot(conversation: str, history: Sequence[Mapping[str, str]], message: str) -> Mapping[str, object]:
    """Say how often the user has spoken, and the last word that was said."""
    said = [f"Turn {len(history) // 2 + 1}.", message.rsplit(maxsplit=1)[-1]]
    return {"messages": said, "keep": {"heard": len(history)}}


class ShortnessSpec(RaterSpec):
    """A rater by length."""

    kind: Literal["shortness"] = "shortness"

    @property
    def scale_id(self) -> str:
        """The scale of expressed empathy."""
        return EXPRESSED.id


class Shortness:
    """Rates short replies high."""

    identity = RaterIdentity("shortness", "1")
    scale = EXPRESSED

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        """Rate each reply by its length."""
        return [
            Rating(dict.fromkeys(EXPRESSED.dimensions, 2.0 if len(p.messages[-1].content) < 40 else 0.0))
            for p in passages
        ]


SHORTNESS = SimpleNamespace(spec=ShortnessSpec, build=lambda spec, resources: Shortness())


class LinesReader:
    """Reads files of lines that begin with > for the user and < for the assistant."""

    def read(self, path: Path, how: object = None) -> Iterator[object]:
        """Yield the file's one conversation."""
        draft = ConversationDraft(str(path))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:]):
            draft.say("user" if line.startswith(">") else "assistant", {"content": line[1:].strip()}, f"line {number}")
        yield from draft.finish(path.stem)


LINES = LogFormat("lines", "lines of > and <", LinesReader(), lambda file: file.lines[:1] == ("#lines",))
