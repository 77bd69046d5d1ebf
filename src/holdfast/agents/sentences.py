"""Where sentences of a reply end: half a sentence is neither trained on nor gone on from."""

import re

#: What ends a sentence, with the quotes, brackets and stars that close behind it.
_END = re.compile("(?:[.!?\u2026]+[\"'\u201d\u2019\u00bb)\\]*_]*(?=\\s|$))|[\u3002\uff01\uff1f]+")
_NUMBER = re.compile(r"(?:^|\n)[\s*_#>-]*\d{1,3}$")  # before the full stop: a list's number
_SHORT = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|vs|mr|mrs|ms|dr|prof|approx)$", re.IGNORECASE)


def _ends(text: str) -> list[int]:
    """Return where each sentence of ``text`` ends; the number of a list's item and a usual abbreviation end none."""
    ends = []
    for match in _END.finditer(text):
        before = text[: match.start()]
        if match.group()[0] != "." or not (_NUMBER.search(before) or _SHORT.search(before)):
            ends.append(match.end())
    return ends


def whole_sentences(text: str) -> str:
    """Return ``text`` up to the end of its last whole sentence; "" where it holds none.

    A text that ends as a sentence does is returned as it is.
    """
    end = next(reversed(_ends(text)), 0)
    return text if end and not text[end:].strip() else text[:end]


def sentences_in(text: str) -> list[str]:
    """Return the sentences of ``text``, the unfinished one at its end too, without the space around them."""
    starts = [0, *_ends(text)]
    parts = (text[start:end].strip() for start, end in zip(starts, [*starts[1:], len(text)], strict=True))
    return [part for part in parts if part]
