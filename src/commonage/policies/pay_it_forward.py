"""Gives the share that it received last, whoever the recipient: upstream reciprocity (Nowak & Roch 2007)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class PayItForward(Policy):
    """`first`: per cent that it gives before it has received anything."""

    game = "donor"

    first: int = 50

    def check(self) -> None:
        self.require(0 <= self.first <= 100, "first", "per cent, 0..100")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        share = jnp.where(sight.received == -1, self.first, sight.received)  # below -1: it was punished, and received nothing
        return legal.nearest(jnp.where(sight.punishing, 0, share)), memory
