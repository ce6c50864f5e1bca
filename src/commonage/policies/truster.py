"""Sends so much as investor, and returns a share of what it received as trustee."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Truster(Policy):
    """`send` in points; `give_back` in per cent of what was received, to the nearest point."""

    game = "trust"

    send: int = 10
    give_back: int = 50

    def check(self) -> None:
        self.require(self.send >= 0, "send", "0 or more")
        self.require(0 <= self.give_back <= 100, "give_back", "per cent, 0..100")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        returns = (self.give_back * sight.received + 50) // 100
        return legal.nearest(jnp.where(sight.asked == 0, self.send, returns)), memory
