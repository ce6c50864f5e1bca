"""Grim trigger: cooperates until the other defects once, then never again (Friedman 1971; in Axelrod 1980)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, move


class Grim(Policy):
    game = "dilemma"
    aliases = ("grudger",)

    def start(self) -> Array:
        return jnp.int32(0)  # the other's defections so far

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        defections = memory + (sight.other == DEFECT)
        return move(defections == 0), defections
