"""The inverse game: trash piles up, and a house is lost in which too much is left (Curvo et al. 2025).

It is *not* a mirror of the fishery, although 100, 5 and 50 return. The pile is capped, so what a full house adds
mostly finds no room: with five seats removing one unit each it survives for ever, and so does random play.

Its sources disagree about the payoff. The seats are told that a unit taken out costs ten minutes of their life,
and that they want to save time; the code counts the units as gain. Here a unit costs `cost`; `cost=-1` counts as
the code does. That the house is lost costs nothing in either, so that idling is dominant: `worth` puts a price on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Ask, Game, Oracle, Question, Turn, divide, everyone
from commonage.games._sharing import SHARING
from commonage.part import static


class State(NamedTuple):
    clock: Array  # int32[]: months played
    stock: Array  # int32[]: trash in the house now
    removed: Array  # int32[seats], last month
    wanted: Array  # int32[seats], last month; -1 before the first and of a retired seat
    share: Array  # int32[]: equal share of the least that had to go, of the month just played


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    stock: Array  # int32[seats]
    share: Array  # int32[seats]: equal share of the least that has to go now, rounded up
    mine: Array  # int32[seats]: what I removed last month
    removed: Array  # int32[seats, seats]: what each removed last month; -1 where not reported


class Trash(Game):
    """Seats remove trash from a common house; more is added, up to the capacity; too much left loses the house.

    A removal is cooperative where it is at least an equal share of the least that has to go, `stock - limit`; in a
    month in which nothing has to go there is no deed. `sharing` settles removals above the stock, as in the commons.
    """

    seats: int = static(default=5)
    rounds: int = static(default=12)
    capacity: int = static(default=100)
    sharing: str = static(default="unit")
    report: bool = static(default=True)  # everybody learns all removals at the end of the month
    added: int = 50  # a month
    limit: int = 95  # more than this left after the removal: it is over
    cost: float = 1.0  # points that a unit costs who removes it; below 0 it earns them
    worth: float = 0.0  # points to each seat for a month in which the house is not lost

    spares = True

    @property
    def private(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("wanted",) if self.report else ("wanted", "removed")

    def check(self) -> None:
        self.require(self.seats >= 1, "seats", "at least 1")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(1 <= self.capacity < 10_000, "capacity", "between 1 and 9999")
        self.require(self.sharing in SHARING, "sharing", " or ".join(SHARING))
        self.require(0 <= self.added < 10_000, "added", "between 0 and 9999")
        self.require(0 <= self.limit < self.capacity, "limit", f"at least 0 and below the capacity, which is {self.capacity}")
        self.require(np.isfinite(self.cost), "cost", "a number of points")
        self.require(0 <= self.worth < np.inf, "worth", "a number of points, 0 or more")

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("remove", amount=(0, self.capacity), unit="units of trash"),)

    def needed(self, stock: Array) -> Array:
        """int32[]: the least that all together must remove for the house not to be lost this month."""
        return jnp.maximum(stock - self.limit, 0)

    def share(self, stock: Array) -> Array:
        """int32[]: an equal share of that, rounded up."""
        return divide(self.needed(stock) + self.seats - 1, self.seats)

    def start(self, key: Array) -> State:
        none = jnp.zeros(self.seats, jnp.int32)
        stock = jnp.int32(self.capacity)
        return State(jnp.int32(0), stock, none, none - 1, self.share(stock))

    def ask(self, state: State) -> Ask:
        return everyone(self, high=state.stock)

    def look(self, state: State) -> Sight:
        each = lambda x: jnp.broadcast_to(x, self.seats)
        known = self.witness(state) & (state.wanted >= 0)
        removed = jnp.where(known, state.removed, -1)
        return Sight(each(state.clock), each(state.stock), each(self.share(state.stock)), state.removed, removed)

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        here, share = moves >= 0, self.share(state.stock)
        removed = SHARING[self.sharing](seeds.fold(key, self.label, state.clock), jnp.maximum(moves, 0), state.stock)
        left, clock = state.stock - removed.sum(), state.clock + 1
        ended = left > self.limit
        return Turn(
            state=State(clock, jnp.minimum(left + self.added, self.capacity), removed, moves, share),
            rewards=jnp.where(here, self.worth * ~ended - self.cost * removed, 0).astype(jnp.float32),
            round_over=jnp.array(True),
            ended=ended,
            truncated=(clock >= self.rounds) & ~ended,
            deeds=jnp.where(here & (share > 0), (moves >= share).astype(jnp.float32), jnp.nan),
        )

    def witness(self, state: State) -> Array:
        return jnp.eye(self.seats, dtype=bool) | self.report

    def facts(self, state: State) -> dict[str, Array]:
        return {"stock": state.stock, "removed": state.removed, "share": state.share}

    def rules(self, seat: int) -> str:
        cost, worth = float(self.cost), float(self.worth)
        lines = [
            f"{self.seats} people share a house that holds at most {self.capacity} units of trash.",
            f"Every month, for {self.rounds} months, each decides in private and at the same time how many units to take out.",
            "Then everybody learns what each one took out." if self.report else "",
            f"Then {self.added} units are added, up to {self.capacity}.",
            f"If more than {self.limit} remain after a month's removal, the house is lost and all ends.",
            f"A unit {'costs' if cost > 0 else 'earns'} the one who takes it out {_points(abs(cost))}." if cost else "",
            f"A month in which the house is not lost is worth {_points(worth)} to each." if worth else "",
        ]
        return " ".join(filter(None, lines))

    def tell(self, state: State, seat: int) -> str:
        lines = [f"Month {int(state.clock) + 1}. The house holds {int(state.stock)} units of trash."]
        if state.clock and state.wanted[seat] >= 0:
            lines.append(f"Last month you took out {int(state.removed[seat])}.")
        others = [f"seat {i + 1} took out {int(c)}" for i, c in enumerate(state.removed) if i != seat and state.wanted[i] >= 0]
        if self.report and others:
            lines.append(f"The others: {', '.join(others)}.")
        return " ".join(lines)

    def scene(self, state: State) -> list[dict[str, Any]]:
        full = int(state.stock) / self.capacity
        shapes: list[dict[str, Any]] = [
            {"shape": "rect", "x": 0.38, "y": 0.3, "w": 0.24, "h": 0.4, "fill": "idle"},
            {"shape": "bar", "x": 0.4, "y": 0.32, "w": 0.2, "h": 0.36, "value": full, "text": str(int(state.stock))},
        ]
        for i in range(self.seats):
            angle = 2 * np.pi * i / self.seats
            x, y = 0.5 + 0.4 * np.cos(angle), 0.5 + 0.4 * np.sin(angle)
            shapes.append(
                {"shape": "circle", "x": float(x), "y": float(y), "r": 0.06, "fill": "seat", "seat": i, "text": str(int(state.removed[i]))}
            )
        return shapes

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        shown = lambda shape: self.report or shape.get("seat", seat) == seat
        return [shape if shown(shape) else {**shape, "text": ""} for shape in self.scene(state)]

    def oracles(self) -> list[Oracle]:
        worst, best, kept = self._total(np.minimum), self._total(np.maximum), self._kept()
        solved, shared = "dynamic programming over the stock", "the least that keeps the house, in equal shares"
        return [
            Oracle("survival_time", "floor", 1.0, "bound", "a first month in which nobody removes anything"),
            Oracle("survival_time", "ceiling", float(self.rounds), "bound", "the horizon"),
            Oracle("survival_rate", "floor", 0.0, "bound", "removing nothing"),
            Oracle("survival_rate", "ceiling", 1.0, "bound", "removing everything"),
            Oracle("gain", "floor", worst / self.seats, "bound", solved),
            Oracle("gain", "ceiling", best / self.seats, "bound", solved),
            Oracle("gain", "reference", kept / self.seats, "reference", shared),
            Oracle("welfare_sum", "floor", worst, "bound", solved),
            Oracle("welfare_sum", "ceiling", best, "bound", solved),
            Oracle("welfare_sum", "reference", kept, "reference", shared),
        ]

    def yardsticks(self) -> dict[str, float]:
        """Where nothing can be earned there is no full welfare, and efficiency is undefined."""
        best = self._total(np.maximum)
        return {"welfare": best} if best > 0 else {}

    def least(self) -> int:
        """The least that all together can remove in a match and keep the house to its end.

        Taking out only what must go is best: a unit more now saves at most one later, none where the house is full.
        """
        full = self.capacity - int(self.limit)
        return full + (self.rounds - 1) * min(full, int(self.added))

    def _kept(self) -> float:
        return self.rounds * self.seats * float(self.worth) - float(self.cost) * self.least()

    def _total(self, extreme: np.ufunc) -> float:
        """The largest or smallest sum of rewards: V_t(s) = extreme over r of -cost r + [kept] (worth n + V_{t+1})."""
        left = np.arange(self.capacity + 1)
        grown, cost = np.minimum(left + int(self.added), self.capacity), float(self.cost)
        value = np.zeros(self.capacity + 1)
        for _ in range(self.rounds):
            after = np.where(left > int(self.limit), 0.0, self.seats * float(self.worth) + value[grown])
            value = extreme.accumulate(after + cost * left) - cost * left
        return float(value[self.capacity])


def _points(amount: float) -> str:
    return f"{amount:g} point{'s' * (amount != 1)}"
