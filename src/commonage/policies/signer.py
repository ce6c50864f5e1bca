"""A part for `contract`: proposes the same amount whenever it is its turn, and signs everything."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Signer(Policy):
    game = "contract"

    amount: int = 5

    def check(self) -> None:
        self.require(self.amount >= 0, "amount", "0 or more")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nearest(jnp.where(sight.asked == 0, self.amount, 1)), memory
