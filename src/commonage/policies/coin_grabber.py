"""Walks to the nearest coin that it sees in the room of `coins`, whosever colour it is; where it sees none it walks around."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.grid import paths
from commonage.grid.kernel import FORWARD, NOOP, TURN_RIGHT, WALL, WHO
from commonage.grid.maps import FACINGS
from commonage.policy import Policy

OWN, OTHERS = 3, 4  # coins, as in the view of `coins`
WINDOW = (9, 1, 5)  # cells seen ahead, behind, at each side
TURN = 3  # so far ahead of a wall it turns: on its way around it then sees all of the largest room


class CoinGrabber(Policy):
    game = "coins"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        lies = sight.view % WHO
        return seek(sight, lies >= OWN, lies != WALL), memory


def seek(sight: Any, goals: Array, open: Array) -> Array:
    """int32[]: the move to the nearest of `goals` over `open` cells, both bool[h, w] of its view; without one a walk around."""
    at, facing = paths.here(sight, WINDOW)
    open = open & (sight.view < WHO)
    move = paths.toward(paths.flood(goals, open, sum(goals.shape)), at, facing)
    return jnp.where(move == NOOP, _around(sight.view, open, at, facing), move)


def _around(view: Array, open: Array, at: Array, facing: Array) -> Array:
    """Forward; right where a wall is near, or something in the way."""
    ahead = lambda cells, far: jnp.asarray(cells).at[tuple(at + far * jnp.asarray(FACINGS)[facing])].get(mode="clip")
    turns = jnp.stack([ahead(view, far + 1) % WHO == WALL for far in range(TURN)]).any() | ~ahead(open, 1)
    return jnp.where(turns, TURN_RIGHT, FORWARD)
