"""Cooperates if the other has cooperated at least as often as it defected (go by majority, Axelrod 1984)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy, move


class SoftMajority(Policy):
    game = "dilemma"

    def start(self) -> Array:
        return jnp.int32(0)  # the other's cooperations less its defections

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        lead = memory + (sight.other == COOPERATE) - (sight.other == DEFECT)
        return move(lead >= 0), lead
