"""Tit for tat that defects now and then: after a cooperation it cooperates with probability p (Joss, in Axelrod 1980)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, cooperate_with


class Joss(Policy):
    """Its first move is always cooperation; a defection is always answered by one."""

    game = "dilemma"

    p: float = 0.9

    def check(self) -> None:
        self.require(0 <= self.p <= 1, "p", "a probability, 0..1")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        trust = jnp.where(sight.clock == 0, 1.0, self.p)
        return cooperate_with(key, jnp.where(sight.other == DEFECT, 0.0, trust)), memory
