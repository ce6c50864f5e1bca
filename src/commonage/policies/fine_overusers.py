"""A part for `punish`: fines somebody who did the least cooperative deed, if it notices (notice = 1: always)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.policy import Policy


class FineOverusers(Policy):
    """With probability `notice` pays to fine one seat, drawn among those whose last deed was below `below`."""

    game = "punish"

    notice: float = 1.0
    below: float = 0.5

    def check(self) -> None:
        self.require(0 <= self.notice <= 1, "notice", "a probability, 0..1")
        self.require(0 <= self.below <= 1, "below", "a deed, 0..1")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        guilty = (sight.deeds < self.below) & legal.options[1 : sight.deeds.shape[0] + 1]
        sees = seeds.chance(seeds.fold(key, 0), self.notice) & guilty.any()
        whom = jnp.where(sees, 1 + seeds.one_of(seeds.fold(key, 1), guilty), 0)
        return jnp.where(sight.asked == 0, whom, 0).astype(jnp.int32), memory
