"""Cooperates with a probability that depends on the last round only, by table (Nowak & Sigmund 1990)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import COOPERATE, DEFECT, Policy, cooperate_with


class MemoryOne(Policy):
    """`p`: the probability to cooperate at the start, and after CC, CD, DC, DD (its own move first).

    The default is win-stay, lose-shift; tit for tat is (1, 1, 0, 1, 0). All tables are leaves: hundreds
    of them act in one compiled call.
    """

    game = "dilemma"

    p: tuple[float, ...] = (1.0, 1.0, 0.0, 0.0, 1.0)

    def check(self) -> None:
        valid = len(self.p) == 5 and all(0 <= p <= 1 for p in self.p)
        self.require(valid, "p", "five probabilities: at the start, after CC, CD, DC, DD")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        start, cc, cd, dc, dd = self.p
        defected = sight.other == DEFECT
        after = jnp.where(sight.mine == COOPERATE, jnp.where(defected, cd, cc), jnp.where(defected, dd, dc))
        return cooperate_with(key, jnp.where(sight.clock == 0, start, after)), memory
