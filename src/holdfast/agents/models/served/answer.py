"""Read an endpoint's answer: its first message, in whatever shape; everything else in it is left alone."""

import json
from collections.abc import Mapping
from typing import Any

from holdfast.agents.message_content import read_message
from holdfast.agents.models.generations import generation_of
from holdfast.agents.models.served.failures import TransientError
from holdfast.agents.protocols import Generation
from holdfast.core.wording import quote

_MOST_KEYS = 12  # named in an error


def read_answer(body: bytes) -> Generation:
    """Return the first choice of a chat completion, its text without the space around it, as the local engine gives it.

    Some tokenizers begin every answer with a space, and servers leave it there: sent back in the next turn's history,
    it would make the conversation another one. An answer without text is an answer: its outcome says why.

    Raises:
        TransientError: The body is cut short, no JSON, or holds no message.
    """
    try:
        answer = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise TransientError("malformed", "no JSON, or cut short") from None
    choice = _first_choice(answer)
    reason = choice.get("finish_reason", choice.get("stop_reason"))
    made = generation_of(read_message(_message(choice, reason)), reason, *_tokens(answer.get("usage")))
    if not made.text and reason == "error":
        raise TransientError("malformed", "its finish_reason is 'error', and there is no text")
    return made


def _first_choice(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        raise TransientError("malformed", f"a JSON {type(answer).__name__} where an object with 'choices' is expected")
    choices = answer.get("choices")
    if not isinstance(choices, list):
        raise TransientError("malformed", f"it holds no 'choices', only {_keys(answer)}")
    if not choices:
        raise TransientError("malformed", f"its 'choices' are empty; it holds {_keys(answer)}")
    if not isinstance(choices[0], Mapping):
        raise TransientError("malformed", f"its first choice is no object but a {type(choices[0]).__name__}")
    return choices[0]


def _message(choice: Mapping[str, Any], reason: object) -> object:
    for name in ("message", "delta", "text"):
        if choice.get(name) is not None:
            return choice[name]
    if "message" in choice and isinstance(reason, str):  # a filter's: there is nothing, and it says why
        return None
    raise TransientError("malformed", f"its first choice holds no 'message', only {_keys(choice)}")


def _tokens(usage: Any) -> tuple[object, object, object]:
    """Return the tokens of the prompt, of the answer, and of thoughts among the latter, as they are counted there."""
    if not isinstance(usage, Mapping):
        return 0, 0, 0
    details = usage.get("completion_tokens_details")
    thoughts = details.get("reasoning_tokens") if isinstance(details, Mapping) else 0
    return (
        usage.get("prompt_tokens", usage.get("input_tokens")),
        usage.get("completion_tokens", usage.get("output_tokens")),
        thoughts,
    )


def _keys(seen: Mapping[str, Any]) -> str:
    names = [quote(str(name)) for name in list(seen)[:_MOST_KEYS]]
    more = f" and {len(seen) - _MOST_KEYS} more" if len(seen) > _MOST_KEYS else ""
    return ", ".join(names) + more if names else "nothing"
