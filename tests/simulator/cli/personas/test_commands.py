import json

import pytest

from holdfast.personas.loading import library, load_persona


def test_list_is_a_table_of_all(run):
    code, out, _ = run("list")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["id", "name", "task", "pattern", "desired"]
    assert len(lines) == 1 + len(library())
    assert "jun_park" in out
    assert "companion" in out


def test_list_of_one_task(run):
    code, out, _ = run("list", "--task", "burnout", "--json")
    assert code == 0
    assert {person["task"] for person in json.loads(out)} == {"burnout"}
    assert {person["pattern"] for person in json.loads(out)} == {"companion"}
    worn_out = ["aino_virtanen", "amara_okafor", "dagny_olsen", "hamza_siddiqui", "priya_raman", "viktor_hess"]
    assert run("list", "--task", "burnout", "--quiet")[1].split() == worn_out
    code, out, err = run("list", "--task", "burnot")
    assert (code, out) == (2, "")
    assert "no task 'burnot'; did you mean 'burnout'?" in err


def test_show_draws_the_goals(run):
    code, out, _ = run("show", "hana_kobayashi")
    assert code == 0
    assert "Hana Kobayashi" in out
    assert "coach: emotional reaction 1" in out
    tree = out[out.index("goals") :].splitlines()
    assert [line.rstrip() for line in tree] == [
        "goals",
        "└── scope: mark the scope (the old archive)",
        "    ├── steps: break it into steps (the move plan)",
        "    │   └── risks: list the risks (the lost records)",
        "    └── people: choose the people (the project team)",
        "        └── dates: set the dates (the spring deadline)  (also after steps)",
    ]


def test_every_persona_of_the_library_can_be_shown(run):
    for name, person in library().items():
        code, out, _ = run("show", name)
        assert code == 0
        assert all(f"{goal.id}: {goal.need}" in out for goal in person.goals)


def test_show_a_file_or_say_what_was_meant(run, tmp_path, good):
    (tmp_path / "mine.yaml").write_text(good.replace("Ana Silva", "Ana [red]Silva"))
    code, out, _ = run("show", tmp_path / "mine.yaml")
    assert code == 0
    assert "Ana [red]Silva" in out  # a name is never markup
    assert json.loads(run("show", tmp_path / "mine.yaml", "--json")[1])["desired_empathy"] == 3
    assert run("show", "jun_prak")[0] == 2
    assert "no persona and no file 'jun_prak'; did you mean 'jun_park'?" in run("show", "jun_prak")[2]
    assert "no such file; did you mean 'mine.yaml'?" in run("show", tmp_path / "mien.yaml")[2]


def test_check_says_ok_or_all_faults(run, tmp_path, good):
    (tmp_path / "a.yaml").write_text(good)
    assert run("check", tmp_path) == (0, "ok: 1 persona\n", "")
    assert run("check", tmp_path, "--quiet") == (0, "", "")
    assert json.loads(run("check", tmp_path, "--json")[1]) == {
        "ok": True,
        "personas": 1,
        "faults": [],
        "passed_over": {},
    }
    (tmp_path / "b.yaml").write_text(good.replace("warm", "wram").replace("patience: 4", "patience: 0"))
    code, out, err = run("check", tmp_path)
    assert (code, out) == (2, "")
    places = [line.removeprefix(f"{tmp_path}/").split(": ")[0] for line in err.splitlines()]
    assert places == ["b.yaml:1:5", "b.yaml:5:9", "b.yaml:13:11"]
    code, out, _ = run("check", tmp_path, "--json")
    assert code == 2
    assert [fault["line"] for fault in json.loads(out)["faults"]] == [1, 5, 13]


def test_schema_and_example(run, tmp_path):
    schema = json.loads(run("schema")[1])
    assert "burnout" in schema["properties"]["task"]["examples"]
    assert schema["additionalProperties"] is False
    code, text, _ = run("schema", "--example")
    assert code == 0
    assert text.startswith("# A persona")
    assert "then: holdfast persona talk FILE\n" in text.splitlines(keepends=True)[0]
    (tmp_path / "me.yaml").write_text(text)
    person = load_persona(tmp_path / "me.yaml")
    assert json.loads(run("schema", "--example", "--json")[1]) == person.model_dump(mode="json")


@pytest.mark.parametrize(
    "command", [(), ("list",), ("show",), ("talk",), ("check",), ("schema",), ("new",), ("import",)]
)
def test_help_has_examples(run, command):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "Examples:\n  holdfast persona" in out.replace("\n    ", "\n  ")
