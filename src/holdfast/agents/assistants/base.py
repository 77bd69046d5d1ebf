"""The model without prompt and adapter, the paper's "Baseline"."""

from dataclasses import dataclass, field

from holdfast.agents.assistants.request import ask
from holdfast.agents.protocols import AssistantView, ChatModel, Reply, Sampling


@dataclass(frozen=True, slots=True)
class BareModel:
    """The model without prompt and adapter."""

    model: ChatModel
    name: str = "base"
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def knows_task(self) -> bool:
        return False

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return {}

    async def reply(self, view: AssistantView) -> Reply:
        return await ask(self.model, view, self.sampling)
