"""Walks to the nearest coin, whosever it is; its own first where both are as near."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy

STEPS = np.array([(-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)], np.int32)  # up, down, left, right, stay: rows, columns


class Collector(Policy):
    game = "coin_game"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        cost = jnp.minimum(2 * distances(sight.mine), 2 * distances(sight.theirs) + 1)
        return jnp.argmin(cost).astype(jnp.int32), memory


def distances(offset: Array) -> Array:
    """int32[5]: how far what lies at `offset` is after each move."""
    return jnp.abs(offset - STEPS).sum(-1)
