"""Goes one step beyond its keenest rival: a price one lower, or a quantity one higher; never beyond Nash."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Undercutter(Policy):
    """Starts with the joint monopoly's move."""

    game = "market"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        keen = jnp.sign(sight.nash - sight.monopoly)  # -1: a lower price is keener; 1: a larger quantity is
        beyond = (keen * sight.rivals).max() + 1
        return jnp.where(sight.mine < 0, sight.monopoly, keen * jnp.minimum(beyond, keen * sight.nash)), memory
