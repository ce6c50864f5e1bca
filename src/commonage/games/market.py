"""A repeated market: sellers name prices (Bertrand) or quantities (Cournot); to cooperate here is to collude.

Bertrand: q_i = a - b p_i + g x mean of the others' prices, the demand of a consumer with quasilinear quadratic utility
(Singh & Vives 1984). Quantities are never negative: who prices itself out sells nothing, and counts for the others with
the price at which it would just sell nothing, as that consumer's choice demands. (Cutting its quantity at 0 while its
price still lifted the others' demand would let a cartel earn more than the monopoly.)
Cournot: P = a - b Q, at least 0 (Cournot 1838).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Ask, Game, Oracle, Question, Turn, everyone
from commonage.part import static


class Deal(NamedTuple):
    """What each seller does and gets when all do the same, in a round."""

    price: Any
    quantity: Any
    profit: Any


class State(NamedTuple):
    clock: Array  # int32[]: rounds played
    last: Array  # int32[seats]: the last round's prices or quantities, -1 before the first


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    mine: Array  # int32[seats]: my last move, -1 before the first
    rivals: Array  # int32[seats, seats - 1]: the others' last moves, by seat
    reply: Array  # int32[seats]: the move nearest to the best reply to them, if they repeat them; -1 before the first
    nash: Array  # int32[seats]: the move nearest to the Nash equilibrium of one round
    monopoly: Array  # int32[seats]: the move nearest to the joint monopoly


class Market(Game):
    """Sellers name a price (kind "bertrand") or a quantity ("cournot"), 0..`top`, at the same time, round after round.

    `a`: demand at price 0, or the price at quantity 0; `b`: what one more unit of the own price or of quantity takes
    from it; `g`: what the others' mean price adds (Bertrand only); `c`: what a unit costs. With the defaults both
    kinds have the Nash price 20 and the monopoly price 28.
    A move is cooperative, that is collusive, from the midpoint between Nash and monopoly on.
    """

    seats: int = static(default=2)
    rounds: int = static(default=20)
    kind: str = static(default="bertrand")
    top: int = static(default=40)
    a: float = 52.0
    b: float = 2.0
    g: float = 1.0
    c: float = 4.0

    def check(self) -> None:
        self.require(self.seats >= 2, "seats", "at least 2")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(self.kind in ("bertrand", "cournot"), "kind", "bertrand or cournot")
        self.require(self.b > 0, "b", "above 0")
        self.require(not self.bertrand or 0 <= self.g < self.b, "g", "at least 0 and below b, or all could gain by raising prices for ever")
        self.require(0 <= self.c < self._choke(), "c", f"at least 0 and below {self._choke():g}, where nobody buys")
        need = max(self._move(self.nash()), self._move(self.monopoly()))
        self.require(need <= self.top < 10_000, "top", f"at least {need:g}, to name the Nash and the monopoly moves, and below 10000")

    @property
    def bertrand(self) -> bool:
        return self.kind == "bertrand"

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("price" if self.bertrand else "quantity", amount=(0, self.top), unit="" if self.bertrand else "units"),)

    def nash(self) -> Deal:
        """The one-round equilibrium. Bertrand: p = (a + bc) / (2b - g); Cournot: q = (a - c) / (b (n + 1))."""
        if self.bertrand:
            return self._all((self.a + self.b * self.c) / (2 * self.b - self.g))
        return self._all((self.a - self.c) / (self.b * (self.seats + 1)))

    def monopoly(self) -> Deal:
        """What maximises the sum of profits. Bertrand: p = (a / (b - g) + c) / 2; Cournot: q = (a - c) / (2bn)."""
        if self.bertrand:
            return self._all((self._choke() + self.c) / 2)
        return self._all((self.a - self.c) / (2 * self.b * self.seats))

    def _all(self, move: Any) -> Deal:
        price = move if self.bertrand else self.a - self.b * self.seats * move
        quantity = self.a - (self.b - self.g) * move if self.bertrand else move
        return Deal(price, quantity, (price - self.c) * quantity)

    def _move(self, deal: Deal) -> Any:
        return deal.price if self.bertrand else deal.quantity

    def _choke(self) -> Any:
        """The price at which nobody buys from anybody."""
        return self.a / (self.b - self.g) if self.bertrand else self.a

    def start(self, key: Array) -> State:
        return State(jnp.int32(0), jnp.full(self.seats, -1, jnp.int32))

    def ask(self, state: State) -> Ask:
        return everyone(self)

    def look(self, state: State) -> Sight:
        each = lambda x: jnp.broadcast_to(x, self.seats)
        rivals = state.last[_others(self.seats)]
        ideal = each(_whole(self._move(self.nash()))), each(_whole(self._move(self.monopoly())))
        return Sight(each(state.clock), state.last, rivals, self._reply(rivals), *ideal)

    def _reply(self, rivals: Array) -> Array:
        """int32[seats]. Bertrand: p = (a + g x mean + bc) / 2b; Cournot: q = (a - c - b x sum) / 2b; where all sell."""
        if self.bertrand:
            best = (self.a + self.g * rivals.mean(-1) + self.b * self.c) / (2 * self.b)
        else:
            best = (self.a - self.c - self.b * rivals.sum(-1)) / (2 * self.b)
        return jnp.where((rivals < 0).any(-1), -1, jnp.clip(_whole(best), 0, self.top))

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        clock = state.clock + 1
        price, quantity, _ = self.sales(moves)
        return Turn(
            state=State(clock, moves),
            rewards=(price - self.c) * quantity,
            round_over=jnp.array(True),
            ended=jnp.array(False),
            truncated=clock >= self.rounds,
            deeds=jnp.where(moves < 0, jnp.nan, self._collusive(moves).astype(jnp.float32)),
        )

    def _collusive(self, moves: Array) -> Array:
        middle = (self._move(self.nash()) + self._move(self.monopoly())) / 2
        # on whole numbers, a little generous: rounding in the middle must not decide
        return moves >= jnp.ceil(middle - 1e-3) if self.bertrand else moves <= jnp.floor(middle + 1e-3)

    def sales(self, moves: Array) -> tuple[Array, Array, Array]:
        """(prices float32[seats], quantities float32[seats], consumer surplus float32[]) of a round; -1 = sells nothing."""
        return self._bertrand(moves) if self.bertrand else self._cournot(moves)

    def _bertrand(self, moves: Array) -> tuple[Array, Array, Array]:
        """Demand of the consumer who maximises U(q) - p q over q >= 0; its surplus is half of sum q_i (choke - p_i)."""
        price = jnp.where(moves < 0, self._choke(), moves.astype(jnp.float32))
        weight = self.g / (self.seats - 1)
        # The price that all who sell nothing count with is the least of these: where only those as cheap as i sell.
        cheap = price <= price[:, None]
        out = (self.a + weight * (cheap * price).sum(1)) / (self.b - weight * ((~cheap).sum(1) - 1))
        felt = jnp.minimum(price, jnp.minimum(out.min(), self._choke()))
        quantity = self.a - self.b * felt + weight * (felt.sum() - felt)
        quantity = jnp.where(price > felt, 0, jnp.maximum(quantity, 0))
        return price, quantity, (quantity * (self._choke() - felt)).sum() / 2

    def _cournot(self, moves: Array) -> tuple[Array, Array, Array]:
        """The surplus is the area between demand and price: b Q^2 / 2, where Q counts up to the price of 0."""
        quantity = jnp.maximum(moves, 0).astype(jnp.float32)
        price = jnp.maximum(self.a - self.b * quantity.sum(), 0)
        return jnp.broadcast_to(price, self.seats), quantity, (self.a - price) ** 2 / (2 * self.b)

    def facts(self, state: State) -> dict[str, Array]:
        price, quantity, surplus = self.sales(state.last)
        return {"price": price, "quantity": quantity, "profit": (price - self.c) * quantity, "surplus": surplus}

    def rules(self, seat: int) -> str:
        a, b, g, c = (f"{float(value):g}" for value in (self.a, self.b, self.g, self.c))
        if self.bertrand:
            story = (
                f"each names a price, a whole number from 0 to {self.top}. A seller sells {a} units, less {b} for each point of its own "
                f"price, plus {g} for each point of the mean of the others' prices, and at least 0. A seller that sells nothing counts for "
                "the others with the lowest price at which it would sell nothing."
            )
        else:
            story = (
                f"each names a quantity, a whole number from 0 to {self.top}. All sell at the same price: {a}, less {b} for each unit that "
                "all together offer, and at least 0."
            )
        return f"{self.seats} sellers, {self.rounds} rounds. In each, at the same time, {story} Each unit costs {c} to make."

    def tell(self, state: State, seat: int) -> str:
        if state.clock == 0:
            return "Round 1. Nobody has sold yet."
        price, quantity, _ = (np.asarray(x) for x in self.sales(jnp.asarray(state.last)))
        profit = (price - float(self.c)) * quantity
        lines = [f"Round {int(state.clock) + 1}. Last round you sold {quantity[seat]:g} at {price[seat]:g}, a profit of {profit[seat]:g}."]
        sold = [f"seat {i + 1} sold {quantity[i]:g} at {price[i]:g}" for i in range(self.seats) if i != seat and state.last[i] >= 0]
        return f"{lines[0]} The others: {', '.join(sold)}." if sold else lines[0]

    def scene(self, state: State) -> list[dict[str, Any]]:
        side = 1 / self.seats
        return [
            {
                "shape": "bar",
                "x": (i + 0.25) * side,
                "y": 0.1,
                "w": side / 2,
                "h": 0.8,
                "value": max(int(move), 0) / self.top,
                "text": str(move),
            }
            for i, move in enumerate(state.last.tolist())
        ]

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        return self.scene(state)

    def yardsticks(self) -> dict[str, float]:
        """Per round and all sellers together, but `welfare`: the joint monopoly over the match."""
        nash, monopoly = (self.seats * float(deal.profit) for deal in (self.nash(), self.monopoly()))
        return {
            "welfare": self.rounds * monopoly,
            "nash_profit": nash,
            "monopoly_profit": monopoly,
            "nash_surplus": self._surplus(self.nash()),
        }

    def _surplus(self, deal: Deal) -> float:
        return self.seats * float(deal.quantity) * float(self._choke() - deal.price) / 2  # a triangle under each demand

    def oracles(self) -> list[Oracle]:
        best, nash, worst = self.yardsticks()["welfare"], self.rounds * self.yardsticks()["nash_profit"], self.rounds * self._worst()
        why = "the joint monopoly: the sum of profits is concave where all sell, and a seller without sales earns 0"
        ruin = (
            "all give it away: a unit earns at least -c, and at price 0 most units are sold"
            if self.bertrand
            else "every total supply, enumerated"
        )
        n = self.seats
        return [
            Oracle("welfare_sum", "ceiling", best, "bound", why),
            Oracle("welfare_sum", "floor", worst, "bound", ruin),
            Oracle("welfare_sum", "reference", nash, "reference", "the one-round Nash equilibrium in every round"),
            Oracle("gain", "ceiling", best / n, "bound", why),
            Oracle("gain", "floor", worst / n, "bound", ruin),
            Oracle("gain", "reference", nash / n, "reference", "the one-round Nash equilibrium in every round"),
        ]

    def _worst(self) -> float:
        """The smallest sum of profits in a round."""
        a, b, c = float(self.a), float(self.b), float(self.c)
        if self.bertrand:
            return -c * self.seats * a
        supply = np.arange(self.seats * self.top + 1)
        return float((supply * (np.maximum(a - b * supply, 0) - c)).min())


def _whole(x: Any) -> Array:
    """int32: the nearest whole number; a half, however rounded, goes up."""
    return jnp.floor(x + 0.501).astype(jnp.int32)


def _others(seats: int) -> np.ndarray:
    """int[seats, seats - 1]: everybody else, by seat."""
    return np.array([[j for j in range(seats) if j != i] for i in range(seats)])
