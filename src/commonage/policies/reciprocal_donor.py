"""Gives the share that its recipient gave last: downstream indirect reciprocity (Nowak & Sigmund 2005)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class ReciprocalDonor(Policy):
    """`first`: per cent for a recipient of whom it knows nothing, as in the first round or without a trace."""

    game = "donor"

    first: int = 50

    def check(self) -> None:
        self.require(0 <= self.first <= 100, "first", "per cent, 0..100")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        share = jnp.where(sight.chain[0] == -1, self.first, sight.chain[0])  # below -1: it punished, and gave nothing
        return legal.nearest(jnp.where(sight.punishing, 0, share)), memory
