"""The model card of a reward model: what it was fitted on, and what its score means."""

from collections.abc import Mapping
from typing import Any

import yaml


def reward_card(settings: Mapping[str, Any], first_loss: float, final_loss: float) -> str:
    """Return the whole ``README.md``; it holds no date, so that the same training gives the same bytes.

    ``settings``: the contents of ``reward.json``.
    """
    front = {
        "base_model": settings["base"],
        "library_name": "peft",
        "pipeline_tag": "text-classification",
        "tags": ["lora", "reward-model", "trl", "empathy", "holdfast"],
    }
    config = settings["config"]
    rows = {
        "base": f"{settings['base']} (weights {settings['base_sha256'][:12]}…)",
        "pairs": f"{settings['pairs']}, preferred by {', '.join(settings['sources']) or 'someone not named'}",
        "people trained on": ", ".join(settings["personas"]),
        "LoRA": f"rank {config['rank']}, alpha {config['alpha']}, on all linear layers; the head is trained whole",
        "training": f"{config['steps']} steps of {config['batch_size']} pairs, AdamW, learning rate "
        f"{config['learning_rate']:g} falling to 0, seed {settings['seed']}",
        "loss": f"{first_loss:.3f} at first (ln 2: no reply preferred), {final_loss:.3f} at last",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return (
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n# Reward model\n\n"
        "A head for one number on the base, and a LoRA, trained by holdfast so that the preferred reply of each pair "
        "is rewarded more. `reward.json` holds the mean reward of the replies that it was trained on: "
        "`sigmoid(reward - mean)` is the chance to be preferred to an average one of them.\n\n"
        f"| | |\n|---|---|\n{table}\n\n"
        "It knows what chose its pairs, nothing else: where that was another rater, the model learned that rater's "
        "taste, faults included. People named here are no test of it. Rewards of two models have no common unit.\n"
    )
