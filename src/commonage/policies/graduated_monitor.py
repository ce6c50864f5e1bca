"""A part for `monitor`: graduated sanctions, the fifth of Ostrom's design principles (1990)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class GraduatedMonitor(Policy):
    """Checks with `watch` per cent, fines with `first` per cent, and `more` per cent for every breach of the norm that it has found."""

    game = "monitor"

    watch: int = 100
    first: int = 20
    more: int = 20

    def check(self) -> None:
        for field in ("watch", "first", "more"):
            self.require(0 <= getattr(self, field) <= 100, field, "a chance in per cent")

    def start(self) -> Array:
        return jnp.int32(0)  # breaches found

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        found = memory + ((sight.asked == 0) & sight.broke)
        return legal.nearest(jnp.where(sight.asked == 0, self.watch, jnp.minimum(self.first + self.more * memory, 100))), found
