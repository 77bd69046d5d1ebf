"""The marks with which models set thoughts, turns and tool calls apart from speech, as regular expressions.

They are those of chat templates in the field: ``<think>`` and its kin (DeepSeek, Qwen, Seed-OSS, MiniMax), Magistral's
``[THINK]``, Harmony's channels (gpt-oss), Command A, OpenThinker, Gemma, Kimi, Granite, and the forms in which chat
programs save thoughts. :mod:`holdfast.agents.thoughts` says what each does.
"""

import re

_PLAIN = "think|thinking|thoughts?|thought_process|reasoning|reasoning_content|antthinking"
_RARE = (
    "reason|reflection|self_reflection|scratchpad|analysis|monologue|inner_monologue|internal_monologue|inner_thoughts?"
    "|cot|chain_of_thought|deliberation|rationale|plan|planning"
)
_NAME = rf"(?:{_PLAIN}|{_RARE})"
_LESS, _MORE = "(?:<|&lt;)", "(?:>|&gt;)"  # some programs save text escaped
_GAP = r"\s{0,4}"  # bounded, as every repetition here: text from a model may be made to cost time
_SPACE = r"(?:\w{1,20}[:|])?"  # a name space, as in <seed:think>
_BAR, _LOW = "[|\uff5c]", "[_ \u2581]"  # DeepSeek's marks have a full-width bar and a low line of their own
_ROLE = "assistant|model|bot|gpt|ai|chatbot|user|human|system|developer|tool|function|observation|ipython|environment"

#: Groups ``name`` and ``bracket``: forms that count only where their closing mark follows.
_OPEN = "|".join(
    (
        rf"{_LESS}{_GAP}{_SPACE}(?:{_PLAIN}|(?P<name>{_RARE}))(?:\s[^<>&]{{0,200}})?{_MORE}",
        rf"<{_BAR}(?:begin|start){_LOW}(?:of{_LOW})?(?:{_PLAIN}){_BAR}>",
        rf"<{_BAR}(?:{_PLAIN})(?:{_LOW}(?:start|begin))?{_BAR}>",
        rf"<\|channel>{_GAP}(?:thought|analysis)\b\n?|<\|inner_prefix\|>|<unused94>(?:thought\n)?",
        r"\u25c1think\u25b7|(?P<bracket>\[THINK(?:ING)?\])",
    )
)
_CLOSE = "|".join(
    (
        rf"{_LESS}{_GAP}/{_GAP}{_SPACE}(?:{_PLAIN}|(?P<closed>{_RARE})){_GAP}{_MORE}",
        rf"<{_BAR}end{_LOW}(?:of{_LOW})?(?:{_PLAIN}){_BAR}>",
        rf"<{_BAR}/(?:{_PLAIN}){_BAR}>|<{_BAR}(?:{_PLAIN}){_LOW}end{_BAR}>",
        r"<channel\|>|<\|inner_suffix\|>|<unused95>|\u25c1/think\u25b7|\[/THINK(?:ING)?\]|\[BEGIN FINAL RESPONSE\]",
    )
)
_END = (
    rf"<{_BAR}(?:im_end|eot_id|eot|eom_id|end|endoftext|end_of_text|end_of_turn|endofturn|end_of_message|return|call"
    rf"|end{_LOW}of{_LOW}sentence|end_of_turn_token|role_end|eos|eod){_BAR}>"
    r"|<end_of_turn>|<turn\|>|<eos>|<end_of_utterance>|</s>|\[END FINAL RESPONSE\]"
)
_HEADER = "|".join(
    (
        rf"<\|(?:im_start|start_header_id|header_start|start_of_role|start|begin|role_start)\|>{_GAP}(?P<role>{_ROLE})"
        r"(?:\s{1,4}to=[\w.-]{1,80})?(?:<\|(?:end_header_id|header_end|end_of_role|im_sep|role_end)\|>)?",
        rf"(?:<start_of_turn>|<\|turn>){_GAP}(?P<turn>{_ROLE})\b",
        rf"<\|im_(?P<im>{_ROLE})\|>(?:{_GAP}\w{{1,20}}{_GAP}<\|im_middle\|>)?",
        rf"<{_BAR}(?P<speaker>{_ROLE})(?:_token)?{_BAR}>",
        rf"<role>(?P<ling>{_ROLE})</role>|(?P<inst>\[INST\]|<<SYS>>)",
    )
)
#: Harmony. ``to``: a tool that is called.
_CHANNEL = (
    rf"<\|channel\|>{_GAP}(?P<channel>analysis|commentary|final)"
    rf"(?:(?P<to>\s{{1,4}}to=[\w.-]{{1,80}}){_GAP}(?:(?:<\|constrain\|>)?{_GAP}json)?"
    rf"|{_GAP}<\|constrain\|>{_GAP}\w{{0,20}})?{_GAP}(?:<\|message\|>)?"
)
_TOOL = "|".join(
    (
        r"<(?:\w{1,20}:)?(?P<tool>tool_calls?|function_calls?)>.*?(?:</(?:\w{1,20}:)?(?P=tool)>|\Z)",
        rf"<{_BAR}tool{_LOW}calls?(?:{_LOW}section)?{_LOW}(?:begin|start){_BAR}>.*?"
        rf"(?:<{_BAR}tool{_LOW}calls?(?:{_LOW}section)?{_LOW}end{_BAR}>|\Z)",
        r"<\|start_action\|>.*?(?:<\|end_action\|>|\Z)|<function=\w+>.*?(?:</function>|\Z)",
        r"<\|tool_call>.*?(?:<tool_call\|>|\Z)|(?:\[TOOL_CALLS\]|<\|python_tag\|>).*\Z",
    )
)
_MARK = (
    rf"<{_BAR}[\w\u2581./-]{{1,48}}{_BAR}>|<bos>|<pad>|\[/INST\]|<</SYS>>|\A<s>"
    rf"|{_LESS}{_GAP}{_SPACE}{_NAME}{_GAP}/{_GAP}{_MORE}"
)
_QUOTED = "|".join(
    (
        r"(?<!`)(?P<ticks>`+)(?!`)[^\n]{1,200}?(?<!`)(?P=ticks)(?!`)",
        rf"[\"'\u201c\u2018\u00ab](?:{_LESS}|\[){_GAP}/?{_GAP}{_NAME}{_GAP}(?:{_MORE}|\])[\"'\u201d\u2019\u00bb]",
        r"(?!\A)<s>[^<\n]{1,300}</s>",  # struck out, in HTML
    )
)
#: What a mark may begin with: looked at first, since most positions of a text begin none.
_FIRST = "(?=[<&`~\\[\"'\u201c\u2018\u00ab\u25c1])"
_FLAGS = re.IGNORECASE | re.DOTALL | re.MULTILINE

IN_SPEECH = re.compile(
    rf"{_FIRST}(?:(?P<quoted>{_QUOTED})|(?P<open>{_OPEN})|(?P<close>{_CLOSE})|(?P<channels>{_CHANNEL})|(?P<end>{_END})"
    rf"|(?P<header>{_HEADER})|(?P<call>{_TOOL})|(?P<mark>{_MARK}))",
    _FLAGS,
)
IN_THOUGHT = re.compile(
    rf"{_FIRST}(?:(?P<close>{_CLOSE})|(?P<channels>{_CHANNEL})|(?P<end>{_END})|(?P<header>{_HEADER}))", _FLAGS
)
#: The groups of a header that may hold its role.
ROLES = ("role", "turn", "im", "speaker", "ling")
ASSISTANT = frozenset(("assistant", "model", "bot", "gpt", "ai", "chatbot"))
CLOSING = re.compile(_CLOSE, _FLAGS)
ANY_MARK = re.compile(rf"{_MARK}|{_END}", _FLAGS)
NEXT_CHANNEL = re.compile(rf"{_GAP}(?:<\|start\|>{_GAP}assistant[^<]{{0,80}})?<\|channel\|>", re.IGNORECASE)
OPENED_LAST = re.compile(rf"(?:{_OPEN}|<\|channel\|>(?:analysis|commentary)<\|message\|>){_GAP}\Z", _FLAGS)
#: Signs, and what shows that one of them may be a mark: texts without pay for this only.
HINTS = (
    (
        "<",
        re.compile(
            rf"<(?:[|\uff5c]|{_GAP}/?{_GAP}{_SPACE}(?:{_NAME}|tool_|func)|start_of|end_of|turn\||channel\||unused9"
            r"|bos>|pad>|eos>|/?s>|role>|<SYS|details)",
            re.IGNORECASE,
        ),
    ),
    ("&lt;", re.compile(rf"&lt;{_GAP}/?{_GAP}{_SPACE}{_NAME}", re.IGNORECASE)),
    ("[", re.compile(r"\[/?(?:THINK|INST|TOOL_CALLS|BEGIN FINAL)", re.IGNORECASE)),
    ("\u25c1", re.compile("\u25c1/?think")),
    (":::", re.compile(":::think")),
    ("assistant", re.compile("assistant(?:final|analysis|commentary)")),
)
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
#: Harmony with its special tokens taken out: "analysisThey are sad.assistantfinalI am sorry."
STRIPPED_START = re.compile(
    r"(analysis|commentary|final)(?:(?=[^\W\d_])(?![a-z])|(?=[\"'\u201c*#(]|\s{0,4}to=|<\|message\|>)"
    r"|(?<!final)(?=[a-z].*?assistant(?:final|analysis|commentary)))",  # "finally" is a word
    re.DOTALL,
)
STRIPPED_NEXT = re.compile(r"assistant(final|analysis|commentary)")
GRANITE = re.compile(r"Here(?: is|'s) my thought process:(.*?)(?:Here(?: is|'s) my response:|\Z)", re.DOTALL)
#: As Open WebUI and LibreChat save thoughts.
SAVED = re.compile(
    r"<details\b[^>]{0,300}\btype=\"(?:reasoning|tool_calls|code_interpreter)\"[^>]{0,300}>(.*?)(?:</details>|\Z)"
    r"|^:::thinking[ \t]*\n(.*?)(?:^:::[ \t]*$|\Z)",
    _FLAGS,
)
WRAPPED = re.compile(
    r"\s*<(answer|response|final_answer|final|solution|output|reply)>(.*?)(?:</\1>\s*)?\Z", re.IGNORECASE | re.DOTALL
)
TOOL_NAME = re.compile(r"\"name\"\s*:\s*\"([^\"]{1,80})\"|(?:to=|function=|name=\")(?:functions\.)?([\w.-]{1,80})")
