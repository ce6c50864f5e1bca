"""Offers so much of the pie, and rejects an offer below a least one: the strategy S(p, q) of Nowak, Page & Sigmund 2000."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy, move


class Bargainer(Policy):
    """`offer`: p, what it offers as proposer. `least`: q, the least that it accepts as responder. Both in points."""

    game = "ultimatum"

    offer: int = 5
    least: int = 3

    def check(self) -> None:
        self.require(self.offer >= 0, "offer", "0 or more")
        self.require(self.least >= 0, "least", "0 or more")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return jnp.where(sight.asked == 0, legal.nearest(self.offer), move(sight.offer >= self.least)), memory
