"""Split what a model wrote into what it said and what it only thought.

- A thought ends at its closing mark. Without one, all that follows is thought; without an opening mark (the template
  had it in the prompt), all before the closing one is.
- A rare name (``<analysis>``, ``<plan>``, ``[think]``) is a mark only where both ends are there.
- A mark inside a code span or a code fence, or directly between quotation marks, is quoted and stays text.
- In a text that is one JSON object or array, all marks are quoted.
- An end-of-turn mark (``<|im_end|>``, ``</s>``) or another speaker's header ends the reply: what follows is none of it.
  Other template marks, and tool calls written out, are taken out.
"""

import json
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.agents.thought_marks import (
    ANY_MARK,
    ASSISTANT,
    CLOSING,
    FENCE,
    GRANITE,
    HINTS,
    IN_SPEECH,
    IN_THOUGHT,
    NEXT_CHANNEL,
    OPENED_LAST,
    ROLES,
    SAVED,
    STRIPPED_NEXT,
    STRIPPED_START,
    TOOL_NAME,
    WRAPPED,
)

_LABELS = ("analysis", "commentary", "final", "thought\n", "Here")  # at the start, without any sign of their own


class SplitText(NamedTuple):
    """``speech``: what was said; ``thoughts``: what was not; ``tool_calls``: names of tools called within the text."""

    speech: str
    thoughts: str = ""
    tool_calls: tuple[str, ...] = ()


def split_thoughts(text: str, *, opened: bool = False) -> SplitText:
    """Split a model's text by the marks that stand in it (rules: see the module).

    A text without marks is returned as it is; in others the speech has no space around it.

    Args:
        text: What the model wrote.
        opened: Whether the prompt had opened a thought already (:func:`opens_thought`).
    """
    if not opened and (not _may_hold_marks(text) or _is_json(text)):
        return SplitText(text)
    scan = _Scan(_with_marks(text), thinking=opened)
    scan.run()
    speech, thoughts = "".join(scan.speech).strip(), "".join(scan.thoughts).strip()
    if thoughts and (wrapped := WRAPPED.match(speech)):
        speech = wrapped[2].strip()
    return SplitText(speech, ANY_MARK.sub("", thoughts), tuple(scan.tool_calls))


def opens_thought(prompt: str) -> bool:
    """Return whether a prompt (its end is enough) ends with a mark that opens a thought."""
    return OPENED_LAST.search(prompt) is not None


def _may_hold_marks(text: str) -> bool:
    for sign, hint in HINTS:  # a loop, because a generator would double the time
        if sign in text and hint.search(text) is not None:
            return True
    return text.lstrip().startswith(_LABELS)


def _is_json(text: str) -> bool:
    """Return whether the text is one JSON object or array: data, in which marks are quoted."""
    text = text.strip()
    if text[:1] + text[-1:] not in ("{}", "[]"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _with_marks(text: str) -> str:
    """Return the text with forms that have no marks of their own, or marks of chat programs, written in one way."""
    text = text.lstrip().removeprefix("thought\n")  # Gemma's empty thought, its special tokens taken out
    if match := GRANITE.match(text):
        text = f"<think>{match[1]}</think>{text[match.end() :]}"
    if match := STRIPPED_START.match(text):
        text = f"<|channel|>{match[1]}{text[match.end() :]}"
    text = STRIPPED_NEXT.sub(r"<|end|><|channel|>\1<|message|>", text)
    if "<details" in text or ":::" in text:
        text = SAVED.sub(lambda saved: f"<think>{saved[1] or saved[2] or ''}</think>", text)
    return text


@dataclass(slots=True)
class _Scan:
    """One pass over a text, from mark to mark."""

    text: str
    thinking: bool
    speech: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    tool_calls: list[str] = field(default_factory=list)
    final: bool = False  # within Harmony's final channel
    opened_by: str | None = None  # the rare name that opened the thought
    ended: bool = False  # a turn has ended, without speech so far
    _closings: dict[str, int] | None = None

    def run(self) -> None:
        """Fill ``speech``, ``thoughts`` and ``tool_calls``."""
        place, fenced = 0, _fenced(self.text)
        while match := (IN_THOUGHT if self.thinking else IN_SPEECH).search(self.text, place):
            if not self._take(self.text[place : match.start()]):
                return
            while fenced and fenced[-1][1] <= match.start():
                fenced.pop()
            if not self.thinking and fenced and fenced[-1][0] <= match.start():
                place = fenced.pop()[1]
                self._take(self.text[match.start() : place])
                continue
            place = match.end()
            if not self._meet(match):
                return
        self._take(self.text[place:])

    def _take(self, piece: str) -> bool:
        """Keep a piece between two marks; False where the turn has ended before it."""
        if self.ended and piece.strip():
            if self.thoughts:
                return False
            self.ended = False  # a mark at the very start ends nothing
        pieces = self.thoughts if self.thinking else self.speech
        if pieces and pieces[-1][-1:].isspace():
            piece = piece.lstrip()
        if piece:
            pieces.append(piece)
        return True

    def _meet(self, match: re.Match[str]) -> bool:
        """Act on a mark; False where the reply ends here."""
        kind = match.lastgroup or ""
        if kind in ("quoted", "call", "mark"):
            self._aside(kind, match[0])
        elif kind == "open":
            self._open(match)
        elif kind == "close":
            self._close(match)
        elif kind == "channels":
            self._channel(match)
        elif kind == "header":
            return self._header(match)
        else:
            return self._end(match)
        return True

    def _aside(self, kind: str, words: str) -> None:
        if kind == "quoted":
            self._take(words)
        elif kind == "call":
            self.tool_calls.append(_tool_name(words))

    def _open(self, match: re.Match[str]) -> None:
        name, bracket = match["name"], match["bracket"]
        needed = name or (bracket if bracket and not bracket.isupper() else None)
        if needed and self._last_closing(needed) < match.end():
            self._take(match[0])
            return
        self.thinking, self.ended = True, False
        self.opened_by = name.lower() if name else None
        self._part()

    def _close(self, match: re.Match[str]) -> None:
        closed = (match["closed"] or "").lower()
        if self.thinking and closed != (self.opened_by or ""):
            self._take(match[0])  # another name's, within this thought
        elif not self.thinking and closed:
            self._take(match[0])
        else:
            if not self.thinking:
                self._was_thought()
            self.thinking, self.opened_by, self.ended = False, None, False

    def _channel(self, match: re.Match[str]) -> None:
        final = match["channel"].lower() == "final"
        if final and not self.thinking and not self.final:
            self._was_thought()
        if match["to"]:
            self.tool_calls.append(_tool_name(match["to"]))
        self.thinking, self.final, self.opened_by, self.ended = not final, final, None, False
        self._part()

    def _header(self, match: re.Match[str]) -> bool:
        role = next((match[name] for name in ROLES if match[name]), "user").lower()
        if role not in ASSISTANT or self._said():
            return False
        self.thinking, self.opened_by, self.ended = False, None, False
        return True

    def _end(self, match: re.Match[str]) -> bool:
        if self._said():
            if self.final or NEXT_CHANNEL.match(self.text, match.end()) is None:
                return False
            self._was_thought()
        self.thinking, self.opened_by, self.ended = False, None, True
        return True

    def _said(self) -> bool:
        return any(piece.strip() for piece in self.speech)

    def _was_thought(self) -> None:
        """Turn the speech so far into thoughts: its closing mark has come."""
        self._part()
        self.thoughts += self.speech
        self.speech.clear()

    def _part(self) -> None:
        if self.thoughts:
            self.thoughts.append("\n\n")

    def _last_closing(self, mark: str) -> int:
        """Return where the last closing mark of a rare name (or bracket) starts; -1 where there is none."""
        if self._closings is None:
            matches = CLOSING.finditer(self.text)
            self._closings = {
                (match["closed"] or match[0].replace("/", "")).lower(): match.start() for match in matches
            }
        return self._closings.get(mark.lower(), -1)


def _fenced(text: str) -> list[tuple[int, int]]:
    """Return start and end of each code fence, the last one first; one that is never closed is none."""
    if "```" not in text and "~~~" not in text:
        return []
    fences, start, ticks = [], 0, ""
    for match in FENCE.finditer(text):
        if not ticks:
            start, ticks = match.start(), match[1]
        elif match[1].startswith(ticks) and not match[2].strip():
            fences.append((start, match.end()))
            ticks = ""
    return fences[::-1]


def _tool_name(words: str) -> str:
    match = TOOL_NAME.search(words)
    return (match[1] or match[2]) if match else "unnamed"
