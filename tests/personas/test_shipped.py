"""What is shipped is valid, complete, and fit for the embedded model."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

from holdfast import personas
from holdfast.agents.naming import names as is_named
from holdfast.personas.loading import library, load_persona, load_yaml, patterns, tasks
from holdfast.personas.schema import EmpathyPattern, TaskContext
from holdfast.personas.world import shipped_world

HERE = Path(personas.__file__).parent
EXPECTED = {
    "bug_hunt": "solver",
    "data_question": "solver",
    "plan_project": "coach",
    "job_interview": "coach",
    "draft_feedback": "mentor",
    "learn_skill": "mentor",
    "team_conflict": "companion",
    "burnout": "companion",
}
# what the embedded model has learned to name
FEELINGS = """
    anxious tired stuck nervous worried frustrated overwhelmed lost upset angry sad lonely ashamed guilty tense restless
    confused hopeless discouraged afraid disappointed embarrassed exhausted bored hurt jealous numb impatient unsure
    helpless
"""


def test_every_file_validates_and_they_are_all_found():
    people = [load_persona(file) for file in (HERE / "library").glob("*.yaml")]
    contexts = [load_yaml(file, TaskContext) for file in (HERE / "tasks").glob("*.yaml")]
    styles = [load_yaml(file, EmpathyPattern) for file in (HERE / "patterns").glob("*.yaml")]
    assert len(people) == len(library()) >= 48
    assert len(contexts) == len(tasks()) == 8
    assert len(styles) == len(patterns()) == 4


def test_each_task_has_its_pattern_and_six_personas():
    assert {name: shipped_world().pattern_of(name).id for name in tasks()} == EXPECTED
    counts = Counter(persona.task for persona in library().values())
    assert set(counts) == set(tasks())
    assert min(counts.values()) >= 6


def test_every_choice_that_is_ours_says_so():
    for owner in (*patterns().values(), *tasks().values()):
        assert owner.assumption.startswith("holdfast's assumption")


def test_patterns_differ():
    assert len({(pattern.target.as_array(), pattern.advice) for pattern in patterns().values()}) == 4


def test_personas_are_rich_enough_to_talk_for_long():
    for persona in library().values():
        assert 3 <= len(persona.goals) <= 6, persona.id
        assert any(goal.after for goal in persona.goals), persona.id
        assert 2 <= len(persona.feelings) <= 4, persona.id
        assert set(persona.feelings) <= set(FEELINGS.split()), persona.id
        assert 4 <= len(persona.topics) <= 8, persona.id


def test_topics_are_noun_phrases_that_can_be_copied():
    spoken = [topic for persona in library().values() for topic in persona.topics]
    spoken += [goal.topic for persona in library().values() for goal in persona.goals]
    spoken += [topic for task in tasks().values() for topic in task.topics]
    for topic in spoken:
        assert topic.split()[0] in {"the", "my"}, topic
        assert 2 <= len(topic.split()) <= 4, topic
        assert topic.replace(" ", "").isalpha(), topic
        assert topic.isascii(), topic


def test_nobody_is_there_twice():
    people = library().values()
    assert len({persona.name for persona in people}) == len(people)
    assert len({persona.background for persona in people}) == len(people)
    topics = Counter(topic for persona in people for topic in persona.topics)
    assert sum(count > 1 for count in topics.values()) <= 3


def test_desired_empathy_rises_from_solver_to_companion():
    by_pattern = {name: [] for name in patterns()}
    for persona in library().values():
        by_pattern[shipped_world().pattern_of(persona.task).id].append(persona.desired_empathy)
    means = {name: sum(levels) / len(levels) for name, levels in by_pattern.items()}
    assert means["solver"] < means["coach"] < means["companion"]
    assert means["solver"] < means["mentor"] < means["companion"]


def sentences(text):
    return re.findall(r"[^.?!]+[.?!]", text.replace("? ", "?").replace(". ", "."))


def test_examples_share_no_person_topic_or_sentence_with_the_people_who_are_tested():
    people = library().values()
    names = {persona.name for persona in people} | {part for persona in people for part in persona.name.split()}
    topics = {topic for persona in people for topic in persona.topics}
    topics |= {part for persona in people for goal in persona.goals for part in (goal.topic, goal.need)}
    topics |= {phrase for task in tasks().values() for phrase in (*task.topics, *task.needs)}
    phrases = yaml.safe_load((HERE / "phrases" / "en.yaml").read_text(encoding="utf-8"))
    frames = [sentence for kind in phrases["frames"].values() for frame in kind for sentence in sentences(frame)]
    theirs = [re.compile(".+".join(map(re.escape, re.split(r"{[^}]*}", frame)))) for frame in frames]
    fillers = [filler for tone in phrases["tones"].values() for filler in (*tone["before"], *tone["after"])]
    for pattern in patterns().values():
        assert len(pattern.examples) >= 6, pattern.id
        for example in pattern.examples:
            text = f"{example.user} {example.reply}"
            assert not [name for name in names if re.search(rf"\b{re.escape(name)}\b", text)], text
            assert not [topic for topic in topics if is_named(topic, text)], text
            assert not [filler for filler in fillers if filler in text], text
            said = sentences(example.user)  # in no frame of the people's, whatever fills it
            assert not [own for own in said if any(frame.fullmatch(own) for frame in theirs)], text


def test_examples_are_told_apart_and_short():
    shown = [example for pattern in patterns().values() for example in pattern.examples]
    assert len({example.user for example in shown}) == len({example.reply for example in shown}) == len(shown)
    assert max(len(example.reply.split()) for example in shown) <= 45


def test_few_want_something_else_than_their_task_suggests():
    fitting = {"solver": 1, "coach": 2, "mentor": 2, "companion": 3}
    others = Counter(
        p.task for p in library().values() if p.desired_empathy != fitting[shipped_world().pattern_of(p.task).id]
    )
    everyone = Counter(persona.task for persona in library().values())
    assert all(4 * count <= everyone[task] for task, count in others.items()), others
    assert 0 < others.total() <= 5, others


def test_files_are_called_as_what_they_hold():
    for folder in ("library", "tasks", "patterns"):
        for file in (HERE / folder).glob("*.yaml"):
            assert yaml.safe_load(file.read_text(encoding="utf-8"))["id"] == file.stem


def test_the_example_is_valid_and_no_member_of_the_library():
    assert load_persona(HERE / "examples" / "persona.yaml").id not in library()


def test_loading_imports_nothing_heavy():
    code = "import sys, holdfast.personas.loading, holdfast.personas.population_config as p; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "holdfast.personas.loading" in loaded
    assert not {"torch", "numpy", "scipy", "networkx", "transformers", "rich"} & set(loaded)
