"""Rehearse what a study will send to the models of this machine: every kind of request must arrive in the prompt.

A chat template may drop a system message without a word, or refuse one. Two candidates would then be compared that got
the same prompt, or every conversation would fail. So candidates, users and judges are asked once, before the first
turn, with models that only record the requests; the real templates render them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.adapters.dialogues.prompting import SteeringPlaces, places_for, steering_prompt
from holdfast.adapters.micro import base_path
from holdfast.agents import registry
from holdfast.agents.assistants.candidates import Router
from holdfast.agents.assistants.exchange_store import StoredExchange
from holdfast.agents.assistants.specs import CandidateSpec, ReminderSpec
from holdfast.agents.models.local.chat_template import ChatTemplate, first_lost
from holdfast.agents.models.local.template_facts import TemplateFacts, facts_of
from holdfast.agents.models.local.template_files import template_of
from holdfast.agents.models.references import LocalReference, ModelReference
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import AssistantView, ChatModel, Generation, GenerationRequest, Message, Sampling
from holdfast.agents.raters.felt.feelers import feeling_raters
from holdfast.agents.raters.protocol import EXPRESSED, Passage, Rater, Rating
from holdfast.agents.raters.registry import RaterResources, build
from holdfast.agents.raters.specs import FittedSpec, RaterSpec
from holdfast.agents.users.llm.agent import ModelUser
from holdfast.agents.users.specs import ModelUsers
from holdfast.core.errors import HoldfastError, InputError, ModelError
from holdfast.personas.schema import EmpathyPattern, TaskContext
from holdfast.simulator.config.plan import Plan

FIRST_TURNS = 3  # that are rehearsed, besides those around a candidate's first reminder
_REPLY = "I see, and I am sorry to hear it. What would help you most?"


@dataclass(frozen=True)
class RecordingModel:
    """Records what it is asked. ``template``: that of the model in whose place it stands; None: it has none here."""

    template: ChatTemplate | None
    sent: list[tuple[Message, ...]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return "rehearsal"

    async def generate(self, request: GenerationRequest) -> Generation:
        """Record the request, and give an answer that any speaker could give."""
        self.sent.append(request.messages)
        return Generation(_REPLY, 1, 1)


async def rehearse_prompts(plan: Plan, references: Mapping[ModelSpec, ModelReference]) -> None:
    """Make sure that what ``plan`` will send to local models arrives in their prompts.

    Raises:
        InputError: a template refuses a request, or drops a part of it; says whose, and what to do.
        ModelError: a template does not end within bounds.
    """
    models = {spec: RecordingModel(await asyncio.to_thread(template_of, ref)) for spec, ref in references.items()}
    if all(model.template is None for model in models.values()):
        return
    stage = _Stage(plan, models)
    for spec in plan.study.candidates:
        await _ask_candidate(stage, spec)
        _check(f"candidate {spec.name!r}", models, references, spec)
    for users in plan.study.users:
        if isinstance(users, ModelUsers):
            await _ask_user(stage, users)
            _check(f"users {users.name!r}", models, references)
    for rater in (*plan.study.raters, *feeling_raters(plan.study.feeler)):
        if rater.models:
            judge = build([rater], RaterResources(models, base_path()))[rater.label]
            await judge.rate([Passage(_talk(2)), Passage(_talk(2), whole=True)])
            _check(f"rater {rater.label!r}", models, references)
    if plan.study.training is not None:
        places, writer = steering_places(plan, references), models[plan.study.training.model or plan.study.model]
        prompts = [steering_prompt(pattern, places) for pattern in _trained_patterns(plan)]
        writer.sent.extend(prompt.around(_talk(turn)[:-1]) for prompt in prompts for turn in (1, 2))
        _check("the steering of training dialogues", models, references)
        _check_training(models[plan.study.model].template)


def template_facts(references: Mapping[ModelSpec, ModelReference]) -> dict[str, TemplateFacts]:
    """Return what the chat template of each local model does by itself, by the model's reference."""
    templates = {spec.ref: template_of(reference) for spec, reference in references.items()}
    return {name: facts_of(template) for name, template in templates.items() if template is not None}


def steering_places(plan: Plan, references: Mapping[ModelSpec, ModelReference]) -> SteeringPlaces:
    """Return where the prompt that steers training dialogues may stand among the messages of their writer.

    Raises:
        ModelError: the writer's chat template does not end within bounds.
    """
    training = plan.study.training
    assert training is not None
    spec = training.model or plan.study.model
    examples = training.examples
    if examples is None:  # the embedded model knows no exchange but those of its world
        examples = spec.ref != "micro" and all(pattern.examples for pattern in _trained_patterns(plan))
    return places_for(template_of(references[spec]), examples)


def _trained_patterns(plan: Plan) -> list[EmpathyPattern]:
    """The patterns that experts are trained for."""
    assert plan.study.training is not None
    asked = {plan.tasks[persona.task].pattern for persona in plan.split.train} if plan.split is not None else set()
    return [plan.patterns[id] for id in sorted(plan.study.training.patterns or asked) if id in plan.patterns]


@dataclass(frozen=True)
class _Stage:
    """What candidates are built from (:class:`holdfast.agents.registry.CandidateResources`), with recording models."""

    plan: Plan
    models: Mapping[ModelSpec, RecordingModel]

    @property
    def tasks(self) -> Mapping[str, TaskContext]:
        return self.plan.tasks

    @property
    def patterns(self) -> Mapping[str, EmpathyPattern]:
        return self.plan.patterns

    @property
    def sampling(self) -> Sampling:
        return self.plan.study.sampling.sampling()

    @property
    def router(self) -> Router:
        return self

    def recognise(self, user_messages: Sequence[str]) -> str:
        """Recognise the task that the rehearsed conversation has."""
        return self.task.id

    @property
    def task(self) -> TaskContext:
        return self.plan.tasks[next(iter(self.plan.personas.values())).task]

    @property
    def tested(self) -> frozenset[str]:
        return frozenset()

    @property
    def exchanges(self) -> tuple[StoredExchange, ...]:
        """Exchanges in the place of those that training will leave."""
        return tuple(
            StoredExchange(situation=f"Somebody said this, number {number}.", reply=_REPLY) for number in range(8)
        )

    def rater(self, spec: RaterSpec) -> Rater:
        """Return the judge with a recording model; in the place of any other rater one that is quickly there."""
        named = build([spec if spec.models else FittedSpec()], RaterResources(self.models, base_path()))
        return next(iter(named.values()))

    def model(self, spec: ModelSpec | None) -> ChatModel:
        return self.models[spec or self.plan.study.model]

    def bears(self, spec: ModelSpec | None, messages: Sequence[Message]) -> bool:
        template = self.models[spec or self.plan.study.model].template
        return template is None or template.bears(messages)


async def _ask_candidate(stage: _Stage, spec: CandidateSpec) -> None:
    """Ask for the first turns, and for those at and after the first reminder, as far as conversations go."""
    candidate = registry.build_candidate(spec, stage)
    every = getattr(spec, "every", 0)
    longest = max(stage.plan.study.all_lengths)
    wanted = {*range(1, FIRST_TURNS + 1), *([every + 1, every + 2] if every else [])}
    for turn in sorted(turn for turn in wanted if turn <= longest):
        task = stage.task if candidate.knows_task else None
        with suppress(HoldfastError):  # what it makes of the answer is not the question
            await candidate.reply(AssistantView("rehearsal", turn, _talk(turn)[:-1], 0, task))


async def _ask_user(stage: _Stage, spec: ModelUsers) -> None:
    """Let a model speak as a user, and judge a reply, twice: the second time it has something to remember."""
    persona = next(iter(stage.plan.personas.values()))
    user = ModelUser(persona, stage.model(spec.model), "rehearsal", spec.sampling.sampling(), 1, spec.window)
    rating = Rating(dict.fromkeys(EXPRESSED.dimensions, 1.0))
    state = user.begin(0)
    for seed in range(2):
        spoken = await user.speak(state, (), seed)
        state = (await user.feel(spoken.state, spoken.said, _REPLY, rating, seed)).state


def _talk(turns: int) -> tuple[Message, ...]:
    """Return ``turns`` messages of a user, each with a reply. No two are the same, so that a lost one is missed."""
    return tuple(
        message
        for turn in range(1, turns + 1)
        for message in (
            Message("user", f"This is what I say at turn {turn}, and it weighs on me."),
            Message("assistant", f"{_REPLY} (That was reply {turn}.)"),
        )
    )


def _check(
    speaker: str,
    models: Mapping[ModelSpec, RecordingModel],
    references: Mapping[ModelSpec, ModelReference],
    candidate: CandidateSpec | None = None,
) -> None:
    """Render what the models were sent, and forget it."""
    for spec, model in models.items():
        requests = dict.fromkeys(model.sent)
        model.sent.clear()
        reference = references[spec]
        if model.template is None or not isinstance(reference, LocalReference):
            continue
        for messages in requests:
            fault = _fault(model.template, messages)
            if fault:
                roles = ", ".join(message.role for message in messages)
                raise InputError(
                    f"{speaker} would not reach its model {spec.in_words}: {fault}. It would be sent the messages: "
                    f"{roles}. {_advice(candidate, messages, reference.path)}"
                )


def _check_training(template: ChatTemplate | None) -> None:
    """Set a dialogue as training does: what the assistant says must be in it as it was said."""
    try:
        if template is not None:
            template.with_spans(_talk(2))
    except ModelError as error:
        raise InputError(f"no adapter can be trained: {error}") from error


def _fault(template: ChatTemplate, messages: tuple[Message, ...]) -> str:
    """Return what keeps a request from its prompt; all that a user or the assistant has said must be in it."""
    try:
        text = template.prompt(messages)
    except ModelError as error:
        return str(error)
    said = [message for message in messages if message.role != "system"]
    lost = first_lost([message.content for message in said], text)
    return "" if lost is None else f"its chat template drops the {said[lost].role}'s message “{said[lost].content}”"


def _advice(candidate: CandidateSpec | None, messages: Sequence[Message], folder: Path) -> str:
    later = any(message.role == "system" for message in messages[1:])
    if later and isinstance(candidate, ReminderSpec) and candidate.where == "system":
        return "Give the candidate 'where: user', which puts reminders into the user's messages; or take another model"
    ways = ["Take another model for it", f"change the chat template in {folder} so that it takes them"]
    if any(message.role == "system" for message in messages):
        ways.insert(0, "Write 'system: fold' at the model, which puts system messages into the user's")
    return f"{', or '.join((ways[0], *(way[0].lower() + way[1:] for way in ways[1:])))}"
