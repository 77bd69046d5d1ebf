import pytest

from holdfast.core.errors import InputError
from holdfast.personas.loading import load_persona

GOOD = """\
id: ana
name: Ana Silva
task: burnout
background: A tester in Recife.
speech: warm
temperament: {reactivity: 0.5}
goals:
  - {id: rest, need: take a break, topic: the long week}
  - {id: talk, need: talk to my boss, topic: my hours, after: [rest]}
feelings: [tired]
topics: [the long week, my hours]
desired_empathy: 3
patience: 4
"""


@pytest.fixture
def good():
    """A valid persona file, of which a test breaks one thing."""
    return GOOD


@pytest.fixture
def faults_of(tmp_path):
    """Write a file and say what load_persona finds in it: ``line:column: message`` for each fault."""

    def faults(content):
        path = tmp_path / "ana.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(InputError) as caught:
            load_persona(path)
        texts = str(caught.value).split("\n")
        assert len(texts) == len(caught.value.faults)
        assert all(text.startswith(f"{path}") for text in texts)
        return [text.removeprefix(f"{path}:").strip() for text in texts]

    return faults
