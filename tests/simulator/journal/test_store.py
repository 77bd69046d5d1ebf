from __future__ import annotations

import math
import multiprocessing
import os
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.protocol import Intention
from holdfast.core.errors import InputError, JournalError
from holdfast.simulator.journal.rows import MEASURED_THOUGHTS, row_turn, turn_row
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.records import EpisodeSpec, TurnRecord

RATED = {"linear": expressed(0.1, 0, 2)}
SPEC = EpisodeSpec("amira", "bug_hunt", "base", 1, 3)


def record(turn: int, *, stop: str | None = None, text: str = "hm") -> TurnRecord:
    said = Intention("feel", feeling="anxious")
    return TurnRecord(
        SPEC.id,
        turn,
        text,
        said,
        "ok",
        {"linear": expressed(0.1, 0, 2)},
        {"interest": 3.3},
        50.0,
        {"turns": turn},
        stop=stop,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with one episode of two turns."""
    path = tmp_path / "journal.sqlite"
    with Journal.create(path, {"study": "{}"}) as journal:
        journal.plan([SPEC])
        journal.append(record(1))
        journal.append(record(2))
    return path


def test_measurement_reads_what_it_needs_of_a_users_states(path: Path) -> None:
    state = {"desired": 3.0, "topics_left": ["a", "b"], "turns": 9}
    with Journal.resume(path) as journal:
        for turn in (3, 4):
            journal.append(replace(record(turn), state=state))
        (whole,), (lean,) = journal.episodes(), journal.episodes(measured=True)
    assert [turn.state for turn in lean.turns] == [{"desired": None}, {"desired": None}, {"desired": 3.0}, state]
    assert [replace(turn, state={}) for turn in lean.turns] == [replace(turn, state={}) for turn in whole.turns]


def test_what_goes_in_comes_out(path: Path) -> None:
    with Journal.resume(path) as journal:
        journal.append(record(3, stop="max turns"))
        assert journal.meta() == {"study": "{}", "episodes": "1"}
        assert journal.ended() == {SPEC.id}
        assert journal.count() == (3, 1, 0)
    (episode,) = read_episodes(path)
    assert episode.spec == SPEC
    assert episode.turns == (record(1), record(2), record(3, stop="max turns"))


numbers = st.floats(0, 5, allow_nan=False)


@settings(max_examples=200)
@given(st.text(), st.text(), st.tuples(numbers, numbers, numbers), numbers, st.none() | st.text())
def test_a_row_keeps_every_bit(
    user: str, reply: str, levels: tuple[float, float, float], felt: float, word: str | None
) -> None:
    said = Intention("tell", feeling=word, topic=word)
    state = {"felt_mean": felt, "goals_left": [user]}
    ratings = {
        "linear": expressed(*levels),
        user: Rating({}, missing=reply or "none", repaired=1, tokens=(3, 4)),
        f"{user}2": Rating({reply: felt}, evidence=user),
    }
    turn = TurnRecord(
        "e", 1, user, said, reply, ratings, {"interest": felt}, felt, state, word, word, word, (3, 4), (user, reply)
    )
    turn = replace(turn, thoughts=user, outcome="cut", calls=7)
    again = row_turn(turn_row(turn))
    assert again == turn
    assert list(again.ratings) == list(ratings)  # the first is the primary one


def test_an_undefined_number_stays_undefined() -> None:
    turn = TurnRecord("e", 1, "a", Intention("open"), "b", RATED, {"interest": math.nan}, 1.0, {})
    assert math.isnan(row_turn(turn_row(turn)).felt["interest"])


OLD_SCHEMA = """
DROP TABLE turns;
ALTER TABLE meta DROP COLUMN digest;
ALTER TABLE episodes DROP COLUMN digest;
CREATE TABLE turns (
    episode TEXT NOT NULL, turn INTEGER NOT NULL, user TEXT NOT NULL, said TEXT NOT NULL, reply TEXT NOT NULL,
    expressed TEXT NOT NULL, felt TEXT NOT NULL, emotion REAL NOT NULL, state TEXT NOT NULL, adapter TEXT,
    recognised_task TEXT, stop TEXT, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (episode, turn)
);
PRAGMA user_version=1;
"""


def test_a_journal_of_version_1_is_read_and_gone_on_with(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.executescript(OLD_SCHEMA)
        for turn in (1, 2):
            row = (SPEC.id, turn, "a", '{"kind":"open"}', "b", "[0.5,0,2]", "{}", 50.0, "{}", None, None, None, 3, 4)
            db.execute(f"INSERT INTO turns VALUES ({', '.join('?' * len(row))})", row)
    with Journal.read(path) as journal:
        (first, _), ((_, _, _, rating), _) = journal.turns(SPEC.id), journal.ratings()
        assert first.ratings == {"linear": expressed(0.5, 0, 2)}
        assert first.goals_served == ()
        assert rating == expressed(0.5, 0, 2)
        assert [len(episode.turns) for episode in journal.episodes(measured=True)] == [2]
    with Journal.resume(path) as journal:
        journal.append(record(3, stop="max turns"))
        assert journal.turns(SPEC.id)[1:] == (replace(first, turn=2), record(3, stop="max turns"))
    with Journal.read(path) as journal:
        assert journal.count() == (3, 1, 0)


VERSION_2 = """
ALTER TABLE turns DROP COLUMN kept;
ALTER TABLE turns DROP COLUMN calls;
ALTER TABLE turns DROP COLUMN thoughts;
ALTER TABLE turns DROP COLUMN outcome;
ALTER TABLE turns DROP COLUMN digest;
ALTER TABLE meta DROP COLUMN digest;
ALTER TABLE episodes DROP COLUMN digest;
PRAGMA user_version=2;
"""


def test_a_journal_of_version_2_is_read_and_gone_on_with(path: Path) -> None:
    with Journal.resume(path) as journal:
        journal.append(replace(record(3), reply=""))
    with sqlite3.connect(path) as db:
        db.executescript(VERSION_2)
    before = (record(1), record(2), replace(record(3), reply="", outcome="empty"))
    assert read_episodes(path)[0].turns == before
    after = replace(record(4), thoughts="They are sad.", outcome="cut", reply="I am s")
    with Journal.resume(path) as journal:
        journal.append(after)
    assert read_episodes(path)[0].turns == (*before, after)


def test_measurement_reads_the_beginning_of_thoughts(path: Path) -> None:
    with Journal.resume(path) as journal:
        journal.append(replace(record(3), thoughts="Hm. " * 1000))
        journal.append(record(4))
        (whole,), (lean,) = journal.episodes(), journal.episodes(measured=True)
    assert len(whole.turns[2].thoughts) == 4000
    assert lean.turns[2].thoughts == whole.turns[2].thoughts[:MEASURED_THOUGHTS]


def test_text_that_utf8_cannot_hold_costs_no_turn(path: Path) -> None:
    bad = "\ud83d\ude00 \ud800"
    with Journal.resume(path) as journal:
        journal.append(replace(record(3, text=bad), reply=bad, thoughts=bad, ratings={"x": Rating(evidence=bad)}))
        journal.fail(SPEC.id, bad)
        last, causes = journal.turns(SPEC.id)[-1], journal.causes()
    assert {last.user, last.reply, last.thoughts, last.ratings["x"].evidence, *causes} == {"\U0001f600 \ufffd"}


def test_a_turn_is_written_once(path: Path) -> None:
    with Journal.resume(path) as journal:
        with pytest.raises(JournalError, match="refused a turn that is already there"):
            journal.append(record(2, stop="again"))
        assert journal.ended() == set()  # all of the commit is undone
        journal.append(record(3))


def test_failed_episodes_can_be_owed_again(path: Path) -> None:
    with Journal.resume(path) as journal:
        journal.fail(SPEC.id, "no answer")
        assert journal.count() == (2, 0, 1)
        assert journal.owe_failed() == 1
        assert journal.ended() == set()
        assert len(journal.turns(SPEC.id)) == 2


def test_bytes_per_turn_do_not_grow_with_the_conversation(tmp_path: Path) -> None:
    sizes = {}
    for turns in (10, 200):
        path = tmp_path / f"{turns}.sqlite"
        with Journal.create(path, {}) as journal:
            specs = [EpisodeSpec(f"p{n}", "bug_hunt", "base", 1, turns) for n in range(2000 // turns)]
            journal.plan(specs)
            for spec in specs:
                for turn in range(1, turns + 1):
                    journal.append(
                        TurnRecord(
                            spec.id,
                            turn,
                            "x" * 80,
                            Intention("open"),
                            "y" * 80,
                            {"linear": expressed(0, 0, 0)},
                            {},
                            1.0,
                            {},
                        )
                    )
        sizes[turns] = path.stat().st_size / 2000
    assert abs(sizes[200] / sizes[10] - 1) < 0.2


# --- one writer ----------------------------------------------------------------------------------------------------


def _hold(path: Path, ready: multiprocessing.synchronize.Event, done: multiprocessing.synchronize.Event) -> None:
    with Journal.resume(path):
        ready.set()
        done.wait(30)


def test_a_second_writer_is_told_who_writes(path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    ready, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(path, ready, done))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(JournalError, match=rf"another run is writing here \(process {other.pid} on .*, since 20"):
            Journal.resume(path)
        with Journal.read(path) as journal:  # looking on is allowed
            assert journal.count().turns == 2
    finally:
        done.set()
        other.join()
    Journal.resume(path).close()


def test_what_is_read_is_of_one_moment(path: Path) -> None:
    with Journal.resume(path) as writer:
        with Journal.read(path) as journal:
            assert journal.count().turns == 2
            writer.append(record(3, stop="max turns"))
            assert journal.count() == (2, 0, 0)
            assert journal.planned() == (1, 1)
            assert [turn.turn for turn in journal.turns(SPEC.id)] == [1, 2]
        with Journal.read(path) as journal:
            assert journal.count() == (3, 1, 0)
            assert journal.planned() == (1, 0)


def test_the_moment_ends_with_its_block(path: Path) -> None:
    with Journal.resume(path) as writer:
        with pytest.raises(ZeroDivisionError), Journal.read(path) as journal:
            assert journal.count().turns == 2 / 0
        writer.append(record(3))
        with Journal.read(path) as journal:
            assert journal.count().turns == 3


def test_a_dead_writer_lets_go(path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    ready, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(path, ready, done))
    other.start()
    assert ready.wait(30)
    other.kill()
    other.join()
    Journal.resume(path).close()


def test_opening_that_fails_lets_go(path: Path) -> None:
    for _ in range(2):
        with pytest.raises(JournalError, match="already here"):
            Journal.create(path, {})
    Journal.resume(path).close()


VERSION_5 = "ALTER TABLE turns DROP COLUMN kept; PRAGMA user_version=5;"
VERSION_4 = f"{VERSION_5} ALTER TABLE turns DROP COLUMN calls; PRAGMA user_version=4;"


def test_a_journal_of_version_4_keeps_its_digests(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.executescript(VERSION_4)
    with Journal.read(path) as journal:
        assert journal.turns(SPEC.id) == (record(1), record(2))
    with Journal.resume(path) as journal:
        journal.append(replace(record(3, stop="max turns"), calls=5))
    (episode,) = read_episodes(path)
    assert [turn.calls for turn in episode.turns] == [1, 1, 5]


def test_what_an_application_kept_stands_apart_from_thoughts(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.executescript(VERSION_5)
    with Journal.read(path) as journal:
        assert [turn.kept for turn in journal.turns(SPEC.id)] == ["", ""]
    with Journal.resume(path) as journal:
        journal.append(replace(record(3, stop="max turns"), kept='kept {"ticket": 17}'))
    (episode,) = read_episodes(path)
    last = episode.turns[-1]
    assert (last.kept, last.thoughts) == ('kept {"ticket": 17}', record(3).thoughts)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE turns SET kept = 'other' WHERE turn = 3")
    with pytest.raises(JournalError, match=r"turn 3 of the conversation .* is not as it was written"):
        read_episodes(path)


@pytest.mark.parametrize(("turn", "calls"), [(1, 2), (3, 1), (3, 4)])
def test_calls_that_were_changed_are_noticed(path: Path, turn: int, calls: int) -> None:
    with Journal.resume(path) as journal:
        journal.append(replace(record(3, stop="max turns"), calls=5))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE turns SET calls = ? WHERE turn = ?", (calls, turn))
    with pytest.raises(JournalError, match=f"turn {turn} of the conversation .* is not as it was written"):
        read_episodes(path)


# --- files that are not what they should be ------------------------------------------------------------------------


def test_a_foreign_database(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    for opened in (Journal.resume, Journal.read):
        with pytest.raises(JournalError, match="an SQLite file, but not a holdfast journal; choose another --out"):
            opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("version", "age"), [(0, "an older"), (99, "a newer")])
def test_another_version(path: Path, version: int, age: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version={version}")
    with pytest.raises(
        JournalError, match=rf"written by {age} holdfast \(journal version {version}, this one reads 1 to 6\)"
    ):
        Journal.resume(path)


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to look like one" * 30])
def test_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"damaged or not a journal|not a holdfast journal"):
        Journal.resume(path)
    assert path.read_bytes() == content


def test_a_file_that_lost_its_end(path: Path) -> None:
    with Journal.resume(path) as journal:
        for turn in range(3, 400):
            journal.append(record(turn, text="long " * 50))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(JournalError, match=r"damaged or not a journal \(.*\); keep a copy"):
        Journal.resume(path)


def test_a_damaged_page(path: Path) -> None:
    with Journal.resume(path) as journal:
        for turn in range(3, 400):
            journal.append(record(turn, text="long " * 50))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(data)
    with pytest.raises(JournalError, match="damaged or not a journal"):
        Journal.resume(path)


def test_a_damaged_row(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE turns SET said = '{torn' WHERE turn = 2")
    with pytest.raises(JournalError, match="damaged or not a journal"):
        read_episodes(path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no journal here; start a run with holdfast run STUDY\.yaml"):
        Journal.read(tmp_path / "journal.sqlite")


def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(JournalError, match="the run folder cannot be written"):
        Journal.create(Path("/proc/journal.sqlite"), {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(path: Path) -> None:
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert len(read_episodes(path)) == 1  # reading needs no permission to write
        with pytest.raises(JournalError):
            Journal.resume(path)
    finally:
        path.parent.chmod(stat.S_IRWXU)


def test_a_draft_of_a_killed_process_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "journal.new").write_bytes(b"half")
    Journal.create(tmp_path / "journal.sqlite", {}).close()
    assert not (tmp_path / "journal.new").exists()
