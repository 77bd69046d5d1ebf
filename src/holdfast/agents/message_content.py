"""Read a message in any shape that servers and logs give it: what was said, what was thought, and what is no text.

Content may be a string, null, a list of strings or parts, a single part, ChatGPT's ``{content_type, parts}``; thoughts
may stand in parts (Claude, Mistral, Gemini, OpenAI's responses), in fields beside the content (``reasoning_content``,
``reasoning``, ``thinking``, ``reasoning_details``, ``thoughts``), or in the text itself (:func:`split_thoughts`). Tool
calls, refusals, attachments and unknown shapes are named, so that a caller can say why there is no text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from holdfast.agents.thoughts import SplitText, opens_thought, split_thoughts
from holdfast.core.text import repaired
from holdfast.core.wording import quote

__all__ = ["MessageContent", "SplitText", "opens_thought", "read_content", "read_message", "repaired", "split_thoughts"]

DEEPEST = 8  # levels of parts within parts that are read
MOST_NAMES = 20  # tool calls, attachments and unknown shapes that are kept, of each

_TEXT_KINDS = frozenset(("", "text", "output_text", "input_text", "text_delta", "message", "model", "assistant"))
_TEXT_FIELDS = ("text", "content", "parts", "value", "output_text", "transcript")
_THOUGHT_FIELDS = (
    "reasoning_content", "reasoning", "thinking", "reasoning_details", "reasoning_text", "thinking_blocks", "thoughts",
    "thought", "reasoningContent",
)  # fmt: skip
_THOUGHT_TEXTS = (*_THOUGHT_FIELDS, "reasoningText", "text", "summary", "content")
_THOUGHT_KINDS = ("thinking", "thought", "reasoning", "summary_text")
_TOOL_FIELDS = ("toolUse", "functionCall", "function_call", "tool_call", "tool_use", "function", "executableCode")
_ATTACHMENT_FIELDS = ("inlineData", "inline_data", "fileData", "file_data", "image", "image_url", "video", "document")
#: What tools and programs put into a message, and is not the speaker's.
_INSERTED = frozenset(
    (
        "code", "execution_output", "tether_quote", "tether_browsing_display", "system_error", "computer_output",
        "user_editable_context", "model_editable_context", "citation", "search_result",
    )
)  # fmt: skip
_ATTACHMENT_KINDS = ("image", "audio", "video", "file", "document", "media", "attachment", "asset", "result")
_NOTHING: tuple[object, ...] = (None, "", [], {})
_NESTED = ("additional_kwargs", "provider_specific_fields", "model_extra")  # where libraries keep foreign fields


@dataclass(frozen=True, slots=True)
class MessageContent:
    """What a message holds.

    Attributes:
        text: What was said, without thoughts and template marks; "" where nothing was.
        thoughts: What was thought and not said.
        refusal: A refusal that stood in a place of its own (OpenAI's), not in ``text``.
        tool_calls: Names of the tools that were called.
        attachments: Kinds of what was attached, or inserted by a program.
        unknown: What could not be read, in words.
    """

    text: str
    thoughts: str = ""
    refusal: str = ""
    tool_calls: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def why_no_text(self) -> str:
        """Why there is no text, in a few words; "" where there is some."""
        if self.text.strip():
            return ""
        reasons = (
            (self.refusal.strip(), "a refusal"),
            (self.tool_calls, f"a tool call ({_named(self.tool_calls)})"),
            (self.unknown, f"an unknown shape ({_named(self.unknown)})"),
            (self.thoughts, "thoughts only"),
            (self.attachments, f"attachments only ({_named(self.attachments)})"),
        )
        return next((reason for present, reason in reasons if present), "an empty message")


def read_content(content: object) -> MessageContent:
    """Read the content of a message, in any shape."""
    reader = _Reader()
    reader.read(content, 0)
    return reader.content()


def read_message(message: object) -> MessageContent:
    """Read a whole message: its content, and the fields beside it that hold thoughts, tool calls or a refusal.

    Args:
        message: A mapping such as an answer's ``message``; anything else is taken for the content itself.
    """
    reader = _Reader()
    if isinstance(message, Mapping):
        reader.read_fields(message)
        reader.read(next((message[name] for name in _TEXT_FIELDS if message.get(name) not in _NOTHING), None), 0)
        reader.read_voice(message.get("audio"))
    else:
        reader.read(message, 0)
    return reader.content()


@dataclass(slots=True)
class _Reader:
    """Collects what a message holds, part by part."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    tool_calls: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def content(self) -> MessageContent:
        """Return what was collected; the text is split here, since its marks may stand in different parts."""
        speech, thoughts, tool_calls = split_thoughts(_joined(self.texts))
        self.thoughts.append(thoughts)
        self.tool_calls += tool_calls
        return MessageContent(
            text=speech,
            thoughts="\n\n".join(dict.fromkeys(text.strip() for text in self.thoughts if text.strip())),
            refusal="\n".join(self.refusals),
            tool_calls=tuple(self.tool_calls[:MOST_NAMES]),
            attachments=tuple(self.attachments[:MOST_NAMES]),
            unknown=tuple(self.unknown[:MOST_NAMES]),
        )

    def read(self, value: object, depth: int) -> None:
        """Read content: a text, a part, or a list of them."""
        if value is None:
            return
        if depth > DEEPEST:
            self.unknown.append("parts nested too deep")
        elif isinstance(value, str):
            self.texts.append(repaired(value))
        elif isinstance(value, Mapping):
            self._part(value, depth)
        elif isinstance(value, list | tuple):
            for part in value:
                self.read(part, depth + 1)
        else:
            self.unknown.append(f"content is of type {type(value).__name__}")

    def read_fields(self, message: Mapping[object, object]) -> None:
        """Read what stands beside a message's content."""
        for name in _THOUGHT_FIELDS:
            text = _thought_text(message.get(name), 0)
            if text.strip():
                self.thoughts.append(text)
                break  # the others say the same again
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list | tuple) else ():
            self.tool_calls.append(_called(call))
        for name in ("function_call", "functionCall"):
            if message.get(name):
                self.tool_calls.append(_called(message[name]))
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal.strip():
            self.refusals.append(repaired(refusal))
        for name in ("images", "attachments", "files"):
            attached = message.get(name)
            self.attachments += [name] * (len(attached) if isinstance(attached, list | tuple) else 0)
        for name in _NESTED:
            nested = message.get(name)
            if isinstance(nested, Mapping):
                self.read_fields(nested)

    def read_voice(self, audio: object) -> None:
        """Read the transcript of a spoken answer, where there is no text."""
        if isinstance(audio, Mapping) and not any(text.strip() for text in self.texts):
            self.read(audio.get("transcript"), 1)
        if audio is not None:
            self.attachments.append("audio")

    def _part(self, part: Mapping[object, object], depth: int) -> None:
        kind = _kind(part)
        if part.get("thought") is True or any(word in kind for word in _THOUGHT_KINDS):
            self.thoughts.append(_thought_text(part, 0))
        elif kind == "refusal":
            self.refusals.append(_thought_text(part.get("refusal") or part, 0))
        elif kind in _INSERTED or "result" in kind:
            self.attachments.append(kind)
        elif "tool" in kind or "function" in kind or any(part.get(name) for name in _TOOL_FIELDS):
            self.tool_calls.append(_called(part))
        elif any(word in kind for word in _ATTACHMENT_KINDS) and not _spoken(part):
            self.attachments.append(kind)
        elif (name := next((name for name in _TEXT_FIELDS if part.get(name) is not None), None)) is not None:
            if kind in ("", "message"):
                self.read_fields(part)
            self.read(part[name], depth + 1)
        elif (name := next((name for name in _ATTACHMENT_FIELDS if name in part), None)) is not None:
            self.attachments.append(name)
        elif any(part.get(name) for name in _THOUGHT_FIELDS):
            self.read_fields(part)
        elif kind not in _TEXT_KINDS:
            self.unknown.append(f"a part of kind {quote(kind)}")
        elif set(part) - {"type", "content_type", *_TEXT_FIELDS}:
            self.unknown.append(f"a part with {', '.join(quote(str(name)) for name in list(part)[:5])}")


def _named(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _kind(part: Mapping[object, object]) -> str:
    kind = part.get("type") or part.get("content_type") or ""
    return kind.lower().replace("-", "_") if isinstance(kind, str) else ""


def _spoken(part: Mapping[object, object]) -> bool:
    """Return whether an attachment brings its words along, as a transcript of speech does."""
    return any(isinstance(part.get(name), str) and part[name] for name in ("transcript", "text"))


def _called(call: object) -> str:
    """Return the name of the tool that is called."""
    if isinstance(call, Mapping):
        inner = (call.get(name) for name in _TOOL_FIELDS)
        named = (call, *(each for each in inner if isinstance(each, Mapping)))
        return next((each["name"][:80] for each in named if isinstance(each.get("name"), str)), "unnamed")
    return "unnamed"


def _thought_text(value: object, depth: int) -> str:
    """Return the words of thoughts in any shape: a text, a part, parts, ``{summary, content}``."""
    if isinstance(value, str):
        return repaired(value)
    if depth > DEEPEST:
        return ""
    if isinstance(value, Mapping):
        texts = (_thought_text(value.get(name), depth + 1) for name in _THOUGHT_TEXTS)
    elif isinstance(value, list | tuple):
        texts = (_thought_text(part, depth + 1) for part in value)
    else:
        return ""
    return "\n".join(dict.fromkeys(text for text in texts if text.strip()))


def _joined(texts: Iterable[str]) -> str:
    """Join the texts of parts: as they are where they are pieces of a sentence, on lines of their own otherwise."""
    joined = ""
    for text in texts:
        apart = joined and text and not (joined[-1].isspace() or text[0].isspace())
        sentence = apart and (joined[-1] in ".!?\u2026:\"'\u201d)]}`*>" or joined[-1].isalnum())
        starts = sentence and (text[0].isupper() or not text[0].isascii() or text[0] in '-*#>\u2022"\u201c`')
        joined += f"\n{text}" if starts else text
    return joined
