"""Tit for tat that forgives a defection with probability p (Molander 1985; Nowak & Sigmund 1992)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import DEFECT, Policy, cooperate_with


class GenerousTitForTat(Policy):
    """The most generous p that no defector can use: min(1 - (T - R) / (R - S), (R - P) / (T - P)).

    That is 1/3 for the payoffs R, S, T, P = 3, 0, 5, 1; with other payoffs give your own p.
    """

    game = "dilemma"

    p: float = 1 / 3

    def check(self) -> None:
        self.require(0 <= self.p <= 1, "p", "a probability, 0..1")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return cooperate_with(key, jnp.where(sight.other == DEFECT, self.p, 1.0)), memory
