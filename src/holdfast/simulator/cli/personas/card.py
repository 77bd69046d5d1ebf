"""A persona as the command line names and shows it: a card with background, expectations, and goals as a tree."""

import graphlib

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from holdfast.personas.loading import named_persona
from holdfast.personas.schema import Goal, MechanismLevels, Persona
from holdfast.personas.world import World

DESIRED = {1: "little", 2: "some", 3: "much"}


def find_persona(who: str, world: World) -> Persona:
    """Return a persona of the library by id, else the persona of a file, whose task is one of ``world``."""
    return named_persona(who, (), world.tasks)


def persona_card(persona: Persona, world: World) -> Group:
    """Return what ``holdfast persona show`` prints."""
    return Group(
        f"[bold]{escape(persona.name)}[/bold]  ({persona.id})",
        escape(persona.background),
        "",
        _facts(persona, world),
        "",
        goal_tree(persona),
    )


def _facts(persona: Persona, world: World) -> Table:
    pattern, mood = world.pattern_of(persona.task), persona.temperament
    levels = ", ".join(f"{name.replace('_', ' ')} {level:g}" for name, level in pattern.target.model_dump().items())
    scale = " (each 0-2)" if isinstance(pattern.target, MechanismLevels) else ""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, text in (
        ("task", f"{world.tasks[persona.task].title} ({persona.task})"),
        ("pattern", f"{pattern.id}: {levels}, advice {pattern.advice}{scale}"),
        ("desired", f"{persona.desired_empathy} of 3 ({DESIRED[persona.desired_empathy]} empathy)"),
        ("speech", persona.speech),
        (
            "temper",
            f"reactivity {mood.reactivity:g}, stickiness {mood.stickiness:g}, warmth {mood.warmth:g} (each 0-1)",
        ),
        ("patience", f"{persona.patience} poor replies in a row"),
        ("feelings", ", ".join(persona.feelings)),
        ("topics", ", ".join(persona.topics)),
    ):
        table.add_row(label, escape(text))
    return table


def goal_tree(persona: Persona) -> Tree:
    """Return the goals as a tree; each hangs under the last goal that it waits for, and names the others."""
    by_id = {goal.id: goal for goal in persona.goals}
    order = list(graphlib.TopologicalSorter({goal.id: goal.after for goal in persona.goals}).static_order())
    tree = Tree("goals")
    branches: dict[str, Tree] = {}
    for name in order:
        goal = by_id[name]
        parent = max(goal.after, key=order.index) if goal.after else None
        branches[name] = (branches[parent] if parent else tree).add(_label(goal, parent))
    return tree


def _label(goal: Goal, parent: str | None) -> str:
    others = [step for step in goal.after if step != parent]
    also = f"  [dim](also after {', '.join(others)})[/dim]" if others else ""
    return f"[bold]{goal.id}[/bold]: {escape(goal.need)} ({escape(goal.topic)}){also}"
