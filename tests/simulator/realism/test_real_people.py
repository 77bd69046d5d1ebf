"""Rules and masks on what real seekers wrote; skipped where the data are not here."""

from __future__ import annotations

import pytest

from holdfast.core.errors import DataError
from holdfast.simulator.realism.talks import real_talks
from holdfast.simulator.results.user_fault_rules import assists_or_leaks
from holdfast.simulator.validation.folder import data_folder

FILES = {
    "esconv_failed/conversations.jsonl": "esconv_failed",
    "ieval/conversations.csv": "ieval",
    "duo/conversations.jsonl": "duo",
}


@pytest.mark.parametrize(("file", "name"), FILES.items())
def test_real_seekers_are_hardly_ever_marked(file: str, name: str) -> None:
    try:
        path = data_folder(None) / file
    except DataError as error:
        pytest.skip(str(error))
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    people = real_talks(path)
    assert people.name == name
    assert people.people >= 17
    messages = [message for talk in people.talks for message in talk.messages]
    assert sum(bool(assists_or_leaks(message)) for message in messages) < 0.01 * len(messages)
