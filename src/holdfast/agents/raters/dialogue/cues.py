"""Word lists that dialogue features count: common words that echo nothing, and cues of six ways to speak.

Written by hand from the questions that the labels ask ("gives advice", "talks about themselves", ...), before any score
was seen; the fit decides what each is worth.
"""

import re

from holdfast.agents.raters.gate.worded import any_of

WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")

#: Words that say nothing about a topic.
COMMON = frozenset(
    re.findall(
        r"\S+",
        """
        a about all also am an and any are as at be been but by can could did do does for from get got had
        has have he her him his how i i'm if in is it it's its just like me my no not now of on one or our
        out she so some should than that that's the their them then there they this to too up us very was we well
        were what when which who will with would yes you your
        """,
    )
)


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"\b{any_of(phrases)}\b")


ADVICE = _any_of(
    "you (?:should|could|can|need|must|might|have to)",
    "try",
    "trying to",
    "maybe you",
    "why don't you",
    "have you (?:tried|thought|considered)",
    "consider",
    "recommend",
    "suggest",
    "advice",
    "advise",
    "make sure",
    "let's",
    "if i were you",
    "what if you",
)
SELF = _any_of("i", "i'm", "i've", "i'd", "i'll", "me", "my", "mine", "myself")
VALIDATION = _any_of(
    "understandable",
    "makes (?:total |perfect )?sense",
    "must (?:be|have been|feel)",
    "sounds? (?:like|so|very|really|hard|tough|difficult|awful|terrible)",
    "valid",
    "of course",
    "natural to",
    "sorry",
    "not alone",
    "i (?:can )?(?:see|hear|understand)",
    "hard",
    "difficult",
    "tough",
)
DISMISSAL = _any_of(
    "just",
    "at least",
    "get over",
    "move on",
    "calm down",
    "don't worry",
    "not (?:that|so) bad",
    "everyone",
    "everybody",
    "could be worse",
    "suck it up",
    "grow up",
    "deal with it",
    "stop",
    "simply",
    "no big deal",
    "whatever",
    "only",
)
THANKS = _any_of("thanks?", "thank you", "appreciate", "grateful")
AGREES = _any_of("yes", "yeah", "yep", "yup", "exactly", "definitely", "absolutely", "true", "you too", "right")
DENIES = _any_of("no", "nope", "not really", "don't", "didn't", "wasn't", "isn't")
POSITIVE = _any_of(
    "happy|glad|great|good|awesome|amazing|wonderful|excited|exciting|fun|love|loved|lovely|nice|proud|joy|cool",
    "congratulations|congrats|thankful|grateful|lucky|best|better|relieved|enjoy|enjoyed|fantastic|perfect|beautiful",
    "hope|confident|content|smile|celebrate|win|won|success|blessed|pleased|yay|wow",
)
NEGATIVE = _any_of(
    "sad|bad|sorry|awful|terrible|horrible|hate|hated|angry|mad|upset|scared|afraid|fear|lonely|alone|lost|lose|hurt",
    "died|death|dead|cry|cried|crying|worried|worry|anxious|nervous|stress|stressed|stressful|hard|tough|difficult",
    "embarrassed|embarrassing|ashamed|guilty|guilt|jealous|disgusted|disgusting|gross|annoyed|annoying|furious",
    "devastated|disappointed|disappointing|worst|worse|sick|pain|cheated|broke|broken|fail|failed|unfortunately|oh no",
    "frustrated|frustrating|terrified|miss|betrayed|fired|stupid",
)
_PUZZLED = _any_of(
    "what do you mean",
    "i don't understand",
    "i just (?:told|said)",
    "i already",
    "as i said",
    "not what i",
    r"confus\w+",
    "makes no sense",
    "doesn't make sense",
    "huh",
)
PUZZLED = re.compile(rf"{_PUZZLED.pattern}|^\W*(?:what|no)\W*$")
