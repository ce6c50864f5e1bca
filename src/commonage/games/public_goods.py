"""The public goods game: what is put into a common pot grows, and is shared by all alike (Isaac & Walker 1988).

Four seats with 20 tokens, ten rounds and a marginal per-capita return of 0.4 are the standard of
Fehr & Gächter 2000.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Ask, Game, Oracle, Question, Turn, everyone
from commonage.part import static


class State(NamedTuple):
    clock: Array  # int32[]: rounds played
    given: Array  # int32[seats]: tokens, last round; -1 before the first and of a retired seat


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    mine: Array  # int32[seats]: tokens that I gave last round, -1 none yet
    given: Array  # int32[seats, seats]: what each seat gave last round, mine too; -1 none


class PublicGoods(Game):
    """Every round each seat splits its tokens between itself and a pot; payoff = kept + mpcr x the pot.

    `mpcr` is the marginal per-capita return: what one token in the pot pays to every seat. A retired
    seat gives nothing and gets nothing.
    """

    seats: int = static(default=4)
    rounds: int = static(default=10)
    endowment: int = static(default=20)
    mpcr: float = 0.4

    spares = True

    def check(self) -> None:
        self.require(self.seats >= 2, "seats", "at least 2")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(1 <= self.endowment < 10_000, "endowment", "between 1 and 9999")
        self.require(self.mpcr >= 0, "mpcr", "at least 0")

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("contribute", amount=(0, self.endowment), unit="tokens"),)

    def start(self, key: Array) -> State:
        return State(jnp.int32(0), jnp.full(self.seats, -1, jnp.int32))

    def ask(self, state: State) -> Ask:
        return everyone(self)

    def look(self, state: State) -> Sight:
        given = jnp.broadcast_to(state.given, (self.seats, self.seats))
        return Sight(jnp.broadcast_to(state.clock, self.seats), state.given, given)

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        here, given = moves >= 0, jnp.maximum(moves, 0)
        clock = state.clock + 1
        return Turn(
            state=State(clock, moves),
            rewards=jnp.where(here, self.endowment - given + self.mpcr * given.sum(), 0).astype(jnp.float32),
            round_over=jnp.array(True),
            ended=jnp.array(False),
            truncated=clock >= self.rounds,
            deeds=jnp.where(here, given / self.endowment, jnp.nan).astype(jnp.float32),
        )

    def facts(self, state: State) -> dict[str, Array]:
        return {"given": state.given, "pot": jnp.maximum(state.given, 0).sum()}

    def rules(self, seat: int) -> str:
        return (
            f"{self.seats} people play {self.rounds} rounds. Every round each gets {self.endowment} tokens and decides, in private "
            f"and at the same time as the others, how many of them to put into a common pot. A token that one keeps is worth 1 point "
            f"to oneself; a token in the pot is worth {float(self.mpcr):g} points to each of the {self.seats}. "
            f"Then everybody learns what each one gave."
        )

    def tell(self, state: State, seat: int) -> str:
        if state.clock == 0:
            return "Round 1. Nobody has given yet."
        lines = [_round(int(state.clock), self.rounds)]
        if state.given[seat] >= 0:
            lines.append(f"Last round you gave {int(state.given[seat])}.")
        others = [f"seat {i + 1} gave {int(x)}" for i, x in enumerate(state.given) if i != seat and x >= 0]
        if others:
            lines.append(f"The others: {', '.join(others)}.")
        return " ".join(lines)

    def scene(self, state: State) -> list[dict[str, Any]]:
        given = np.maximum(state.given, 0)
        full = int(given.sum()) / (self.seats * self.endowment)
        shapes: list[dict[str, Any]] = [
            {"shape": "bar", "x": 0.4, "y": 0.3, "w": 0.2, "h": 0.4, "value": full, "text": str(int(given.sum()))}
        ]
        for i in range(self.seats):
            angle = 2 * np.pi * i / self.seats
            x, y = 0.5 + 0.4 * np.cos(angle), 0.5 + 0.4 * np.sin(angle)
            shapes.append(
                {"shape": "circle", "x": float(x), "y": float(y), "r": 0.06, "fill": "seat", "seat": i, "text": str(int(given[i]))}
            )
        return shapes

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        return self.scene(state)

    def yardsticks(self) -> dict[str, float]:
        return {"welfare": max(self._totals())}

    def oracles(self) -> list[Oracle]:
        none, every = self._totals()
        low, high = ("nobody gives", "all give everything")[:: 1 if none <= every else -1]
        proof = "; the total is linear in the pot"
        return [
            Oracle("welfare_sum", "floor", min(none, every), "bound", low + proof),
            Oracle("welfare_sum", "ceiling", max(none, every), "bound", high + proof),
            Oracle("gain", "floor", min(none, every) / self.seats, "bound", low + proof),
            Oracle("gain", "ceiling", max(none, every) / self.seats, "bound", high + proof),
        ]

    def _totals(self) -> tuple[float, float]:
        """What all earn together in a match when (nobody gives, all give everything).

        A round's total is seats x endowment + (seats x mpcr - 1) x pot, so one of these is the best and the
        other the worst, whatever the mpcr.
        """
        none = float(self.rounds * self.seats * self.endowment)
        return none, none * self.seats * float(self.mpcr)


def _round(clock: int, rounds: int) -> str:
    """Where the match stands: fines and votes may follow the last round."""
    return f"Round {clock + 1}." if clock < rounds else f"The {rounds} rounds are over."
