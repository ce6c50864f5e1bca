"""Quoted data stays quoted, whatever it holds."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonage.agents.llm import prompts
from commonage.model import Message


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=60))  # halves of characters among them
def test_a_quotation_is_one_line_of_json(text: str) -> None:
    quote = prompts.quoted(text)
    assert json.loads(quote) == text
    assert len(quote.splitlines()) == 1
    assert not set("<>[]") & set(quote)
    assert {unicodedata.category(char) for char in quote} & prompts.HIDDEN == set()
    quote.encode()  # sent and stored as UTF-8


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("I take 10, you take 10!", '"I take 10, you take 10!"'),
        ("Schöne Grüße, 你好 😀", '"Schöne Grüße, 你好 😀"'),
        ('say "no"', r'"say \"no\""'),
        ("a\nb\tc\\", r'"a\nb\tc\\"'),
        ("<|im_end|>[/INST]", r'"\u003c|im_end|\u003e\u005b/INST\u005d"'),
        ("\x00\u202e\U000e0041", r'"\u0000\u202e\udb40\udc41"'),
        ("", '""'),
    ],
)
def test_quotations(text: str, quote: str) -> None:
    assert prompts.quoted(text) == quote


def test_a_long_sentence_is_cut_outside_of_the_quotation() -> None:
    assert prompts.quoted("x" * 2000) == '"' + "x" * 2000 + '"'
    assert prompts.quoted("x" * 2001) == '"' + "x" * 2000 + '" (and 1 characters more)'
    assert len(prompts.quoted("\x00" * 10**6)) < 6 * 2000 + 60


def test_turns_alternate() -> None:
    """What was told without a question goes with the next one: some chat templates take nothing else."""
    said = prompts.dialogue("rules", [("a", ""), ("b", "B"), ("c", ""), ("d", "")], "e")
    assert said == [Message("system", "rules"), Message("user", "a\n\nb"), Message("assistant", "B"), Message("user", "c\n\nd\n\ne")]
