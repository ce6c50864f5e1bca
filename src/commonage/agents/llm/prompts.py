"""All words that we say to models, in one place: facts, and how to answer; never advice. `digest()` goes into the log's header.

What other seats said appears only as quoted data, escaped so that it cannot leave its quotation marks.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from commonage.agent import LONGEST, Said, View
from commonage.model import Message
from commonage.models import decide

LANGUAGE = ContextVar("language", default="en")  # of the table where a seat is asked
TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "gap": "\n\n",  # between the parts of a message
        # once, in front
        "place": "You sit at seat {seat}.",
        "frame": "Turn by turn you are told what you see and are asked one question.",
        "quoting": "What another seat says in words is quoted to you in double quotes. It is that seat's text: in it quotes, backslashes, "
        "line ends and the brackets < > [ ] are written with a backslash.",
        # each turn
        "said": "Seat {seat} said in round {round}: {quote}",
        "more": " (and {count} characters more)",
        "question": "Question: {name}?\n{form}{answer}",
        "reason": "Reason briefly. Then give, alone in the last line, exactly ",
        "bare": "Give one line and nothing else: exactly ",
        "options": "one of: {options}",
        "sentence": "one of: {options}\nBehind '{words}' come a colon and your sentence, in the same line: 1 to {longest} characters",
        "amount": "one whole number{of}, {low} to {high}",
        "unit": " of {unit}",
        "decide": "Question: {name}?",
        "again": "Your answer before this one could not be read: {problem}.",
        # memory kinds
        "summarise": "Sum up what happened so far in 1 to {words} words. From now on your summary is shown to you instead of it.",
        "summary": "Your summary of what happened before:\n{text}",
        "memories": "What you remember:\n{items}",
        "memory": "- {text}",
        "answered": "In round {round}, asked {name}, you answered {answer}.",
        "thought": "In round {round} you concluded: {text}",
        "rate": "{items}\n\nHow important is each of these to you? 1 is not at all, 10 is most. "
        "Give one line and nothing else: {count} whole numbers, 1 to 10, in this order, with spaces between them.",
        "rated": "{number}. {text}",
        "reflect": "What do you conclude from this? Give 1 to {count} lines, one conclusion in each, and nothing else.",
        "plan": "What do you plan for this round? Give 1 to 2 sentences and nothing else.",
        "planned": "Your plan for this round: {text}",
    },
    "ja": {
        "gap": "\n\n",
        # 最初に一度
        "place": "あなたは席{seat}に座っています。",
        "frame": "順番が来るたびに、あなたに見えることが伝えられ、質問が一つ出されます。",
        "quoting": "他の席が言葉で言ったことは、二重引用符で引用されます。それはその席の文章です。その中の引用符、バックスラッシュ、改行、"
        "括弧 < > [ ] はバックスラッシュを付けて書かれます。",
        # 毎回
        "said": "席{seat}の第{round}回の発言: {quote}",
        "more": "（ほかに{count}文字）",
        "question": "質問：{name}？\n{form}{answer}",
        "reason": "簡潔に理由を述べてください。その後、最後の行に、それだけを書いてください：",
        "bare": "一行だけで答えてください：",
        "options": "次のうちの一つ：{options}",
        "sentence": "次のうちの一つ：{options}\n「{words}」の後には、同じ行にコロンとあなたの文を続けます：1～{longest}文字",
        "amount": "{low}から{high}までの整数一つ{of}",
        "unit": "（単位：{unit}）",
        "decide": "質問：{name}？",
        "again": "先ほどの答えは読み取れませんでした: {problem}.",
        # 記憶
        "summarise": "これまでの出来事を{words}語以内でまとめてください。今後は、出来事の代わりにあなたのまとめが示されます。",
        "summary": "これまでの出来事についてのあなたのまとめ：\n{text}",
        "memories": "あなたが覚えていること：\n{items}",
        "memory": "- {text}",
        "answered": "第{round}回、{name}について、あなたは{answer}と答えました。",
        "thought": "第{round}回のあなたの考え：{text}",
        "rate": "{items}\n\nそれぞれはあなたにとってどれほど重要ですか。1は全く重要でない、10は最も重要です。"
        "一行だけで答えてください：この順に、1から10までの整数{count}個を空白で区切って。",
        "rated": "{number}. {text}",
        "reflect": "ここから何が言えますか。一行に一つずつ、1～{count}行で結論だけを書いてください。",
        "plan": "この回に何をするつもりですか。1～2文だけで書いてください。",
        "planned": "この回のあなたの計画：{text}",
    },
}
SUMMARY_WORDS, CONCLUSIONS = 200, 3
PLAIN = re.compile(r"[^ !#-;=?-Z^-~]")  # what may need a backslash: all but harmless ASCII
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # Unicode categories: control, format, surrogate, private, none, separators


def digest() -> str:
    """The hash of every text here, and of what the `decide` routes add: 16 hexadecimal digits."""
    texts = [TEXTS, SUMMARY_WORDS, CONCLUSIONS, decide.MENU, decide.LINE, decide.ASK]
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]


def text(which: str, /, **parts: Any) -> str:
    """One of the texts, filled in."""
    return TEXTS[LANGUAGE.get()][which].format(**parts)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """In this language, as far as the texts here have it."""
    before = LANGUAGE.set(language if language in TEXTS else "en")
    try:
        yield
    finally:
        LANGUAGE.reset(before)


def joined(parts: Iterable[str]) -> str:
    """Parts of a message, those that say something."""
    return text("gap").join(filter(None, parts))


# messages


def system(view: View, persona: str) -> str:
    """Once, in front: the place, the persona, the rules, how others are quoted."""
    frame = [text("frame"), *([text("quoting")] if any(question.speech for question in view.game.questions) else [])]
    return joined([text("place", seat=view.place + 1), persona, view.rules, " ".join(frame)])


def turn(view: View, heard: Iterable[Said], *, verb: str, reasoning: bool) -> str:
    """One turn: what the seat sees and heard, the question, how to answer, and why it is asked again."""
    again = text("again", problem=escaped(view.problem)) if view.problem else ""
    return joined([seen(view, heard), _question(view, verb, reasoning), again])


def seen(view: View, heard: Iterable[Said]) -> str:
    """What the seat sees, and what it heard."""
    return joined([view.facts, "\n".join(map(said, heard))])


def said(sentence: Said) -> str:
    """Somebody's sentence as quoted data."""
    return text("said", seat=sentence.place + 1, round=sentence.round, quote=quoted(sentence.text))


def dialogue(head: str, thread: Iterable[tuple[str, str]], last: str) -> list[Message]:
    """A conversation that ends in a question: turns alternate. What was told without an answer goes with the next question."""
    messages, told = [Message("system", head)], list[str]()
    for asked, answered in (*thread, (last, "")):
        told.append(asked)
        if answered:
            messages += [Message("user", joined(told)), Message("assistant", answered)]
            told = []
    return [*messages, Message("user", joined(told))]


def _question(view: View, verb: str, reasoning: bool) -> str:
    """The question; `decide` lists the options its own way."""
    if verb == "decide":
        return text("decide", name=view.question.name)
    return text("question", name=view.question.name, form=text("reason" if reasoning else "bare"), answer=_answers(view))


def _answers(view: View) -> str:
    """What may be answered."""
    question = view.question
    if question.options:
        options = ", ".join(option for move, option in enumerate(question.options) if view.allows(move))
        if question.speech and view.allows(1):
            return text("sentence", options=options, words=question.options[1], longest=LONGEST)
        return text("options", options=options)
    low, high = (question.say(int(end)) for end in (view.legal.low, view.legal.high))
    return text("amount", of=text("unit", unit=question.unit) if question.unit else "", low=low, high=high)


# quoting


def quoted(sentence: str) -> str:
    """A sentence in double quotes, `LONGEST` characters of it at most: whatever is in it, it stays in one line between them."""
    more = text("more", count=len(sentence) - LONGEST) if len(sentence) > LONGEST else ""
    return f'"{escaped(sentence[:LONGEST])}"{more}'


def escaped(sentence: str) -> str:
    """The sentence with a backslash for whatever could end a quotation, a line, or a message.

    Brackets are among it: servers read `<|im_end|>` or `[/INST]` in a text as the end of a message.
    """
    return PLAIN.sub(lambda found: _escape(found[0]), sentence)


@functools.cache
def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char not in "<>[]" and unicodedata.category(char) not in HIDDEN:
        return char
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return {"\n": "\\n", "\t": "\\t"}.get(char) or "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


# memory


def summary(words: str) -> str:
    """The seat's own summary, in place of what happened."""
    return text("summary", text=words) if words else ""


def memories(items: Iterable[str]) -> str:
    """What the seat remembers, an item a line."""
    lines = [text("memory", text=" ".join(words.splitlines())) for words in items]
    return text("memories", items="\n".join(lines)) if lines else ""


def rate(items: Sequence[str]) -> str:
    """The question how important each item is."""
    lines = [text("rated", number=number, text=" ".join(words.splitlines())) for number, words in enumerate(items, 1)]
    return text("rate", items="\n".join(lines), count=len(items))
