# pyright: strict
"""A seeded stand-in for a model: it answers at random, and only what the prompt says may be answered. For tests and dry runs.

It computes in this process, costs nothing and knows no game. It reads the last message: `exactly one of: a, b`, or `exactly one
whole number of tons, 0 to 25`; to `in words` it adds a sentence. Asked for no move (a plan, a summary) it says a sentence.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from typing import Any

from commonage.model import Message, Model, Reply
from commonage.models.decide import check

MOVES = re.compile(
    r"(?:exactly one of: |次のうちの一つ：)(.+)|exactly one whole number.*, (-?\d+) to (-?\d+)|(-?\d+)から(-?\d+)までの整数"
)  # as agents/llm/prompts.py has it
WORDS = ("in words", "言葉で")
SENTENCES = ("I take my fair share.", "Let us leave some for tomorrow.", "I do as you do.", "I say nothing more.")


class Fake(Model):
    """The same seed, conversation and settings give the same reply."""

    name, verbs, test = "fake", ("chat", "decide"), True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        """A line of reasoning, then the move as the last line."""
        draw = self._draw(messages, settings)
        sentence = draw.choice(SENTENCES)
        moves = _moves(messages[-1].text)
        move = draw.choice(moves) if moves else sentence
        text = f"I could do this or that.\n{f'{move}: {sentence}' if move in WORDS else move}"
        return Reply(text, tokens_in=_tokens(messages), tokens_out=len(text) // 4, counted=False)

    async def decide(self, messages: Sequence[Message], options: Sequence[str], **settings: Any) -> Reply:
        """Probabilities drawn uniformly among all that sum to 1."""
        check(options)
        draw = self._draw(messages, settings)
        masses = [draw.expovariate(1.0) for _ in options]
        p = tuple(mass / math.fsum(masses) for mass in masses)
        return Reply("", p=p, mass=1.0, tokens_in=_tokens(messages), tokens_out=1, counted=False)

    def _draw(self, messages: Sequence[Message], settings: dict[str, Any]) -> random.Random:
        return random.Random(repr((self.seed, [tuple(message) for message in messages], sorted(settings.items()))))


def _moves(question: str) -> Sequence[str | int]:
    """What a question says that may be answered; where it says it twice, the last time counts."""
    options, *ends = (MOVES.findall(question) or [("", "0", "-1")])[-1]
    low, high = [int(end) for end in ends if end] or (0, -1)
    return [option.strip(" .") for option in options.split(",")] if options else range(low, high + 1)


def _tokens(messages: Sequence[Message]) -> int:
    return sum(len(message.text) for message in messages) // 4
