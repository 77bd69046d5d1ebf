"""The model card of an adapter: its provenance as text, and as front matter that the store reads back."""

from dataclasses import dataclass

import yaml

from holdfast.adapters.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class AdapterCard:
    """The contents of an adapter's card. It holds no date: the same training gives the same bytes."""

    name: str
    base: str
    base_sha256: str
    dialogues: str  # the file's name
    dialogues_sha256: str
    dialogue_count: int
    personas: tuple[str, ...]
    seed: int
    first_loss: float
    final_loss: float
    config: TrainingConfig

    def text(self) -> str:
        """Return the whole ``README.md``."""
        front = {
            "base_model": self.base,
            "library_name": "peft",
            "pipeline_tag": "text-generation",
            "tags": ["lora", "sft", "trl", "empathy", "holdfast"],
            "holdfast": {
                "adapter": self.name,
                "base_sha256": self.base_sha256,
                "dialogues_sha256": self.dialogues_sha256,
                "seed": self.seed,
            },
        }
        config = self.config
        rows = {
            "base": f"{self.base} (weights {self.base_sha256[:12]}…)",
            "dialogues": f"`{self.dialogues}` ({self.dialogues_sha256[:12]}…), {self.dialogue_count} of them",
            "personas trained on": ", ".join(self.personas),
            "LoRA": f"rank {config.rank}, alpha {config.alpha}, on all linear layers but the output's",
            "training": f"{config.steps} steps of {config.batch_size} dialogues, AdamW, learning rate "
            f"{config.learning_rate:g} falling to 0, seed {self.seed}",
            "loss": f"{self.first_loss:.3f} at first, {self.final_loss:.3f} at last; on assistant tokens only",
        }
        table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
        return (
            f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n# Expert adapter: {self.name}\n\n"
            f"A LoRA that gives its base the empathy pattern *{self.name}* without a system prompt. Trained by "
            "holdfast on dialogues in which the base, steered by a prompt and the best of several samples, talked with "
            "simulated people; the prompt was then taken away.\n\n"
            f"| | |\n|---|---|\n{table}\n\n"
            "Personas that are not named here were never trained on and are fit for testing. The people are simulated: "
            "what holds for them need not hold for yours.\n"
        )
