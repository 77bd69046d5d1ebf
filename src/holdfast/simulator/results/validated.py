"""Say where a study's raters were never held against people."""

from collections.abc import Iterable

from holdfast.personas.world import shipped_world


def unvalidated(tasks: Iterable[str], languages: Iterable[str] = ()) -> str:
    """Return what the raters' validation says nothing about: own ``tasks``, other ``languages``; "" where nothing.

    Raters were compared with people's labels of peer support, and with a language model's labels of assistants' replies
    (docs/validity.md); neither says how they do in a domain of one's own.
    """
    spoken = [f"the language {each}" for each in sorted(set(languages) - {"en"})]
    own = [*sorted(set(tasks) - set(shipped_world().tasks)), *spoken]
    if not own:
        return ""
    return (
        f"Unvalidated here: no rater was ever held against people in {' and '.join(own)}. Label some replies "
        "(holdfast label RUN) to know how far these figures can be trusted."
    )
