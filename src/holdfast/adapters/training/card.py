"""The card of an expert adapter: what it was trained on in truth, how, and what that does not say."""

from dataclasses import asdict, dataclass

from holdfast.adapters.training.data import AdapterJob, TrainingData
from holdfast.adapters.training.libraries import readme
from holdfast.adapters.training.settings import LoraSettings
from holdfast.core.hashing import file_sha256, weights_sha256
from holdfast.core.wording import how_many


@dataclass(frozen=True, slots=True)
class LossReport:
    """Losses at the first and the last of the ``steps`` that were kept, of ``taken``; ``held_out`` None: of nobody."""

    first: float
    last: float
    steps: int
    taken: int
    held_out: float | None


def expert_card(job: AdapterJob, settings: LoraSettings, data: TrainingData, losses: LossReport) -> str:
    """Return the whole ``README.md``; the store reads its front matter back."""
    base_sha256, dialogues_sha256 = weights_sha256(job.base), file_sha256(job.dialogues)
    trained_on = data.trained_on
    rows = {
        "base": f"{job.base_name} (weights {base_sha256[:12]}…)",
        "dialogues": f"`{job.dialogues.name}` ({dialogues_sha256[:12]}…), written by {data.writer or 'the base'}",
        "trained on": _what(settings, data),
        "left out": trained_on.lost or "nothing",
        "personas trained on": ", ".join(data.people),
        **_held_out(data),
        "held out": f"{data.held_out_share:.0%} of feelings and of sentence frames (names aside) are in no dialogue"
        if data.held_out_share
        else "people only",
        "LoRA": f"rank {settings.rank}, alpha {settings.alpha}, on all linear layers but the output's",
        "training": _how(job, settings, data, losses),
        "numbers": f"the base in {settings.dtype}, the LoRA in float32",
        "assumed": ", ".join(settings.assumed) + " by the base's size" if settings.assumed else "nothing",
        "loss": _loss(settings, losses),
    }
    intro = (
        f"# Expert adapter: {job.name}\n\nA LoRA that gives its base the empathy pattern *{job.dialogues.stem}*, "
        f"without a system prompt. Trained by holdfast on dialogues in which {data.writer or 'the base'}, steered by a "
        "prompt and the best of several samples, talked with simulated people; the prompt was then taken away."
    )
    outro = (
        "Personas that are not named here were never trained on and are fit for testing. The people are simulated: "
        "what holds for them need not hold for yours."
    )
    stored = {"adapter": job.name, "base_sha256": base_sha256, "dialogues_sha256": dialogues_sha256, "seed": job.seed}
    stored |= {"method": settings.method, "trained_on": asdict(trained_on)}
    return readme(job.base_name, "text-generation", settings.method, (intro, outro), rows, holdfast=stored)


def _what(settings: LoraSettings, data: TrainingData) -> str:
    if settings.method == "sft":
        return f"{data.trained_on}; tokens of replies"
    pairs, tokens = how_many(data.trained_on.dialogues, "pair"), how_many(data.trained_on.tokens, "token")
    return f"{pairs} of a kept and a discarded reply, {tokens} of kept replies"


def _held_out(data: TrainingData) -> dict[str, str]:
    """The row on people whose loss decided when to stop, where there are any: they were never learned from."""
    return {"personas held out to know when to stop": ", ".join(data.people_held_out)} if data.held_out else {}


def _how(job: AdapterJob, settings: LoraSettings, data: TrainingData, losses: LossReport) -> str:
    rows = settings.rows_a_pass(data.longest)
    seen = losses.steps / -(-len(data.rows) // settings.batch_size)
    steps = f"{losses.steps} steps of {settings.batch_size} {'dialogues' if settings.method == 'sft' else 'pairs'}"
    parts = [
        f"{steps} (each seen {seen:.1f} times)",
        "AdamW",
        f"learning rate {settings.learning_rate:g} falling to 0 at step {settings.steps}",
        f"seed {job.seed}",
    ]
    if rows < settings.batch_size:
        parts.insert(1, f"gradients of {settings.batch_size // rows} passes of {rows} summed")
    if losses.taken > losses.steps:
        parts.append(f"stopped at step {losses.taken}, the held-out loss was least at {losses.steps}")
    return ", ".join(parts)


def _loss(settings: LoraSettings, losses: LossReport) -> str:
    of = "on assistant tokens only" if settings.method == "sft" else f"DPO's, beta {settings.beta:g} (ln 2 at first)"
    held_out = "" if losses.held_out is None else f", {losses.held_out:.3f} on people held out"
    return f"{losses.first:.3f} at first, {losses.last:.3f} at last{held_out}; {of}"
