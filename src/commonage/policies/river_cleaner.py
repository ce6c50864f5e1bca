"""Walks to the nearest dirt that it sees, else to the river, and cleans: the cooperator of Cleanup (Hughes et al. 2018)."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Legal
from commonage.grid import kernel, maps, paths
from commonage.grid.game import Grid
from commonage.grid.orchard import CLEAN, DIRT
from commonage.part import static
from commonage.policies.forager import seek
from commonage.policy import Policy


class RiverCleaner(Policy):
    map: str = static(default="cleanup")  # the game's
    game = "cleanup"

    def check(self) -> None:
        self.require(self.map in maps.names(), "map", f"one of {', '.join(maps.names())}")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        """What lies up to three cells ahead, or beside it, is cleaned; for what lies to a side or behind it turns."""
        at, facing = paths.here(sight, Grid.window)
        lines, columns = np.indices(sight.view.shape)
        near = (jnp.abs(lines - at[0]) + jnp.abs(columns - at[1]) <= 3) & (sight.view % kernel.WHO == DIRT)
        counts = jnp.stack([(near & _side(lines - at[0], columns - at[1], (facing + turn) & 3)).sum() for turn in range(4)])
        turn = jnp.where(jnp.argmax(counts) == 3, kernel.TURN_LEFT, kernel.TURN_RIGHT)
        act = jnp.where(counts[0] > 0, CLEAN, turn)
        walk = paths.sidestep(key, seek(key, sight, DIRT, maps.load(self.map), "dirt_at_start"), 0.05)
        return jnp.where(counts.max() > 0, jnp.where((sight.own.wait[1] > 0) & (counts[0] > 0), kernel.NOOP, act), walk).astype(
            jnp.int32
        ), memory


def _side(south: Array, east: Array, facing: Array) -> Array:
    """bool[lines, columns]: which cells the middle line of a beam that goes there could hit."""
    ahead = jnp.stack([-south, east, south, -east])[facing]
    beside = jnp.stack([east, south, east, south])[facing]
    return (ahead > 0) & (beside == 0)
