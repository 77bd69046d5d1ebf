"""The request that every kind of candidate sends to its model."""

from collections.abc import Iterable

from holdfast.agents.protocols import AssistantView, ChatModel, GenerationRequest, Message, Reply, Sampling


async def ask(
    model: ChatModel,
    view: AssistantView,
    sampling: Sampling,
    *,
    messages: Iterable[Message] | None = None,
    adapter: str | None = None,
    recognised_task: str | None = None,
) -> Reply:
    """Return the model's reply to the conversation; ``messages`` defaults to those of the view."""
    request = GenerationRequest(
        key=view.episode_id,
        messages=view.messages if messages is None else tuple(messages),
        seed=view.seed,
        adapter=adapter,
        sampling=sampling,
    )
    made = await model.generate(request)
    return Reply(made.text, adapter, recognised_task, made.prompt_tokens, made.completion_tokens)
