"""Harvests the equal share of the sustainable amount (GovSim's threshold, Piatti et al. 2024)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Sustainer(Policy):
    """In month `last` it takes everything: nothing that is left would be worth anything (0: never)."""

    game = "commons"
    aliases = ("share",)

    last: int = 0

    def check(self) -> None:
        self.require(self.last >= 0, "last", "a month, from 1, or 0 for never")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        everything = sight.clock + 1 == self.last
        return legal.nearest(jnp.where(everything, sight.stock, sight.share)), memory
