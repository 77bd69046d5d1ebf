"""Phrases that give a message away as not the user's own.

Narrow on purpose: real people who seek help say "sorry", "you could" and "try" too. ``tests/agents/users/llm`` checks
the rules against what such people wrote.
"""

import re

from holdfast.agents.raters.gate.worded import any_of


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile(any_of(alternatives), re.IGNORECASE | re.MULTILINE)


#: Phrases of a helper: what it is, offers, consolation, questions, advice, lists.
ASSISTS = _any(
    r"\bas an? (?:ai|assistant|(?:large )?language model)\b",
    r"\bI(?:'m| am) an? (?:ai|assistant|(?:large )?language model|chatbot)\b",
    r"\b(?:how|what) (?:can|may|could) I (?:help|assist|support|do for) you\b",
    r"\bI(?:'m| am) here (?:to (?:help|listen|support|assist)|for you)\b",
    r"\bI(?:'d| would| will|'ll| can) be (?:happy|glad) to help\b",
    r"\bI can (?:help|assist|guide|support) you\b",
    r"\blet me help you\b",
    r"\bfeel free to (?:ask|reach|share|tell)\b",
    r"\b(?:I|we)(?:'m|'re| am| are) (?:so |very |really |truly )*sorry (?:to hear|that you|you(?:'re| are)|you feel)\b",
    r"\bsorry (?:to hear (?:that|about|you)|about your)\b",
    r"\bI (?:understand|see|know|hear) (?:how|that|why) you(?:'re| are)? (?:feel|feeling)\b",
    r"\bI (?:\w+ly )?(?:understand|know|get) (?:that feeling|how (?:hard|difficult) (?:that|this|it) is)\b",
    r"\byou must (?:be |have )?(?:feel|felt|feeling)\b",
    r"\byou(?:'re| are) not alone\b",
    r"\bI hope (?:you (?:feel|find|get|can)|things (?:get|go|turn|work))\b",
    r"\bI hope (?:it|this|that) (?:gets|goes) (?:better|well) for you\b",
    r"\bI(?:'ve| have) (?:felt|been) [^.?!]*\btoo\b",
    r"\byour feelings are\b",
    r"\bit(?:'s| is) (?:understandable|normal|natural|okay|ok) (?:that you|to feel|for you)\b",
    r"\b(?:sounds|seems) like you(?:'re| are| have|'ve)?\b",
    r"\bthat (?:must (?:be|feel|have)|sounds (?:so|really|very|like) (?:hard|tough|difficult|painful|a lot|you))\b",
    r"\bwhat (?:part|about it|makes you|is making you)\b[^.?!]*\byou\b[^.?!]*\?",
    r"\b(?:do you want|would you like) (?:me )?to (?:tell|talk|share|say)\b",
    r"\bhow (?:are|do) you (?:feel|feeling)\b",
    r"\bit (?:may|might|can|could) help (?:you )?to\b",
    r"\bhave you (?:tried|considered|thought about|talked to)\b",
    r"\byou (?:should|might want to|may want to|need to try)\b",
    r"\bhere (?:are|is) (?:some|a few|what you)\b",
    r"^\s*(?:1[.)]|[-*\u2022])\s",
)

#: Phrases that reveal the simulation.
LEAKS = _any(
    r"\brole[- ]?play",
    r"\bin character\b",
    r"\bpersona\b",
    r"\bsimulat(?:ed|ion|or)\b",
    r"\b(?:my|the|these) (?:instructions?|prompt|system message)\b",
    r"\bdesired empathy\b",
    r"\bempathy (?:level|score|expectation)",
    r"\bI play (?:a|the) (?:role|part|user|person|character)\b",
    r"\bsense-?7\b",
)

#: Labels of a speaker at the start of a line, and the marks of chat templates.
SPEAKER = _any(
    r"^\W{0,3}(?:user|human|assistant|ai|bot|system|you|me)\W{0,3}:\s",
    r"<\|?/?\w+\|?>",
    r"\[/?INST\]",
)

#: Words expected in a message of thanks, or of goodbye.
COURTESY = {
    "thank": _any(r"\bthank", r"\bappreciate", r"\bgrateful\b", r"\bhelps\b", r"\bhelped\b", r"\bcheers\b"),
    "close": _any(
        r"\b(?:good ?)?bye\b",
        r"\bstop here\b",
        r"\b(?:all|enough|it) for (?:today|now)\b",
        r"\b(?:talk|see you|speak) (?:\w+ )?(?:later|soon|tomorrow)\b",
        r"\b(?:have|got) to go\b",
        r"\bgood night\b",
        r"\btake care\b",
    ),
}
