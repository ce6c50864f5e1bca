"""Gives what the others gave on average last round (Fischbacher, Gächter & Fehr 2001)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class ConditionalCooperator(Policy):
    """`first`: per cent of its tokens in round 1. `slope`: per cent of the others' mean that it matches, to the
    nearest token; below 100 it is the self-serving bias under which contributions decay.
    """

    game = "public_goods"

    first: int = 100
    slope: int = 100

    def check(self) -> None:
        self.require(0 <= self.first <= 100, "first", "per cent, 0..100")
        self.require(0 <= self.slope <= 1000, "slope", "per cent, 0..1000")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        others = jnp.maximum((sight.given >= 0).sum() - 1, 1)
        total = jnp.maximum(sight.given, 0).sum() - sight.mine
        matched = (self.slope * total + 50 * others) // (100 * others)
        first = (self.first * legal.high + 50) // 100
        return legal.nearest(jnp.where(sight.clock == 0, first, matched)), memory
