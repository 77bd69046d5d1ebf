"""Names and topic nouns masked, and spelling levelled, so that only the way of speaking tells two sources apart.

What counts as a name or a topic noun is holdfast's assumption, made without a tagger and without knowing whose text a
text is; it is found in both sources together and masked in both:

- **names**: words that mostly begin with a capital where no sentence begins;
- **nouns**: words that stand right after an article, a possessive or a demonstrative in at least a quarter of their
  occurrences ("my sister", "the exam"); this also takes adjectives and vague nouns ("a bit");
- **terms** that the personas themselves name: people of their stories, their topics and those of their goals.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.agents.sentence_frames import BLANK
from holdfast.personas.schema import Persona

NOUN_SHARE, NAME_SHARE = 0.25, 0.5
MASK = "[MASK]"  # the encoder's own token for a word that it is not shown
KNOWN_BY = 5  # people who write a word that a rare neighbour is taken for
LEAST_LETTERS = 4  # of a word whose spelling may be mended

_DETERMINERS = frozenset((
    "a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "this", "that", "these", "those", "some",
    "any", "no", "every", "each", "another",
))  # fmt: skip
_SMALL = frozenset(("from", "of", "at", "in", "and", "with", "to", "for", "on", "i", "me"))
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "`": "'"})
_WORD = re.compile(r"\w+(?:'\w+)*")
_PLACED = re.compile(r"(?P<end>[.!?\n]+)|(?P<word>\w+(?:'\w+)*)")
_LONG = re.compile(r"(\w)\1{2,}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHOUTED = 0.6  # share of capitals among letters from which a message shouts and its capitals name nothing


@dataclass(frozen=True, slots=True)
class Mask:
    """Words, in lower case, that stand for names and topics."""

    words: frozenset[str]

    def tokens(self, text: str) -> list[str]:
        """Return the words of ``text`` in lower case, each run of masked ones as one blank."""
        words: list[str] = []
        for word in masking_words(text):
            if not self.hides(word):
                words.append(word)
            elif words[-1:] != [BLANK]:
                words.append(BLANK)
        return words

    def text(self, text: str) -> str:
        """Return ``text`` as it was written, with :data:`MASK` in the place of each masked word."""
        return _WORD.sub(lambda match: MASK if self.hides(match[0].casefold()) else match[0], _straight(text))

    def hides(self, word: str) -> bool:
        """Return whether a word in lower case is masked, in the plural or the possessive too."""
        bare = word.removesuffix("'s")
        return bare in self.words or bare.removesuffix("s") in self.words

    def share(self, texts: Iterable[str]) -> float:
        """Return the share of all words that are masked, 0-1; nan without a word."""
        hidden = [self.hides(word) for text in texts for word in masking_words(text)]
        return sum(hidden) / len(hidden) if hidden else float("nan")


def masking_words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, apostrophes straight."""
    return _WORD.findall(_straight(text).casefold().replace(BLANK, " "))


def mask_of(texts: Iterable[str], terms: Iterable[str] = ()) -> Mask:
    """Find what to mask in ``texts``, those of both sources; ``terms``: words masked anyway."""
    capital, inside = Counter[str](), Counter[str]()
    ruled, counted = Counter[str](), Counter[str]()
    for text in map(_straight, texts):
        quiet = not _shouts(text)
        before, begins = "", True
        for match in _PLACED.finditer(text):
            if match["end"]:
                before, begins = "", True
                continue
            word = match["word"].casefold()
            counted[word] += 1
            ruled[word] += before in _DETERMINERS
            if not begins and quiet:
                inside[word] += 1
                capital[word] += match["word"][0].isupper()
            before, begins = word, False
    names = {word for word, count in capital.items() if count >= NAME_SHARE * inside[word] and not _is_i(word)}
    nouns = {word for word, count in ruled.items() if count >= NOUN_SHARE * counted[word]} - _DETERMINERS
    return Mask(frozenset(word.removesuffix("'s") for word in {*names, *nouns, *terms} if not _is_i(word)))


def persona_terms(personas: Iterable[Persona]) -> frozenset[str]:
    """Return the words of names, of people and of topics that personas have, articles and possessives left out."""
    phrases: list[str] = []
    for persona in personas:
        phrases += [persona.name, *persona.topics, *(goal.topic for goal in persona.goals)]
        phrases += persona.story.people if persona.story is not None else ()
    words = {word for phrase in phrases for word in masking_words(phrase)}
    return frozenset(words - _DETERMINERS - _SMALL)


def levelled(texts: Sequence[str], persons: Sequence[Hashable]) -> list[str]:
    """Return ``texts`` with their typing taken out: lower case, no punctuation but ends of sentences, no apostrophes,
    no letter more than twice in a row, and rare words spelled as a common one that differs by one letter.

    A word is rare where one person writes it, and common where :data:`KNOWN_BY` do; ``persons``: who wrote each text.
    Sources are given together, so that both are levelled alike.
    """
    plain = [_typed_plainly(text) for text in texts]
    writers: defaultdict[str, set[Hashable]] = defaultdict(set)
    for text, person in zip(plain, persons, strict=True):
        for word in _WORD.findall(text):
            writers[word].add(person)
    common = {word: len(people) for word, people in writers.items() if len(people) >= KNOWN_BY}
    mended = {
        word: _nearest(word, common)
        for word, people in writers.items()
        if len(people) == 1 and len(word) >= LEAST_LETTERS and word.isalpha()
    }
    return [_WORD.sub(lambda match: mended.get(match[0], match[0]), text) for text in plain]


def _nearest(word: str, common: Mapping[str, int]) -> str:
    """Return the commonest word that one letter more, less, other or exchanged makes of ``word``; itself without."""
    halves = [(word[:cut], word[cut:]) for cut in range(len(word) + 1)]
    near = {a + b[1:] for a, b in halves if b} | {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    near |= {a + letter + b[1:] for a, b in halves if b for letter in _LETTERS}
    near |= {a + letter + b for a, b in halves for letter in _LETTERS}
    return max((each for each in near if each in common), key=lambda each: (common[each], each), default=word)


def _typed_plainly(text: str) -> str:
    text = _LONG.sub(r"\1\1", _straight(text).casefold().replace("'", ""))
    return re.sub(r"[^\w\s.!?]+", " ", text)


def _straight(text: str) -> str:
    return text.translate(_APOSTROPHES)


def _shouts(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return sum(map(str.isupper, letters)) > _SHOUTED * max(len(letters), 1)


def _is_i(word: str) -> bool:
    return word == "i" or word.startswith("i'")
