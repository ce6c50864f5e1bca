"""Harvests far too much, at random; a wary one shares for some months after a fine."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.part import static
from commonage.policy import Policy


class Cheat(Policy):
    """Takes `low`..`high` at random. Fined, it takes the equal share for the next `wary` months (0 = deaf)."""

    game = "commons"
    sees = ("punish",)

    low: int = 5
    high: int = 25
    wary: int = static(default=0)

    def check(self) -> None:
        self.require(self.low >= 0, "low", "0 or more")
        self.require(self.high >= self.low, "high", f"at least low, which is {self.low}")
        self.require(self.wary >= 0, "wary", "0 or more months")

    def start(self) -> Array:
        return jnp.int32(0)  # months of good behaviour left

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal, punish: Any = None) -> tuple[Array, Array]:
        fined = False if punish is None else punish.fined > 0
        good = jnp.where(fined, self.wary, memory)
        takes = self.low + seeds.below(key, self.high - self.low + 1)
        move = legal.nearest(jnp.where(good > 0, sight.share, takes))
        return move, jnp.maximum(good - 1, 0)
