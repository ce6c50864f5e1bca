"""The contract of an agent: `async (View) -> Answer`. A policy, a model, a person, a team: all are agents."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import numpy as np

from commonage.errors import Unreadable
from commonage.game import Game, Question


class Said(NamedTuple):
    """A sentence said aloud; kept under (match, step, seat), handed on as quoted data."""

    step: int
    round: int
    seat: int
    text: str


class Answer(NamedTuple):
    """What an agent answers: a move, or a text whose last line is read strictly as one."""

    move: int | None = None
    text: str = ""  # the answer as it was given; read when `move` is None
    says: str = ""  # the sentence, where the move is "in words"
    memory: Any = None  # handed back in the next View
    refused: str = ""  # why the agent will not answer: a failure with this cause, never a move
    usage: dict[str, float] = {}  # calls, tokens, cost, seconds


@dataclasses.dataclass(frozen=True)
class View:
    """What a seat gets when it is asked. Words and sight say the same."""

    game: Game
    state: Any  # NumPy; for the words only: an agent reads `rules`, `facts`, `sight`
    place: int  # the seat's place in the game, 0-based: index into sights
    seat: int  # the seat's place in the seat list, from 1: how a person would name it
    step: int
    round: int  # from 1
    which: int
    legal: np.ndarray  # bool[question.size]
    sights: dict[str, Any]  # by layer, rows of all places: read your own with `sight`
    key: np.ndarray  # uint32[2]: (seat, count of this layer's questions)
    memory: Any = None
    heard: tuple[Said, ...] = ()
    attempt: int = 0  # how often this question was asked before
    problem: str = ""  # why the last answer could not be read

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.game.questions[self.which]

    @functools.cached_property
    def rules(self) -> str:
        """The rules in words, as this seat reads them."""
        return self.game.rules(self.place)

    @functools.cached_property
    def facts(self) -> str:
        """What this seat sees now, in words."""
        return self.game.tell(self.state, self.place)

    @property
    def options(self) -> tuple[str, ...]:
        """The legal moves in words."""
        return tuple(self.question.say(int(i)) for i in np.flatnonzero(self.legal))

    def sight(self, layer: str) -> Any:
        """This seat's row of a layer's sight; None where the layer is absent."""
        import jax

        return jax.tree.map(lambda rows: rows[self.place], self.sights.get(layer))

    def json(self) -> dict[str, Any]:
        """The View as a remote agent gets it."""
        question = self.question
        return {
            "seat": self.seat,
            "round": self.round,
            "step": self.step,
            "rules": self.rules,
            "facts": self.facts,
            "question": {"name": question.name, "unit": question.unit, "speech": question.speech},
            "options": list(self.options),
            "heard": [said._asdict() for said in self.heard],
            "memory": self.memory,
            "attempt": self.attempt,
            "problem": self.problem,
        }


Agent = Callable[[View], Awaitable[Answer]]


def read(view: View, text: str) -> int:
    """The move that the last line of `text` names: exactly one legal option, or one number within the range.

    Raises Unreadable with the reason that the seat is told.
    """
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        raise Unreadable("the answer was empty")
    question, last = view.question, lines[-1].rstrip(".")
    if question.options:
        move = next((i for i, option in enumerate(question.options) if option.lower() == last.lower()), None)
        rule = "one of: " + ", ".join(view.options)
    else:
        number = re.fullmatch(r"[+-]?\d+", last)
        move = int(last) - question.amount[0] if number else None
        rule = f"one whole number of {question.unit or 'units'}, {_range(view)}"
    if move is None or not 0 <= move < question.size or not view.legal[move]:
        raise Unreadable(f"the last line was {last[:60]!r}; it must be exactly {rule}")
    return move


def _range(view: View) -> str:
    legal = np.flatnonzero(view.legal) + view.question.amount[0]
    return f"{legal[0]} to {legal[-1]}"
