import pytest

from holdfast.personas.schema import TaskContext
from holdfast.simulator.measure.routing_accuracy import routing_accuracy
from tests.simulator.measure.making import episode, rng

TASKS = {
    id: TaskContext(
        id=id, title=id, description="d", assumption="a", pattern=pattern, topics=tuple("abc"), needs=tuple("abc")
    )
    for id, pattern in (("burnout", "companion"), ("team_conflict", "companion"), ("bug_hunt", "solver"))
}
TURN = (1, 1, 1)


def test_by_hand():
    # 2 turns right; 1 turn of the same pattern's other task; 1 turn of another pattern: task 2/4, pattern 3/4
    episodes = [
        episode([TURN] * 2, persona="ana", recognised="burnout"),
        episode([TURN], persona="ben", recognised="team_conflict"),
        episode([TURN], persona="cleo", recognised="bug_hunt"),
        episode([TURN] * 5, persona="ana", candidate="base"),  # recognises nothing: not counted
    ]
    found = routing_accuracy(episodes, TASKS, rng())
    assert (found.accuracy, found.pattern_accuracy, found.n) == (0.5, 0.75, 4)
    assert found.confusion == {"burnout": {"burnout": 2, "team_conflict": 1, "bug_hunt": 1}}
    by_turn = [(point.turn, point.accuracy, point.n) for point in found.accuracy_by_turn]
    assert by_turn == [(1, pytest.approx(1 / 3), 3), (2, 1.0, 1)]
    assert (found.lo, found.hi) == (None, None)  # three people
    more = [episode([TURN] * 2, persona=f"p{n}", recognised="burnout" if n % 2 else "bug_hunt") for n in range(6)]
    found = routing_accuracy(more, TASKS, rng())
    assert 0 <= found.lo <= 0.5 <= found.hi <= 1


def test_nobody_recognises():
    assert routing_accuracy([episode([TURN])], TASKS, rng()) is None
    assert routing_accuracy([], TASKS, rng()) is None


def test_an_unknown_task_is_wrong():
    found = routing_accuracy([episode([TURN], recognised="poetry")], TASKS, rng())
    assert (found.accuracy, found.pattern_accuracy) == (0.0, 0.0)
