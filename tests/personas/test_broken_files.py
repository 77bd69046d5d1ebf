"""Broken persona files: each gives its exact place and words, and never a traceback."""

import os

import pytest

from holdfast.core.errors import InputError
from holdfast.personas.loading import load_persona

KEYS = (
    "(keys: background, desired_empathy, feelings, goals, id, language, name, patience, speech, story, task, "
    "temperament, topics)"
)
TASKS = (
    "(allowed: bug_hunt, burnout, data_question, draft_feedback, job_interview, learn_skill, plan_project or "
    "team_conflict; your own by --tasks FILE, or in a study by tasks: [FILE])"
)
AN_ID = "lower-case letters, digits and _, beginning with a letter (at most 60)"
NO_TAG = "is not allowed; write a plain value, in quotes where it is text"
A_PERSONA = (
    "a mapping with the keys id, name, task, background, speech, temperament, goals, feelings, topics, "
    "desired_empathy, language, patience, story"
)

# what is replaced in the good file, by what, and the only fault that follows
EDITS = {
    "wrong type": (
        "patience: 4",
        "patience: many",
        "13:11: patience: expected a whole number from 1 to 50, got 'many'",
    ),
    "number in quotes": (
        "patience: 4",
        "patience: '4'",
        "13:11: patience: expected a whole number from 1 to 50, got '4'",
    ),
    "truth for a number": (
        "patience: 4",
        "patience: true",
        "13:11: patience: expected a whole number from 1 to 50, got true",
    ),
    "out of range": ("desired_empathy: 3", "desired_empathy: 4", "12:18: desired_empathy: expected 1, 2 or 3, got 4"),
    "no value": ("patience: 4", "patience:", "13:1: patience: expected a whole number from 1 to 50, got nothing"),
    "level out of range": (
        "reactivity: 0.5",
        "reactivity: 1.5",
        "6:27: temperament.reactivity: expected a number from 0 to 1, got 1.5",
    ),
    "unknown key": ("patience: 4", "colour: red", f"13:1: unknown key 'colour'; remove it {KEYS}"),
    "misspelt key": ("speech: warm", "speach: warm", f"5:1: unknown key 'speach'; did you mean 'speech'? {KEYS}"),
    "misspelt inner key": (
        "reactivity: 0.5",
        "reactvity: 0.5",
        "6:15: unknown key 'reactvity'; did you mean 'reactivity'? (keys: reactivity, stickiness, warmth)",
    ),
    "missing key": ("speech: warm\n", "", "1:1: key 'speech' is missing; add it: plain, warm, terse or chatty"),
    "missing key of a goal": (
        ", topic: the long week}",
        "}",
        "8:5: goals[1]: key 'topic' is missing; add it: text of 1 to 80 characters",
    ),
    "misspelt word": (
        "speech: warm",
        "speech: wram",
        "5:9: speech: expected plain, warm, terse or chatty, got 'wram'; did you mean 'warm'?",
    ),
    "misspelt task": (
        "task: burnout",
        "task: burn_out",
        f"3:7: unknown task 'burn_out'; did you mean 'burnout'? {TASKS}",
    ),
    "bad id": ("id: ana", "id: Ana!", f"1:5: id: expected {AN_ID}, got 'Ana!'"),
    "id twice among goals": ("{id: talk", "{id: rest", "9:10: goal id 'rest' is taken (line 8); rename one"),
    "unknown goal": (
        "after: [rest]",
        "after: [rset]",
        "9:64: no goal 'rset' here; did you mean 'rest'? (goals: rest, talk)",
    ),
    "goal after itself": (
        "after: [rest]",
        "after: [talk]",
        "9:64: goals wait for each other in a circle: 'talk' → 'talk'; remove one 'after'",
    ),
    "circle of goals": (
        "topic: the long week}",
        "topic: the long week, after: [talk]}",
        "8:66: goals wait for each other in a circle: 'rest' → 'talk' → 'rest'; remove one 'after'",
    ),
    "text for a list": ("[tired]", "tired", "10:11: feelings: expected a list of 1 to 12 items, got 'tired'"),
    "list too long": (
        "[tired]",
        f"[{', '.join(f'tired {number}' for number in range(13))}]",
        "10:11: feelings: expected a list of 1 to 12 items, got a list of 13",
    ),
    "text twice in a list": (
        "[tired]",
        "[tired, sad, Tired]",
        "10:24: feelings: 'Tired' is given twice (first in line 10); remove one",
    ),
    "mapping for text": (
        "name: Ana Silva",
        "name: {first: Ana}",
        "2:7: name: expected text of 1 to 40 characters, got a mapping with the key 'first'",
    ),
    "text too long": (
        "name: Ana Silva",
        f"name: {'x' * 41}",
        "2:7: name: expected text of 1 to 40 characters, got 41 characters",
    ),
    "key twice": (
        "patience: 4",
        "patience: 4\npatience: 5",
        "14:1: key 'patience' is given twice (first in line 13); remove one",
    ),
    "anchor": ("[tired]", "&all [tired]", "10:11: anchor &all is not allowed; write the value out where it is needed"),
    "alias": ("[tired]", "*all", "10:11: alias *all is not allowed; write the value out where it is needed"),
    "python object": (
        "name: Ana Silva",
        "name: !!python/object/apply:os.system [echo hello]",
        f"2:7: tag !!python/object/apply:os.system {NO_TAG}",
    ),
    "own tag": ("name: Ana Silva", "name: !env HOME", f"2:7: tag !env {NO_TAG}"),
    "not a number": ("reactivity: 0.5", "reactivity: .nan", "6:27: .nan is not a finite number; write an ordinary one"),
    "endless number": (
        "patience: 4",
        f"patience: {'9' * 5000}",
        "13:11: a number too large to hold; write an ordinary one",
    ),
    "tab": ("\n  - {id: rest", "\n\t- {id: rest", "8:1: not valid YAML: a tab; indent with spaces"),
    "bad indentation": ("speech: warm", "  speech: warm", "5:9: not valid YAML: mapping values are not allowed here"),
    "two documents": (
        "patience: 4\n",
        "patience: 4\n---\nid: eva\n",
        "14:1: a second document begins here; one file holds one: split the file, drop '---'",
    ),
    "impossible escape": (
        "name: Ana Silva",
        'name: "\\UFFFFFFFF"',
        "2:10: not valid YAML: a number or an escape that cannot exist",
    ),
    "hidden in an escape": (
        "name: Ana Silva",
        'name: "Ana\\u202eSilva"',
        "2:7: hidden character U+202E (right-to-left override) is not allowed; delete it",
    ),
    "hidden in the file": (
        "Ana Silva",
        "Ana \u200bSilva",
        "2:11: hidden character U+200B (zero width space) is not allowed; delete it",
    ),
    "control character": (
        "Ana Silva",
        "Ana\x1b[31m",
        "2:10: hidden character U+001B (control character) is not allowed; delete it",
    ),
    "key is a list": ("name: Ana Silva", "[a, b]: c", "2:1: a key must be plain text, such as 'name:'"),
}


@pytest.mark.parametrize("case", list(EDITS))
def test_one_fault_with_its_place_and_words(case, good, faults_of):
    old, new, fault = EDITS[case]
    assert old in good
    assert faults_of(good.replace(old, new, 1)) == [fault]


WHOLE = {
    "empty": (b"", "1:1: the file is empty; it needs 'key: value' lines"),
    "only a comment": (b"# nothing yet\n", "1:1: the file is empty; it needs 'key: value' lines"),
    "only a marker": (b"---\n", f"2:1: expected {A_PERSONA}, got nothing"),
    "a list": (b"- id: ana\n- name: Ana\n", f"1:1: expected {A_PERSONA}, got a list of 2"),
    "text": (b"hello", f"1:1: expected {A_PERSONA}, got 'hello'"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00", "1:1: byte 0x89 is not UTF-8; is this a text file? save it as UTF-8"),
    "latin-1 later on": (
        "id: ana\nname: Zoé".encode("latin-1"),
        "2:9: byte 0xe9 is not UTF-8; is this a text file? save it as UTF-8",
    ),
    "utf-16": ("id: ana".encode("utf-16"), "1:1: byte 0xff is not UTF-8; is this a text file? save it as UTF-8"),
    "zero bytes": (b"id: \x00", "1:5: hidden character U+0000 (control character) is not allowed; delete it"),
    "10 MB": (b"a: b\n" * 2_000_000, "10,000,000 bytes where at most 1,000,000 are read; is this the right file?"),
    "deep nesting": (b"[" * 100_000, "1:33: nested more than 32 levels deep; flatten it"),
    "deep blocks": (b"- " * 100_000, "1:65: nested more than 32 levels deep; flatten it"),
    "too many values": (b"- a\n" * 40_000, "30000:3: more than 30,000 values; split the file"),
}


@pytest.mark.parametrize("case", list(WHOLE))
def test_a_file_that_is_no_persona_at_all(case, faults_of):
    content, fault = WHOLE[case]
    assert faults_of(content) == [fault]


def test_a_yaml_bomb_is_refused_where_it_is_lit(faults_of):
    layers = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9))
    faults = faults_of("l0: &l0 [x, x, x, x, x, x, x, x, x]\n" + layers)
    assert faults == ["1:5: anchor &l0 is not allowed; write the value out where it is needed"]


def test_very_many_faults_are_counted(good, faults_of):
    faults = faults_of(good + "".join(f"extra{n}: 1\n" for n in range(60)))
    assert len(faults) == 51
    assert faults[0].startswith("14:1: unknown key 'extra0'")
    assert faults[-1] == "and 10 more faults; repair these first"


def test_all_faults_of_a_file_come_at_once_in_its_order(good, faults_of):
    broken = good.replace("id: ana", "id: Ana").replace("task: burnout", "task: burnot").replace("[tired]", "[]")
    broken = broken.replace("need: take a break", "ned: take a break").replace("after: [rest]", "after: [nap]")
    assert [fault.split(": ")[0] for fault in faults_of(broken)] == ["1:5", "3:7", "8:16", "9:64", "10:11"]


def test_an_open_bracket_is_told_with_what_was_expected(good, faults_of):
    (fault,) = faults_of(good.replace("[tired]", "[tired"))
    assert fault == "11:7: not valid YAML: expected ',' or ']', but got ':' (while parsing a flow sequence)"


def test_missing_file_guesses_its_neighbour(tmp_path, good):
    (tmp_path / "anna.yaml").write_text(good)
    with pytest.raises(InputError, match=r"ana\.yaml: no such file; did you mean 'anna\.yaml'\?; check the path$"):
        load_persona(tmp_path / "ana.yaml")


def test_what_is_not_an_ordinary_file(tmp_path):
    with pytest.raises(InputError, match="is a folder where a file is expected; name a file in it"):
        load_persona(tmp_path)
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(InputError, match="is a pipe or a device, not a file; save what it gives to a file first"):
        load_persona(tmp_path / "pipe.yaml")
    (tmp_path / "ana.yaml").touch()
    with pytest.raises(InputError, match=r"ana\.yaml/x: cannot be read: Not a directory; check the path"):
        load_persona(tmp_path / "ana.yaml" / "x")
    with pytest.raises(InputError, match="cannot be read: embedded null byte"):
        load_persona("a\0b.yaml")


def test_a_file_that_may_not_be_read(tmp_path, good, monkeypatch):
    (tmp_path / "ana.yaml").write_text(good)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("holdfast.core.files.open_file", refuse)  # root, who may run this, may read everything
    with pytest.raises(InputError, match="cannot be read: Permission denied; check the path and its permissions"):
        load_persona(tmp_path / "ana.yaml")
