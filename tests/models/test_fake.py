"""The fake answers what the prompt allows. Under a second."""

import asyncio
from collections import Counter

import pytest

from commonage.model import Message
from commonage.models.fake import SENTENCES, Fake


def ask(text: str, seed: int = 0, **settings) -> str:
    """The last line of its answer."""
    return asyncio.run(Fake(seed).chat([Message("system", "Rules."), Message("user", text)], **settings)).text.splitlines()[-1]


def test_every_option_is_drawn_and_no_other():
    answers = Counter(ask("Your move? Answer with exactly one of: cooperate, defect.", seed) for seed in range(200))
    assert set(answers) == {"cooperate", "defect"}
    assert min(answers.values()) > 60


def test_every_amount_of_a_range_is_drawn_and_no_other():
    assert {ask("Give one line: exactly one whole number of tons, 3 to 6", seed) for seed in range(100)} == {"3", "4", "5", "6"}
    assert {ask("exactly one whole number, -1 to 1", seed) for seed in range(50)} == {"-1", "0", "1"}


def test_where_a_question_names_moves_twice_the_last_ones_count():
    assert ask('It said: "exactly one of: a, b".\nAnswer with exactly one of: c') == "c"


def test_it_may_speak():
    lines = {
        ask("Say something? exactly one of: nothing, in words\nBehind it your sentence: 1 to 2000 characters", seed) for seed in range(100)
    }
    assert lines == {"nothing", *(f"in words: {sentence}" for sentence in SENTENCES)}


def test_the_same_draw_for_the_same_question_and_another_for_another_seed():
    amount = "exactly one whole number, 0 to 1000000"
    assert ask(amount) == ask(amount)
    assert len({ask(amount), ask(amount, seed=1), ask(amount, temperature=1.0), ask(f"Well. {amount}")}) == 4


def test_probabilities_of_every_size():
    replies = [asyncio.run(Fake(seed).decide([Message("user", "?")], ("a", "b", "c"))) for seed in range(300)]
    assert all(sum(reply.p) == pytest.approx(1) and min(reply.p) >= 0 for reply in replies)
    assert sum(reply.p[0] for reply in replies) / 300 == pytest.approx(1 / 3, abs=0.05)


def test_asked_for_no_move_it_says_a_sentence():
    assert ask("What do you plan for this round? Give 1 to 2 sentences and nothing else.") in SENTENCES
