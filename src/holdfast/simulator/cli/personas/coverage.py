"""``holdfast persona list --coverage``: two tables of what a set of personas covers, and the holes by name."""

from holdfast.personas.coverage import LEVELS, STYLES, PersonaCoverage
from holdfast.simulator.cli.console import print_lines, print_table

_MOST_FEELINGS = 40


def print_coverage(coverage: PersonaCoverage) -> None:
    """Print people by task and trait, by feeling and task, and what nobody covers."""
    tasks: list[str | None] = [*coverage.tasks, None]
    spoken = [language for language in coverage.languages if coverage.count(language=language)]
    rows = [
        [
            task or "all",
            coverage.count(task),
            *(_count(coverage.count(task, speech=style)) for style in STYLES),
            *(_count(coverage.count(task, desired=level)) for level in LEVELS),
            *(_count(coverage.count(task, language=language)) for language in spoken),
            len(coverage.felt(task)),
        ]
        for task in tasks
    ]
    desired = [f"desires {level}" for level in LEVELS]
    columns = ["task", "people", *STYLES, *desired, *spoken, "feelings"]
    print_table(columns, rows, numbers=range(1, len(columns)))
    felt = coverage.felt()
    print_lines("")
    print_table(
        ["feeling", "people", *coverage.tasks],
        [
            [feeling, count, *(_count(coverage.feelings.get((task, feeling), 0)) for task in coverage.tasks)]
            for feeling, count in list(felt.items())[:_MOST_FEELINGS]
        ],
        numbers=range(1, len(coverage.tasks) + 2),
    )
    if len(felt) > _MOST_FEELINGS:
        print_lines(f"and {len(felt) - _MOST_FEELINGS} rarer feelings (--json has all)")
    holes = list(coverage.holes())
    print_lines("\nno holes" if not holes else "\nholes\n" + "\n".join(f"  {hole}" for hole in holes))


def _count(number: int) -> int | None:
    return number or None
