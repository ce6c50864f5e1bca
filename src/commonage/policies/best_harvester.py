"""The best reply in the common pool to stewards, by solving (dynamic programming over the stock, finite horizon)."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Legal
from commonage.part import static
from commonage.policy import Policy

UNIT = 100  # the stock is counted in hundredths of a ton


class BestHarvester(Policy):
    """Solved for a logistic pool of these parameters, which are the defaults of `pool`; at another table name that one's.

    All others are stewards: they put in the effort at which all together would take the sustainable harvest, whatever it does.
    """

    game = "pool"

    seats: int = static(default=8)
    rounds: int = static(default=60)
    capacity: int = static(default=100)
    growth: int = static(default=25)
    reach: int = static(default=50)
    collapse: int = static(default=5)
    consumption: float = static(default=0.25)

    def check(self) -> None:
        self.require(self.seats >= 1, "seats", "at least 1")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(1 <= self.capacity <= 900, "capacity", "between 1 and 900")
        self.require(0 <= self.growth <= 100, "growth", "between 0 and 100 per cent")
        self.require(1 <= self.reach <= 100, "reach", "between 1 and 100 per cent")
        self.require(1 <= self.collapse <= self.capacity, "collapse", "between 1 and the capacity")
        self.require(self.consumption >= 0, "consumption", "at least 0")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        rules = self.seats, self.rounds, self.capacity, self.growth, self.reach, self.collapse, self.consumption
        plan = jnp.asarray(solved(*rules)[0])
        round, stock = jnp.minimum(sight.clock, self.rounds - 1), jnp.minimum(sight.stock, self.capacity * UNIT)
        return legal.nearest(plan[round, stock].astype(jnp.int32)), memory


@functools.cache
def solved(
    seats: int, rounds: int, capacity: int, growth: int, reach: int, collapse: int, consumption: float
) -> tuple[np.ndarray, np.ndarray]:
    """(int8[rounds, stocks] the effort in a round at a stock, float64[stocks] what it brings from the first on, in tons).

    V_t(s) = max_e h(s, e) - consumption + V_{t+1}(s + g(s) - others(s) - h(s, e)), V = 0 below `collapse`; of equals the least e.
    """
    full = capacity * UNIT
    stock = np.arange(full + 1)
    grown = stock + stock * (full - stock) // full * growth // 100
    share = np.minimum((grown - np.minimum(stock, full // 2)) * 10_000 // (np.maximum(stock, 1) * reach), 100)
    catch = lambda effort: stock * effort // 100 * reach // (100 * seats)
    rest, value, plan = grown - (seats - 1) * catch(share), np.zeros(full + 1), []
    for _ in range(rounds):
        best, efforts = np.full(full + 1, -np.inf), np.zeros(full + 1, np.int8)
        for effort in range(101):
            mine = catch(effort)
            left = rest - mine
            total = mine - consumption * UNIT + np.where(left < collapse * UNIT, 0, value[left])
            better = total > best
            best, efforts = np.where(better, total, best), np.where(better, np.int8(effort), efforts)
        value = best
        plan.append(efforts)
    return np.stack(plan[::-1]), value / UNIT
