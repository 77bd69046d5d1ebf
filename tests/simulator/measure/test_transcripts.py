import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulator.measure.transcripts import transcripts_sha256
from tests.simulator.measure.making import episode

TURN = (1, 1, 1)


def test_by_hand():
    one = episode([TURN], user="é", reply='say "hi"')
    line = b'["routed/ana/0/8/0",1,"\\u00e9","say \\"hi\\""]\n'
    assert transcripts_sha256([one]) == hashlib.sha256(line).hexdigest()
    assert transcripts_sha256([]) == hashlib.sha256().hexdigest()


@given(st.permutations(range(6)))
def test_the_order_of_finishing_does_not_matter(order):
    episodes = [episode([TURN] * (i + 1), persona=f"p{i}", error="gone" if i == 3 else None) for i in range(6)]
    assert transcripts_sha256([episodes[i] for i in order]) == transcripts_sha256(episodes)


def test_words_matter_scores_do_not():
    plain = transcripts_sha256([episode([TURN])])
    assert transcripts_sha256([episode([(0, 0, 0)])]) == plain
    assert transcripts_sha256([episode([TURN], error="late")]) == plain
    assert transcripts_sha256([episode([TURN], reply="Hi")]) != plain
    assert transcripts_sha256([episode([TURN], user="Hello")]) != plain
    assert transcripts_sha256([episode([TURN] * 2)]) != plain
    assert transcripts_sha256([episode([TURN], seed=1)]) != plain


def test_a_failed_episode_counts_with_its_turns():
    assert transcripts_sha256([episode([TURN]), episode([TURN], persona="ben", error="x")]) != transcripts_sha256(
        [episode([TURN])]
    )


def test_twice_the_same_turn_is_an_error():
    with pytest.raises(ValueError, match="turn 1 of episode 'routed/ana/0/8/0' is there twice"):
        transcripts_sha256([episode([TURN]), episode([TURN])])
