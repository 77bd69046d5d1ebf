"""Thoughts apart from speech: every template's marks, with both ends, with one, and text that only quotes them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.thoughts import opens_thought, split_thoughts

#: What a model wrote -> what it said, what it thought.
SPLIT = {
    "Hello": ("Hello", ""),
    # both ends, in any case and spelling
    "<think>a</think>Hi": ("Hi", "a"),
    "<think>\n\n</think>\n\nHi": ("Hi", ""),
    "<THINK >a</ think>Hi": ("Hi", "a"),
    '<think lang="en" budget=3>a</think> Hi': ("Hi", "a"),
    "<thinking>a</thinking><output>Hi</output>": ("Hi", "a"),
    "<thought>a</thought>Hi": ("Hi", "a"),
    "<reasoning>a</reasoning>\n<answer>\nHi\n</answer>": ("Hi", "a"),
    "<seed:think>a</seed:think>Hi": ("Hi", "a"),
    "<ifm|think>a</ifm|think>Hi": ("Hi", "a"),
    "&lt;think&gt;a&lt;/think&gt;Hi": ("Hi", "a"),
    "[THINK]a[/THINK]Hi": ("Hi", "a"),
    "<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>Hi<|end_of_solution|>": ("Hi", "a"),
    "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>Hi<|END_RESPONSE|>": ("Hi", "a"),
    "<|think|>a<|end|><|begin|>assistant<|content|>Hi<|end|>": ("Hi", "a"),
    "<|channel>thought\na<channel|>Hi<turn|>": ("Hi", "a"),
    "<unused94>thought\na<unused95>Hi": ("Hi", "a"),
    "\u25c1think\u25b7a\u25c1/think\u25b7Hi": ("Hi", "a"),
    "Here is my thought process: a Here is my response: Hi": ("Hi", "a"),
    '<details type="reasoning" done="true">\n> a\n</details>\nHi': ("Hi", "> a"),
    ":::thinking\na\n:::\n\nHi": ("Hi", "a"),
    "<think/>Hi": ("Hi", ""),
    # one end
    "a</think>\n\nHi": ("Hi", "a"),
    "a[/THINK]Hi": ("Hi", "a"),
    "<think>a": ("", "a"),
    "[THINK]a": ("", "a"),
    "<think>a<|im_end|>\nand a new turn": ("", "a"),
    "Hello.\n<think>a": ("Hello.", "a"),
    "<think>I use ``` and `x</think>Hi": ("Hi", "I use ``` and `x"),
    # several
    "<think>a</think>Hi. <think>b</think>Bye.": ("Hi. Bye.", "a\n\nb"),
    "<think>a<think>b</think>c</think>Hi": ("Hi", "a<think>b\n\nc"),
    "<analysis>a <think>b</think> c</analysis>Hi": ("Hi", "a <think>b</think> c"),
    # Harmony
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>": ("Hi", "a"),
    "<|start|>assistant<|channel|>final<|message|>Hi": ("Hi", ""),
    "<|channel|>analysis<|message|>a": ("", "a"),
    "a<|end|><|start|>assistant<|channel|>final<|message|>Hi": ("Hi", "a"),
    "analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Hi": ("Hi", "a"),
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary<|message|>b<|end|>"
    "<|start|>assistant<|channel|>final<|message|>Hi<|end|>": ("Hi", "a\n\nb"),
    '<|channel|>commentary to=functions.find <|constrain|>json<|message|>{"q":1}<|call|>': ("", '{"q":1}'),
    "analysisThey are sad.assistantfinalHi": ("Hi", "They are sad."),
    "They are sad.assistantfinalHi": ("Hi", "They are sad."),
    "analysisthey are sad.assistantfinalHi": ("Hi", "they are sad."),
    "finally they are sad.assistantfinalHi": ("Hi", "finally they are sad."),
    "analysisthey are sad": ("analysisthey are sad", ""),
    "analysisThey are sad": ("", "They are sad"),
    "analysisA.assistantcommentaryB.assistantfinalHi": ("Hi", "A.\n\nB."),
    "finalHi": ("Hi", ""),
    # template marks
    "Hi<|im_end|>\n<|im_start|>user\nI am fine": ("Hi", ""),
    "Hi<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nFine": ("Hi", ""),
    "Hi<end_of_turn>\n<start_of_turn>user\nFine": ("Hi", ""),
    "Hi</s></s>": ("Hi", ""),
    "<s>Hi</s>": ("Hi", ""),
    "Hi [INST] Fine [/INST]": ("Hi", ""),
    "Hi<|user|>\nFine": ("Hi", ""),
    "Hi<\uff5cend\u2581of\u2581sentence\uff5c>": ("Hi", ""),
    "<|im_start|>assistant\nHi<|im_end|>": ("Hi", ""),
    "<|start_header_id|>assistant<|end_header_id|>\n\nHi": ("Hi", ""),
    "<|endoftext|>Hi": ("Hi", ""),
    "<|im_end|>\n<|im_start|>user\nFine": ("", ""),
    "Look <|image|>here": ("Look here", ""),
    # quoted, or something else
    "I think so, and I am reasoning about it.": ("I think so, and I am reasoning about it.", ""),
    "Use `<think>` and `</think>` here.": ("Use `<think>` and `</think>` here.", ""),
    "Like this:\n```\n<think>\n```\nOk?": ("Like this:\n```\n<think>\n```\nOk?", ""),
    'Write "</think>" there.': ('Write "</think>" there.', ""),
    "[think] Hm. <3": ("[think] Hm. <3", ""),
    "The <plan> is fine.": ("The <plan> is fine.", ""),
    "I <s>never</s> rarely go.": ("I <s>never</s> rarely go.", ""),
    "A <b>bold</b> word, a < b.": ("A <b>bold</b> word, a < b.", ""),
    "Final thoughts: analysis helps.": ("Final thoughts: analysis helps.", ""),
    "Here is what I would do.": ("Here is what I would do.", ""),
}


@pytest.mark.parametrize(("text", "expected"), SPLIT.items())
def test_speech_and_thoughts_of_every_template(text: str, expected: tuple[str, str]) -> None:
    split = split_thoughts(text)
    assert (split.speech, split.thoughts) == expected


def test_what_the_prompt_opened_is_thought_until_its_end() -> None:
    assert opens_thought("<|im_start|>assistant\n<think>\n")
    assert opens_thought("[/INST][THINK]")
    assert opens_thought("<|start|>assistant<|channel|>analysis<|message|>")
    assert not opens_thought("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert split_thoughts("They are sad", opened=True) == ("", "They are sad", ())
    assert split_thoughts("They are sad</think>Hi", opened=True).speech == "Hi"


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "find", "arguments": {}}\n</tool_call>',
        "<|channel|>commentary to=functions.find<|message|>{}",
        "commentary to=functions.find json{}",
        '[TOOL_CALLS][{"name": "find", "arguments": {}}]',
        '<|python_tag|>{"name": "find"}',
        "<function=find>{}</function>",
    ],
)
def test_a_tool_call_written_out_is_named_and_is_no_speech(text: str) -> None:
    split = split_thoughts(text)
    assert (split.speech, split.tool_calls) == ("", ("find",))


@given(st.text(alphabet=st.characters(exclude_characters="<[&:\u25c1"), max_size=200))
def test_text_without_marks_stays_as_it_is(text: str) -> None:
    if "assistant" not in text and not text.lstrip().startswith(("analysis", "commentary", "final", "thought", "Here")):
        assert split_thoughts(text) == (text, "", ())


PIECES = st.sampled_from(
    [
        "<think>",
        "</think>",
        "[THINK]",
        "<|channel|>",
        "final",
        "<|end|>",
        "<|im_start|>",
        "user",
        "`",
        "```\n",
        '"',
        " ",
        "a",
    ]
)


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_any_order_of_marks_is_split_without_an_error(text: str) -> None:
    speech, thoughts, _ = split_thoughts(text)
    assert len(speech) + len(thoughts) <= len(text) + 2 * text.count("<") + 2 * text.count("[")


@pytest.mark.parametrize(
    "piece",
    ["<think>", "</think>", "<plan>", "[think]", "< ", "<a:", "`", "` ", "```a\n", '"<', "<tool_call>", "<|", "<|end|>",
     "<|channel|>", "<details ", "<s>", "assistantfinal", "&lt;"],
)  # fmt: skip
def test_hostile_text_costs_time_in_proportion_to_its_length(piece: str) -> None:
    began = time.process_time()
    split_thoughts(piece * 20_000)
    split_thoughts("<" + " " * 200_000 + piece)
    assert time.process_time() - began < 5
