"""Coverage is counted by hand on four people."""

from __future__ import annotations

from holdfast.personas.coverage import coverage_of
from holdfast.personas.loading import library

JUN = library()["jun_park"]  # team_conflict, terse; desires 3


def person(**changes: object) -> object:
    return JUN.model_copy(update=changes)


PEOPLE = [
    JUN,
    person(id="a", speech="warm", feelings=("sad", "lonely", "sad")),
    person(id="b", task="burnout", desired_empathy=1, language="es"),
    person(id="c", task="burnout", desired_empathy=2, speech="chatty"),
]


def test_counts_and_holes() -> None:
    covered = coverage_of(PEOPLE, ["burnout", "bug_hunt", "team_conflict"], ["en", "es", "fr"])  # type: ignore[arg-type]
    assert covered.people == 4
    assert (covered.count("burnout"), covered.count(speech="warm"), covered.count(language="es")) == (2, 1, 1)
    assert covered.count("burnout", speech="chatty", language="en", desired=2) == 1
    assert covered.felt("team_conflict") == {"lonely": 2, "ashamed": 1, "sad": 1, "tense": 1}
    assert sum(cell["people"] for cell in covered.as_json()["cells"]) == 4
    assert list(covered.holes()) == [
        "nobody speaks fr",
        "nobody comes for bug_hunt",
        "burnout: nobody speaks plain or warm, nobody desires 3 of 3",
        "team_conflict: nobody speaks plain or chatty, nobody desires 1 or 2 of 3",
    ]
