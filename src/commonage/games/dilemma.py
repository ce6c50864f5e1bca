"""The 2x2 game, repeated: the prisoner's dilemma by default, every other by its payoffs."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Ask, Game, Oracle, Question, Turn, everyone
from commonage.part import static

# reward, sucker, temptation, punishment: what a seat gets for CC, CD, DC, DD (Rapoport & Guyer 1966)
NAMED = {
    "prisoners_dilemma": (3.0, 0.0, 5.0, 1.0),
    "stag_hunt": (4.0, 0.0, 3.0, 2.0),
    "chicken": (3.0, 1.0, 4.0, 0.0),
    "harmony": (4.0, 2.0, 3.0, 1.0),
    "deadlock": (2.0, 0.0, 4.0, 3.0),
    "donation": (2.0, -1.0, 3.0, 0.0),
}


class State(NamedTuple):
    clock: Array  # int32[]: rounds played
    last: Array  # int32[2]: the moves of the last round, -1 before the first


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    mine: Array  # int32[seats]: my last move, -1 before the first
    other: Array  # int32[seats]: the other's


class Dilemma(Game):
    """Two seats choose at the same time, round after round: cooperate or defect.

    `kind` names the payoffs (prisoners_dilemma, stag_hunt, chicken, harmony, deadlock, donation);
    `payoffs` = (reward, sucker, temptation, punishment) overrides it.
    """

    rounds: int = static(default=10)
    kind: str = static(default="prisoners_dilemma")
    payoffs: tuple[float, ...] = ()
    seats: ClassVar[int] = 2

    def check(self) -> None:
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(self.kind in NAMED, "kind", "one of " + ", ".join(NAMED))
        self.require(len(self.payoffs) in (0, 4), "payoffs", "reward, sucker, temptation, punishment")

    @property
    def rstp(self) -> tuple[float, ...]:
        """Reward, sucker, temptation, punishment."""
        return self.payoffs or NAMED[self.kind]

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("choose", ("cooperate", "defect")),)

    def start(self, key: Array) -> State:
        return State(jnp.int32(0), jnp.full(2, -1, jnp.int32))

    def ask(self, state: State) -> Ask:
        return everyone(self)

    def look(self, state: State) -> Sight:
        return Sight(jnp.broadcast_to(state.clock, 2), state.last, state.last[::-1])

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        r, s, t, p = (jnp.float32(value) for value in self.rstp)
        mine, other, clock = moves, moves[::-1], state.clock + 1
        return Turn(
            state=State(clock, moves),
            rewards=jnp.where(mine == 0, jnp.where(other == 0, r, s), jnp.where(other == 0, t, p)),
            round_over=jnp.array(True),
            ended=jnp.array(False),
            truncated=clock >= self.rounds,
            deeds=1.0 - moves.astype(jnp.float32),
        )

    def toward(self, state: State) -> Array:
        return jnp.array([1, 0], jnp.int32)

    def rules(self, seat: int) -> str:
        r, s, t, p = (f"{float(value):g}" for value in self.rstp)
        return (
            f"Two players choose at the same time, {self.rounds} rounds: cooperate or defect. "
            f"Both cooperate: {r} points each. Both defect: {p} each. "
            f"One cooperates and the other defects: {s} for the one who cooperates, {t} for the other."
        )

    def tell(self, state: State, seat: int) -> str:
        if state.clock == 0:
            return "Round 1. Nobody has chosen yet."
        names = self.questions[0].options
        mine, other = names[state.last[seat]], names[state.last[1 - seat]]
        return f"Round {state.clock + 1}. Last round you chose {mine}, the other {other}."

    def scene(self, state: State) -> list[dict[str, Any]]:
        colors = {-1: "idle", 0: "good", 1: "bad"}
        return [
            {"shape": "circle", "x": 0.3 + 0.4 * i, "y": 0.5, "r": 0.12, "fill": colors[int(state.last[i])], "text": str(i + 1)}
            for i in range(2)
        ]

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        return self.scene(state)

    def yardsticks(self) -> dict[str, float]:
        r, s, t, p = (float(value) for value in self.rstp)
        return {"welfare": self.rounds * max(2 * r, s + t, 2 * p)}

    def oracles(self) -> list[Oracle]:
        r, s, t, p = (float(value) for value in self.rstp)
        per_round = (2 * r, s + t, 2 * p)
        return [
            Oracle("welfare_sum", "ceiling", self.rounds * max(per_round), "bound", "the best cell every round"),
            Oracle("welfare_sum", "floor", self.rounds * min(per_round), "bound", "the worst cell every round"),
            Oracle("gain", "ceiling", self.rounds * max(per_round) / 2, "bound", "the best cell every round"),
            Oracle("gain", "floor", self.rounds * min(per_round) / 2, "bound", "the worst cell every round"),
        ]
