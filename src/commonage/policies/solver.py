"""Answers every sub-skill probe right: it reckons from what its sight shows."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Solver(Policy):
    """Where all harvests are said, next month's stock; else an equal share of what the others leave of half the stock."""

    game = "subskill"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        taken, open_ = jnp.maximum(sight.takes, 0).sum(), (sight.takes < 0).sum()
        most = (sight.stock // 2 - taken) // jnp.maximum(open_, 1)
        return legal.nearest(jnp.where(open_ > 0, most, 2 * (sight.stock - taken))), memory
