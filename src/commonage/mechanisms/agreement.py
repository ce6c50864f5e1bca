"""An agreed limit: after each round everybody writes down the limit per seat that was agreed on, if any (Piatti et al. 2024).

There one model reads it out of the conversation and puts it into everybody's memory. Here every seat reads for itself, a
question like any other, and what more than half of them wrote is the agreed limit: where their readings differ there was
no agreement. It binds nobody.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.errors import Unfit
from commonage.game import Legal, Question, base, legal
from commonage.mechanism import Phased, Phases

NONE = -1


class Own(NamedTuple):
    limit: Array  # int32[]: the agreed limit per seat, in the game's own units; -1 none


class Sight(NamedTuple):
    limit: Array  # int32[seats]: the agreed limit, -1 none


class Words(NamedTuple):
    """Templates of one language."""

    question: str
    rules: str
    limit: str
    none: str


WORDS = {
    "en": Words(
        "agreed limit",
        "After each round everybody writes down the limit of {unit} per person and round that was agreed on; {most} means that there "
        "was none. What more than half of them wrote is the agreed limit. It binds nobody.",
        "The agreed limit is {limit} {unit} per person.",
        "No limit is agreed on.",
    ),
    "ja": Words(
        "合意した上限",
        "各回の後に、合意した一人一回あたりの{unit}の上限を全員が書き留めます。{most}は合意がなかったことを意味します。"
        "過半数が同じ数を書けば、それが合意した上限です。拘束力はありません。",
        "合意した上限は一人{limit}{unit}です。",
        "合意した上限はありません。",
    ),
}


class Agreement(Phased):
    """After each round every seat writes down the limit per seat that was agreed on; the highest amount stands for none.

    It goes around a game whose first question is an amount, outside the talk about it: `agreement, talk(when=after)`.
    What more than half wrote holds until it is written down again; `compliance` measures who stays within it.
    """

    game: Any

    languages = tuple(WORDS)

    def check(self) -> None:
        asked = self.game.questions[0]
        if asked.options:
            raise Unfit(
                f"agreement goes around a game that asks for an amount; {base(self.game).name} asks for {' or '.join(asked.options)}"
            )

    @property
    def words(self) -> Words:
        """What it says."""
        return WORDS.get(self.language, WORDS["en"])

    @property
    def own(self) -> tuple[Question, ...]:
        asked = self.game.questions[0]
        return (Question(self.words.question, amount=asked.amount, unit=asked.unit, neutral=asked.size - 1),)

    def begin(self, key: Array) -> Own:
        return Own(jnp.int32(NONE))

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        return jnp.ones(self.seats, bool), legal(self.own[0], self.seats)

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Own, Array]:
        wrote = moves >= 0
        same = (moves[:, None] == moves).sum(-1) * wrote
        most = moves[jnp.argmax(same)]
        agreed = (2 * same.max() > wrote.sum()) & (most < self.own[0].size - 1)
        limit = jnp.where(agreed, most + self.own[0].amount[0], NONE).astype(jnp.int32)
        return Own(limit), jnp.zeros(self.seats, jnp.float32)

    def look(self, state: Phases) -> Sight:
        return Sight(jnp.broadcast_to(state.own.limit, self.seats))

    def numbers(self, state: Phases) -> dict[str, Array]:
        return {"limit": state.own.limit}

    def adds(self, seat: int) -> str:
        asked = self.own[0]
        return self.words.rules.format(unit=asked.unit or "units", most=asked.say(asked.size - 1))

    def reports(self, state: Phases, seat: int) -> str:
        limit, words = int(state.own.limit), self.words
        return words.limit.format(limit=limit, unit=self.own[0].unit) if limit >= 0 else words.none
