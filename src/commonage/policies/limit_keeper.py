"""Keeps to the agreed limit while there is one; else it takes what it likes."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class LimitKeeper(Policy):
    """Takes the limit of `agreement`; without one, `otherwise` per cent of the equal share of the sustainable harvest."""

    game = "commons"
    sees = ("agreement",)

    otherwise: int = 200

    def check(self) -> None:
        self.require(0 <= self.otherwise <= 1000, "otherwise", "per cent of the equal share, 0..1000")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal, agreement: Any = None) -> tuple[Array, Any]:
        free = sight.share * self.otherwise // 100
        wanted = free if agreement is None else jnp.where(agreement.limit >= 0, agreement.limit, free)
        return legal.nearest(wanted), memory
