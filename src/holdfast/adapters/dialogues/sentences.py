"""Where a reply may end: training on half sentences would teach them."""

import re

#: What ends a sentence, with the quotes, brackets and stars that close behind it.
_END = re.compile("(?:[.!?\u2026]+[\"'\u201d\u2019\u00bb)\\]*_]*(?=\\s|$))|[\u3002\uff01\uff1f]+")
_NUMBER = re.compile(r"(?:^|\n)[\s*_#>-]*\d{1,3}$")  # before the full stop: a list's number
_SHORT = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|vs|mr|mrs|ms|dr|prof|approx)$", re.IGNORECASE)


def whole_sentences(text: str) -> str:
    """Return ``text`` up to the end of its last whole sentence; "" where it holds none.

    The number of a list's item and a usual abbreviation end no sentence. A text that ends as a sentence does is
    returned as it is.
    """
    for match in reversed(list(_END.finditer(text))):
        before = text[: match.start()]
        if match.group()[0] == "." and (_NUMBER.search(before) or _SHORT.search(before)):
            continue
        rest = text[match.end() :]
        return text if not rest.strip() else text[: match.end()]
    return ""
