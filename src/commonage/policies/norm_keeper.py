"""A part for `monitor`: checks and fines with chances of its own, and copies those of whoever does better (after Gupta et al. 2025)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.part import static
from commonage.policies.norm_follower import HIGH, LOW, natured, peers, trait
from commonage.policy import Policy


class NormKeeper(Policy):
    """Altruistic: both chances drawn in 60..100 per cent at first; selfish: in 0..40. The rest as in `norm_follower`."""

    game = "monitor"
    sees = ("imitation",)

    nature: str = static(default="selfish")
    error: int = 5

    def check(self) -> None:
        natured(self)

    def start(self) -> Array:
        return jnp.full(2, -1, jnp.int32)  # the chances to check and to fine, per cent; -1 not drawn yet

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal, imitation: Any = None) -> tuple[Array, Array]:
        bounds = HIGH if self.nature == "altruistic" else LOW
        shown = jnp.where(sight.asked == 0, peers(imitation, "monitor", 0), peers(imitation, "monitor", 1))
        mine = jnp.arange(2) == sight.asked
        chance = trait(key, jnp.where(mine, memory, -1).max(), bounds, shown, self.error)
        return legal.nearest(chance), jnp.where(mine, chance, memory)
