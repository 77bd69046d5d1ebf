"""Make a generation of what a model answered: the one place that all kinds of models pass through.

A server's finish reason may be any word, and its counters anything at all: neither costs a whole answer.
"""

from dataclasses import replace

from holdfast.agents.message_content import MessageContent
from holdfast.agents.models.keys import ApiKey
from holdfast.agents.protocols import FinishReason, Generation, Outcome

MOST_TOKENS = 1 << 31  # of one request: a larger count is no count

#: Parts of the words with which servers say why an answer ended, and what they mean; others mean that it is whole.
_ENDS: tuple[tuple[tuple[str, ...], Outcome], ...] = (
    (("length", "max_token", "max_output", "max_new_token", "token_limit", "context_window", "model_context"), "cut"),
    (
        ("filter", "safety", "sensitive", "recitation", "prohibited", "blocklist", "blocked", "spii", "guardrail",
         "moderation", "policy"),
        "filtered",
    ),
    (("refus", "declin"), "refusal"),
    (("tool", "function"), "tool call"),
)  # fmt: skip
_FINISH: dict[Outcome, FinishReason] = {"cut": "length", "filtered": "refusal", "refusal": "refusal"}


def generation_of(
    content: MessageContent,
    reason: object = None,
    prompt_tokens: object = 0,
    completion_tokens: object = 0,
    hidden_tokens: object = 0,
) -> Generation:
    """Return the generation of an answer.

    Args:
        content: The message.
        reason: Why it ended, in the server's words.
        prompt_tokens, completion_tokens: As the server counts them; what is no count is unknown, and 0.
        hidden_tokens: Of thoughts that the server keeps to itself.
    """
    end = _end(reason)
    text = content.text.strip() or content.refusal.strip()
    if content.refusal.strip():
        end = "refusal"
    outcome, thought = end, bool(content.thoughts or token_count(hidden_tokens))
    if end in ("answered", "cut") and content.tool_calls:
        outcome = "tool call"
    elif end in ("answered", "cut", "tool call") and not text:
        outcome = _without_text(content, end, thought=thought)
    return Generation(
        text,
        token_count(prompt_tokens),
        token_count(completion_tokens),
        _FINISH.get(end, "stop"),
        content.thoughts,
        outcome,
        "" if text else _cause(content, outcome, end),
    )


def without_key(made: Generation, key: ApiKey) -> Generation:
    """Return the answer without the key, which an echoing server may have put into it."""
    text, thoughts = key.hide_in(made.text), key.hide_in(made.thoughts)
    return made if (text, thoughts) == (made.text, made.thoughts) else replace(made, text=text, thoughts=thoughts)


def token_count(value: object) -> int:
    """Return a count of tokens, 0 for what is none: null, text, a fraction, a negative or an absurd number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value < MOST_TOKENS and value == int(value) else 0


def _end(reason: object) -> Outcome:
    if isinstance(reason, dict):  # as text-generation-inference and SGLang have it
        reason = reason.get("type")
    word = reason.lower().replace("-", "_").replace(" ", "_") if isinstance(reason, str) else ""
    return next((outcome for words, outcome in _ENDS if any(each in word for each in words)), "answered")


def _without_text(content: MessageContent, end: Outcome, *, thought: bool) -> Outcome:
    if end == "tool call":
        return end
    if content.unknown:
        return "unknown shape"
    if thought:
        return "thoughts only"
    return "cut" if end == "cut" else "empty"


def _cause(content: MessageContent, outcome: Outcome, end: Outcome) -> str:
    """Say why there is no text."""
    if outcome == "filtered":
        return "filtered by the server"
    if outcome in ("refusal", "tool call"):
        return content.why_no_text if content.tool_calls else f"a {outcome}"
    why = content.why_no_text
    if outcome == "thoughts only" and not content.thoughts:
        why = "thoughts only, which the server does not show"
    return f"{why}, cut off at max_tokens" if end == "cut" else why
