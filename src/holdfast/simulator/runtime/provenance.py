"""What a report says of how its transcripts came about: versions of packages, hashes of models and prompts."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from holdfast.adapters.micro import ablation
from holdfast.agents.assistants.candidates import DescribedCandidate
from holdfast.agents.prompts import prompt_hashes
from holdfast.agents.raters.protocol import EXPRESSED, Rater
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.results.model import RaterInfo, rater_infos


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Of Python and of these packages."""
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def rater_records(raters: Mapping[str, Rater]) -> list[dict[str, Any]]:
    """What ``run.json`` keeps of the raters, the primary one first: identity, role and scale."""
    return [info.model_dump(mode="json") for info in rater_infos(raters)]


def recorded_raters(provenance: Mapping[str, Any]) -> list[RaterInfo]:
    """The raters of a run, from what its folder kept of them."""
    if "raters" in provenance:
        return [RaterInfo.model_validate(rater) for rater in provenance["raters"]]
    rater = provenance.get("rater") or {"id": "unknown", "version": "unknown"}  # a run before there were witnesses
    return [RaterInfo(name=rater["id"], **rater, role="primary", scale=EXPRESSED)]


def provenance(
    study: StudyConfig,
    refs: Sequence[str],
    raters: Mapping[str, Rater],
    inputs: Mapping[str, str],
    candidates: Mapping[str, DescribedCandidate],
) -> dict[str, Any]:
    """Versions and hashes that the transcripts follow from.

    ``refs``: what the study calls its models; ``inputs``: hashes of their weights, of adapters and raters.
    ``system_prompts`` are the hashes of what each candidate may put before the conversation, by pattern.
    """
    microcosm = "micro" in refs
    return {
        **versions(("torch", "transformers", "peft", "trl", "langgraph", "numpy")),
        "model": study.model.in_words,
        "microcosm": microcosm,
        **({"ablation": ablation()} if microcosm else {}),
        "inputs": dict(inputs),
        "raters": rater_records(raters),
        "prompts": prompt_hashes(),
        "system_prompts": {name: hashes for name, c in candidates.items() if (hashes := c.prompt_hashes)},
    }
