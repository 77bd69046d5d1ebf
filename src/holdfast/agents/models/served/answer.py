"""What an endpoint's answer must look like; everything else in it is left alone."""

from pydantic import BaseModel, Field, ValidationError

from holdfast.agents.models.served.failures import TransientError
from holdfast.agents.protocols import FinishReason, Generation


class _Said(BaseModel):
    content: str | None = None
    refusal: str | None = None  # OpenAI's, instead of content


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)


class Completion(BaseModel):
    """As much of a ``chat.completion`` object as holdfast reads."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_answer(body: bytes) -> Generation:
    """The first choice of a chat completion, its text without the space around it, as the local engine gives it.

    Some tokenizers begin every answer with a space, and servers leave it there: sent back in the next turn's history,
    it would make the conversation another one.

    :raises TransientError: the body is cut short, no JSON, or of another shape.
    """
    try:
        completion = Completion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise TransientError("malformed", f"{place}: {first['msg']}" if place else first["msg"]) from None
    choice, usage = completion.choices[0], completion.usage or _Usage()
    text = choice.message.content if choice.message.content is not None else choice.message.refusal or ""
    finish: FinishReason = "length" if choice.finish_reason == "length" else "stop"
    if choice.message.refusal or choice.finish_reason == "content_filter":
        finish = "refusal"
    return Generation(text.strip(), usage.prompt_tokens, usage.completion_tokens, finish)
