"""Tests the other by D, C, C: exploits it if it took the first defection meekly, else plays tit for tat (Li et al. 2011)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy, move


class Prober(Policy):
    """Meek is who cooperates in the second and in the third round."""

    game = "dilemma"

    def start(self) -> Array:
        return jnp.int32(0)  # the other's cooperations in rounds two and three

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        meek = memory + ((sight.clock == 2) | (sight.clock == 3)) * (sight.other == COOPERATE)
        exploits = (meek == 2) | (sight.other == DEFECT)
        return move(jnp.where(sight.clock < 3, sight.clock > 0, ~exploits)), meek
