"""Takes the equal share as long as the others do; when more was taken, it takes more too (Fischbacher, Gächter & Fehr 2001)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class ConditionalSustainer(Policy):
    """After a month in which more than `tolerance` seats took more than its equal share it takes what those took, on average."""

    game = "commons"

    tolerance: int = 0

    def check(self) -> None:
        self.require(self.tolerance >= 0, "tolerance", "a number of seats, 0 or more")

    def start(self) -> Array:
        return jnp.int32(0)  # the equal share of the month before

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        over = (sight.caught > memory) & (sight.clock > 0)
        theirs = jnp.where(over, sight.caught, 0).sum() // jnp.maximum(over.sum(), 1)
        return legal.nearest(jnp.where(over.sum() > self.tolerance, theirs, sight.share)), sight.share
