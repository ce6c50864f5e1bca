"""One match at a small table, and agents that answer as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from commonage import event, seeds, spec
from commonage.agent import Agent, Answer, View
from commonage.game import Game
from commonage.policy import Policy
from commonage.run import match, seats
from commonage.run.match import Outcome, Past
from commonage.run.study import history

COMMONS = "commons(seats=3,rounds=4,capacity=20)"
DILEMMA = "dilemma(rounds=4)"
KEY = seeds.fold(seeds.root(1), "repeat", 0)

Rows = list[tuple[int, int, int, Any]]  # (step, seat, attempt, event)


class Calls(Agent):
    """Hands every View to a function, and keeps them; what it returns is the answer, what it raises is raised."""

    def __init__(self, answer: Callable[[View], Any], boundary: str = "agent") -> None:
        self.answer, self.boundary, self.views = answer, boundary, list[View]()  # type: ignore[misc]

    async def __call__(self, view: View) -> Any:
        self.views.append(view)
        await asyncio.sleep(0)
        answer = self.answer(view)
        return Answer(text=answer) if isinstance(answer, str) else answer


class Illegal(Policy):
    """In its third move it plays what nobody may."""

    move: int = 7

    def start(self) -> Any:
        return jnp.int32(1)

    def act(self, key: Any, memory: Any, sight: Any, legal: Any) -> Any:
        return jnp.where(memory == 3, self.move, 0), memory + 1


class Played:
    """A match: its rows in the order of play, and its outcome."""

    def __init__(self, rows: Rows, outcome: Outcome) -> None:
        self.rows, self.outcome = rows, outcome

    def of(self, kind: type) -> Rows:
        return [row for row in self.rows if isinstance(row[3], kind)]

    @property
    def moves(self) -> dict[tuple[int, int], int]:
        """By (step, seat)."""
        return {row[:2]: row[3].move for row in self.of(event.Moved)}

    @property
    def rewards(self) -> list[list[float]]:
        return [row[3].rewards for row in self.of(event.Stepped)]

    @property
    def failed(self) -> event.Failed:
        ((*_, failed),) = self.of(event.Failed)
        return failed

    @property
    def past(self) -> Past:
        return history(self.rows)

    def said(self) -> list[tuple[int, int, int, str]]:
        """All rows as comparable text, pauses left out."""
        return sorted((*row[:3], repr(row[3])) for row in self.rows if not isinstance(row[3], event.Paused))


def sit(game: Game, *places: Any) -> list[Agent]:
    """Texts and objects take their seats."""
    return [seats.agent(spec.seats(place)[0] if isinstance(place, str) else place, game) for place in places]


def play(game: str | Game, *places: Any, mechanisms: Any = (), past: Played | None = None, **options: Any) -> Played:
    """One match; of several runs of it the rows of the earlier ones come first, as in the log."""
    game = spec.game(game, mechanisms)
    rows: Rows = list(past.rows) if past else []
    write = lambda *row: rows.append(row)
    before = past.past if past else None
    outcome = asyncio.run(match.play(game, sit(game, *places), KEY, write, past=before, **options))
    return Played(rows, outcome)
