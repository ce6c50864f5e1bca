"""Walks to its own coin and around the other's: the cooperator of the Coin Game (Lerer & Peysakhovich 2017).

Where both coins lie on one cell it takes both: two that wait there would wait for ever.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policies.collector import distances
from commonage.policy import Policy


class OwnCoin(Policy):
    game = "coin_game"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        away, harms = distances(sight.mine), distances(sight.theirs) == 0
        return jnp.argmin(away + 1000 * (harms & (away > 0))).astype(jnp.int32), memory
