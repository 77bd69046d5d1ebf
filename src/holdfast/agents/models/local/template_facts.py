"""What a chat template does by itself: facts that a reader of a study's figures has to know."""

import re
from dataclasses import dataclass

from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.models.local.end_of_turn import behind_reply
from holdfast.agents.protocols import Message
from holdfast.core.errors import ModelError

_ASKED = "qvasked"
_LEAST_WORDS = 3  # of a prompt of the template's own; fewer are the marks of speakers
_MARK = re.compile(r"<\|[^|>]{1,60}\|>|<[^<>\s]{1,60}>|\[/?[A-Z_]{2,40}\]")
_SPEAKER = re.compile(r"\W*(?:system|developer|user|assistant|model)\W*(?:\n|\Z)", re.I)


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """What a template does beyond setting messages behind each other.

    Attributes:
        date: The date that it is told, ISO; empty where it asks for none.
        own_prompt: The words that it puts before a conversation that has no system message.
        beside_ours: Whether these words stay where there is a system message.
        ends_with: What it writes behind a reply; empty where nothing tells its end.
        fold: Whether system messages are put into the user's.
        learns_otherwise: Whether a reply of a training dialogue follows another text than the prompt that asks for it.
    """

    date: str = ""
    own_prompt: str = ""
    beside_ours: bool = False
    ends_with: str = ""
    fold: bool = False
    learns_otherwise: bool = False

    def in_words(self) -> dict[str, str]:
        """Return the facts by what they are of, as a report shows them."""
        shown = {"date that the template is told": self.date} if self.date else {}
        if self.own_prompt:
            stays = "beside" if self.beside_ours else "unless there is"
            shown[f"system prompt that the template adds {stays} one of ours"] = self.own_prompt
        if self.fold:
            shown["system messages"] = "folded into the user's messages"
        shown["a reply ends with"] = self.ends_with or "nothing of the template's: the tokenizer's end, or max_tokens"
        if self.learns_otherwise:
            shown["training"] = "the template sets past replies otherwise than the prompts that ask for them"
        return shown


def facts_of(template: ChatTemplate) -> TemplateFacts:
    """Return what ``template`` does by itself.

    Raises:
        ModelError: it does not end within bounds.
    """
    own = _own_words(template, ())
    ours = _own_words(template, (Message("system", "qvsystem"),)) if own else ""
    return TemplateFacts(
        date=template.today.isoformat() if template.reads_clock else "",
        own_prompt=own,
        beside_ours=bool(own) and own in ours,
        ends_with=(behind_reply(template).strip().splitlines() or [""])[0].strip(),
        fold=template.fold,
        learns_otherwise=_learns_otherwise(template),
    )


def _learns_otherwise(template: ChatTemplate) -> bool:
    talk = tuple(Message(("user", "assistant")[n % 2], f"qvsaid{n}") for n in range(4))
    try:
        text, _ = template.with_spans(talk)
        return not all(text.startswith(template.text(talk[:end])) for end in (1, 3))
    except ModelError:  # it cannot be learned from, which is told where something is to be trained
        return False


def _own_words(template: ChatTemplate, before: tuple[Message, ...]) -> str:
    """Return what stands before the user's first words, without marks of speakers; empty where it is hardly a word."""
    try:
        text = template.text((*before, Message("user", _ASKED)))
    except ModelError:  # it takes no such conversation, which is told where one is sent
        return ""
    parts = [_SPEAKER.sub("", part, count=1) for part in _MARK.split(text.partition(_ASKED)[0])]
    words = " ".join(" ".join(parts).split())
    return words if len(re.findall(r"[^\W\d_]{2,}", words)) >= _LEAST_WORDS else ""
