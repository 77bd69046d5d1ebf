"""Stand-ins: a base with random weights, a word tokenizer and marked template; people who talk without any model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.adapters.dialogues.export import ChatLine, ModelOrigin, Origin, RaterOrigin, TrainingDialogue
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.agents.raters.protocol import EXPRESSED, Passage, RaterIdentity, Rating, Scale, expressed
from holdfast.core.errors import ModelError
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext
from tests.passages import reply_of

TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>"
    "{% generation %}{{ message['content'] }}<|end|>{% endgeneration %}"
    "{% else %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WORDS = (
    "hi hello i feel anxious tired about the budget report deck plan bug test am so sorry that makes you what is it "
    "how do fix find first then try thanks helps for to of and a in my your can help me sort "
    "slides write down see . , ?"
)


def build_base(folder: Path, *, hidden: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """Write a random Llama with its tokenizer to ``folder``, as ``from_pretrained`` reads it."""
    import torch
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    vocabulary = {word: i for i, word in enumerate([*special, *dict.fromkeys(WORDS.split())])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"[.,?]"), behavior="isolated")]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="<unk>",
        pad_token="<pad>",
        eos_token="<|end|>",
        additional_special_tokens=special[3:],
    )
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=1024, tie_word_embeddings=True,
        pad_token_id=0, eos_token_id=2, bos_token_id=None, initializer_range=0.2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def persona(id: str, task: str = "alpha", **fields: object) -> Persona:
    about = {
        "goals": [{"id": "g", "need": "sort the slides", "topic": f"the {id} deck"}],
        "topics": [f"the {id} report"],
    }
    plain = {"name": "N", "background": "b", "speech": "plain", "feelings": ["anxious", "tired"], "desired_empathy": 2}
    return Persona.model_validate({"id": id, "task": task, **about, **plain, **fields})


def task(id: str, pattern: str, word: str) -> TaskContext:
    words = {"topics": [f"the {word} plan", f"the {word} bug", f"the {word} test"]}
    needs = {"needs": [f"fix the {word}", f"find the {word}", f"plan the {word}"]}
    return TaskContext.model_validate(
        {"id": id, "title": word, "description": word, "assumption": "a", "pattern": pattern, **words, **needs}
    )


def pattern(id: str, *target: float) -> EmpathyPattern:
    levels = dict(zip(("emotional_reaction", "interpretation", "exploration"), target, strict=True))
    plain = {"title": "t", "description": "d", "assumption": "a", "advice": 0}
    return EmpathyPattern.model_validate({"id": id, "target": levels, **plain})


@dataclass
class ScriptedModel:
    """Answers what it heard last with one of ``replies``, drawn by the seed; ``{topic}`` is the last one heard."""

    replies: Sequence[str] = ("i am so sorry about {topic} .", "ok .")
    broken: Callable[[GenerationRequest], bool] = lambda request: False
    asked: list[GenerationRequest] = field(default_factory=list)
    id: str = "scripted"

    async def generate(self, request: GenerationRequest) -> Generation:
        self.asked.append(request)
        if self.broken(request):
            raise ModelError("the model went away")
        topics = re.findall(r"the \w+ (?:deck|report)", request.messages[-1].content.lower())
        reply = self.replies[request.seed % len(self.replies)]
        return Generation(reply.format(topic=topics[-1] if topics else "it"), 1, 1)


@dataclass(frozen=True)
class SorryRater:
    """Emotional reaction 2 for "sorry", else 0; nothing else ever."""

    identity: RaterIdentity = RaterIdentity("sorry", "1")
    scale: Scale = EXPRESSED

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return [expressed(2.0 if "sorry" in reply_of(passage) else 0.0, 0.0, 0.0) for passage in passages]


def training_dialogue(index: int, *, person: str = "ana", turns: int = 3) -> TrainingDialogue:
    """One that a model of the fixture's words can learn from in a few steps."""
    said = ("i feel anxious about the report .", "how do i sort the slides ?", "thanks that helps .")
    replies = ("i am so sorry .", "first try the plan .", "i am so sorry about that .")
    lines = [
        ChatLine(role=role, content=text[(index + turn) % 3])
        for turn in range(turns)
        for role, text in (("user", said), ("assistant", replies))
    ]
    origin = Origin(
        pattern="warm",
        split_seed=0,
        samples=2,
        min_adherence=0.7,
        prompt_sha256="0" * 64,
        model=ModelOrigin(id="scripted"),
        rater=RaterOrigin(id="sorry", version="1"),
    )
    return TrainingDialogue(
        id=f"warm/{person}/{index}",
        persona=person,
        task="alpha",
        seed=index,
        messages=tuple(lines),
        turns=(),
        origin=origin,
    )
