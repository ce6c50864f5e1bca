"""A part for `agreement` around the commons: writes down the equal share of the sustainable harvest as the limit."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class LimitWriter(Policy):
    """Around another game it writes down no limit. `amount`: this limit instead, whatever the stock."""

    game = "agreement"
    sees = ("commons",)

    amount: int = -1

    def check(self) -> None:
        self.require(self.amount >= -1, "amount", "0 or more, or -1 for the equal share")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal, commons: Any = None) -> tuple[Array, Any]:
        share = legal.high if commons is None else commons.share
        return legal.nearest(jnp.where(self.amount < 0, share, self.amount)), memory
