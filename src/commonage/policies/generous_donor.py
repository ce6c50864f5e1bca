"""Gives the same share of what it holds to everybody; punishes nobody."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class GenerousDonor(Policy):
    """`share` in per cent."""

    game = "donor"

    share: int = 50

    def check(self) -> None:
        self.require(0 <= self.share <= 100, "share", "per cent, 0..100")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nearest(jnp.where(sight.punishing, 0, self.share)), memory
