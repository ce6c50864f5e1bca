"""The Coin Game: two players, two coins; whoever takes the other's coin harms the other (Lerer & Peysakhovich 2017).

As in JaxMARL's version there are always both coins, a taken coin reappears on a cell drawn uniformly from all (an
occupied one too: it can be taken by staying), and both may take the same coin at once. Here the board goes on from
round to round, where JaxMARL's starts afresh after each inner episode and drops the reward of its last step.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Ask, Game, Oracle, Question, Turn, everyone
from commonage.part import static

UP, DOWN, LEFT, RIGHT, STAY = range(5)
NOTHING, OWN, OTHERS = range(3)  # what was taken; 3 = both


class State(NamedTuple):
    clock: Array  # int32[]: steps played
    at: Array  # int32[2]: the players' cells, row by row from the upper left
    coins: Array  # int32[2]: the cells of the first and of the second player's coin
    took: Array  # int32[2]: in the last step: 0 nothing, 1 the own coin, 2 the other's, 3 both


class Sight(NamedTuple):
    """Offsets are (rows down, columns right), the shorter way around the board."""

    clock: Array  # int32[seats]
    mine: Array  # int32[seats, 2]: from me to my coin
    theirs: Array  # int32[seats, 2]: from me to the other's coin
    other: Array  # int32[seats, 2]: from me to the other player
    took: Array  # int32[seats]: what I took in the last step: 0 nothing, 1 my coin, 2 the other's, 3 both
    lost: Array  # int32[seats]: what the other took: 0 nothing, 1 its own coin, 2 mine, 3 both


class CoinGame(Game):
    """Each coin is worth 1 to whoever takes it; its owner loses `penalty` when the other does.

    The board is a torus of `size` x `size`. Moves are simultaneous: up, down, left, right, stay. A step in
    which a seat takes only its own coin is cooperative, one in which it takes the other's is not.
    """

    rounds: int = static(default=10)
    round_steps: int = static(default=5)
    size: int = static(default=3)
    penalty: float = 2.0
    seats: ClassVar[int] = 2

    lasting: ClassVar[tuple[str, ...]] = ("size", "round_steps")

    def check(self) -> None:
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(self.round_steps >= 1, "round_steps", "at least 1")
        self.require(3 <= self.size <= 5, "size", "between 3 and 5")  # so that `optimum` takes seconds at most
        self.require(self.penalty >= 1, "penalty", "at least 1, what a coin is worth")

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("move", ("up", "down", "left", "right", "stay"), neutral=STAY),)

    def start(self, key: Array) -> State:
        cells = seeds.below(seeds.fold(key, self.label, "start"), self.size**2, (4,))
        return State(jnp.int32(0), cells[:2], cells[2:], jnp.zeros(2, jnp.int32))

    def ask(self, state: State) -> Ask:
        return everyone(self)

    def look(self, state: State) -> Sight:
        offset = lambda to: jnp.stack([self._way(to // self.size - rows), self._way(to % self.size - columns)], -1)
        rows, columns = state.at // self.size, state.at % self.size
        mine, theirs, other = offset(state.coins), offset(state.coins[::-1]), offset(state.at[::-1])
        return Sight(jnp.broadcast_to(state.clock, 2), mine, theirs, other, state.took, state.took[::-1])

    def _way(self, steps: Array) -> Array:
        """The shorter way around: -1, 0 or 1 on a board of 3."""
        half = (self.size - 1) // 2
        return (steps + self.size + half) % self.size - half

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        at, clock = self._walk(state.at, moves), state.clock + 1
        own = (at == state.coins) & (moves >= 0)
        others = (at == state.coins[::-1]) & (moves >= 0)
        drawn = seeds.below(seeds.fold(key, self.label, "coins", state.clock), self.size**2, (2,))
        took = own.astype(jnp.int32) + OTHERS * others
        return Turn(
            state=State(clock, at, jnp.where(own | others[::-1], drawn, state.coins), took),
            rewards=own.astype(jnp.float32) + others - self.penalty * others[::-1],
            round_over=clock % self.round_steps == 0,
            ended=jnp.array(False),
            truncated=clock >= self.max_steps,
            deeds=jnp.where(own | others, (took == OWN).astype(jnp.float32), jnp.nan),
        )

    def _walk(self, at: Array, moves: Array) -> Array:
        """The cells where the moves lead. Arithmetic vectorises; a table of moves took three times as long."""
        rows = at // self.size + self.size + (moves == DOWN) - (moves == UP).astype(jnp.int32)
        columns = at % self.size + self.size + (moves == RIGHT) - (moves == LEFT).astype(jnp.int32)
        return rows % self.size * self.size + columns % self.size

    def toward(self, state: State) -> Array:
        return jnp.array([1, 0], jnp.int32)

    def facts(self, state: State) -> dict[str, Array]:
        return {"own_coins": state.took & OWN, "others_coins": state.took // OTHERS}

    def rules(self, seat: int) -> str:
        return (
            f"Two players walk on a board of {self.size} by {self.size} cells whose edges are joined: who leaves on one side comes in on "
            "the opposite one. There are two coins, one of each player. In every step both move at the same time: one cell up, down, left "
            "or right, or stay. Whoever comes to or stays on the cell of a coin takes it and gets 1 point, whosever coin it is. A player "
            f"whose coin is taken by the other loses {float(self.penalty):g} points. Both can take the same coin at once. A coin that was "
            f"taken reappears on any cell, drawn at random. There are {self.rounds} rounds of {self.round_steps} steps."
        )

    def tell(self, state: State, seat: int) -> str:
        clock, sight = int(state.clock), self.look(state)
        lines = [f"Round {clock // self.round_steps + 1}, step {clock % self.round_steps + 1} of {self.round_steps}."]
        for what, offset in (("Your coin", sight.mine), ("The other's coin", sight.theirs), ("The other player", sight.other)):
            lines.append(f"{what} is {_where(*np.asarray(offset[seat]).tolist())}.")
        took, lost = int(sight.took[seat]), int(sight.lost[seat])
        if took:
            lines.append(f"You took {('your coin', 'the coin of the other', 'both coins')[took - 1]} in the last step.")
        if lost:
            lines.append(f"The other took {('its own coin', 'your coin', 'both coins')[lost - 1]} in the last step.")
        return " ".join(lines)

    def scene(self, state: State) -> list[dict[str, Any]]:
        side, shapes = 1 / self.size, []
        for cell in range(self.size**2):
            x, y = cell % self.size * side, cell // self.size * side
            shapes.append({"shape": "rect", "x": x, "y": y, "w": side, "h": side, "fill": "none"})
        for i in range(2):  # coins small, players large, side by side where they meet
            for cell, r, dx, dy, text in ((state.coins[i], 0.08, 0.25, 0.8, ""), (state.at[i], 0.18, 0.3, 0.4, str(i + 1))):
                x, y = (int(cell) % self.size + dx + 0.4 * i) * side, (int(cell) // self.size + dy) * side
                shapes.append({"shape": "circle", "x": x, "y": y, "r": r * side, "fill": "seat", "seat": i, "text": text})
        return shapes

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        return self.scene(state)

    def yardsticks(self) -> dict[str, float]:
        """`welfare`: what two players with one aim can expect."""
        return {"welfare": optimum(self.size, self.max_steps, float(self.penalty))}

    def oracles(self) -> list[Oracle]:
        steps, best, low = self.max_steps, self.yardsticks()["welfare"], 1 - float(self.penalty)
        only_own, only_others = "a coin adds at most 1: its owner takes it alone", "a coin adds at least 1 - penalty: the other takes it"
        expected = "the largest expectation, by dynamic programming over all positions; luck can exceed it"
        return [
            Oracle("welfare_sum", "ceiling", 2.0 * steps, "bound", only_own),
            Oracle("welfare_sum", "floor", 2 * steps * low, "bound", only_others),
            Oracle("welfare_sum", "reference", best, "reference", expected),
            Oracle("gain", "ceiling", float(steps), "bound", only_own),
            Oracle("gain", "floor", steps * low, "bound", only_others),
            Oracle("gain", "reference", best / 2, "reference", expected),
        ]


@functools.cache
def optimum(size: int, steps: int, penalty: float) -> float:
    """The largest expected sum of both players' rewards, by dynamic programming over the four cells: 61 in 50 steps on 3 x 3."""
    cells = np.arange(size**2)
    rows, columns = cells // size, cells % size
    lead = [(rows + down) % size * size + (columns + right) % size for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))]
    first, second, coin, other = np.ix_(cells, cells, cells, cells)
    rewards = 1.0 * (first == coin) + (second == other) + (1 - penalty) * ((first == other) + 1.0 * (second == coin))
    taken, other_taken = (first == coin) | (second == coin), (first == other) | (second == other)
    value = np.zeros((size**2,) * 4)
    for _ in range(steps):
        value = np.where(taken, value.mean(2, keepdims=True), value)  # the coin reappears anywhere
        value = rewards + np.where(other_taken, value.mean(3, keepdims=True), value)
        value = np.max([value[cells_after] for cells_after in lead], 0)
        value = np.max([value[:, cells_after] for cells_after in lead], 0)
    return float(value.mean())


def _where(down: int, right: int) -> str:
    """`1 up and 2 right of you`."""
    parts = [f"{abs(n)} {name}" for n, name in ((down, "down" if down > 0 else "up"), (right, "right" if right > 0 else "left")) if n]
    return " and ".join(parts) + " of you" if parts else "where you are"
