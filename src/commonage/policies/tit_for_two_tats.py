"""Defects only after two defections in a row (Axelrod 1984; Maynard Smith's entry to the second tournament)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy, move


class TitForTwoTats(Policy):
    game = "dilemma"

    def start(self) -> Array:
        return jnp.int32(COOPERATE)  # the other's move before its last

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        return move((memory != DEFECT) | (sight.other != DEFECT)), sight.other
