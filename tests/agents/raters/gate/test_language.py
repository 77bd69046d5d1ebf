"""English is known without the library, other languages by it; what is too short to tell is left to the rater."""

import pytest

from holdfast.agents.raters.gate.language import ENGLISH, unknown_language
from holdfast.agents.raters.gate.reading import ReplyText

OTHERS = {
    "es": "Eso suena muy difícil, ¿quieres contarme más?",
    "de": "Das klingt wirklich schwer. Willst du mehr erzählen?",
    "fr": "Bien sûr, je peux vous aider avec votre facture.",
    "it": "Sembra molto difficile, vuoi raccontarmi?",
    "pt": "Isso parece muito difícil, quer me contar mais?",
    "nl": "Natuurlijk help ik je met de rekening.",
    "pl": "To brzmi naprawdę ciężko, chcesz opowiedzieć?",
    "tr": "Bu gerçekten zor olmal\u0131, anlatmak ister misin?",
    "zh": "\u542c\u8d77\u6765\u771f\u7684\u5f88\u96be\u53d7, \u4f60\u613f\u610f\u591a\u8bf4\u4e00\u70b9\u5417?",
    "ru": "Это звучит очень тяжело.",
}


@pytest.mark.parametrize("language", OTHERS)
def test_another_language_is_named(language: str) -> None:
    reply = ReplyText(OTHERS[language])
    assert unknown_language(reply, ENGLISH) == f"in a language that the rater does not know ({language})"
    assert unknown_language(reply, {"en", language}) == ""


@pytest.mark.parametrize(
    "text",
    [
        "I'm so sorry to hear that.",
        "Regression in regex tokenizer config. Pin numpy, rerun pytest.",
        "Restart router; check DSL light.",
        "hey, wanna talk? im here for ya if ya want!",
        "Hm.",
        "Guten Tag",  # two words: nobody can tell
        "",
        "\U0001f44d 42",
    ],
)
def test_english_and_what_is_too_short_pass(text: str) -> None:
    assert unknown_language(ReplyText(text), ENGLISH) == ""
