"""Answers each defection by two (Axelrod 1984)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy, move


class TwoTitsForTat(Policy):
    game = "dilemma"

    def start(self) -> Array:
        return jnp.int32(COOPERATE)  # the other's move before its last

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        return move((memory != DEFECT) & (sight.other != DEFECT)), sight.other
