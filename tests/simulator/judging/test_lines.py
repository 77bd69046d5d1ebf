"""A rated reply as a line keeps what the gate saw."""

from holdfast.agents.raters.gate.rater import disqualified
from holdfast.agents.raters.protocol import RaterIdentity, expressed
from holdfast.simulator.judging.lines import RatedLine, to_line, to_rating
from holdfast.simulator.judging.reading import SourcedPassage
from tests.passages import exchange


def test_a_disqualified_reply_stays_one() -> None:
    rating = disqualified(expressed(2, 0, 0), "hostile", "you are a loser")
    cited = SourcedPassage("a.jsonl", 1, 1, exchange("hi", "you are a loser"), "c")
    line = to_line("linear", RaterIdentity("linear", "1"), cited, rating)
    assert to_rating(RatedLine.model_validate_json(line.model_dump_json())) == rating
    assert line.disqualified == "hostile"
