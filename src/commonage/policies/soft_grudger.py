"""Answers a defection by D, D, D, D, C, C, whatever the other does meanwhile (Li, Hingston & Kendall 2011)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, move, reprisal


class SoftGrudger(Policy):
    game = "dilemma"

    def start(self) -> Array:
        return jnp.int32(0)  # moves of the answer left

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        defects, left = reprisal(memory, sight.other == DEFECT, 4, calm=2)
        return move(~defects), left
