"""What a run's transcripts follow from, and what a report says of how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.adapters.experts import ROUTER
from holdfast.adapters.inputs import folder_inputs, model_inputs
from holdfast.adapters.micro import ablation
from holdfast.agents.assistants.candidates import DescribedCandidate
from holdfast.agents.models.reproducible import why_not_reproducible
from holdfast.agents.prompts import prompt_hashes
from holdfast.core.hashing import file_sha256
from holdfast.simulator.config.plan import world_inputs
from holdfast.simulator.runtime.adapters import ADAPTER
from holdfast.simulator.runtime.prompt_rehearsal import template_facts
from holdfast.simulator.runtime.raters import chooser_inputs, rater_inputs
from holdfast.simulator.runtime.resources import Resources
from holdfast.simulator.runtime.run_folder import rater_records, versions


def inputs_of(resources: Resources, candidates: Mapping[str, DescribedCandidate]) -> dict[str, str]:
    """Return what the transcripts follow from besides the study, as hashes by what they are of.

    Of a folder of a model or an adapter: its weights, and each file beside them by its name. What stands behind an
    endpoint cannot be hashed; its name must do.

    Raises:
        ModelError: a file of a model's or an adapter's folder cannot be read.
    """
    plan, references = resources.plan, resources.references
    hashes = {name: hash for spec in references for name, hash in model_inputs(spec, references[spec]).items()}
    for name, path in resources.adapters.items():
        hashes |= folder_inputs(f"{ADAPTER}{name}", path)
    if resources.router is not None:
        files = {path.parent / Path(ROUTER).name for path in resources.adapters.values()}
        if router := " ".join(file_sha256(file) for file in files if file.exists()):
            hashes["router"] = router
    hashes |= rater_inputs(resources.raters, plan.study) | chooser_inputs(resources.choosers) | world_inputs(plan)
    facts = template_facts(references)
    hashes |= {f"date of model {name}": known.date for name, known in facts.items() if known.date}
    if any(spec.kind == "model" for spec in plan.study.users):
        prompts = {name: hash for name, hash in prompt_hashes().items() if name.startswith("users/")}
        hashes |= {f"prompt {name}": hash for name, hash in prompts.items()}
    for candidate, described in candidates.items():
        hashes |= {f"prompt of {candidate}: {name}": hash for name, hash in described.prompt_hashes.items()}
    return hashes


def provenance_of(
    resources: Resources, inputs: Mapping[str, str], candidates: Mapping[str, DescribedCandidate]
) -> dict[str, Any]:
    """Return what a report says of how its transcripts came about: versions, and hashes of models and prompts.

    ``system_prompts`` are the hashes of what each candidate may put before the conversation, by pattern.
    """
    study, references = resources.plan.study, resources.references
    microcosm = any(spec.ref == "micro" for spec in references)
    reasons = map(why_not_reproducible, references.values())
    return {
        **versions(("torch", "transformers", "peft", "trl", "langgraph", "numpy")),
        "model": study.model.in_words,
        "microcosm": microcosm,
        "not_reproducible": list(dict.fromkeys(reason for reason in reasons if reason)),
        **({} if study.remark is None else {"remark": study.remark}),
        **({"ablation": ablation()} if microcosm else {}),
        "inputs": inputs,
        "raters": rater_records(resources.raters),
        "templates": {name: facts.in_words() for name, facts in template_facts(references).items()},
        **training_provenance(resources),
        "prompts": prompt_hashes(),
        "system_prompts": {name: hashes for name, c in candidates.items() if (hashes := c.prompt_hashes)},
    }


def training_provenance(resources: Resources) -> dict[str, Any]:
    """Return who picked the training dialogues, and what was kept out of them; nothing where a study trains none."""
    training = resources.plan.study.training
    if training is None:
        return {}
    return {"training_rater": _trainer_in_words(resources), "held_out_share": training.held_out_share}


def _trainer_in_words(resources: Resources) -> str:
    study, identity = resources.plan.study, resources.trainer.identity
    named = study.training
    name = named.rater.label if named is not None and named.rater is not None else study.raters[0].label
    return f"{name} {identity.version}"
