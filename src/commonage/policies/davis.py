"""Cooperates for ten rounds, then plays grim, looking back on all of them (Davis, in Axelrod 1980)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, move


class Davis(Policy):
    game = "dilemma"

    rounds: int = 10

    def check(self) -> None:
        self.require(self.rounds >= 0, "rounds", "0 or more")

    def start(self) -> Array:
        return jnp.int32(0)  # the other's defections so far

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        defections = memory + (sight.other == DEFECT)
        return move((sight.clock < self.rounds) | (defections == 0)), defections
