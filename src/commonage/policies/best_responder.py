"""The best reply to others who take the equal share, by solving (dynamic programming over the stock, finite horizon)."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Legal
from commonage.part import static
from commonage.policy import Policy


class BestResponder(Policy):
    """Solved for a table of these parameters, which are the defaults of the commons; at another table name that one's.

    The others take the equal share of what is sustainable, whatever it does. Where all demands exceed the stock it counts on
    nothing beyond what the others leave.
    """

    game = "commons"

    seats: int = static(default=5)
    rounds: int = static(default=12)
    capacity: int = static(default=100)
    growth: int = static(default=2)
    collapse: int = static(default=5)

    def check(self) -> None:
        self.require(self.seats >= 1, "seats", "at least 1")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(1 <= self.capacity < 10_000, "capacity", "between 1 and 9999")
        self.require(self.growth >= 1, "growth", "at least 1")
        self.require(self.collapse >= 1, "collapse", "at least 1")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        plan = jnp.asarray(solved(self.seats, self.rounds, self.capacity, self.growth, self.collapse)[0])
        month, stock = jnp.minimum(sight.clock, self.rounds - 1), jnp.minimum(sight.stock, self.capacity)
        return legal.nearest(plan[month, stock]), memory


@functools.cache
def solved(seats: int, rounds: int, capacity: int, growth: int, collapse: int) -> tuple[np.ndarray, np.ndarray]:
    """(int32[rounds, capacity + 1] what to take in a month at a stock, int64[capacity + 1] what that brings from the first on).

    V_t(s) = max_h h + V_{t+1}(min(capacity, growth (s - others(s) - h))), V = 0 below `collapse`; of equals the least h.
    """
    stock = np.arange(capacity + 1)
    others = (stock - -(-stock // growth)) // seats * (seats - 1)
    left = stock[:, None] - others[:, None] - stock  # [stock, harvest]
    grown = np.minimum(np.maximum(left, 0) * growth, capacity)
    value, plan = np.zeros(capacity + 1, int), []
    for _ in range(rounds):
        total = np.where(left < 0, -1, stock + np.where(left < collapse, 0, value[grown]))
        plan.append(total.argmax(1).astype(np.int32))
        value = total.max(1)
    return np.stack(plan[::-1]), value
