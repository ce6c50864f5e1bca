"""Cooperates only if the other has cooperated more often than it defected (Mittal & Deb 2009)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy, move


class HardMajority(Policy):
    """Before the first move it is a tie: begins with a defection."""

    game = "dilemma"

    def start(self) -> Array:
        return jnp.int32(0)  # the other's cooperations less its defections

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        lead = memory + (sight.other == COOPERATE) - (sight.other == DEFECT)
        return move(lead > 0), lead
